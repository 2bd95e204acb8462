"""How a screen is laid out: headings with text beside them, tables, counts and money.

Durations and sizes are written by `planning.wording`, as in the sentences of the planner, so that both agree.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fitscale.planning.wording import duration, number, size

if TYPE_CHECKING:
    from fitscale.records.base import Figure

__all__ = [
    "clipped",
    "columns",
    "count",
    "dagger",
    "data_size",
    "duration",
    "most_common",
    "plural",
    "share",
    "size",
    "tagged",
    "tail",
    "usd",
    "value",
    "wrapped",
]
NONE = "–"
_UNIT = re.compile(r"(?<=[0-9)]) (?=(?:[×%†]|(?:s|ms|min|h|days?|B|kB|MB|GB|TB|USD)\b))")


def data_size(n_bytes: float, of: float) -> str:
    """A part of the data: ``1.2 of 60 GB``, ``5 MB of 2 TB``, ``all 880 kB``."""
    part, whole = size(n_bytes), size(of)
    if n_bytes >= of:
        return f"all {whole}"
    number_, _, unit = part.rpartition(" ")
    return f"{number_ if whole.endswith(' ' + unit) else part} of {whole}"


def count(n: float) -> str:
    """``412M``, ``9.1G``; exact below a million: ``327,346``."""
    if n < 1e6:
        return f"{n:,.0f}"
    divisor, name = next((d, s) for d, s in ((1e12, "T"), (1e9, "G"), (1e6, "M")) if n >= d)
    return f"{number(n / divisor)}{name}"


def usd(figure: Figure | None) -> str:
    """``0.89``, ``<0.01``, or a dash where it costs nothing that is known."""
    if figure is None:
        return NONE
    return "<0.01" if 0 < figure.value < 0.01 else f"{figure.value:,.2f}"


def share(fraction: float) -> str:
    return f"{fraction:.0%}".replace("%", " %")


def plural(n: int, one: str, many: str = "") -> str:
    """``1 group``, ``1,141 groups``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def most_common(counts: Mapping[str, int], what: str, shown: int = 5) -> list[str]:
    """``    1,204 not judged: unknown key``, the most common first, and how many more reasons there are."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    lines = [f"    {count:,} {what}: {reason}" for reason, count in ordered[:shown]]
    rest = ordered[shown:]
    return (
        [*lines, f"    {sum(count for _, count in rest):,} {what}, for {len(rest):,} other reasons"] if rest else lines
    )


def clipped(text: str, most: int) -> str:
    """At most so many characters, the last an ellipsis where something is left out; in one line."""
    plain = text if text.isprintable() else ascii(text)[1:-1]
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def tail(text: str, most: int) -> str:
    """The end of a path or address that is longer, after an ellipsis."""
    return text if len(text) <= most else "…" + text[1 - most :]


def dagger(figure: Figure) -> str:
    """† where a figure was never measured on such a machine."""
    return "†" if figure.origin == "modelled" else ""


def wrapped(head: str, text: str, width: int, indent: int = 12) -> list[str]:
    """``head`` in a column of its own, ``text`` beside it, in lines of at most ``width``."""
    first = head.ljust(indent) if len(head) < indent or not head else head + " "
    return _lines(text, width, first, " " * indent) or [first.rstrip()]


def tagged(text: str, tag: str, width: int) -> list[str]:
    """``text``, with where it is from at the right edge of its first line."""
    mark = f"[{tag}]"
    first, *rest = _lines(text, width - len(mark) - 2, "", "      ")
    return [first.ljust(width - len(mark)) + mark, *rest]


def _lines(text: str, width: int, first: str, rest: str) -> list[str]:
    """Lines that end between words, and never between a number and its unit."""
    kept = _UNIT.sub("\u00a0", text)
    lines = textwrap.wrap(kept, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
    return [line.replace("\u00a0", " ") for line in lines]


def columns(rows: Sequence[Sequence[str]], header: Sequence[str] = (), right: str = "") -> list[str]:
    """Rows of cells under each other; ``right`` holds the positions (as digits) of columns that end flush."""
    everything = [list(header), *rows] if header else [list(row) for row in rows]
    if not everything:
        return []
    widths = [max(len(row[i]) for row in everything) for i in range(len(everything[0]))]
    flush = {int(digit) for digit in right}
    lines = []
    for row in everything:
        cells = [c.rjust(w) if i in flush else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        lines.append("  ".join(cells).rstrip())
    return lines


def value(item: Any) -> str:
    """One cell of a table of data."""
    if item is None:
        return NONE
    return f"{item:.4f}" if isinstance(item, float) else str(item)
