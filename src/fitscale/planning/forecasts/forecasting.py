"""What a candidate would take at full size: a pure function of its law and of what was measured of its path."""

from __future__ import annotations

from collections.abc import Sequence

from fitscale.machines.modelled import wall_scale
from fitscale.planning import wording
from fitscale.planning.forecasts.grouped import grouped_phases_of
from fitscale.planning.forecasts.holding import memory_of, storage_of
from fitscale.planning.forecasts.rates import Rates, rates_of
from fitscale.planning.forecasts.spread import no_less_than, no_narrower_than, quantile, scaled, total
from fitscale.planning.forecasts.terms import floor_of
from fitscale.planning.forecasts.timing import Kin, amdahl, phases_of
from fitscale.planning.forecasts.working import work_s_of
from fitscale.records.base import Figure, Origin
from fitscale.records.data import Cutting, Shape
from fitscale.records.ledger import Kind
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Candidate, Forecast, Law, Measurement

__all__ = ["Rates", "elsewhere", "forecast", "moved", "rates_of"]

REPEAT = 0.09  # the same run again: 2.8 % at the median, 9 % at the 90th percentile
SAME = 0.03  # what was measured once: the same again
ADMITTED = 0.99
PASSES = {"stage": 1, "cut": 4}  # over the disk: cutting reads, puts apart, reads that, and writes it in order
AGREED = frozenset({"search"})  # phases that take as long as was said, on whatever machine


def forecast(
    candidate: Candidate,
    law: Law,
    shape: Shape,
    machine: Machine,
    *,
    measured: Sequence[tuple[Measurement, Law]],
    rates: Rates,
    kin: Kin | None = None,
) -> Forecast:
    """Time, memory, storage and cost, each with its 90 % interval.

    Parameters
    ----------
    law
        Evaluated at ``shape``, which is the full size.
    measured
        Of this path, each with the law evaluated at the measurement's own shape.
    kin
        Another form of the framework that was begun at full size.
    """
    if candidate.is_grouped:
        phases = grouped_phases_of(candidate, law, shape, measured, rates)
    else:
        phases = phases_of(candidate, law, shape, measured, rates, kin)
        crowd = candidate.ranks * candidate.threads / machine.cores
        if crowd > 1 and not measured:  # ranks that share a core take turns
            phases = {phase: scaled(figure, crowd) for phase, figure in phases.items()}
    floor = _floor_s(candidate, law, shape, machine)
    time_s = no_less_than(no_narrower_than(total(phases.values(), "forecast"), REPEAT), floor)
    memory, fixed = memory_of(candidate, law, shape, measured, kin[1] if kin is not None else None)
    cpu_s = no_narrower_than(work_s_of(candidate, law, shape, measured, rates, kin), REPEAT)
    return Forecast(
        time_s=time_s,
        cpu_s=cpu_s,
        memory_bytes=memory,
        storage_bytes=storage_of(
            law, shape, rates, machine, measured=measured, kin=kin[1] if kin is not None else None
        ),
        storage_there_bytes=rates.staged_bytes if rates.staged_there else 0,
        cost_usd=cost_of(time_s, machine),
        phases=_summing_to({phase: figure.value for phase, figure in phases.items()}, time_s.value),
        source=_source(candidate, shape, measured, kin),
        time_p50_s=time_s.value,
        floor_s=floor,
        memory_p99_bytes=quantile(memory, ADMITTED),
        rows=shape.rows,
        probed=max((_share(m, shape) for m, _ in measured), default=0.0),
        memory_fixed_bytes=fixed,
        kind=_kind(candidate, measured, kin),
    )


def elsewhere(here_forecast: Forecast, law: Law, here: Machine, there: Machine, *, processes: float = 1.0) -> Forecast:
    """The same on a machine that was never measured: by the ratio of the cores, and Amdahl's law for their number.

    ``processes``: how many times as many processes hold memory there, for groups that are shared by workers.
    """
    scales = {
        phase: Figure.exact(1.0) if phase in AGREED else wall_scale(here, there, parallel=law.parallel.get(phase, 0.0))
        for phase in here_forecast.phases
    }
    phases = {phase: seconds * scales[phase].value for phase, seconds in here_forecast.phases.items()}
    own = here_forecast.time_s
    low, high = own.low / own.value, own.high / own.value
    time_s = Figure(
        value=sum(phases.values()),
        low=sum(seconds * scales[phase].low for phase, seconds in here_forecast.phases.items()) * low,
        high=sum(seconds * scales[phase].high for phase, seconds in here_forecast.phases.items()) * high,
        origin="modelled",
    )
    memory = here_forecast.memory_bytes
    memory = Figure(
        value=memory.value * processes, low=memory.low * processes, high=memory.high * processes, origin="modelled"
    )
    return here_forecast.but(
        time_s=time_s,
        cpu_s=None,
        memory_bytes=memory,
        storage_bytes=here_forecast.storage_bytes.but(origin="modelled"),
        storage_there_bytes=0,
        cost_usd=cost_of(time_s, there),
        phases=phases,
        source=f"modelled for {there.name}, {here_forecast.source} here",
        time_p50_s=time_s.value,
        floor_s=0.0,
        memory_p99_bytes=quantile(memory, ADMITTED),
        memory_fixed_bytes=here_forecast.memory_fixed_bytes * processes,
        kind=None,
        raw={},
        calibrated=0,
    )


def moved(one: Assessed, law: Law, here: Machine, there: Machine) -> Assessed:
    """The candidate with all cores of another machine, and its forecast there."""
    candidate, cores = one.candidate, there.cores
    shared = candidate.is_grouped
    placed = candidate.but(machine=there.name, threads=1 if shared else cores, workers=cores if shared else 1)
    modelled = elsewhere(one.forecast, law, here, there, processes=placed.workers / candidate.workers)
    return Assessed(candidate=placed, forecast=modelled)


PLAIN_ERROR = 0.25


def plain_of(law: Law) -> Figure | None:
    """What the plain script would hold; None where the framework does not say."""
    held = sum(term.amount * term.prior for term in law.plain)
    return Figure.around(held, PLAIN_ERROR, "forecast") if held else None


def repeated(one: Forecast, times: float, machine: Machine) -> Forecast:
    """The forecast of several fits in turn, such as those of a cross-validation: ``times`` as much work as one."""
    if times == 1:
        return one
    time_s = scaled(one.time_s, times)
    return one.but(
        time_s=time_s,
        cpu_s=None if one.cpu_s is None else scaled(one.cpu_s, times),
        time_p50_s=None if one.time_p50_s is None else one.time_p50_s * times,
        floor_s=one.floor_s * times,
        phases={name: seconds * times for name, seconds in one.phases.items()},
        cost_usd=cost_of(time_s, machine),
    )


def with_before(
    forecast: Forecast, before: dict[str, Figure], machine: Machine, source_bytes: int = 0, held_bytes: float = 0.0
) -> Forecast:
    """The same with what is done once before it: staging the rows, cutting them by group, tuning. Seconds by phase.

    ``held_bytes``: the most of what is done before the first fit, or after the last.
    """
    if not before:
        return forecast
    if held_bytes > forecast.memory_bytes.value:
        memory = no_narrower_than(no_less_than(forecast.memory_bytes, held_bytes), SAME)
        forecast = forecast.but(memory_bytes=memory, memory_p99_bytes=quantile(memory, ADMITTED))
    time_s = total((forecast.time_s, *before.values()), "forecast")
    seconds = {phase: figure.value for phase, figure in before.items()}
    return forecast.but(
        time_s=time_s,
        time_p50_s=None if forecast.time_p50_s is None else forecast.time_p50_s + sum(seconds.values()),
        floor_s=forecast.floor_s + sum(PASSES.get(phase, 0) for phase in before) * _from_disk_s(source_bytes, machine),
        phases={**seconds, **forecast.phases},
        cost_usd=cost_of(time_s, machine),
    )


def with_partition(forecast: Forecast, cut: Cutting) -> Forecast:
    """The same with the rows that are kept by group, and with what lies beside them while they are put apart."""
    own = forecast.storage_bytes
    low, value, high = (max(at + cut.kept_bytes, cut.most_bytes) for at in (own.low, own.value, own.high))
    there = forecast.storage_there_bytes + (round(cut.kept_bytes) if cut.done else 0)
    stored = no_narrower_than(own.but(low=low, value=value, high=high), SAME)
    return forecast.but(storage_bytes=stored, storage_there_bytes=there)


def _floor_s(candidate: Candidate, law: Law, shape: Shape, machine: Machine) -> float:
    """Arithmetic at its fastest, and the disk's bandwidth where the data is larger than the memory that could keep it."""
    processes = candidate.workers if candidate.is_grouped else 1
    least = sum(floor_of(terms, amdahl(law, phase, candidate.threads)) for phase, terms in law.time.items()) / processes
    return least + _from_disk_s(shape.source_bytes, machine)


def _from_disk_s(source_bytes: int, machine: Machine) -> float:
    """What one pass over the data takes at least: nothing where memory can keep it."""
    bandwidth = machine.disk_read_bytes_per_s
    return source_bytes / bandwidth if bandwidth and source_bytes > machine.memory_bytes else 0.0


def _summing_to(phases: dict[str, float], seconds: float) -> dict[str, float]:
    """What the floor adds, or the last bits of a sum, counts to the iterations."""
    rest = sum(value for phase, value in phases.items() if phase != "iterations")
    return {**phases, "iterations": max(0.0, seconds - rest)}


def cost_of(time_s: Figure, machine: Machine) -> Figure | None:
    """What the machine costs for that time; None where it has no price."""
    if machine.usd_per_hour is None:
        return None
    hour = machine.usd_per_hour / 3600
    origin: Origin = "modelled" if time_s.origin == "modelled" else "forecast"
    return Figure(value=time_s.value * hour, low=time_s.low * hour, high=time_s.high * hour, origin=origin)


def _share(m: Measurement, shape: Shape) -> float:
    """Of all rows, those that a measurement fitted or scored."""
    if m.full_size:
        return 1.0
    everything = max(1, shape.rows + shape.holdout_rows + shape.validation_rows)
    return min(1.0, (m.shape.rows + m.shape.holdout_rows + m.shape.validation_rows) / everything)


def _kind(candidate: Candidate, measured: Sequence[tuple[Measurement, Law]], kin: Kin | None) -> Kind:
    """What it rests on, as the ledger tells forecasts apart."""
    if candidate.is_grouped:
        return "groups" if measured else "priors"
    if any(m.full_size for m, _ in measured):
        return "beginning"
    return "kin" if kin is not None else "parts" if measured else "priors"


def _source(
    candidate: Candidate, shape: Shape, measured: Sequence[tuple[Measurement, Law]], kin: Kin | None = None
) -> str:
    """Where the figures come from: ``from 5 iterations at full size and 2 probes up to 6 % of the rows``."""
    parts = []
    whole = next((m for m, _ in reversed(measured) if m.full_size), None)
    if whole is not None:
        many = candidate.is_grouped
        parts.append(whole.attempt if many else f"{whole.units} iteration{'s' * (whole.units != 1)} at full size")
    if samples := [m for m, _ in measured if not m.full_size]:
        up_to = wording.share(max(_share(m, shape) for m in samples))
        parts.append(f"{len(samples)} probe{'s' * (len(samples) != 1)} up to {up_to} of the rows")
    if kin is not None and not any(m.full_size for m, _ in measured):
        parts.append(f"the beginning of {kin[0].name}")
    return f"from {' and '.join(parts)}" if parts else wording.PRIORS
