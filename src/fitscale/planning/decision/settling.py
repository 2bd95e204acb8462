"""Which two are too close to tell apart, and the cheapest probe that may settle it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from fitscale.planning import wording
from fitscale.planning.decision.choosing import SURE, TIE
from fitscale.planning.decision.gates import QUARTER
from fitscale.planning.decision.sure_words import names_of
from fitscale.planning.forecasts.spread import sigma
from fitscale.records.plan import Assessed, Candidate, Chance, Sureness

MARGIN = 1.25  # what is asked of --probe, against what the fits before and the next are thought to take

NO_PROBE_S = 10.0  # what takes less is run rather than probed

Untried = Callable[[Candidate], Sequence[tuple[int, float]] | None]


def close_of(
    found: Sureness, standing: Sequence[Assessed], late: Sequence[bool], untried: Untried | None, spent_s: float
) -> str:
    """``too close: in-memory or quantised, …``, and the cheapest probe that may settle it; empty where one is sure enough."""
    if found.chances[0].best >= SURE:
        return ""
    rivals = [i for i, c in enumerate(found.chances) if i > 0 and c.longer <= TIE and c.best > 0 and not late[i]]
    if not rivals:
        return ""
    rival = max(rivals, key=lambda i: found.chances[i].best)
    called = names_of(found.chances)
    leader_name, rival_name = (called(found.chances[i]) for i in (0, rival))
    share = found.chances[rival].longer
    verb = {"time": "takes", "cost": "costs"}[found.objective]
    much = f"{wording.share(abs(share))} {'more' if share > 0 else 'less'}" if round(share, 3) else "as much"
    told = f"too close: {leader_name} or {rival_name}, which {verb} {much} on average"
    return f"{told}; {_settling([standing[0], standing[rival]], called, found, rival, untried, spent_s)}"


def _settling(
    two: Sequence[Assessed], called: Callable[[Chance], str], found: Sureness, rival: int, untried: Untried | None,
    spent_s: float,
) -> str:  # fmt: skip
    """The next larger part of the rows, of the one of whose forecast less is known."""
    names = [called(found.chances[i]) for i in (0, rival)]
    took = wording.duration(two[1].forecast.time_s.value)
    if max(a.forecast.time_s.value for a in two) < NO_PROBE_S:
        return f"at {took} that is not worth a probe"
    open_to = [(name, a) for name, a in zip(names, two, strict=True) if a.forecast.probed < QUARTER]
    options = []
    for name, a in open_to:
        sizes = untried(a.candidate) if untried is not None else None
        if sizes is None:
            return "--probe 2m tries more of the rows, which may settle it"
        options += [(-round(sigma(a.forecast.time_s), 3), seconds, rows, name) for rows, seconds in sizes[:1]]
    if not options:
        return f"no larger part is left to probe: only a run tells more ({names[1]}: {took})"
    _, seconds, rows, name = min(options)
    return (
        f"a fit of {wording.rows(rows)} rows by {name}, about {wording.duration(seconds)}, may settle it: "
        f"--probe {_asked(MARGIN * (spent_s + seconds))}"
    )


def _asked(seconds: float) -> str:
    """``30s``, ``2m``: as --probe takes it."""
    return f"{math.ceil(seconds / 60)}m" if seconds > 60 else f"{max(10, math.ceil(seconds / 10) * 10)}s"
