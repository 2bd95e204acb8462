"""The quantities that the decision tree asks for: each a number, with the words in which a person reads it.

All are the planner's own: forecasts of the candidates against what there is and what is wanted. None names a library.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from fitscale.machines.modelled import wall_scale
from fitscale.planning import wording
from fitscale.planning.decision.choosing import SIMPLE, expected_s, twentieth
from fitscale.planning.decision.elsewhere import comparable
from fitscale.planning.decision.gates import DISTRIBUTED, must_s, p99_bytes, runs_a_month, usable_bytes
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Law
from fitscale.records.workload import Workload

NONE = 1e6  # stands for what there is none of: a way that cannot be needs a million times what is there
LITTLE = 0.1
FAR = 100.0  # twentieths: ahead of nothing, or behind all


class Circumstances(NamedTuple):
    """What the quantities are taken of."""

    workload: Workload
    machine: Machine
    models: int
    ways: Sequence[tuple[Assessed, Law]]  # every candidate here that has a forecast, refused or not
    machines: Sequence[Machine]  # that may be rented


class Measured(NamedTuple):
    value: float
    words: str


class Measure(NamedTuple):
    """``question`` is one that a value of at most the threshold answers with yes."""

    question: str
    of: Callable[[Circumstances], Measured]
    limit: Callable[[float], str]  # a threshold in words


def measured(name: str, c: Circumstances) -> Measured:
    return MEASURES[name].of(c)


def _admitted(c: Circumstances) -> list[Assessed]:
    """Those that can do what is asked of them: without what trains in one process, where several are asked for."""
    several = "distributed_training" in c.workload.needs.functions
    # What is under way is judged as if it were begun anew: the tree is about the job.
    anew = (a.but(forecast=a.forecast.but(done_s=0.0)) for a, _ in c.ways)
    return [a for a in anew if not several or a.candidate.strategy in DISTRIBUTED]


def _share(a: Assessed, machine: Machine) -> float:
    """Of the memory that is usable: what it needs at P99."""
    return p99_bytes(a.forecast) / usable_bytes(a.candidate, machine)


def _late(seconds: float, c: Circumstances) -> float:
    """Of the deadline: what it takes. Nothing where there is none."""
    must = must_s(c.workload)
    return 0.0 if must is None else seconds / max(1e-9, must)


def _median_s(a: Assessed) -> float:
    return a.forecast.time_p50_s or a.forecast.time_s.value


def _passing(c: Circumstances) -> list[Assessed]:
    """Those that fit here, in time."""
    return [a for a in _admitted(c) if _strain(a, c) <= 1]


def _strain(a: Assessed, c: Circumstances) -> float:
    """The larger of its shares of memory and deadline."""
    return max(_share(a, c.machine), _late(_median_s(a), c))


def _models(c: Circumstances) -> Measured:
    return Measured(float(c.models), "one model" if c.models == 1 else f"{c.models:,} models")


def _several(c: Circumstances) -> Measured:
    asked = "distributed_training" in c.workload.needs.functions
    return Measured(
        float(asked), "needs.functions asks for several processes" if asked else "several processes are not asked for"
    )


def _here(c: Circumstances) -> Measured:
    """Of the way that is strained least."""
    least = min(_admitted(c), key=lambda a: _strain(a, c), default=None)
    if least is None:
        return Measured(NONE, "no way can do what is asked")
    held, usable = wording.size(p99_bytes(least.forecast)), wording.size(usable_bytes(least.candidate, c.machine))
    words = f"{least.candidate.name} needs {held} at P99 of {usable}{_of_deadline(_median_s(least), c)}"
    return Measured(_strain(least, c), f"{words}, {_times(_strain(least, c))}")


def _of_deadline(seconds: float, c: Circumstances) -> str:
    must = must_s(c.workload)
    return "" if must is None else f" and {wording.duration(seconds)} of {wording.duration(must)}"


def _ahead(strategy: str) -> Callable[[Circumstances], Measured]:
    """By how many twentieths of time a way is ahead of all simpler ones that pass.

    Among equals by memory, in hundredths of a step.
    """

    def found(c: Circumstances) -> Measured:
        ranked = sorted(_passing(c), key=lambda a: _steps(a, c.machine))
        own = next((a for a in ranked if a.candidate.strategy == strategy), None)
        if own is None:
            return Measured(-FAR, _why_none(strategy, c))
        simpler = SIMPLE[: SIMPLE.index(strategy)]
        rival = next((a for a in ranked if a.candidate.strategy in simpler), None)
        if rival is None:
            return Measured(FAR, f"{_weighed(own)}; nothing simpler passes")
        mine, theirs = _steps(own, c.machine), _steps(rival, c.machine)
        ahead = (theirs[0] - mine[0]) + 0.01 * max(-49, min(49, theirs[1] - mine[1]))
        return Measured(max(-FAR, min(FAR, ahead)), f"{_weighed(own)}; {_weighed(rival)}")

    return found


def _why_none(strategy: str, c: Circumstances) -> str:
    there = any(a.candidate.strategy == strategy for a in _admitted(c))
    return f"{strategy} does not pass" if there else f"{strategy} cannot be"


def _steps(a: Assessed, machine: Machine) -> tuple[int, int]:
    """On the planner's own scales, where what lies on one step counts as equal."""
    return twentieth(expected_s(a, machine)), twentieth(a.forecast.memory_bytes.value)


def _weighed(a: Assessed) -> str:
    return (
        f"{a.candidate.name} {wording.duration(a.forecast.time_s.value)}, {wording.size(a.forecast.memory_bytes.value)}"
    )


# On a rented machine.


def _there(c: Circumstances) -> Iterator[tuple[Assessed, Law, Machine, float]]:
    """Each way on each machine, and the share of its memory that it needs."""
    admitted = {a.candidate for a in _admitted(c)}
    laws = {a.candidate: law for a, law in c.ways}
    for a in comparable([a for a, _ in c.ways]):
        if a.candidate not in admitted:
            continue
        held, at_work = p99_bytes(a.forecast), a.candidate.workers
        placed = {cores: a.candidate.but(workers=cores if a.candidate.is_grouped else 1) for cores in _cores(c)}
        for machine in c.machines:
            there = placed[machine.cores]
            share = held * there.workers / at_work / usable_bytes(there, machine)
            yield a, laws[a.candidate], machine, share


def _cores(c: Circumstances) -> set[int]:
    return {machine.cores for machine in c.machines}


def _rented(c: Circumstances) -> Measured:
    """Of the way and machine that are strained least. Whatever is below a tenth counts as that: it tells nothing more."""
    best: tuple[float, Assessed, Machine, float] | None = None
    alike: dict[tuple[object, ...], float] = {}  # machines of one size, made of the same cores
    for a, law, machine, share in _there(c):
        kind = (a.candidate, machine.cores, machine.clock_ghz, machine.cpu_ns)
        if best is not None and share >= best[0]:
            continue
        if kind not in alike:
            alike[kind] = _there_s(a, law, c.machine, machine)
        strain = max(share, _late(alike[kind], c))
        if best is None or strain < best[0]:
            best = (strain, a, machine, alike[kind])
    if best is None:
        return Measured(NONE, "no way can be rented")
    strain, a, machine, took = best
    return Measured(
        max(LITTLE, strain), f"{a.candidate.name} on {machine.name}: {_times(strain)}{_of_deadline(took, c)}"
    )


def _there_s(a: Assessed, law: Law, here: Machine, there: Machine) -> float:
    """Seconds, modelled: as `forecasting.elsewhere` has it."""
    return sum(
        seconds * wall_scale(here, there, parallel=law.parallel.get(phase, 0.0)).value
        for phase, seconds in a.forecast.phases.items()
    )


def _price(c: Circumstances) -> Measured:
    """The core-hours that a month takes here, at the catalogue's least price of one, against the budget."""
    budget = c.workload.needs.budget
    if budget is None or budget.hardware_usd_month is None:
        return Measured(0.0, "no budget")
    fastest = min((a.forecast.time_s.value for a in _admitted(c)), default=None)
    prices = [machine.usd_per_hour / machine.cores for machine in c.machines if machine.usd_per_hour]
    if fastest is None or not prices:
        return Measured(NONE, "nothing can be rented")
    hours = fastest / 3600 * c.machine.cores * runs_a_month(c.workload)
    month, most = hours * min(prices), budget.hardware_usd_month
    share = min(NONE, month / most) if most > 0 else NONE
    return Measured(share, f"{wording.dollars(month)} of {wording.dollars(most)} a month, {_times(share)}")


def _times(share: float) -> str:
    return "far more" if share >= NONE else wording.factor(share)


def _at_most_times(at: float) -> str:
    return f"at most {at:g} ×"


def _count(at: float) -> str:
    return f"at most {math.floor(at):,}"


def _not_ahead(at: float) -> str:
    return "as fast, and no smaller" if at == 0 else f"at most {at:g} twentieths ahead"


def _no(at: float) -> str:
    return "yes, unless several are asked for"


MEASURES: dict[str, Measure] = {
    "models": Measure("is it one model?", _models, lambda at: "one" if at < 2 else _count(at)),
    "several": Measure("may it be one process?", _several, _no),
    "here": Measure("does a way fit here, in time?", _here, _at_most_times),
    "quantised ahead": Measure("is in-memory as good as quantised?", _ahead("quantised"), _not_ahead),
    "out-of-core ahead": Measure("is something simpler as good as out-of-core?", _ahead("out-of-core"), _not_ahead),
    "parts ahead": Measure("is one process as good as parts-and-merge?", _ahead("parts-and-merge"), _not_ahead),
    "arrays ahead": Measure("is a pool as good as arrays?", _ahead("batched-models"), _not_ahead),
    "rented": Measure("does a rented machine fit, in time?", _rented, _at_most_times),
    "price": Measure("are its core-hours within the budget?", _price, _at_most_times),
}
