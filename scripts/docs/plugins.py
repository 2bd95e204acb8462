"""docs/reference/plugins.md: the protocols of the five families with their docstrings, and what their suites check."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from typing import Any

from text import code, prose, table

from fitscale import contracts, registry

HEAD = """
# Plug-ins

A plug-in is one class that fulfils one of these protocols (`fitscale.contracts`). fitscale finds it by an entry point of
its package and holds it to the suite of its family (`fitscale.testing`): what passes the suite is supported. A package with
three plug-ins is described in [Your own plug-in](../your-own-plugin.md).
"""
FAMILIES = {  # family: protocol, suite, where a small one is to be read
    "sources": ("Source", "sources.SourceSuite", "data/sources/synthetic.py"),
    "frameworks": ("Framework", "frameworks.FrameworkSuite", "frameworks/baseline.py"),
    "engines": ("Engine", "engines.EngineSuite", "engines/inline.py"),
    "exporters": ("Exporter", "exporters.ExporterSuite", "exporters/native.py"),
    "metrics": ("Metric", "metrics.MetricSuite", "metrics/regression.py"),
}
GIVEN = ("Divisible", "Feed", "Context", "Batch", "Scores", "Fitted")


def page() -> str:
    source = inspect.getsource(contracts)
    classes = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}
    lines = source.splitlines()
    parts = [HEAD.strip()]
    for family, (protocol, suite, smallest) in FAMILIES.items():
        parts += _family(family, suite, smallest)
        parts += _protocol(classes[protocol], lines, 3)
        parts += _promises(suite)
    parts += ["## What a framework is given, and gives"]
    for name in GIVEN:
        parts += _protocol(classes[name], lines, 3)
    return "\n\n".join(part for part in parts if part)


def _family(family: str, suite: str, smallest: str) -> Iterator[str]:
    builtin = ", ".join(code(name) for name in registry.BUILTIN[family]) or "by scikit-learn's names"
    yield f"## {family.capitalize()}"
    yield (
        f"Entry-point group `fitscale.{family}`; suite `fitscale.testing.{suite}`. Built in: {builtin}. "
        f"The smallest: `src/fitscale/{smallest}`."
    )


def _protocol(node: ast.ClassDef, lines: list[str], level: int) -> Iterator[str]:
    yield f"{'#' * level} {node.name}"
    yield prose(ast.get_docstring(node))
    rows = []
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and item.end_lineno is not None:
            assert isinstance(item.target, ast.Name)
            kind = ast.unparse(item.annotation).removeprefix("ClassVar[")
            kind = kind.removesuffix("]") if ast.unparse(item.annotation).startswith("ClassVar[") else kind
            default = f" = {ast.unparse(item.value)}" if item.value else ""
            comment = lines[item.end_lineno - 1][item.end_col_offset or 0 :].partition("#")[2].strip()
            rows.append([code(item.target.id), code(kind + default), prose(comment)])
    if rows:
        yield table(["attribute", "type", ""], rows)
    for item in node.body:
        if isinstance(item, ast.FunctionDef):
            yield f"```python\n{_signature(item)}\n```"
            yield prose(ast.get_docstring(item))


def _signature(function: ast.FunctionDef) -> str:
    """``fit(feed: Feed, …) -> Fitted``, without self, one argument a line where it would be long."""
    arguments = [a for a in ast.unparse(function.args).split(", ")]
    inner = ast.unparse(function.args).removeprefix("self").removeprefix("cls").removeprefix(", ")
    returns = f" -> {ast.unparse(function.returns)}" if function.returns else ""
    line = f"{function.name}({inner}){returns}"
    if len(line) <= 100 or len(arguments) < 3:
        return line
    named = [a for a in function.args.args if a.arg not in ("self", "cls")]
    defaults = [None] * (len(named) - len(function.args.defaults)) + list(function.args.defaults)
    told = [
        f"    {ast.unparse(a)}{f' = {ast.unparse(d)}' if d is not None else ''},"
        for a, d in zip(named, defaults, strict=True)
    ]
    return "\n".join([f"{function.name}(", *told, f"){returns}"])


def _promises(suite: str) -> Iterator[str]:
    """The sentences of the suite's tests: what a plug-in of the family is held to."""
    module, _, name = suite.rpartition(".")
    cls: Any = getattr(importlib.import_module(f"fitscale.testing.{module}"), name)
    tests = [member for key, member in vars(cls).items() if key.startswith("test_")]
    said = [f"* *{_title(test.__name__)}.* {prose(inspect.getdoc(test)).splitlines()[0]}" for test in tests]
    yield f"**`{name}` checks** ({len(tests)} tests)"
    yield "\n".join(said)


def _title(name: str) -> str:
    return name.removeprefix("test_").replace("_", " ")
