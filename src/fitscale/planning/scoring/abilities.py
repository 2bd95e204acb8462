"""Functions matched, and what can be added: by what was tried, here or in the plug-ins' suites, never by what is claimed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from fitscale.planning import wording
from fitscale.planning.decision.gates import DISTRIBUTED, must_s, rows_that_fit
from fitscale.planning.scoring.ground import Ground, entry
from fitscale.records.plan import Assessed, Candidate
from fitscale.records.scorecard import Anchors, Basis, Entry, Facts, Proof
from fitscale.workload.offered import offers

NOTABLE = 1.1
MANY = 1000.0  # times: from there on nobody asks how many
KINDS = ("source", "estimator", "metric", "exporter")


class Asked(NamedTuple):
    """A function, and what shows that it is there: none, and why."""

    what: str
    proof: Proof | None
    why_not: str = "no suite proved it"
    can: str = ""  # it is there, though no suite is on record

    @property
    def matched(self) -> bool:
        return self.proof.passed if self.proof is not None else bool(self.can)


def functions_of(a: Assessed, ground: Ground) -> Entry:
    """Of what the workload asks for, how much was tried and worked."""
    asked = list(_asked(a.candidate, ground))
    there = [one for one in asked if one.matched]
    lacking = [one for one in asked if not one.matched]
    told = "; ".join(f"{one.what}: {_why(one)}" for one in lacking) or "all that is asked for was tried and works"
    on = [one.proof for one in there if one.proof is not None]
    return entry(
        "functions", float(len(there)), Anchors(best=float(len(asked)), worst=0.0, origin="stated"), unit="functions",
        shown=f"{len(there)} of {len(asked)}", origin=_basis(on), as_of=min((p.on for p in on), default=""), sentence=told,
        parts=tuple(f"{one.what}: {_shown(one)}" for one in asked),
    )  # fmt: skip


def _asked(candidate: Candidate, ground: Ground) -> Iterator[Asked]:
    """Each thing that the workload asks of the tool; that a run goes on is asked always."""
    workload, facts, framework = ground.workload, ground.facts, candidate.framework
    for name in workload.needs.export:
        here = _proof(facts.but(proofs=()), "exporters", name, "export")
        yield Asked(
            f"export to {name}", here or _alone(facts, name, framework) or _proof(facts, "exporters", name, "export")
        )
    for name in workload.needs.functions:
        if name == "distributed_training":
            yield _distributed(candidate, facts)
        else:
            by = offers(name, workload)
            known = _proof(facts, "functions", name, name) if by else None
            yield Asked(name, known, "not offered", f"{by} can be used; no suite of it is on record" if by else "")
    if workload.data.groups:
        yield Asked("a model for each group", _proof(facts, "engines", candidate.engine, "groups"))
    if workload.evaluate.early_stopping is not None:
        yield Asked("early stopping", _proof(facts, "frameworks", framework, "early stopping"))
    if workload.data.weight is not None:
        yield Asked("weights of rows", _proof(facts, "frameworks", framework, "weights"))
    if candidate.is_grouped or facts.progress != "none":
        family, name = ("engines", candidate.engine) if candidate.is_grouped else ("frameworks", framework)
        yield Asked("going on after an interruption", _proof(facts, family, name, "resume"))
    else:
        yield Asked("going on after an interruption", None, "a fit of this estimator that is ended begins anew")
    if candidate.machine != ground.machine.name:
        yield Asked("a container for there", _proof(facts, "deploying", "container", "context"))


def _distributed(candidate: Candidate, facts: Facts) -> Asked:
    what = "distributed training"
    if candidate.strategy not in DISTRIBUTED:
        return Asked(what, None, "it trains in one process")
    ranks = candidate.strategy == "data-parallel"
    own = _proof(facts, "frameworks", candidate.framework, "ranks") if ranks else None
    if ranks and own is None:
        return Asked(what, None)
    return Asked(what, _proof(facts, "engines", candidate.engine, "ranks" if ranks else "groups"))


def _proof(facts: Facts, family: str, plugin: str, ability: str) -> Proof | None:
    """What was tried for this plan before what is recorded."""
    key = (family, plugin, ability)
    return next((p for p in (*facts.tried, *facts.proofs) if (p.family, p.plugin, p.ability) == key), None)


def _alone(facts: Facts, exporter: str, framework: str) -> Proof | None:
    return _proof(facts, "exporters", exporter, f"without fitscale: {framework}")


def _why(one: Asked) -> str:
    return one.why_not if one.proof is None else f"failed when it was tried on {one.proof.on}"


def _shown(one: Asked) -> str:
    if one.proof is None:
        return one.can or one.why_not
    return f"{'works' if one.proof.passed else 'fails'}: {named(one.proof)}"


def named(proof: Proof) -> str:
    """``a resumed fit gives the same bytes (test_xgboost_suite.py, 10 tests, 2026-11-30)``; what was tried here as it is said."""
    file, found, test = proof.how.rpartition("::test_")
    if not found:
        return f"{proof.how} ({proof.on})"
    tests = f"{proof.tests} tests, " if proof.tests > 1 else ""
    return f"{test.replace('_', ' ')} ({file.partition('::')[0].rpartition('/')[2]}, {tests}{proof.on})"


def _basis(proofs: list[Proof]) -> Basis:
    return "tried" if proofs and all(proof.how.startswith("tried here") for proof in proofs) else "recorded"


# What can be added.


def extension_of(a: Assessed, ground: Ground) -> Entry:
    """Which kinds of plug-in somebody else's package added, and beside it how much more this architecture can take."""
    found = {p.ability: p for p in ground.facts.proofs if p.family == "plug-ins" and p.passed}
    there = [kind for kind in KINDS if kind in found]
    room = tuple(headroom(a, ground))
    lacks = [kind for kind in KINDS if kind not in found]
    told = f"a {', '.join(there)} of an own package" if there else "no own plug-in was tried"
    told += f"; not tried: {', '.join(lacks)}" if lacks else ""
    return entry(
        "extension", float(len(there)), Anchors(best=float(len(KINDS)), worst=0.0, origin="assumed"), unit="kinds",
        shown=f"{len(there)} of {len(KINDS)} kinds", origin="recorded", as_of=min((found[k].on for k in there), default=""),
        sentence="; ".join([told, *room[:1]]), source="; ".join(dict.fromkeys(named(found[k]) for k in there)), parts=room,
    )  # fmt: skip


def headroom(a: Assessed, ground: Ground) -> Iterator[str]:
    """How many times the rows, or models, until another architecture is needed, and which: the nearest limit first."""
    limits = limits_of(a, ground)
    for at, (times, limit) in enumerate(limits):
        much = wording.factor(times) if times < MANY else "over 1,000 ×"
        yield f"{limit} is enough for {much} {_what(a, times, limit)}{_beyond(a, ground, times) if at == 0 else ''}"


def limits_of(a: Assessed, ground: Ground) -> list[tuple[float, str]]:
    """Times the rows, or the models, up to which each limit lasts; time and memory beyond their fixed parts are taken as linear."""
    forecast, candidate = a.forecast, a.candidate
    found: list[tuple[float, str]] = []
    must = must_s(ground.workload)
    start = forecast.phases.get("start", 0.0)
    if must is not None and forecast.time_s.value > start and must > start:
        found.append(((must - start) / (forecast.time_s.value - start), "your deadline"))
    if candidate.machine == ground.machine.name:
        rows = rows_that_fit(candidate, forecast, ground.machine)
        if rows and forecast.rows:
            found.append((rows / forecast.rows, "the memory here"))
        free = ground.machine.disk_free_bytes
        if free and forecast.storage_bytes.value > 0:
            found.append((free / forecast.storage_bytes.value, "the disk here"))
    return sorted(found)


def _what(a: Assessed, times: float, limit: str) -> str:
    if a.candidate.is_grouped:
        return "the models"
    rows = f"the rows ({wording.rows(a.forecast.rows * times)})" if a.forecast.rows else "the rows"
    return f"{rows} or the features" if limit == "the memory here" else rows


def _beyond(a: Assessed, ground: Ground, times: float) -> str:
    """Which of the others goes on from there; nothing where none does notably."""
    further = [
        (limits[0][0], other.candidate.name)
        for other in ground.others
        if other.candidate.machine == ground.machine.name and (limits := limits_of(other, ground))
    ]
    most, name = max(further, default=(0.0, ""))
    if most < NOTABLE * times or name == a.candidate.name:
        return ""
    return f", {name} for {wording.factor(most) if most < MANY else 'over 1,000 ×'}"
