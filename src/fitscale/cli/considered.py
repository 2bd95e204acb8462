"""The ten considerations on the plan's screen: a line for each, and under it what it changed."""

from __future__ import annotations

from collections.abc import Sequence

from fitscale.cli.shown import wrapped
from fitscale.records.plan import Consideration


def considered_lines(considerations: Sequence[Consideration], width: int, head: str = "") -> list[str]:
    """Number, name, band and value, and where it is from at the right edge; after an arrow what it changed.

    All ten stand there: that one changed nothing is an answer, too. ``head``: what stands above them in place of that.
    """
    if not considerations:
        return []
    changed = any(c.removes or c.changed for c in considerations)
    head = head or ("Considered  → what it changed" if changed else "Considered  none of it changed the choice")
    names, bands = (max(map(len, texts)) for texts in zip(*((c.name, c.band) for c in considerations), strict=True))
    lines = ["", head]
    for one in considerations:
        stub = f"{one.number:>2} {one.name:<{names}}  {one.band:<{bands}}"
        beside = len(stub) + 2
        mark = f"[{one.origin}]"
        first, *rest = wrapped(stub, one.value, width - len(mark) - 1, beside)
        lines += [first.ljust(width - len(mark)) + mark, *rest]
        if effect := effect_of(one):
            lines += wrapped(" " * beside + "→", effect, width, beside + 2)
    return lines


def effect_of(one: Consideration) -> str:
    """``rules out in-memory and quantised; with room for it in-memory at 24 s (22–26) would be chosen``."""
    names = [name for name, _ in one.removes]
    listed = " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
    return "; ".join([*([f"rules out {listed}"] if names else []), *one.changed])
