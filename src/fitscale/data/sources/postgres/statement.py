"""SQL as it is sent: quoted names, values as literals, the workload's filter, and queries that only read.

Rows are read by ``COPY (select …) TO STDOUT``, which takes no parameters. So every value goes through `literal`, and
sessions have ``standard_conforming_strings`` on.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from fitscale.data.sources.where import Column, Node, Where
from fitscale.errors import WorkloadError

_PART = re.compile(r'"((?:[^"]|"")+)"|([^\s".]+)')
VIEW = "make it a view in the database, and name that as data.table"


class Table(NamedTuple):
    """A table by name; ``schema`` is empty where the server's search path finds it."""

    schema: str
    name: str

    @property
    def sql(self) -> str:
        return f"{identifier(self.schema)}.{identifier(self.name)}" if self.schema else identifier(self.name)

    @property
    def shown(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


def table_of(text: str) -> Table:
    """``events``, ``public.events`` or ``public."Odd name"``. Names are taken as they are written, capitals too.

    Raises
    ------
    WorkloadError
        At data.table.
    """
    parts: list[str] = []
    at = 0
    while found := _PART.match(text.strip(), at):
        parts.append(found[1].replace('""', '"') if found[1] else found[2])
        at = found.end() + 1
        if text.strip()[found.end() : at] != ".":
            break
    if at - 1 != len(text.strip()) or not 1 <= len(parts) <= 2:
        raise WorkloadError("data.table", f"'{text}' is not a table's name; write it like events or public.events")
    return Table("", parts[0]) if len(parts) == 1 else Table(*parts)


def identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(value: bool | int | float | str) -> str:
    """A value as SQL has it. Text stays untyped, so that it becomes what it is compared with."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def condition(where: Where) -> str:
    """The workload's filter as SQL: what compares with null is not kept, there as here."""
    return _condition(where.root)


def _condition(node: Node) -> str:
    if node.op in ("and", "or"):
        return "(" + f" {node.op} ".join(_condition(item) for item in node.of) + ")"
    if node.op == "not":
        return f"(not {_condition(node.of[0])})"
    left = identifier(node.of[0].name)
    if node.op == "null":
        return f"({left} is null)"
    if node.op == "in":
        return f"({left} in ({', '.join(literal(value) for value in node.of[1:])}))"
    other = node.of[1]
    right = identifier(other.name) if isinstance(other, Column) else literal(other)
    return f"({left} {'<>' if node.op == '!=' else node.op} {right})"


def reading(query: str) -> str:
    """The query, made sure to be one SELECT that writes nothing; without a semicolon at its end.

    The transaction that it runs in is read-only too: a function that writes is stopped by the server.

    Raises
    ------
    WorkloadError
        At data.query.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        trees = [tree for tree in sqlglot.parse(query, read="postgres") if tree is not None]
    except SqlglotError as error:
        known: list[dict[str, Any]] = getattr(error, "errors", None) or [{}]
        detail = (known[0].get("description") or "not SQL").rstrip(".")
        raise WorkloadError("data.query", f"cannot be read as one SELECT ({detail}); {VIEW}") from None
    if len(trees) != 1:
        raise WorkloadError("data.query", f"has {len(trees)} statements; it takes one SELECT")
    (tree,) = trees
    if not isinstance(tree, exp.Query):
        raise WorkloadError("data.query", f"is no SELECT but {tree.key.upper()}; it takes one SELECT, which only reads")
    for kind, told in (
        ((exp.Insert, exp.Update, exp.Delete, exp.Merge), "writes"),
        ((exp.Into,), "writes (select into)"),
        ((exp.Lock,), "locks rows (for update)"),
    ):
        if (found := tree.find(*kind)) is not None:
            raise WorkloadError(
                "data.query", f"{told}: '{_short(found.sql('postgres'))}'; it takes a SELECT that only reads"
            )
    return re.sub(r"[;\s]+$", "", query)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
