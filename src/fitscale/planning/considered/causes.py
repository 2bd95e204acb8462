"""Which consideration rules out what, and what would be chosen without it. A pure function over the plan's records.

Each refusal has a gate, and each gate is one consideration's; memory is that of the size which, made smaller, would let the
candidate in. What a consideration is worth is found by deciding again without it.
"""

from __future__ import annotations

from collections.abc import Sequence

from fitscale.planning import wording
from fitscale.planning.considered.bands import FEATURES as WIDTHS
from fitscale.planning.decision.deciding import decide
from fitscale.planning.decision.gates import rows_that_fit
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Candidate, Decision, Plan, Refusal
from fitscale.records.workload import Workload

LEARNING, FRAMEWORK, MODELS, FEATURES, DATA, USERS, TIME, PLACE, BUDGET, EXPORT = range(1, 11)

_OF_GATE = {
    "ability": FRAMEWORK,
    "engine": FRAMEWORK,
    "other": FRAMEWORK,
    "functions": FRAMEWORK,
    "storage": DATA,
    "floor": DATA,
    "deadline": TIME,
    "budget": BUDGET,
    "export": EXPORT,
}
_WIDE = 100  # features from which on their number is looked at where no number of rows would fit
_BOUNDLESS = 1 << 60  # bytes of a machine that refuses nothing for its size
_PLAIN = ("in-memory", "many-models")  # what every framework can do


def causes_of(refusal: Refusal, plan: Plan) -> frozenset[int]:
    """The numbers of the considerations that rule the candidate out; none where it is the machine alone."""
    if refusal.gate != "memory":
        return frozenset({_OF_GATE[refusal.gate]} if refusal.gate in _OF_GATE else ())
    candidate, forecast, features = refusal.candidate, refusal.forecast, plan.shape.features
    if candidate.is_grouped:
        fewer = any(a.candidate.name == candidate.name and a.candidate.workers < candidate.workers
                    for a in standing(plan.decision))  # fmt: skip
        return frozenset({MODELS if fewer else DATA})
    if forecast is not None and rows_that_fit(candidate, forecast, plan.machine):
        return frozenset({FEATURES, DATA} if WIDTHS.is_large(features) else {DATA})
    return frozenset({FEATURES} if features >= _WIDE else ())


def ruled_out(number: int, plan: Plan) -> tuple[tuple[str, str], ...]:
    """The candidates that a consideration rules out, each with its sentence."""
    decision = plan.decision
    known = [*(a.candidate for a in standing(decision)), *(r.candidate for r in decision.refused)]
    return tuple((_label(r.candidate, known), r.sentence) for r in decision.refused if number in causes_of(r, plan))


def standing(decision: Decision) -> list[Assessed]:
    """What passes every gate, the chosen first."""
    refused = {r.candidate for r in decision.refused}
    known = [a for a in (decision.chosen, *decision.alternatives) if a is not None and a.candidate not in refused]
    return list({a.candidate: a for a in known}.values())


def without(plan: Plan, workload: Workload, *gates: str) -> Decision:
    """The decision for a workload that demands less: what these gates refused is let in again, and judged by it."""
    opened = [r for r in plan.decision.refused if r.gate in gates]
    return _decided(plan, opened, workload, plan.machine)


def worth_of_size(number: int, plan: Plan) -> tuple[str, ...]:
    """What a machine with room for it would change."""
    opened = [r for r in plan.decision.refused if number in causes_of(r, plan)]
    if not opened:
        return ()
    machine = plan.machine.but(memory_bytes=_BOUNDLESS, disk_free_bytes=None)
    return difference(plan, _decided(plan, opened, plan.workload, machine), "with room for it")


def worth_of_abilities(plan: Plan) -> tuple[str, ...]:
    """What of the decision hangs on the framework's doing more than the plain fit."""
    decision = plan.decision
    if decision.chosen is None or decision.overridden or decision.chosen.candidate.strategy in _PLAIN:
        return ()
    plain = decision.but(
        alternatives=tuple(a for a in standing(decision) if a.candidate.strategy in _PLAIN),
        refused=tuple(r for r in decision.refused if r.candidate.strategy in _PLAIN),
        chosen=None,
    )
    other = _decided(plan.but(decision=plain), (), plan.workload, plan.machine).chosen
    instead = f"{_chosen(other)} would be chosen" if other is not None else "nothing would run here"
    return (f"makes {decision.chosen.candidate.name} possible; without it {instead}",)


def difference(plan: Plan, other: Decision, otherwise: str) -> tuple[str, ...]:
    """What another decision would be, in words: nothing where both agree. ``otherwise`` says of what the other is free."""
    now, then = plan.decision, other.chosen
    if then is None or now.overridden:
        return ()
    found = []
    if now.chosen is None or (other.meets and not now.meets):
        better = f", but {now.better.candidate.name} on {now.better.candidate.machine} does" if now.better else ""
        found.append(f"with it nothing here passes{better}")
    if then.candidate not in (_choice(now), _choice(_decided(plan, (), plan.workload, plan.machine))):
        found.append(f"{otherwise} {_chosen(then)} would be chosen")
    return tuple(found)


def _choice(decision: Decision) -> Candidate | None:
    return decision.chosen.candidate if decision.chosen is not None else None


def _chosen(assessed: Assessed) -> str:
    """``in-memory at 8 s (7–9)``, and that it rests on priors alone where it does."""
    forecast = assessed.forecast
    source = f", {wording.PRIORS}," if forecast.source == wording.PRIORS else ""
    return f"{assessed.candidate.name} at {wording.duration(forecast.time_s)}{source}"


def _decided(plan: Plan, opened: Sequence[Refusal], workload: Workload, machine: Machine) -> Decision:
    """Once more, by the same forecasts, with some of what was refused let in.

    What the run's own attempt has done by now speaks for no candidate: the question is what would have been begun.
    """
    decision = plan.decision
    again = [Assessed(candidate=r.candidate, forecast=r.forecast) for r in opened if r.forecast is not None]
    let_in = {a.candidate for a in again}
    return decide(
        workload,
        machine,
        [a.but(forecast=a.forecast.but(done_s=0.0)) for a in (*standing(decision), *again)],
        [r for r in decision.refused if r.candidate not in let_in],
        choose=decision.chosen.candidate.name if decision.chosen is not None and decision.overridden else None,
        settled=decision.settled,
        elsewhere=(),
        facts=plan.facts,
    )


def _label(candidate: Candidate, known: list[Candidate]) -> str:
    """Its name; with its workers where another has the same."""
    alike = {c.workers for c in known if c.name == candidate.name}
    return f"{candidate.name} with {candidate.workers} workers" if len(alike) > 1 else candidate.name
