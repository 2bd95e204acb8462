"""What the scorecard changed of a decision, in a sentence with its figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fitscale.planning import wording
from fitscale.planning.decision.choosing import ranked
from fitscale.planning.scoring.card import card_of
from fitscale.planning.scoring.ground import Ground
from fitscale.planning.scoring.words import listed_weights
from fitscale.records.plan import Assessed
from fitscale.records.scorecard import Card, Entry

CLEAR = 0.01  # of a score


def scored_reasons(best: Sequence[Assessed], ground: Ground | None, must: float | None) -> Iterator[str]:
    """Why the first is before the one that the objective alone would take; nothing where it is the same."""
    if ground is None or len(best) < 1:
        return
    otherwise = ranked(best, ground.workload, ground.machine, must)[0]
    mine, other = card_of(best[0], ground), card_of(otherwise, ground)
    if ground.facts.weights:
        yield from _by_weights(mine, other, ground)
    elif otherwise.candidate != best[0].candidate and (told := _ahead(mine, other)):
        yield f"within 5 % of {other.name}: {told}"


def _by_weights(mine: Card, other: Card, ground: Ground) -> Iterator[str]:
    facts = ground.facts
    weighed = listed_weights(facts.weights)
    whose = "the team's" if facts.weights_from == "team" else "your"
    total = f"{mine.total:.2f}" if mine.total is not None else "not known"
    instead = ""
    if (other.name, other.workers) != (mine.name, mine.workers):
        rival = f"{other.total:.2f}" if other.total is not None else "not known"
        instead = f"; by the objective alone it would be {other.name} ({rival})"
    yield f"by {whose} weights ({weighed}) its measured scores come to {total}{instead}"
    anchors = mine.entry("time").anchors
    if facts.weights.get("time") and anchors is not None and anchors.origin == "assumed":
        yield "time weighs by its factor in that ranking, 1 for each factor of ten, since no deadline is stated"
    idle = [e.name for e in mine.entries if facts.weights.get(e.name) and not e.counted]
    if idle:
        why = ", ".join(
            f"{name} is {'judged' if mine.entry(name).origin == 'judged' else 'not known'}" for name in idle
        )
        yield f"not in that sum: {why}"


def _ahead(mine: Card, other: Card) -> str:
    """``in-memory needs a third of the storage``, by the measurement in which it is ahead by most."""
    pairs = [(e, other.entry(e.name)) for e in mine.entries if e.counted]
    ahead = [(e.score - o.score, e, o) for e, o in pairs if e.score is not None and o.score is not None]
    gained, entry, rival = max(ahead, key=lambda item: item[0])
    if gained < CLEAR:
        return ""
    return f"{mine.name} {_compared(entry, rival)}"


def _compared(mine: Entry, other: Entry) -> str:
    if mine.name in ("storage", "budget", "time") and mine.value is not None and other.value:
        what = {"storage": "needs {} of the storage", "budget": "costs {} of it", "time": "takes {} of the time"}
        return f"{what[mine.name].format(wording.share(mine.value / other.value))} ({mine.shown} against {other.shown})"
    what = {
        "functions": "functions matched",
        "openness": "openness",
        "integration": "integration",
        "extension": "extension",
    }
    return f"is ahead in {what.get(mine.name, mine.name)} ({mine.shown} against {other.shown})"
