"""Figures as a person reads them: ``38 min (31–52)``, ``41 GB (38–45)``, ``1.4 ×``. Sizes are powers of 1000."""

from __future__ import annotations

from fitscale.records.base import Figure

_TIMES = ((48 * 3600.0, 86_400.0, "days"), (100 * 60.0, 3600.0, "h"), (100.0, 60.0, "min"), (0.0, 1.0, "s"))
_SIZES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))

PRIORS = "from priors"  # a forecast of which nothing was measured


def number(value: float) -> str:
    """Two digits that count, and all of them before the point: 0.034, 3.5, 41, 2,900."""
    size = abs(value)
    if size >= 9.95 or size == 0:
        return f"{value:,.0f}"
    return f"{value:.2g}" if size < 0.995 else f"{value:.1f}".removesuffix(".0")


def duration(value: Figure | float) -> str:
    """Seconds → ``38 min (31–52)``; without an interval where there is none."""
    at = value.value if isinstance(value, Figure) else value
    divisor, unit = next((divisor, unit) for least, divisor, unit in _TIMES if at >= least or least == 0)
    return _shown(value, divisor, unit)


def size(value: Figure | float) -> str:
    """Bytes → ``3.5 GB (2.9–4.2)``."""
    at = value.value if isinstance(value, Figure) else value
    divisor, unit = next((d, unit) for d, unit in _SIZES if at >= 0.9995 * d or d == 1.0)
    return _shown(value, divisor, unit)


def dollars(value: Figure | float) -> str:
    """US dollars → ``0.42 USD (0.3–0.6)``."""
    return _shown(value, 1.0, "USD")


def factor(value: float) -> str:
    """How many times: ``1.4 ×``."""
    return f"{number(value)} ×"


def share(value: float) -> str:
    """A fraction → ``6 %``."""
    return f"{number(100 * value)} %"


def rows(value: float) -> str:
    """A count of rows → ``2.9M``."""
    for least, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= least:
            return f"{number(value / (1e3 if unit == 'k' else least))}{unit}"
    return f"{value:,.0f}"


def _shown(value: Figure | float, divisor: float, unit: str) -> str:
    if not isinstance(value, Figure):
        return f"{number(value / divisor)} {unit}"
    low, at, high = (number(v / divisor) for v in (value.low, value.value, value.high))
    return f"{at} {unit}" if low == high else f"{at} {unit} ({low}–{high})"
