"""Durations, sizes, shares, money and multipliers, as people write them: read into plain numbers, and written back.

Each reader takes text or a number and raises `UsageError` alone, naming the value and what would do.
Each writer gives the shortest form that its reader takes back to exactly the same number.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

from fitscale.errors import UsageError

DURATION_S = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
SIZE_BYTES = {
    **{name: 1000**power for power, name in enumerate(("B", "kB", "MB", "GB", "TB", "PB"))},
    **{name: 1024**power for power, name in enumerate(("KiB", "MiB", "GiB", "TiB", "PiB"), start=1)},
}
_WORDS = {
    **{word: "w" for word in ("w", "week", "weeks")},
    **{word: "d" for word in ("d", "day", "days")},
    **{word: "h" for word in ("h", "hr", "hrs", "hour", "hours")},
    **{word: "m" for word in ("m", "min", "mins", "minute", "minutes")},
    **{word: "s" for word in ("s", "sec", "secs", "second", "seconds")},
}
_SIZES = {name.lower(): size for name, size in SIZE_BYTES.items()}
_NUMBER = r"([0-9]+(?:\.[0-9]+)?)"
_PART = re.compile(rf"{_NUMBER}\s*([A-Za-z]+)")
_PARTS = re.compile(rf"(?:{_NUMBER}\s*[A-Za-z]+[\s,]*)+")
_MEASURE = re.compile(rf"{_NUMBER}\s*([A-Za-z]*)")
_SHARE = re.compile(rf"{_NUMBER}\s*(%?)")
_TIMES = re.compile(rf"{_NUMBER}\s*[x×]")
_MONEY = re.compile(rf"(\$?)\s*{_NUMBER}\s*([A-Za-z€£¥]*)\s*(?:/\s*([a-z]+))?")

DURATIONS = "a duration is written like '10m', '1h 30m', '2 days', or as seconds"
SIZES = "a size is written like '500 MB', '2 GB' (10⁹) or '2 GiB' (2³⁰), or as bytes"
SHARES = "a share is written like '20%' or 0.2"
TIMES = "a multiplier is written like '10x' or 0.5"


def duration_s(value: Any) -> float:
    """Seconds of ``'10m'``, ``'1h 30m'``, ``'4h'``, ``'2 days'`` or a number of seconds; more than 0.

    Units go from large to small, each once: weeks, days, hours, minutes, seconds. ``M`` is refused: it may mean months.
    """
    number = bare(value)
    if number is None:
        text = _text(value, DURATIONS)
        if not _PARTS.fullmatch(text):
            raise _wrong(value, DURATIONS)
        parts = [(Decimal(n), u if u == "M" else u.lower()) for n, u in _PART.findall(text)]
        if any(unit not in _WORDS for _, unit in parts):
            raise _wrong(value, DURATIONS)
        sizes = [DURATION_S[_WORDS[unit]] for _, unit in parts]
        if sizes != sorted(set(sizes), reverse=True):
            raise _wrong(value, "its units must go from large to small, each once; " + DURATIONS)
        number = float(sum((n * size for (n, _), size in zip(parts, sizes, strict=True)), Decimal(0)))
    return _positive(value, number, DURATIONS)


def duration_text(seconds: float) -> str | float:
    """``'1h 30m'`` for 5400.0; the number itself where no such text is exact."""
    if seconds < 60 or seconds != int(seconds):
        return seconds
    rest, words = int(seconds), []
    for unit in ("d", "h", "m", "s"):
        count, rest = divmod(rest, DURATION_S[unit])
        words += [f"{count}{unit}"] if count else []
    text = " ".join(words)
    return text if duration_s(text) == seconds else seconds


def size_bytes(value: Any) -> int:
    """Bytes of a size; 1 or more, parts of a byte are cut off.

    ``kB MB GB TB PB`` are powers of 1000, ``KiB MiB GiB TiB PiB`` powers of 1024: ``'2 GB'`` is 2,000,000,000 bytes,
    ``'2 GiB'`` 2,147,483,648. Case does not matter; a bare ``G`` is refused, since tools differ on what it means.
    """
    number = bare(value)
    if number is not None:
        _positive(value, number, SIZES, least=1)
        return int(Decimal(str(value)))  # not by the float, which is inexact beyond 2⁵³
    found = _MEASURE.fullmatch(_text(value, SIZES))
    if not found or found[2].lower() not in _SIZES:
        raise _wrong(value, SIZES)
    exact = Decimal(found[1]) * _SIZES[found[2].lower()]
    _positive(value, float(exact), SIZES, least=1)
    return int(exact)


def size_text(n_bytes: int) -> str | int:
    """``'2 GiB'`` or ``'2 GB'``, whichever is exact and shortest; the number itself where none is."""
    exact = [f"{n_bytes // size} {name}" for name, size in SIZE_BYTES.items() if size > 1 and n_bytes % size == 0]
    shortest = min(exact, key=len, default=n_bytes)
    return shortest if size_bytes(shortest) == n_bytes else n_bytes


def share(value: Any) -> float:
    """A fraction from 0 to 1 of ``'20%'`` or ``0.2``."""
    number = bare(value)
    if number is None:
        found = _SHARE.fullmatch(_text(value, SHARES))
        if not found:
            raise _wrong(value, SHARES)
        number = float(Decimal(found[1]) / (100 if found[2] else 1))
    if not 0 <= number <= 1:
        raise _wrong(value, "a share lies between 0 and 1 (0% and 100%)")
    return number


def share_text(fraction: float) -> str | float:
    """``'20%'`` for 0.2; the number itself where no short text is exact."""
    text = f"{(Decimal(repr(fraction)) * 100).normalize():f}%"
    return text if len(text) < 8 and share(text) == fraction else fraction


def usd(value: Any, per: str = "month") -> float:
    """US dollars of ``300``, ``'300 USD'``, ``'$300'`` or ``'300 USD/month'``; 0 or more. No other currencies."""
    example = f"money is written like '300 USD/{per}' or 300"
    number = bare(value)
    if number is None:
        found = _MONEY.fullmatch(_text(value, example))
        if not found:
            raise _wrong(value, example)
        sign, digits, currency, period = found.groups()
        if currency.upper() not in ("", "USD") or (sign and currency):
            raise _wrong(value, f"prices are compared in USD alone: convert '{currency}' first; {example}")
        if period not in (None, per):
            raise _wrong(value, f"it is counted by the {per}; {example}")
        number = float(Decimal(digits))
    if not (math.isfinite(number) and number >= 0):
        raise _wrong(value, example)
    return number


def usd_text(amount: float, per: str = "month") -> str | float:
    """``'300 USD/month'`` for 300.0; the number itself where no such text is exact."""
    text = f"{amount:.15g}"
    if amount == 0 or not text.replace(".", "").isdigit() or float(text) != amount:
        return amount
    return f"{text} USD/{per}"


def times(value: Any) -> float:
    """The factor of ``'10x'`` or ``0.5``; more than 0."""
    number = bare(value)
    if number is None:
        found = _TIMES.fullmatch(_text(value, TIMES))
        if not found:
            raise _wrong(value, TIMES)
        number = float(Decimal(found[1]))
    return _positive(value, number, TIMES)


def times_text(factor: float) -> str | float:
    """``'10x'`` for 10.0; the number itself where no such text is exact."""
    text = f"{Decimal(repr(factor)):f}x"
    return text if len(text) < 20 else factor


def bare(value: Any) -> float | None:
    """A bare number, also in quotes (flags and the environment only have text); None for other text."""
    if isinstance(value, str) and re.fullmatch(rf"\s*{_NUMBER}\s*", value):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _text(value: Any, example: str) -> str:
    if not isinstance(value, str):
        raise _wrong(value, example)
    return value.strip()


def _positive(value: Any, number: float, example: str, least: float = 0) -> float:
    if not math.isfinite(number) or number < least or number <= 0:
        raise _wrong(value, example)
    return number


def _wrong(value: Any, clause: str) -> UsageError:
    return UsageError(f"{shown(value)} cannot be read: {clause}")


def shown(value: Any) -> str:
    """A value as an error shows it: quoted, and never longer than a line."""
    if isinstance(value, int) and value.bit_length() > 200:
        return "a number of more than 60 digits"  # Python refuses to print the longest ones
    try:
        text = repr(value)
    except (RecursionError, ValueError):
        text = f"a {type(value).__name__}"
    return text if len(text) <= 60 else text[:57] + "…"
