"""What a candidate costs on a machine: a run, and a month of them at the workload's frequency. Pure: the tables are given.

The machine on demand and spot, its disk, the way of the data there and of the results back, licences. Every line has its
value, where that is from, and its source; what is not known is said and is in no sum.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from fitscale.machines import prices
from fitscale.machines.prices import FREE
from fitscale.planning import wording
from fitscale.planning.costs import spot
from fitscale.planning.costs.sending import UPLINK, Home, home_of, sent_s, transfers
from fitscale.planning.costs.storing import Held, disk_of, stored
from fitscale.planning.decision.better import WORTH_S
from fitscale.planning.decision.gates import runs_a_month
from fitscale.planning.forecasts.spread import total
from fitscale.records.base import Figure, Origin
from fitscale.records.costs import Cost, Costs
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Plan

HOUR_S = 3600.0
START = Figure.around(WORTH_S, 1.0, "assumed")  # seconds until a rented machine works
PRODUCTS = {"xgboost": "XGBoost", "lightgbm": "LightGBM", "sklearn": "scikit-learn"}


class Tables(NamedTuple):
    storage: Sequence[prices.Storage]
    transfer: Sequence[prices.Transfer]
    licences: Sequence[prices.Licence]


def shipped() -> Tables:
    """The tables that come with fitscale."""
    return Tables(prices.storage(), prices.transfer(), prices.licences())


def costs_of(plan: Plan, one: Assessed, machine: Machine, tables: Tables) -> Costs:
    """All lines and their sums.

    Parameters
    ----------
    one
        The candidate with its forecast for ``machine``, which may be the plan's own: nothing is moved then, and its hours cost
        what ``machine.usd_per_hour`` says, or are not known.
    """
    runs, forecast = runs_a_month(plan.workload), one.forecast
    here = machine.kind == "local"
    lines: list[Cost] = []
    if here:
        lines.append(_worked(machine, forecast.time_s, runs))
        lines.append(
            _free("storage", f"this disk, {wording.size(forecast.storage_bytes.value)}", "it is there already")
        )
        lines.append(_free("transfer", "data: it is read from where it is now", "nothing is moved"))
        spot_lines, lasting = list[Cost](), list[Cost]()
    else:
        home, sent = _sent(plan, machine)
        read_s = sum(forecast.phases.get(phase, 0.0) for phase in ("stage", "read"))
        held = Held(home.bytes if home.kind == "here" else 0.0, forecast.storage_bytes.value, read_s)
        disk = disk_of(machine, held, tables.storage)
        around = _around(machine, sent, disk.slower_s(held))
        rented = _plus(forecast.time_s, around)
        spot_lines = list(_spot(plan, one, machine, around, runs))
        waits = [
            *(["have the data there"] if sent else []),
            *(["read from a slower disk"] if disk.slower_s(held) else []),
        ]
        waited = _waited(machine, around, runs, " and ".join(["", *waits]))
        lines += [_worked(machine, forecast.time_s, runs), waited, *spot_lines]
        lines += stored(machine, held, disk, rented, runs, tables.storage)
        lasting = list(stored(machine, held, disk_of(machine.but(disk_free_bytes=None), held, tables.storage), rented, runs,
                              tables.storage))  # fmt: skip
        lines += transfers(home, machine, forecast.storage_bytes, runs, tables.transfer)
    lines += _licences(plan, one, tables.licences)
    counted = [line for line in lines if line.counted]
    usd_month = total([line.usd_month for line in counted if line.usd_month is not None], "modelled")
    return Costs(
        machine=machine.name,
        provider=machine.provider,
        region=machine.region,
        frequency=plan.workload.needs.frequency or "once a month",
        runs_a_month=runs,
        lines=tuple(lines),
        usd_run=total([line.usd_run for line in counted if line.usd_run is not None], "modelled"),
        usd_month=usd_month,
        spot_usd_month=_spot_month(spot_lines, lasting, counted),
        unknown=tuple(f"{line.part}: {line.what} ({line.source})" for line in counted if line.usd_month is None),
        over_budget=_over_budget(plan, counted),
        assumptions=tuple(_assumptions(plan, machine, lines)),
    )


def priced(plan: Plan, machines: Sequence[Machine]) -> Plan:
    """The plan, with what the better place costs where it names one."""
    better = plan.decision.better
    machine = next((m for m in machines if better is not None and m.name == better.candidate.machine), None)
    if better is None or machine is None:
        return plan
    costs = costs_of(plan, better, machine, shipped())
    return plan.but(decision=plan.decision.but(better=better.but(costs=costs)))


# The machine.


def _worked(machine: Machine, time_s: Figure, runs: float) -> Cost:
    price = machine.usd_per_hour
    what = f"{wording.duration(time_s)} of work"
    if price is None:
        why = "this machine has no price: a table of your own can give it one"
        return Cost(part="machine", what=what, time_s=time_s, origin="assumed", source=why)
    return _hours(what, time_s, Figure.exact(price, machine.origin), runs, "modelled").but(
        as_of=machine.as_of, source=f"{price:g} USD an hour, {machine.origin}; its time is {time_s.origin}"
    )


def _waited(machine: Machine, around: Figure, runs: float, what_else: str) -> Cost:
    price = Figure.exact(machine.usd_per_hour or 0.0, machine.origin)
    what = f"{wording.duration(around)} to start{what_else}"
    return _hours(what, around, price, runs, "assumed").but(
        as_of=machine.as_of, source=f"{wording.duration(START)} to rent and start; the rest by amounts and speeds"
    )


def _spot(plan: Plan, one: Assessed, machine: Machine, around: Figure, runs: float) -> Iterator[Cost]:
    """With a run folder that outlives the machine, and, beside it, without."""
    price, rate = spot.usd_per_hour(machine), spot.interruptions(machine)
    if price is None:
        return
    often = f"{rate.value:g} interruptions an hour ({rate.origin})"
    told = f"{wording.number(price.value)} USD an hour ({price.origin}), {often}"
    segment = spot.segment_s(one.candidate, one.forecast, plan.traits)
    ways = (
        ("goes on from its checkpoints: its disk stays", spot.restart_s(one.forecast), segment),
        ("or begins anew each time: its disk is gone, too", around.value, math.inf),
    )
    for at, (what, restart, kept_s) in enumerate(ways):
        expected = spot.expected(one.forecast.time_s, rate, restart, kept_s)
        if expected is None:
            yield Cost(part="spot", what=f"{what}: it never ends", counted=False, origin=rate.origin, source=told)
            continue
        rented = _plus(expected, around)
        named = f"{wording.duration(expected)}, {what}"
        line = _hours(named, rented, price, runs, "assumed" if "assumed" in (price.origin, rate.origin) else "modelled")
        yield line.but(part="spot", counted=False, source=told if at == 0 else f"{told}; as 'deploy --spot' has it")


def _hours(what: str, time_s: Figure, price: Figure, runs: float, origin: Origin) -> Cost:
    """Both ends of a price by both ends of a time."""
    run = Figure(
        value=time_s.value / HOUR_S * price.value,
        low=time_s.low / HOUR_S * price.low,
        high=time_s.high / HOUR_S * price.high,
        origin=origin,
    )
    month = run.but(value=run.value * runs, low=run.low * runs, high=run.high * runs)
    return Cost(part="machine", what=what, usd_run=run, usd_month=month, time_s=time_s, origin=origin)


def _spot_month(spot_lines: Sequence[Cost], lasting: Sequence[Cost], counted: Sequence[Cost]) -> Figure | None:
    """A month with the first of the spot lines in place of the machine on demand, on a disk that outlives the machine."""
    if not spot_lines or spot_lines[0].usd_month is None:
        return None
    others = [line for line in (*lasting, *counted) if line.part != "machine" and line.counted]
    kept = [line for line in others if line.part != "storage" or line in lasting]
    months = [line.usd_month for line in (spot_lines[0], *dict.fromkeys(kept)) if line.usd_month is not None]
    return total(months, "assumed")


# What goes around it.


def _sent(plan: Plan, machine: Machine) -> tuple[Home, Figure | None]:
    home = home_of(plan)
    return home, sent_s(home, machine)


def _around(machine: Machine, sent: Figure | None, slower_s: float) -> Figure:
    """Seconds that the machine is paid for and does not work."""
    start = START.but(value=START.value + slower_s, low=START.low + slower_s, high=START.high + slower_s)
    return start if sent is None else _plus(start, sent)


def _plus(one: Figure, other: Figure) -> Figure:
    return Figure(
        value=one.value + other.value, low=one.low + other.low, high=one.high + other.high, origin=other.origin
    )


def _licences(plan: Plan, one: Assessed, table: Sequence[prices.Licence]) -> Iterator[Cost]:
    """Of the framework, and of the database where the rows are of one."""
    framework = one.candidate.framework
    used = [PRODUCTS.get(framework, framework)]
    if plan.workload.data.uri.startswith(("postgres://", "postgresql://")):
        used.append("PostgreSQL")
    for product in used:
        row = next((row for row in table if row.product == product), None)
        if row is not None and row.usd_per_year_low is not None:
            high = row.usd_per_year_low if row.usd_per_year_high is None else row.usd_per_year_high
            low, high = row.usd_per_year_low / 12, high / 12
            month = Figure(value=(low + high) / 2, low=low, high=high, origin="looked up")
            what = f"{product}: {row.licence}" + (f", {row.unit}" if high else "")
            yield Cost(
                part="licences", what=what, usd_month=month, origin="looked up", as_of=row.as_of, source=row.source
            )
        elif framework in FREE and product == used[0]:
            yield _free("licences", product, "one of fitscale's own list that need no licence")
        else:
            yield Cost(part="licences", what=product, origin="assumed", source="it is not in the table of licences")


def _over_budget(plan: Plan, counted: Sequence[Cost]) -> str:
    """The gate looks at hours of work alone: what the rest makes of them, against what may be spent a month."""
    budget = plan.workload.needs.budget
    if budget is None or budget.hardware_usd_month is None:
        return ""
    paid = [line.usd_month for line in counted if line.part != "licences" and line.usd_month is not None]
    month = total(paid, "modelled")
    if month.value <= budget.hardware_usd_month:
        return ""
    return (
        f"{wording.dollars(month)} a month with all that goes around the work: over your "
        f"{wording.dollars(budget.hardware_usd_month)} for hardware"
    )


def _free(part: str, what: str, why: str) -> Cost:
    nothing = Figure.exact(0.0, "stated")
    return Cost.model_validate(
        {"part": part, "what": what, "usd_run": nothing, "usd_month": nothing, "origin": "stated", "source": why}
    )


def _assumptions(plan: Plan, machine: Machine, lines: Sequence[Cost]) -> Iterator[str]:
    if plan.workload.needs.frequency is None:
        yield "no frequency is stated, so once a month"
    if machine.kind == "local":
        return
    yield f"a machine is rented for each run and given back after it; {wording.duration(START)} until it has started"
    if any(line.part == "transfer" and line.time_s is not None and line.time_s.origin == "assumed" for line in lines):
        low, at, high = (rate * 8 / 1e6 for rate in (UPLINK.low, UPLINK.value, UPLINK.high))
        yield f"uplink from here {at:g} Mbit/s ({low:g}–{high:,g}); 'uplink_mbit' in a table of your own states it"
    if any(line.part == "spot" for line in lines):
        if machine.usd_per_hour_spot is None:
            yield (
                f"spot costs {wording.share(spot.SHARE_PAID.value)} of the price on demand ({spot.SHARE_PAID.low * 100:g}–"
                f"{spot.SHARE_PAID.high * 100:g}); 'usd_per_hour_spot' in a table of your own states it"
            )
        if machine.interruptions_per_hour is None:
            rate = spot.INTERRUPTIONS
            yield (
                f"a spot machine is taken away {rate.value:g} times an hour ({rate.low:g}–{rate.high:g}); "
                "'interruptions_per_hour' in a table of your own states it"
            )
    yield "what goes out is priced at the dearest tier; requests to storage and taxes are not counted"
