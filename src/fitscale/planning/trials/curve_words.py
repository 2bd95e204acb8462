"""A learning curve in words: what is lost by what is taken, in what time, and what finding that out cost."""

from __future__ import annotations

from fitscale.planning import wording
from fitscale.records.curve import Curve, Fewer, Level

DIGITS = 2


def told(curve: Curve) -> str:
    """``20 % of the rows give roc_auc within 0.002 of all of them (0.0011 less, 90 %: 0.0005–0.0019) in a fifth of the time …``."""
    return "; ".join(filter(None, (taken(curve), cost(curve))))


def taken(curve: Curve) -> str:
    """What is taken, and what is lost by it; or why all rows are."""
    level = curve.level
    if level is None:
        nearest = _nearest(curve)
        return f"all rows are taken: {curve.why}" + (f" ({nearest})" if nearest else "")
    within = (
        f"{wording.share(level.share)} of the rows give {curve.metric} within {amount(curve.tolerance)} of all of them"
    )
    return f"{within} ({_loss(level)}){_in_time(level)}"


def left_out(curve: Curve) -> tuple[str, ...]:
    """What is not taken, and what it would have gained; nothing where all rows are taken."""
    level = curve.level
    if level is None:
        return ()
    gained = level.loss
    return (
        f"{wording.share(1 - level.share)} of the rows are left out: they would gain {amount(gained.value)} of {curve.metric} "
        f"(90 %: {amount(gained.low)}–{amount(gained.high)})",
    )


def cost(curve: Curve) -> str:
    """``learning curve: 9 trials, 12 s``; nothing where none was tried."""
    n = len(curve.tried)
    return f"learning curve: {n} trial{'s' * (n != 1)}, {wording.duration(curve.seconds)}" if n else ""


def amount(value: float) -> str:
    """Two digits that count: 0.0011, 0.25, 3.4, 2,900."""
    return wording.number(value) if abs(value) >= 1 else f"{value:.{DIGITS}g}" if value else "0"


def fewer(found: Fewer) -> str:
    """``20 % of the rows would be done here in 20 min (18–23), with roc_auc 0.002 less …: data.use: 20%``."""
    done = f"{wording.share(found.use)} of the rows would be done here in {wording.duration(found.time_s)}"
    loss, curve = found.loss, found.curve
    if loss is not None:
        lost = f"with {curve.metric} {amount(loss.value)} less (90 %: {amount(loss.low)}–{amount(loss.high)})"
    else:
        why = "the parts that were tried are larger" if curve.levels else curve.why or "too little was tried"
        lost = f"and what they would lose is not known: {why}"
    return "; ".join(filter(None, (f"{done}, {lost}", f"write data.use: {found.use:.3g}", cost(curve))))


def _loss(level: Level) -> str:
    loss = level.loss
    return f"{amount(loss.value)} less, 90 %: {amount(loss.low)}–{amount(loss.high)}"


def _in_time(level: Level) -> str:
    return f" in {wording.share(level.time)} of the time" if level.time is not None else ""


def _nearest(curve: Curve) -> str:
    """Of the largest share: what that would lose, against what may be."""
    if not curve.levels:
        return ""
    level = curve.levels[-1]
    return f"{wording.share(level.share)}: {_loss(level)}, and {amount(curve.tolerance)} may be lost"
