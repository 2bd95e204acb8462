"""``data.where``: which rows are meant, as SQL writes it.

``day >= '2026-01-01' and origin in ('JFK', 'LGA') and not (late is null)``: comparisons, and, or, not, in, between,
is null. `matching` evaluates it.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from fitscale.errors import WorkloadError

PLACE = "data.where"
KNOWN = "comparisons, and, or, not, in, between, is null"
Value = bool | int | float | str

BEYOND = 3.4e38  # of a target, which is kept in single precision: what is beyond is left out with what is infinite


class Column(NamedTuple):
    name: str


class Node(NamedTuple):
    op: Literal["and", "or", "not", "null", "in", "=", "!=", "<", "<=", ">", ">="]
    of: tuple[Any, ...]  # nodes; or a column and values; or two columns


class Where(NamedTuple):
    """A parsed filter."""

    root: Node
    columns: tuple[str, ...]


@lru_cache(maxsize=16)
def parse(text: str) -> Where:
    """The filter that a text stands for.

    Raises
    ------
    WorkloadError
        At data.where: what is not understood.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        tree = sqlglot.parse_one(text, into=exp.Condition)
    except SqlglotError as error:
        known = getattr(error.__cause__ or error, "errors", None) or [{}]
        detail = known[0].get("description") or "not one condition"
        raise WorkloadError(PLACE, f"'{text}' cannot be read ({detail.rstrip('.')}); it takes {KNOWN}") from None
    root = _node(tree)
    columns: dict[str, None] = {}
    _collect(root, columns)
    if not columns:
        raise WorkloadError(PLACE, f"'{text}' names no column; it takes {KNOWN}")
    return Where(root, tuple(columns))


def quoted(name: str) -> str:
    """A column's name as a filter writes it: as it is where that is read as a name."""
    whole = '"' + name.replace('"', '""') + '"'
    if re.fullmatch(r"[a-z_]\w*", name, re.ASCII):
        with suppress(WorkloadError):  # a word of SQL, such as left, stays in quotes
            if parse(f"{name} is not null") == parse(f"{whole} is not null"):
                return name
    return whole


def without_missing(name: str, type: str) -> str:
    """``data.where: "y is not null"``: what leaves out the rows without a value.

    Of fractions NaN too, which is not null and of which no comparison holds, but in PostgreSQL, where it is the largest.
    """
    fractions = type in ("halffloat", "float", "double")
    text = f"{quoted(name)} < {BEYOND:g}" if fractions else f"{quoted(name)} is not null"
    mark = "'" if '"' in text else '"'
    return f"data.where: {mark}{text}{mark}" + (", which keeps neither null nor NaN" if fractions else "")


def _refuse(tree: Any) -> WorkloadError:
    return WorkloadError(PLACE, f"'{tree.sql()}' ({tree.key}) is not understood; it takes {KNOWN}")


def _node(tree: Any) -> Node:
    from sqlglot import exp

    compare = {exp.EQ: "=", exp.NEQ: "!=", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}
    match tree:
        case exp.Paren():
            return _node(tree.this)
        case exp.And():
            return Node("and", (_node(tree.this), _node(tree.expression)))
        case exp.Or():
            return Node("or", (_node(tree.this), _node(tree.expression)))
        case exp.Not():
            return Node("not", (_node(tree.this),))
        case exp.Is() if isinstance(tree.expression, exp.Null):
            return Node("null", (_column(tree.this),))
        case exp.In() if tree.expressions and not tree.args.get("query"):
            return Node("in", (_column(tree.this), *(_value(item) for item in tree.expressions)))
        case exp.Between():
            column = _column(tree.this)
            low, high = _value(tree.args["low"]), _value(tree.args["high"])
            return Node("and", (Node(">=", (column, low)), Node("<=", (column, high))))
        case exp.Column():
            return Node("=", (_column(tree), True))
    if (op := compare.get(type(tree))) is None:
        raise _refuse(tree)
    left, right = _side(tree.this), _side(tree.expression)
    if isinstance(left, Column):
        return Node(op, (left, right))  # type: ignore[arg-type]
    if not isinstance(right, Column):
        raise _refuse(tree)
    turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(op, op)
    return Node(turned, (right, left))  # type: ignore[arg-type]


def _side(tree: Any) -> Column | Value:
    from sqlglot import exp

    return _column(tree) if isinstance(tree, exp.Column) else _value(tree)


def _column(tree: Any) -> Column:
    from sqlglot import exp

    if not isinstance(tree, exp.Column):
        raise _refuse(tree)
    return Column(".".join(part.name for part in tree.parts))


def _value(tree: Any) -> Value:
    from sqlglot import exp

    match tree:
        case exp.Literal() if tree.is_string:
            return str(tree.this)
        case exp.Literal():
            text = str(tree.this)
            return int(text) if text.isdigit() else float(text)
        case exp.Boolean():
            return bool(tree.this)
        case exp.Neg() if isinstance(number := _value(tree.this), (int, float)):
            return -number
        case exp.Cast() if tree.to.is_type("date", "timestamp", "datetime") and tree.this.is_string:
            return str(tree.this.this)
        case exp.Null():
            raise WorkloadError(PLACE, "nothing equals null: write 'is null' or 'is not null'")
    raise _refuse(tree)


def _collect(node: Node, into: dict[str, None]) -> None:
    for item in node.of:
        if isinstance(item, Column):
            into[item.name] = None
        elif isinstance(item, Node):
            _collect(item, into)
