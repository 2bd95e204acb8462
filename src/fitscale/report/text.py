"""Figures as a person reads them, in the words and units of the plan's own sentences."""

from __future__ import annotations

import time

from fitscale.planning import wording
from fitscale.records.base import Figure

LONGEST = 300


def parted(text: str) -> tuple[str, str]:
    """'38 min (31–52)' → ('38 min', '31–52'); '' where there is no interval."""
    value, _, rest = text.partition(" (")
    return value, rest.removesuffix(")")


def seconds(value: float) -> str:
    return f"{1000 * value:,.0f} ms" if 0 < value < 0.0995 else wording.duration(value)


def size(n_bytes: float) -> str:
    return wording.size(n_bytes)


def usd(figure: Figure) -> str:
    return f"{figure.value:,.2f} USD ({figure.low:,.2f}–{figure.high:,.2f})"


def score(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}".replace("-", "−")


def percent(share: float) -> str:
    return f"{wording.number(100 * share)} %"


def error(actual: float, forecast: float) -> str:
    """'+12 %': how far what it took lies from what was forecast."""
    if forecast <= 0:
        return "–"
    ratio = actual / forecast
    if ratio >= 10:
        return f"{wording.number(ratio)} ×"
    rounded = round(100 * (ratio - 1))
    return "0 %" if rounded == 0 else f"{'+' if rounded > 0 else '−'}{abs(rounded)} %"


def moment(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))


def plain(value: object, longest: int = LONGEST) -> str:
    """A stranger's text in one line: control and direction characters made visible, and cut."""
    text = "".join(c if c.isprintable() else "�" for c in str(value))
    return text if len(text) <= longest else text[: longest - 1] + "…"


def many(n: int, one: str, more: str | None = None) -> str:
    return f"{n:,} {one if n == 1 else more or one + 's'}"
