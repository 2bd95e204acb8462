"""The scorecard of a plan: a card for what was chosen, each alternative, and the better place."""

from __future__ import annotations

from collections.abc import Mapping

from fitscale.planning.scoring.entries import entries_of
from fitscale.planning.scoring.ground import MEASURES, Ground, floor_of
from fitscale.planning.scoring.staff import people_flip
from fitscale.records.plan import Assessed, Plan
from fitscale.records.scorecard import Card, Entry, Measure, Scorecard


def scorecard_of(plan: Plan) -> Scorecard:
    """Empty where nothing was chosen."""
    decision = plan.decision
    if decision.chosen is None:
        return Scorecard()
    ways = (decision.chosen, *decision.alternatives, decision.better)
    found = list({one.candidate: one for one in ways if one is not None}.values())
    ground = ground_of(plan, found)
    return Scorecard(
        cards=tuple(card_of(one, ground) for one in found),
        weights=plan.facts.weights,
        weights_from=plan.facts.weights_from,
        people=people_flip(decision.chosen, decision.better, ground),
    )


def ground_of(plan: Plan, compared: list[Assessed]) -> Ground:
    return Ground(plan.workload, plan.machine, plan.facts, floor_of(compared), tuple(compared))


def weighing_ground(plan: Plan, compared: list[Assessed]) -> Ground | None:
    """What a choice among these on another machine goes by, where the user gave weights; ties are broken here alone."""
    return ground_of(plan, compared) if plan.facts.weights else None


def card_of(one: Assessed, ground: Ground) -> Card:
    """All eight, and the mean of the measured ones."""
    entries, candidate = entries_of(one, ground), one.candidate
    return Card(
        name=candidate.name, machine=candidate.machine, workers=candidate.workers, entries=entries,
        total=_total(entries, ground.facts.weights or dict.fromkeys(MEASURES, 1.0)),
    )  # fmt: skip


def _total(entries: tuple[Entry, ...], weights: Mapping[Measure, float]) -> float | None:
    """By the scores as they are shown; None where nothing that weighs something is measured."""
    counted = [(weights.get(e.name, 0.0), e.score) for e in entries if e.counted and e.score is not None]
    whole = sum(weight for weight, _ in counted)
    return round(sum(weight * score for weight, score in counted) / whole, 4) if whole else None
