"""Probing: from the events of an attempt to what it showed of its path, and which parts of the rows to try."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence

import numpy as np

from fitscale.planning.forecasts.course import course_of
from fitscale.records.data import Shape
from fitscale.records.plan import Candidate, Law, Measurement, Phase
from fitscale.records.run import Event, Sample

LOOKED, KNOWN = 0.2, 0.04  # of a fit's units; the deviation of their sum, at which it is known
STEPS = 48  # that are kept of a beginning
LEAST_ROWS = 5_000  # below, caches and fixed costs say more than the data


def samples_of(
    rows: int, seed: int, *, third: bool = False, coarse: bool = False, there: int | None = None
) -> tuple[Sample, ...]:
    """n/64 and n/16 (and n/4) of ``rows``, none below 5,000, in rising order; ``coarse``: n/512 and n/128.

    Where fewer rows are ``there``: those as far as they go, or all that are and a quarter of them.
    """
    shares = (512, 128) if coarse else (64, 16, 4) if third else (64, 16)
    sizes = {max(LEAST_ROWS, rows // share) for share in shares}
    if there is not None and there < max(sizes):
        sizes = {size for size in (there // 4, there) if size >= LEAST_ROWS} or {there}
    return tuple(Sample(rows=size, seed=seed) for size in sorted(sizes) if size < rows)


def from_samples(candidate: Candidate, shape: Shape, events: Sequence[Event], contention: float) -> list[Measurement]:
    """One measurement for each part of the rows that was fitted. Memory is the highest seen until then."""
    found: list[Measurement] = []
    peak = 0
    for i, event in enumerate(events):
        if event.kind == "memory":
            peak = max(peak, int(event.data["peak"]))
        if event.kind != "sampled":
            continue
        # The engine's next reading of memory is the first that knows this sample's peak.
        later = next((int(e.data["peak"]) for e in events[i:] if e.kind == "memory"), peak)
        peak = max(peak, later)
        data = event.data
        phases = _phases(data["phases"])
        fit = phases.get("iterations", Phase(wall_s=0, cpu_s=0))
        units = max(1, int(data["units"]))
        found.append(
            Measurement(
                path=candidate.path,
                shape=shape.but(
                    rows=data["rows"],
                    holdout_rows=data["holdout_rows"],
                    validation_rows=data["validation_rows"],
                    features=data["features"],
                    categories=data["categories"],
                    source_bytes=data["source_bytes"],
                    threads=candidate.threads,
                ),
                full_size=False,
                phases=phases,
                units=units,
                unit_s=fit.wall_s / units,
                unit_cpu_s=fit.cpu_s / units,
                peak_bytes=peak,
                contention=contention,
            )
        )
    return found


def is_measured(
    events: Sequence[Event], abreast: int = 1, least_s: float = 1.0, *, law: Law | None = None, most_s: float = 0.0
) -> bool:
    """Whether a full-size beginning has shown enough: after the first report, at least 2 more and a second.

    Where the ``law`` says that units get cheaper, it is looked at until it is known how much, but no longer than ``most_s`` seconds
    or a fifth of its units.

    ``abreast`` is how many are worked on at once, as trees of a forest are: then after the first so many, and as many again.
    """
    units = _counted(events, abreast)
    if len(units) <= max(2, abreast) or units[-1].at - units[0].at < least_s:
        return False
    if law is None or law.later >= 1 or abreast > 1:
        return True
    seen_s = units[-1].at - units[0].at - _paused_s(events, units[0].at, units[-1].at)
    if seen_s >= most_s or units[-1].data["units"] >= LOOKED * law.units:
        return True
    unit, count, wall_s, _ = zip(*_steps(events, units), strict=True)
    return course_of(unit, count, wall_s, law.units, law.settling, law.later).deviation <= KNOWN


def from_beginning(
    candidate: Candidate, shape: Shape, events: Sequence[Event], contention: float, abreast: int = 1
) -> Measurement | None:
    """What the beginning of the run itself showed; None before its second report. The first is left out: it is dearer.

    What is worked on at once is reported at once: time is taken over whole rounds of as many reports.
    """
    units = _counted(events, abreast)
    whole = (len(units) - 1) // abreast * abreast
    if whole < 1:
        return None
    first, last = units[0], units[whole]
    counted = last.data["units"] - first.data["units"]
    paused = _paused_s(events, first.at, last.at)
    return Measurement(
        path=candidate.path,
        shape=shape.but(threads=candidate.threads),
        full_size=True,
        phases={name: phase for name, phase in _phases(first.data.get("phases", {})).items() if name != "iterations"},
        units=counted,
        unit_s=max(0.0, last.at - first.at - paused) / counted,
        unit_cpu_s=(last.data["cpu_s"] - first.data["cpu_s"]) / counted,
        steps=_steps(events, units) if abreast == 1 else (),
        peak_bytes=max((int(e.data["peak"]) for e in events if e.kind == "memory"), default=0),
        done=units[-1].data["units"],
        model_bytes=units[-1].data.get("size", 0),
        contention=contention,
    )


def _counted(events: Sequence[Event], abreast: int) -> list[Event]:
    """The reports from the last of the first round on: those before it began together, and say nothing of the pace."""
    units = [event for event in events if event.kind == "units" and event.rank == 0]
    return units[abreast - 1 :]


def _steps(events: Sequence[Event], units: Sequence[Event]) -> tuple[tuple[float, float, float, float], ...]:
    """From report to report: the middle unit, how many they are, wall and CPU seconds of each. Many are put together."""
    at = np.unique(np.linspace(0, len(units) - 1, min(len(units), STEPS + 1)).round().astype(int))
    found = []
    for a, b in itertools.pairwise(units[k] for k in at):
        count = b.data["units"] - a.data["units"]
        wall_s = b.at - a.at - _paused_s(events, a.at, b.at)
        cpu_s = b.data["cpu_s"] - a.data["cpu_s"]
        found.append(((a.data["units"] + 1 + b.data["units"]) / 2, count, max(0.0, wall_s) / count, cpu_s / count))
    return tuple(found)


def from_chunks(
    candidate: Candidate, shape: Shape, events: Sequence[Event], contention: float, total_rows: int
) -> Measurement | None:
    """What the first chunks of many models showed: a unit is a row, weighted as the chunks' groups were.

    Of chunks that are there to probe, each group alone.
    """
    chunks = [event for event in events if event.kind == "chunk"]
    probes = [event for event in chunks if event.data.get("timed_rows")]
    chunks = probes or chunks
    rows = sum(int(event.data["rows"]) for event in chunks)
    if not rows:
        return None
    cpu = sum(float(event.data["cpu_s"]) for event in chunks)
    wall = sum(float(event.data["wall_s"]) for event in chunks)
    started = next((event for event in events if event.kind == "started"), None)
    phases = _phases(started.data.get("phases", {})) if started else {}
    if started is not None and (lead_s := _learning_s(started, events)) > 0:
        phases["encode"] = Phase(wall_s=lead_s, cpu_s=lead_s)
    timed = [pair for event in probes for pair in zip(event.data["timed_rows"], event.data["timed_cpu_s"], strict=True)]
    each = [_of(event, "each_s") for event in probes]
    beside = [
        _of(event, "cpu_s") - _of(event, "fits_cpu_s") - _of(event, "decoded_s") - one * _of(event, "groups")
        for event, one in zip(probes, each, strict=True)
    ]
    decoded = [_of(event, "decoded_s") / _of(event, "decoded_rows") for event in probes if event.data["decoded_rows"]]
    groups = f"{len(timed):,} groups" if timed else f"{len(chunks)} chunks"
    return Measurement(
        path=candidate.path,
        shape=shape,
        full_size=True,
        phases=phases,
        units=rows,
        unit_s=wall / rows / max(1, candidate.workers),
        unit_cpu_s=cpu / rows,
        peak_bytes=max((int(e.data["peak"]) for e in events if e.kind == "memory"), default=0),
        contention=contention,
        attempt=f"{groups}, {rows:,} of {total_rows:,} rows",
        timed=tuple(timed),
        around_s=statistics.median(beside) if beside else 0.0,
        each_s=statistics.median(each) if each else 0.0,
        row_s=statistics.median(decoded) if decoded else 0.0,  # the first of a process is dearer
    )


def _learning_s(started: Event, events: Sequence[Event]) -> float:
    """Until the first worker began with its first chunk: how columns are encoded is learnt before, once for all."""
    first = next((event for event in events if event.kind == "chunk" and event.rank == started.rank), None)
    return 0.0 if first is None else first.at - started.at - float(first.data["wall_s"])


def _of(event: Event, name: str) -> float:
    return float(event.data[name])


def worked_s(events: Sequence[Event]) -> float:
    """Wall seconds from the first to the last event of an attempt, without those in which it was paused."""
    own = [event.at for event in events if event.kind not in ("memory", "ended")]
    return own[-1] - own[0] - _paused_s(events, own[0], own[-1]) if own else 0.0


def _paused_s(events: Sequence[Event], start: float, stop: float) -> float:
    total, since = 0.0, None
    for event in events:
        if event.kind == "paused":
            since = event.at
        elif event.kind == "unpaused" and since is not None:
            total += max(0.0, min(event.at, stop) - max(since, start))
            since = None
    return total


def _phases(ledger: dict[str, tuple[float, float]]) -> dict[str, Phase]:
    return {name: Phase(wall_s=wall, cpu_s=cpu) for name, (wall, cpu) in ledger.items()}
