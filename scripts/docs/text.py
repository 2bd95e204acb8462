"""Markdown from docstrings and records: tables, code, and the sections of a docstring."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_SECTION = re.compile(r"^(\w+)\n-{3,}\n", re.MULTILINE)
_ENTRY = re.compile(r"^(\S.*)\n((?:    .*(?:\n|$))+)", re.MULTILINE)
_FLAG = re.compile(r"(?<![\w`-])(--[a-z][a-z-]+)(?!`)")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; columns that are empty in every row are left out."""
    kept = [list(row) for row in rows]
    filled = [i for i in range(len(header)) if any(row[i] for row in kept)]
    lines = [[header[i] for i in filled], ["---"] * len(filled), *([row[i] for i in filled] for row in kept)]
    return "\n".join("| " + " | ".join(_cell(item) for item in line) + " |" for line in lines)


def code(text: str) -> str:
    """Text as it would be typed."""
    return f"`{text}`" if text else ""


def prose(docstring: str | None) -> str:
    """A docstring as Markdown: ``code`` becomes `code`, sections such as Raises a bold word."""
    said, *sections = _SECTION.split((docstring or "").strip())
    for name, entries in zip(sections[::2], sections[1::2], strict=True):
        said += f"**{name}**\n\n" + _ENTRY.sub(
            lambda found: f"* {_codes(found[1])}: {' '.join(found[2].split())}\n", entries
        )
    said = re.sub(r"``(.+?)``", r"`\1`", said)
    return _FLAG.sub(r"`\1`", said).strip()


def _codes(names: str) -> str:
    return ", ".join(code(name.strip()) for name in names.split(","))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
