"""What choices cost above the best measured candidate: ours with its probes and failed attempts, others without. Pure functions."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from choice.baselines import LINES, RULES, fastest
from choice.known import Known, Row, percent

LONG = (30.0, 180.0)  # seconds of the best candidate, of workloads whose regret counts
FEWEST = 3  # candidates
WITHIN = 0.10


class Regret(NamedTuple):
    """A workload whose regret counts: seconds of each candidate, without what it probed."""

    one: Known
    times: dict[str, float]

    @property
    def best(self) -> float:
        return min(self.times.values())


def compared(some: Sequence[Known]) -> list[Regret]:
    """Those of 30 to 180 s with at least three candidates that were measured, once all that `plan` found feasible were tried."""
    found = []
    for one in some:
        times = {name: statistics.fmean(row["actual_s"] for row in runs) for name, runs in one.runs.items()}
        whole = one.plan is not None and set(one.plan["feasible"]) <= {*times, *one.failed} and bool(one.trains)
        if whole and len(times) >= FEWEST and LONG[0] <= min(times.values()) <= LONG[1]:
            found.append(Regret(one, times))
    return found


def regrets(some: Sequence[Known]) -> list[Row]:
    """What a choice costs above the best measured candidate: ours with its probes and failed attempts, others without probes."""
    of = compared(some)
    if not of:
        return []
    fixed = {name: _fixed(of, name) for name in sorted({name for regret in of for name in regret.times})}
    best = min(fixed, key=lambda name: (statistics.fmean(fixed[name]), name))
    ceilings = [value for regret in of if (value := ceiling(regret.one.runs)) is not None]
    lines = [
        _regret("train, with probes and failed attempts", [ours(regret) for regret in of]),
        _regret("noise ceiling: half of the repeats chooses, the other judges", ceilings),
        _regret(f"best fixed architecture: {best}", fixed[best]),
        _regret("random, in the mean", [_mean(regret) for regret in of]),
    ]
    for rule, choose in RULES.items():
        lines.append(
            _regret(
                rule, [_above(regret, charged(regret, choose(facts(regret.one), list(regret.times)))) for regret in of]
            )
        )
    for name, by in LINES.items():
        chosen = [(regret, choice) for regret in of if (choice := fastest(regret.one.parts, by)) is not None]
        lines.append(_regret(name, [_above(regret, charged(regret, choice)) for regret, choice in chosen]))
    return lines


def ours(regret: Regret) -> float:
    """The mean over rounds. Where `train` did not end well, what it took is charged, and the smallest candidate after it."""
    spent = [
        row["committed_s"] if row.get("actual_s") else row["wall_s"] + regret.times[smallest(regret)]
        for row in regret.one.trains
    ]
    return _above(regret, statistics.fmean(spent))


def charged(regret: Regret, choice: str) -> float:
    """Seconds of a choice. What cannot run is charged until it was ended, where that was measured, and the smallest after it."""
    if choice in regret.times:
        return regret.times[choice]
    ended = regret.one.failed.get(choice) or regret.one.forced.get(choice) or {}
    return float(ended.get("wall_s", 0.0)) + regret.times[smallest(regret)]


def smallest(regret: Regret) -> str:
    """The candidate that held least."""
    held = {name: max(row["peak_bytes"] for row in regret.one.runs[name]) for name in regret.times}
    return min(held, key=lambda name: (held[name], name))


def facts(one: Known) -> Row:
    """What a rule may know of a workload."""
    assert one.plan is not None
    return {
        **{name: one.plan[name] for name in ("shape", "cores", "memory_bytes")},
        "params": one.plan["asked"]["params"],
    }


def ceiling(runs: Mapping[str, Sequence[Row]]) -> float | None:
    """The regret of who knows half of the repeats of each candidate, judged on the other; the mean over all ways to halve them.

    None where they were not repeated. Nobody who sees runs as noisy as these can be expected to do better.
    """
    rounds = min((len(rows) for rows in runs.values()), default=0)
    if rounds < 2:
        return None
    seconds = {name: [row["actual_s"] for row in rows[:rounds]] for name, rows in runs.items()}
    found = []
    for seen in combinations(range(rounds), rounds // 2):
        other = [k for k in range(rounds) if k not in seen]
        for chooses, judges in {(seen, tuple(other)), (tuple(other), seen)}:
            choice = min(seconds, key=lambda name: (_over(seconds[name], chooses), name))
            judged = {name: _over(values, judges) for name, values in seconds.items()}
            found.append(judged[choice] / min(judged.values()) - 1)
    return statistics.fmean(found)


def _over(values: Sequence[float], which: Sequence[int]) -> float:
    return statistics.fmean(values[k] for k in which)


def _fixed(of: Sequence[Regret], name: str) -> list[float]:
    return [_above(regret, charged(regret, name)) for regret in of]


def _mean(regret: Regret) -> float:
    return _above(regret, statistics.fmean(regret.times.values()))


def _above(regret: Regret, seconds: float) -> float:
    return seconds / regret.best - 1


def _regret(who: str, found: Sequence[float]) -> Row:
    return {
        "who": who, "workloads": len(found), "within_10_%": sum(value <= WITHIN for value in found),
        "mean_%": percent(statistics.fmean(found)) if found else None, "most_%": percent(max(found, default=None)),
    }  # fmt: skip
