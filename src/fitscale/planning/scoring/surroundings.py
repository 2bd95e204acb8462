"""Openness and integration: under which licences, in which formats, and what must be stood up around a run."""

from __future__ import annotations

from collections.abc import Iterator

from fitscale.planning.costs.sending import SERVERS, STORES
from fitscale.planning.scoring.abilities import named
from fitscale.planning.scoring.ground import Ground, entry
from fitscale.records.plan import Assessed, Candidate
from fitscale.records.scorecard import Anchors, Entry, Library

# What a model is kept as, and whether others than its library read it by a published description.
FORMATS = {
    "xgboost": ("UBJSON, as XGBoost describes it", True),
    "lightgbm": ("LightGBM's text", True),
    "baseline": ("JSON", True),
    "batched": ("JSON and arrays", True),
    "sklearn": ("a pickle, which only Python with the same library reads", False),
    "series": ("fitscale's own bytes", False),
    "statsforecast": ("fitscale's own bytes", False),
}
OPEN_FORMATS = ("onnx", "pmml")
MOST = 5.0  # things to stand up: assumed to be as much as anybody wants to


def openness_of(a: Assessed, ground: Ground) -> Entry:
    """Three things that make a model one's own, each of the same weight."""
    framework, facts = a.candidate.framework, ground.facts
    libraries = facts.libraries.get(framework, ())
    free = [one for one in libraries if one.is_open]
    wanted = [name for name in ground.workload.needs.export if name in OPEN_FORMATS]
    format_, is_open = FORMATS.get(framework, ("a format of its plug-in's own", False))
    if wanted:
        format_, is_open = f"{' and '.join(wanted)}, beside {format_}", True
    alone = _alone(a.candidate, ground)
    share = len(free) / len(libraries) if libraries else 0.0
    value = share + is_open + (alone is not None)
    told = [f"{len(free)} of {len(libraries)} libraries under an open licence" if libraries else "no library was found"]
    told += [
        f"kept as {format_}",
        "opens without fitscale" if alone else "nothing proved that it opens without fitscale",
    ]
    closed = [f"{one.name} {one.version}: {one.licence or 'no licence stated'}" for one in libraries if not one.is_open]
    return entry(
        "openness", round(value, 4), Anchors(best=3.0, worst=0.0, origin="assumed"), unit="of 3",
        shown=f"{value:.1f} of 3".replace(".0 ", " "), origin="looked up", sentence="; ".join(told),
        source=f"metadata of what is installed{f'; {alone}' if alone else ''}",
        parts=(*(f"not known to be open: {one}" for one in closed), *_licences(libraries)),
    )  # fmt: skip


def _alone(candidate: Candidate, ground: Ground) -> str | None:
    """The proof that a model of the framework opens where fitscale is not."""
    wanted = (*ground.workload.needs.export, "native")
    ability = f"without fitscale: {candidate.framework}"
    for proof in (*ground.facts.tried, *ground.facts.proofs):
        if proof.family == "exporters" and proof.ability == ability and proof.plugin in wanted and proof.passed:
            return named(proof)
    return None


def _licences(libraries: tuple[Library, ...]) -> Iterator[str]:
    """``MIT: attrs 25.1, lightgbm 4.7``, the licence of most libraries first."""
    by: dict[str, list[str]] = {}
    for one in libraries:
        if one.is_open:
            by.setdefault(one.licence, []).append(f"{one.name} {one.version}")
    for licence, names in sorted(by.items(), key=lambda item: (-len(item[1]), item[0])):
        yield f"{licence}: {', '.join(names)}"


def integration_of(a: Assessed, ground: Ground) -> Entry:
    """Systems, credentials and services that must be there for a run, counted."""
    candidate = a.candidate
    rented = candidate.machine if candidate.machine != ground.machine.name else ""
    things = tuple(stood_up(ground.workload.data.uri, candidate.engine, rented))
    told = ", ".join(things) or "nothing but this machine and its files"
    anchors = Anchors(best=0.0, worst=MOST, origin="assumed")
    n = len(things)
    return entry("integration", float(n), anchors, unit="things", shown=f"{n} to stand up", origin="counted",
                 sentence=told, parts=things)  # fmt: skip


def stood_up(uri: str, engine: str = "process", rented: str = "") -> Iterator[str]:
    """Each thing; ``rented``: the machine that the run is done on, where it is not this one."""
    head, found, rest = uri.partition("://")
    scheme = head.lower() if found else ""
    if scheme in SERVERS:
        yield "a database that must be reached"
        if "${" in rest or "@" in rest.partition("/")[0]:
            yield "its credentials"
    elif scheme in STORES:
        yield "an object store that must be reached"
        yield "its credentials"
    elif scheme not in ("", "file", "synthetic"):
        yield f"a source behind {scheme}://"
    if engine not in ("inline", "process"):
        yield f"a {engine} cluster"
    if rented:
        yield f"a rented {rented}"
        yield "an account with its provider"
        yield "SkyPilot, or another way to start it"
        if scheme in ("", "file"):
            yield "a copy of the data there"
