"""The text of a workload file: each value with a comment on where it came from, some lines commented out as offers."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import yaml

WIDTH = 120  # of a line with its comment
COMMENT_AT = 36
_PLAIN = re.compile(r"(?:(?:[A-Za-z_/]|\.{1,2}/)[\w./%+-]*|\d+(?:\.\d+)?(?:%|[smhd]))", re.ASCII)
_OTHER = frozenset(
    ["null", "true", "false", "yes", "no", "on", "off", "y", "n"]
)  # what YAML takes for something else than text


class Item(NamedTuple):
    """One entry of a list."""

    value: str
    why: str


class Line(NamedTuple):
    """A dotted place with its value. ``offered``: commented out. Without a value it is a remark of the section alone."""

    place: str
    value: Any
    why: str
    offered: bool = False


def text_of(head: Sequence[str], lines: Sequence[Line]) -> str:
    """The file. Lines of one section stand together, sections in the order of their first lines."""
    out = [f"# {clean(line)}".rstrip() for line in head]
    tree: dict[str, list[Line]] = {}
    for line in lines:
        tree.setdefault(line.place.split(".")[0], []).append(line)
    for name, inside in tree.items():
        off = all(line.offered for line in inside)
        if inside[0].place == name:
            block = _key(name, inside[0].value, inside[0].why, "")
        else:
            block = [f"{name}:", *_section([_inner(line) for line in inside], "  ", off)]
        out += ["", *(_offered(row, "") if off else row for row in block)]
    return "\n".join(out) + "\n"


def _inner(line: Line) -> Line:
    return line._replace(place=line.place.partition(".")[2])


def _section(lines: Sequence[Line], indent: str, off: bool) -> list[str]:
    out: list[str] = []
    opened: set[str] = set()
    for line in lines:
        name, _, rest = line.place.partition(".")
        if rest:
            if name not in opened:
                opened.add(name)
                inside = [_inner(other) for other in lines if other.place.startswith(f"{name}.")]
                all_off = all(other.offered for other in inside)
                block = [f"{indent}{name}:", *_section(inside, indent + "  ", off or all_off)]
                out += [_offered(row, indent) for row in block] if all_off and not off else block
            continue
        block = _remark(line.why, indent) if line.value is None else _key(name, line.value, line.why, indent)
        out += [_offered(row, indent) for row in block] if line.offered and not off else block
    return out


def _offered(row: str, indent: str) -> str:
    rest = row[len(indent) :].replace("    # ", "  # ", 1)  # so that its comment stands with the others
    return f"{indent}{rest if rest.startswith('#') else f'# {rest}'}"


def _key(name: str, value: Any, why: str, indent: str) -> list[str]:
    if isinstance(value, tuple) and value and isinstance(value[0], Item):
        rows = _remark(why, indent) if why else []
        rows.append(f"{indent}{name}:")
        for item in value:
            rows += _with_comment(f"{indent}  - {scalar(item.value)}", item.why, f"{indent}  ")
        return rows
    return _with_comment(f"{indent}{name}: {scalar(value)}", why, indent)


def _with_comment(text: str, why: str, indent: str) -> list[str]:
    """The comment behind, where there is room for it, else above."""
    if not why:
        return [text]
    behind = f"{text.ljust(COMMENT_AT - 2)}  # {clean(why)}"
    return [behind] if len(behind) <= WIDTH else [*_remark(why, indent), text]


def clean(text: str) -> str:
    """Of one line, whatever a column's name holds."""
    return text if text.isprintable() else ascii(text)[1:-1]


def _remark(text: str, indent: str) -> list[str]:
    mark = f"{indent}# "
    return textwrap.wrap(clean(text), 100, initial_indent=mark, subsequent_indent=mark, break_on_hyphens=False)


def scalar(value: Any) -> str:
    """A value in one line of YAML, as the reader of workload files takes it back."""
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) and value.lower() not in _OTHER else _quoted(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(name)}: {scalar(item)}" for name, item in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(scalar(item) for item in value) + "]"
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _quoted(text: str) -> str:
    written: str = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=10**9)
    return written.rstrip("\n")
