"""The path through the decision tree on a screen: in a few lines under the verdict, node by node in ``--explain``."""

from __future__ import annotations

from fitscale.cli.shown import wrapped
from fitscale.planning.tree.path_words import asked, short, where_apart
from fitscale.planning.tree.tree import SAID
from fitscale.records.plan import Decision


def path_lines(decision: Decision, width: int) -> list[str]:
    """Value by value to the leaf, and why the choice is another one where it is; nothing for plans of before."""
    lines = wrapped("Path", text, width) if (text := short(decision)) else []
    if decision.path_note:
        lines += wrapped("" if lines else "Path", decision.path_note, width)
    return lines


def explained_path(decision: Decision, strategy: str, width: int) -> list[str]:
    """Each node with its question and threshold, and where the branch of ``strategy`` leaves the path."""
    lines: list[str] = []
    for step in decision.path:
        lines += wrapped("" if lines else "Path", asked(step), width)
    if lines:
        lines += wrapped("", f"→ {SAID.get(decision.leaf, decision.leaf)}", width)
    apart = where_apart(decision, strategy) if decision.leaf != strategy else ""
    for text in filter(None, (apart, decision.path_note)):
        lines += wrapped("" if lines else "Path", text, width)
    return lines
