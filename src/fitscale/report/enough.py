"""How much of the data is enough, as the report shows it: the sentence, the curve, and what each share would lose."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fitscale.planning import wording
from fitscale.planning.trials.curve_words import amount, told
from fitscale.records.plan import Plan
from fitscale.report import charts
from fitscale.report.text import percent, plain

if TYPE_CHECKING:
    from markupsafe import Markup


class Share(NamedTuple):
    share: str
    rows: str
    loss: str
    interval: str
    time: str
    taken: bool


class Enough(NamedTuple):
    words: str
    metric: str
    families: str  # which curves hold, by their weight
    chart: Markup | None
    shares: list[Share]


def enough_shown(plan: Plan) -> Enough | None:
    """None where nobody asked how much is enough."""
    curve = plan.curve
    if curve is None:
        return None
    weights = sorted(curve.weights.items(), key=lambda item: -item[1])
    shares = [
        Share(
            percent(level.share), f"{level.rows:,}", amount(level.loss.value),
            f"{amount(level.loss.low)}–{amount(level.loss.high)}",
            wording.share(level.time) if level.time is not None else "–", level.share == curve.use,
        )
        for level in curve.levels
    ]  # fmt: skip
    families = ", ".join(f"{name} {percent(weight)}" for name, weight in weights if weight >= 0.005)
    return Enough(plain(told(curve)), plain(curve.metric, 40), families, charts.enough(curve), shares)
