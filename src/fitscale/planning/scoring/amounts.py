"""Training time, storage and budget: amounts, on curves between the user's own limits."""

from __future__ import annotations

from fitscale.machines.prices import FREE
from fitscale.planning import wording
from fitscale.planning.decision.anchors import of_time
from fitscale.planning.decision.curves import DECADE
from fitscale.planning.decision.gates import runs_a_month
from fitscale.planning.scoring.ground import Ground, entry
from fitscale.records.base import Figure
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed
from fitscale.records.scorecard import Anchors, Entry

HOUR_S = 3600.0


def time_of(a: Assessed, ground: Ground) -> Entry:
    """From start to committed, against what is wanted and must be met."""
    time_s, axis = a.forecast.time_s, of_time(ground.workload, ground.floor_s)
    anchors = Anchors(best=axis.best, worst=axis.worst, origin=axis.origin, by_factor=True)
    best, worst = wording.duration(axis.best), wording.duration(axis.worst)
    if axis.origin == "stated":
        told = f"worth all up to {best}, nothing from {worst} on"
    else:
        told = f"no deadline is stated: {best}, which physics allows, would be worth all, and ten times that nothing"
    return entry("time", time_s.value, anchors, unit="s", shown=wording.duration(time_s), origin=time_s.origin,
                 sentence=told, source=a.forecast.source)  # fmt: skip


def storage_of(a: Assessed, ground: Ground) -> Entry:
    """What the run keeps on its disk: amount, kind, and how fast it reads."""
    takes, there = a.forecast.storage_bytes, a.candidate.machine != ground.machine.name
    shown = wording.size(takes)
    if there:
        lines = tuple(
            f"{line.what} [{line.origin}]"
            for line in (a.costs.lines if a.costs else ())
            if line.part == "storage" and line.counted
        )
        told = f"on {a.candidate.machine}'s disk, which is rented as large as it must be: its price is in the budget"
        return entry(
            "storage", takes.value, None, unit="bytes", shown=shown, origin=takes.origin, sentence=told, parts=lines
        )
    anchors, told = _disk(ground.machine)
    return entry(
        "storage", takes.value, anchors, unit="bytes", shown=shown, origin=takes.origin, sentence=told,
        source=a.forecast.source,
    )  # fmt: skip


def _disk(machine: Machine) -> tuple[Anchors | None, str]:
    free, rate = machine.disk_free_bytes, machine.disk_read_bytes_per_s
    speed = f", which reads {wording.size(rate)}/s" if rate else ""
    if not free:
        return None, f"on this disk{speed}; how much of it is free is not known"
    anchors = Anchors(best=free / DECADE, worst=float(free), origin="measured", by_factor=True)
    return anchors, f"on this disk{speed}; {wording.size(float(free))} are free, of which a tenth costs nothing"


def budget_of(a: Assessed, ground: Ground) -> Entry:
    """A month of runs against what may be spent on them."""
    usd, often = usd_month(a, ground), ground.workload.needs.frequency or "once a month"
    licence = (
        "no licence is paid" if a.candidate.framework in FREE else f"a licence of {a.candidate.framework} is not in it"
    )
    if usd is None:
        told = f"this machine has no price: a table of your own, or machine_hour in team.yaml, gives it one; {licence}"
        return entry("budget", None, None, unit="USD/month", shown="not known", origin="assumed", sentence=told)
    anchors, limit = _limit(a, ground, usd)
    run = usd.value / runs_a_month(ground.workload)
    told = f"{wording.number(run)} USD a run ({often}){limit}; {licence}"
    more = tuple(f"not in it: {text}" for text in (a.costs.unknown if a.costs else ()))
    return entry(
        "budget", usd.value, anchors, unit="USD/month", shown=wording.dollars(usd).replace(" USD", " USD/month"),
        origin=usd.origin, sentence=told, parts=more,
    )  # fmt: skip


def usd_month(a: Assessed, ground: Ground) -> Figure | None:
    """Dollars of a month: with disk and the data's way where they were priced, else the machine's hours alone."""
    runs = runs_a_month(ground.workload)
    if a.costs is not None:
        return a.costs.usd_month
    run, hour = a.forecast.cost_usd, ground.facts.machine_usd_hour
    if run is None and hour is not None and a.candidate.machine == ground.machine.name:
        time_s = a.forecast.time_s
        run = Figure(**{end: getattr(time_s, end) / HOUR_S * hour for end in ("value", "low", "high")}, origin="stated")
    if run is None:
        return None
    return run.but(value=run.value * runs, low=run.low * runs, high=run.high * runs)


def _limit(a: Assessed, ground: Ground, usd: Figure) -> tuple[Anchors, str]:
    budget = ground.workload.needs.budget
    stated = budget.hardware_usd_month if budget is not None else None
    whose = "your budget"
    if not stated:
        stated, whose = ground.facts.platform_usd_month, "the team's platform budget, for all its jobs"
    if stated:
        share = wording.share(usd.value / stated)
        anchors = Anchors(best=stated / DECADE, worst=stated, origin="stated", by_factor=True)
        return anchors, f", {share} of {wording.dollars(stated)} ({whose})"
    least = usd.value * ground.floor_s / max(a.forecast.time_s.value, 1e-9)
    anchors = Anchors(best=least, worst=DECADE * least, origin="assumed", by_factor=True)
    return anchors, "; no budget is stated, so against what the fastest that physics allows would cost"
