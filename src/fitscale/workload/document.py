"""YAML text → plain values with the line of each, and nothing that would surprise.

Unlike YAML 1.1: ``18:00`` stays text (it would be 1080), ``1e-3`` is a number (it would be text), dates stay text, a
key may stand once only, and there are no anchors, aliases or tags: by them a small file could become a huge value, or
one that holds itself.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from fitscale.errors import UsageError, WorkloadError, nearest

LARGEST_BYTES = 1_000_000
_PLAIN_TAGS = tuple(f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str", "map", "seq"))


class _Loader(yaml.SafeLoader):
    """SafeLoader with the rules above. Its resolvers are its own: SafeLoader's are not touched."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in known if tag.rpartition(":")[2] in ("null", "bool")]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _marked("anchors (&) and aliases (*) are not taken: write the value out", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: dict[Any, int] = {}
        for key_node, _ in node.value:
            key, line = self.construct_object(key_node, deep=True), key_node.start_mark.line + 1
            if not isinstance(key, Hashable):
                raise _marked("a key must be text", key_node.start_mark)
            if key in seen:
                raise _marked(f"the key '{key}' is there twice, first in line {seen[key]}", key_node.start_mark)
            seen[key] = line
        return super().construct_mapping(node, deep=deep)


_INT = r"[-+]?(?:0|[1-9][0-9_]*|0x[0-9a-fA-F]+)$"
_FLOAT = r"[-+]?(?:(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|\.(?:inf|Inf|INF))$"
_NAN = r"\.(?:nan|NaN|NAN)$"
for _tag, _pattern in ((_PLAIN_TAGS[2], _INT), (_PLAIN_TAGS[3], f"{_FLOAT}|{_NAN}")):
    _Loader.add_implicit_resolver(_tag, re.compile(_pattern), list("-+.0123456789"))


def read_document(text: str, file: str | None = None) -> tuple[Any, dict[str, int]]:
    """The value of a YAML text, and the line of each dotted place (``data.target``, ``where[1].local``).

    Raises
    ------
    WorkloadError
        If it is not YAML, or not by the rules above; it names the line.
    """
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None, {}
        lines: dict[str, int] = {}
        _walk(node, "", lines)
        return loader.construct_document(node), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "cannot be read"
        if "scanning an alias" in (error.context or ""):
            problem = "text that begins with * must be quoted, as in '*.parquet'"
        raise _broken(problem, file, mark.line + 1 if mark else None) from None
    except yaml.reader.ReaderError as error:
        raise _broken(f"{error.reason}; a workload file is plain text", file, None) from None
    except (ValueError, OverflowError) as error:  # a number that Python does not take
        raise _broken(str(error), file, None) from None
    except RecursionError:
        raise _broken("is nested too deeply", file, None) from None
    finally:
        if loader is not None:
            loader.dispose()


def read_file(path: Path) -> str:
    """The text of a workload or team file.

    Raises
    ------
    UsageError
        Missing (with the nearest name that is there), a folder, too large to be one, or not text.
    """
    if not path.exists():
        there = [p.name for p in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
        raise UsageError(f"{path}: no such file{nearest(path.name, there) or ';'} 'fitscale init DATA' writes one")
    if path.is_dir():
        raise UsageError(f"{path}: is a folder; give the workload file in it")
    if path.stat().st_size > LARGEST_BYTES:
        raise UsageError(f"{path}: has {path.stat().st_size:,} bytes; a workload file is short (is this the data?)")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 text (byte {error.start}); a workload file is YAML") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


def _walk(node: yaml.Node, place: str, lines: dict[str, int]) -> None:
    if node.tag not in _PLAIN_TAGS:
        raise _marked(f"the tag {node.tag.replace('tag:yaml.org,2002:', '!!')} is not taken", node.start_mark)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = f"{place}.{key.value}" if place else str(key.value)
            lines[inner] = key.start_mark.line + 1
            _walk(key, inner, lines)
            _walk(value, inner, lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[f"{place}[{index}]"] = item.start_mark.line + 1
            _walk(item, f"{place}[{index}]", lines)


def _marked(problem: str, mark: yaml.error.Mark) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


def _broken(problem: str, file: str | None, line: int | None) -> WorkloadError:
    return WorkloadError("YAML", problem, file=f"{file}:{line}" if file and line else file)
