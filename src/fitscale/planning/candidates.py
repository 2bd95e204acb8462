"""Where abilities meet: framework × engine × machine → the candidates, and those that are refused before any is measured."""

from __future__ import annotations

from typing import NamedTuple

from fitscale.planning.preparing import Prepared
from fitscale.records.machine import Machine
from fitscale.records.plan import Candidate, Refusal
from fitscale.records.run import GROUPED, Form, Strategy, Traits
from fitscale.registry import plugin


class Arrangement(NamedTuple):
    """A strategy: the framework's ability that it takes, and the engine's."""

    strategy: Strategy
    ability: str
    host: str
    gap: str  # why it cannot be, where the framework lacks the ability


ONE_MODEL = (
    Arrangement("in-memory", "whole", "tasks", "cannot be fitted in one piece"),
    Arrangement("quantised", "bins", "tasks", "has no compact bins that can be filled batch by batch"),
    Arrangement("out-of-core", "stream", "tasks", "needs all of the rows at once"),
    Arrangement("parts-and-merge", "parts", "tasks", "is no sum of independent parts"),
    Arrangement("data-parallel", "ranks", "ranks", "cannot share one fit between processes"),
)
MANY_MODELS = (
    Arrangement("batched-models", "groups", "tasks", "has no kernel that fits many models at once"),
    Arrangement("many-models", "whole", "tasks", "cannot be fitted in one piece"),
)
UNASKED = frozenset({"parts", "groups"})  # where a framework has not even a reason against them, nobody would ask


def candidates(
    prepared: Prepared, machine: Machine, engines: tuple[str, ...] = ("process",)
) -> tuple[tuple[Candidate, ...], tuple[Refusal, ...]]:
    """All architectures on this machine that the framework and the engines can do, and a refusal for each that they cannot."""
    traits = prepared.traits
    many = bool(prepared.workload.data.groups)
    found: list[Candidate] = []
    refused: list[Refusal] = []
    for engine_name in engines:
        engine = plugin("engines", engine_name)()
        for arrangement in MANY_MODELS if many else ONE_MODEL:
            if arrangement.ability in UNASKED and arrangement.ability not in {*traits.can, *traits.cannot}:
                continue
            candidate = _candidate(prepared, arrangement, engine_name, machine)
            sentence = _reason_not(prepared, arrangement, traits) or engine.reason_not(candidate)
            if arrangement.host not in engine.can:
                sentence = sentence or f"engine '{engine_name}' hosts no {arrangement.host}"
            if sentence:
                refused.append(Refusal(candidate=candidate, sentence=sentence, gate="ability"))
            elif candidate.result == "other" and not prepared.workload.allow_other:
                refused.append(Refusal(candidate=candidate, sentence=_other(prepared), gate="other"))
            else:
                found.append(candidate)
    return tuple(found), tuple(refused)


def _candidate(prepared: Prepared, arrangement: Arrangement, engine: str, machine: Machine) -> Candidate:
    strategy = arrangement.strategy
    many, parts = strategy in GROUPED, strategy == "parts-and-merge"
    ranks = max(2, min(machine.cores, 2)) if strategy == "data-parallel" else 1
    one_process = engine == "inline"
    return Candidate(
        name=strategy if engine == "process" else f"{strategy}@{engine}",
        framework=prepared.framework,
        strategy=strategy,
        engine=engine,
        machine=machine.name,
        workers=machine.cores if (many or parts) and not one_process else 1,
        ranks=ranks,
        # One thread for each process of a pool: oversubscription doubles to quadruples the CPU time. Those that grow parts of
        # one model share out as many as the model would be fitted with in one process, so that it is of the same recipe.
        threads=1 if many else max(1, machine.cores // ranks),
        form=form_of(strategy, prepared.traits),
        result=prepared.traits.can.get(arrangement.ability, "same"),
    )


def form_of(strategy: Strategy, traits: Traits) -> Form:
    """How a strategy holds the rows of one fit."""
    if strategy == "quantised":
        return "bins"
    if strategy == "out-of-core":
        return traits.stream_form
    if strategy == "data-parallel":
        return "shard"
    if strategy == "batched-models":
        return "groups"
    return "frame" if traits.input == "raw" else "matrix"


def _reason_not(prepared: Prepared, arrangement: Arrangement, traits: Traits) -> str | None:
    if arrangement.ability not in traits.can:
        why = traits.cannot.get(arrangement.ability, arrangement.gap)
        return f"{prepared.workload.model.estimator or 'this estimator'} {why}"
    return None


def _other(prepared: Prepared) -> str:
    return (
        f"trains {prepared.workload.model.estimator} batch by batch, which gives another model than fitting it in one piece; "
        "allow it with 'allow_other: true', beside 'model'"
    )
