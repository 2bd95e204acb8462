"""The file's format as others see it: JSON Schema for editors, and the list of dotted keys."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from fitscale.workload.keys import WORKLOAD

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The JSON Schema of a workload file. It describes shapes; units, ranges, contradictions are checked on reading."""
    required = [key for key in WORKLOAD.schema["required"] if key != "name"]  # the file's name stands in for it
    return {"$schema": DIALECT, "title": "fitscale workload", **WORKLOAD.schema, "required": required}


def schema_text() -> str:
    """The schema as a file that an editor takes."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def keys() -> dict[str, str]:
    """Every dotted key of the file with what it is for, in the order of the file."""
    return dict(_walk(WORKLOAD.schema, ""))


@cache
def homes() -> Mapping[str, str]:
    """The section of each key whose name is clear: ``target`` → ``data``. Of several the outermost, if it is alone."""
    found: dict[str, list[str]] = {}
    for place in keys():
        section, _, name = place.rpartition(".")
        found.setdefault(name, []).append(section)
    clear = {"live": "model"}
    for name, sections in found.items():
        outermost = [section for section in sections if _depth(section) == min(map(_depth, sections))]
        if len(outermost) == 1 and outermost[0]:
            clear[name] = outermost[0]
    return clear


def _depth(section: str) -> int:
    return section.count(".") + 1 if section else 0


def _walk(node: Mapping[str, Any], place: str) -> Iterator[tuple[str, str]]:
    for name, inner in node.get("properties", {}).items():
        dotted = f"{place}.{name}" if place else name
        yield dotted, inner.get("description", "")
        yield from _walk(inner, dotted)
    for alternative in node.get("anyOf", ()):
        yield from _walk(alternative, place)
