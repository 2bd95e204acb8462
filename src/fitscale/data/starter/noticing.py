"""What a person should know of the columns before a model is trained on them; and which of them are left out at first.

Left out are columns that can teach nothing (keys, constants, copies, what cannot be read) and those that alone say the
target. A leak that stays makes a score that is worth nothing and looks perfect; a strong feature that is left out costs
some score, stands in the file with its figure, and is taken back by deleting a line.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from fitscale.data.starter import guessing, leaks
from fitscale.data.starter.seeing import Seen, parsed
from fitscale.data.starter.writing import clean
from fitscale.records.base import Record

if TYPE_CHECKING:
    import pyarrow as pa

RARE = 0.01
MANY_CATEGORIES = 1_000
LONGEST_S = 10.0  # of the look for leaks

What = Literal[
    "leak", "key", "constant", "empty", "type", "copy", "index", "numbers", "dates", "categories", "missing target",
    "rare", "unlooked",
]  # fmt: skip
KEPT_FIRST = ("copy", "key", "leak", "index")  # what is taken back, in this order, where no feature would be left


class Notice(Record):
    """``says`` is a clause about the column; ``step`` what to do where that is not what it does by itself."""

    column: str
    what: What
    says: str
    step: str = ""
    figure: float | None = None  # of a leak
    dropped: bool = False


def notices(
    columns: Sequence[Seen],
    table: pa.Table,
    target: Seen,
    roles: Collection[str],
    task: guessing.Task,
    rows: int | None,
    seed: int = 0,
) -> tuple[Notice, ...]:
    """All that is noticed, what is left out first, each in the order of the columns. ``roles``: no features."""
    features = [c for c in columns if c.name not in roles]
    of = f"{target.rows:,} rows" + ("" if rows == target.rows else " looked at")
    dropped: dict[str, Notice] = {}
    for column in features:
        if (notice := _useless(column, rows, of)) is not None:
            dropped[column.name] = notice
    told = list(_of_target(target, task, of))
    for notice in _leaks([c for c in features if c.distinct > 1 or (c.known and c.missing)], table, target, task, seed):
        if notice.what == "unlooked":
            told.append(notice)
        else:
            dropped[notice.column] = notice
    for notice in _copies([c for c in features if c.name not in dropped]):
        dropped[notice.column] = notice
    _take_back(dropped, len(features))
    kept = [c for c in features if c.name not in dropped or not dropped[c.name].dropped]
    told += [notice for notice in dropped.values() if not notice.dropped]
    told += [notice for column in kept for notice in _worth_a_look(column, of)]
    order = {column.name: place for place, column in enumerate(columns)}
    out = sorted((n for n in dropped.values() if n.dropped), key=lambda n: order[n.column])
    return (*out, *sorted(told, key=lambda n: order.get(n.column, -1)))


def _useless(column: Seen, rows: int | None, of: str) -> Notice | None:
    if column.kind == "unsupported":
        return Notice(
            column=column.name, what="type", says=f"is of type {column.type}, which cannot be a feature", dropped=True
        )
    if not column.known:
        return Notice(column=column.name, what="empty", says=f"has no value in any of {of}", dropped=True)
    if column.distinct == 1 and not column.missing:
        value = _short(column.few[0][0]) if column.few else "one value"
        return Notice(column=column.name, what="constant", says=f"is {value} in all {of}", dropped=True)
    if column.name == "__index_level_0__":
        return Notice(
            column=column.name, what="index", says="is the index that pandas wrote, a row number", dropped=True
        )
    if guessing.is_key(column, rows):
        distinct = f"{column.distinct:,} different values in {of}"
        return Notice(column=column.name, what="key", says=f"is a key: {distinct}", dropped=True)
    return None


def _of_target(target: Seen, task: guessing.Task, of: str) -> Iterator[Notice]:
    name = target.name
    if target.missing or target.infinite:
        gone = target.missing + target.infinite
        what = "missing" if not target.infinite else "missing or infinite"
        step = "these rows are left out by data.where"
        yield Notice(column=name, what="missing target", says=f"is {what} in {gone:,} of {of}", step=step)
    if task != "regression" and target.few:
        value, n = target.few[-1]
        if n < RARE * target.known:
            says = f"is {_short(value)} in {n:,} of {of} ({100 * n / target.known:.2g} %)"
            step = "judged by average_precision" if task == "binary" else "look at each class in the report"
            yield Notice(column=name, what="rare", says=says, step=step)


def _leaks(features: Sequence[Seen], table: pa.Table, target: Seen, task: guessing.Task, seed: int) -> Iterator[Notice]:
    goal = leaks.goal(target, task, seed)
    if goal is None:
        few = "has too few rows, or too few of a class, for columns that give it away to be looked for"
        yield Notice(column=target.name, what="unlooked", says=few)
        return
    until = time.monotonic() + LONGEST_S
    for place, column in enumerate(features):
        if time.monotonic() > until:
            yield Notice(
                column=target.name, what="unlooked",
                says=f"may be given away by {len(features) - place:,} of {len(features):,} columns: the time for looking was up",
            )  # fmt: skip
            return
        ways = [(column.values, column.kind == "category")]
        if column.hides:
            ways.append((parsed(column, table.column(column.name)), False))
        figure = max(leaks.alone(values, is_codes, goal) for values, is_codes in ways)
        if figure >= leaks.LEAK:
            yield Notice(
                column=column.name, what="leak", figure=round(figure, 4), dropped=True,
                says=f"nearly gives the target away: {goal.measure} {figure:.2f} alone",
                step="known beforehand? Then take it out of drop",
            )  # fmt: skip


def _copies(features: Sequence[Seen]) -> Iterator[Notice]:
    first: dict[str, str] = {}
    for column in features:
        if not column.known or column.distinct < 2:
            continue
        if (same := first.setdefault(column.digest, column.name)) != column.name:
            yield Notice(column=column.name, what="copy", says=f"has the same values as {clean(same)}", dropped=True)


def _take_back(dropped: dict[str, Notice], features: int) -> None:
    """Where nothing would be left to learn from, what is only doubtful stays."""
    for what in KEPT_FIRST:
        if len(dropped) < features or any(not notice.dropped for notice in dropped.values()):
            return
        for name, notice in list(dropped.items()):
            if notice.what == what:
                dropped[name] = notice.but(dropped=False, step="it stays, as there is no other feature")


def _worth_a_look(column: Seen, of: str) -> Iterator[Notice]:
    name = column.name
    if column.hides:
        kind = {"numbers": "a number", "dates": "a moment"}[column.hides]
        yield Notice(
            column=name, what=column.hides, says=f"is text, and all of its values are {column.hides}",
            step=f"as text its {column.distinct:,} values become categories: write it as {kind}",
        )  # fmt: skip
    elif column.kind == "category" and column.distinct > MANY_CATEGORIES:
        says = f"has {column.distinct:,} different texts in {of}"
        yield Notice(
            column=name, what="categories", says=says, step="data.features.max_categories keeps the frequent ones"
        )


def _short(value: str) -> str:
    text = clean(value)
    return text if len(text) <= 30 else text[:29] + "…"
