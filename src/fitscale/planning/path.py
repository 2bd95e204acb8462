"""The drawn path: the questions that led to the choice, each with the user's value, the threshold and the answer."""

from __future__ import annotations

from collections.abc import Iterator

from fitscale.planning import wording
from fitscale.planning.choosing import SIMPLE
from fitscale.planning.gates import p99_bytes, runs_a_month, usable_bytes
from fitscale.planning.verdict import Verdict
from fitscale.records.plan import Assessed, Candidate, Forecast, Refusal, Step


def path_of(v: Verdict) -> tuple[Step, ...]:
    """From the workload to the choice. ``taken``: whether the answer was yes."""
    groups = v.workload.data.groups
    first = Step(
        question="one model for each group?",
        value=", ".join(groups) or "no groups",
        threshold="data.groups",
        taken=bool(groups),
        leads_to="many models" if groups else "one model",
    )
    return (first, *_fitting(v), *_objective(v), *_musts(v))


def _fitting(v: Verdict) -> Iterator[Step]:
    """The strategies from the simplest on, until one fits."""
    known = _known(v)
    for at, (candidate, forecast, cannot) in enumerate(known):
        below = known[at + 1][0].name if at + 1 < len(known) else "no candidate"
        if cannot is not None or forecast is None:
            value, gate = (cannot.sentence, cannot.gate) if cannot is not None else ("not measured", "ability")
            yield Step(
                question=f"can it be {candidate.name}?", value=value, threshold=gate, taken=False, leads_to=below
            )
            continue
        usable = usable_bytes(candidate, v.machine)
        fits = not any(r.candidate == candidate and r.gate == "memory" for r in v.refused)
        yield Step(
            question=f"does {candidate.name} fit in memory?",
            value=f"{wording.size(forecast.memory_bytes)}, P99 {wording.size(p99_bytes(forecast))}",
            threshold=f"{wording.size(usable)} usable",
            taken=fits,
            leads_to=candidate.name if fits else below,
        )
        if fits:
            return


def _objective(v: Verdict) -> Iterator[Step]:
    """Where the choice is not the simplest that fits: what speaks for it."""
    fitting = [candidate for candidate, forecast, cannot in _known(v) if forecast is not None and cannot is None]
    fitting = [c for c in fitting if not any(r.candidate == c and r.gate == "memory" for r in v.refused)]
    if v.chosen is None or not fitting or fitting[0] == v.chosen.candidate:
        return
    simple = next((a for a in v.ranked if a.candidate == fitting[0]), None)
    yield Step(
        question="chosen by --choose?" if v.overridden else "is another faster, or as fast and smaller?",
        value=_weighed(v.chosen),
        threshold=_weighed(simple) if simple else f"{fitting[0].name}, which is refused",
        taken=True,
        leads_to=v.chosen.candidate.name,
    )


def _musts(v: Verdict) -> Iterator[Step]:
    if v.chosen is None:
        return
    name, forecast = v.chosen.candidate.name, v.chosen.forecast
    in_time = v.must is None or forecast.time_s.value <= v.must
    yield Step(
        question="is it done in time?",
        value=wording.duration(forecast.time_s),
        threshold=wording.duration(v.must) if v.must is not None else "no deadline",
        taken=in_time,
        leads_to=f"{name} here" if in_time else _instead(v),
    )
    budget = v.workload.needs.budget
    if budget is None or budget.hardware_usd_month is None or forecast.cost_usd is None:
        return
    month = forecast.cost_usd.value * runs_a_month(v.workload)
    paid = month <= budget.hardware_usd_month
    yield Step(
        question="is it within the budget?",
        value=f"{wording.dollars(month)} a month",
        threshold=f"{wording.dollars(budget.hardware_usd_month)} a month",
        taken=paid,
        leads_to=f"{name} here" if paid else _instead(v),
    )


def _instead(v: Verdict) -> str:
    return f"{v.better.candidate.name} on {v.better.candidate.machine}" if v.better else "nothing meets it"


def _weighed(a: Assessed) -> str:
    took, held = wording.duration(a.forecast.time_s), wording.size(a.forecast.memory_bytes.value)
    return f"{a.candidate.name}: {took}, {held}"


def _known(v: Verdict) -> list[tuple[Candidate, Forecast | None, Refusal | None]]:
    """Candidates with their forecasts, the simplest first, and why one cannot be at all."""
    found: list[tuple[Candidate, Forecast | None, Refusal | None]] = [(a.candidate, a.forecast, None) for a in v.ranked]
    for r in v.refused:
        cannot = r if r.gate not in ("memory", "deadline", "budget") else None
        if all(candidate != r.candidate for candidate, _, _ in found):
            found.append((r.candidate, r.forecast, cannot))
    return sorted(found, key=lambda item: (SIMPLE.index(item[0].strategy), item[0].name))
