"""Which column is the target, the time, the groups: guessed from names and from what the columns hold. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from fitscale.data.sources.where import BEYOND
from fitscale.data.starter.seeing import Seen

Task = Literal["binary", "multiclass", "regression"]
MOST_CLASSES = 200  # of texts that are guessed to be a target; more may be as many as there are rows
FEW_CLASSES = 20  # whole numbers of so few values are classes, of more they are amounts
LEAST_OF_GROUP = 10  # rows that a group has at the median, for one model each to be proposed

# As a whole name, the surest first; and as a word of a name.
TARGETS = (
    "target", "label", "y", "class", "outcome", "response", "target_variable", "dependent", "truth", "ground_truth",
)  # fmt: skip
TARGET_WORDS = (
    "target", "label", "churn", "churned", "fraud", "fraudulent", "default", "defaulted", "late", "delayed", "left",
    "survived", "converted", "conversion", "clicked", "click", "purchased", "bought", "subscribed", "cancelled",
    "canceled", "returned", "won", "approved", "accepted", "attrition", "readmitted", "diagnosis", "malignant", "spam",
    "sentiment", "species", "quality", "failure", "failed", "anomaly", "price", "sales", "demand", "revenue", "income",
    "salary", "consumption", "outcome", "class", "response", "medv",
)  # fmt: skip
TIME_WORDS = (
    "timestamp", "datetime", "time", "date", "ts", "ds", "scheduled", "event", "occurred", "observed", "recorded",
    "created", "started", "ordered", "day", "month", "week", "hour", "when", "at",
)  # fmt: skip
NO_TIME_WORDS = ("birth", "born", "dob", "birthday", "birthdate", "expiry", "expires", "expiration", "due", "end",
                 "ended", "closed", "updated", "modified", "deleted", "valid", "until")  # fmt: skip
ID_WORDS = ("id", "uid", "key", "uuid", "guid", "pk", "index", "idx", "rownum", "rowid", "row")
GROUP_WORDS = (
    "id", "key", "unique", "store", "shop", "customer", "client", "user", "account", "device", "sensor", "machine",
    "station", "site", "item", "sku", "product", "series", "route", "symbol", "ticker", "patient", "household", "meter",
    "plant", "vehicle", "carrier", "branch", "warehouse", "subject",
)  # fmt: skip
# Of which the rows are alike, so that what is judged on should hold none that was trained on.
ENTITY_WORDS = ("id", "key", "customer", "client", "user", "account", "device", "patient", "household", "subject")


class Guess(NamedTuple):
    """A column, and the words on why it is that one."""

    column: str
    why: str


def words_of_name(name: str) -> tuple[str, ...]:
    """``('customer', 'id')`` of customer_id, customerId, CUSTOMER-ID and "Customer ID"."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return tuple(re.findall(r"[a-z]+|\d+", apart.lower()))


def is_named_key(column: Seen) -> bool:
    words = words_of_name(column.name)
    return bool(words) and (words[-1] in ID_WORDS or words in (("unnamed", "0"), ("level", "0")))


def is_key(column: Seen, rows: int | None) -> bool:
    """Whether (nearly) every row has a value of its own, as a key has and a quantity has not.

    Of texts, nothing can be learnt where none comes twice. Whole numbers of many values all differ by chance: they are
    keys by name, or where they number the rows.
    """
    known = column.known
    if column.kind == "category":
        return known >= 20 and column.distinct >= 0.95 * known and not column.hides
    if column.kind != "number" or not column.type.startswith(("int", "uint")):
        return False
    if known < 20 or column.distinct < 0.95 * known:
        return False
    numbers_rows = column.distinct == known and column.high - column.low < 1.5 * (rows or known)
    return is_named_key(column) or (numbers_rows and known >= 100)


def task_of(column: Seen) -> Task:
    """What a model of this target would be."""
    if column.kind in ("category", "boolean"):
        return "binary" if column.distinct == 2 else "multiclass"
    few = column.distinct <= (FEW_CLASSES if column.type.startswith(("int", "uint")) else FEW_CLASSES // 2)
    if column.whole and few and not column.infinite:
        return "binary" if column.distinct == 2 else "multiclass"
    return "regression"


def problem_of_target(column: Seen) -> str:
    """Why a column cannot be the target, or nothing."""
    if not column.name.strip():
        return "it has no name: give it one"
    if column.kind in ("unsupported", "date") or column.type.startswith(("time", "duration")):
        return f"it is of type {column.type}: a target is a number, a truth value or text; cast it"
    if column.known == 0:
        return f"it has no value in {column.rows:,} rows"
    if column.distinct < 2:
        only = f" ({column.few[0][0]!r})" if column.few else ""
        return f"it has a single value{only} in {column.rows:,} rows: nothing to learn"
    if column.kind == "category" and column.distinct > 1_000:
        return f"it is text of {column.distinct:,} different values, too many classes: is it a key?"
    if column.kind == "category" and column.distinct == column.known > 2:
        return "it is text of which no two rows have the same: is it a key?"
    if max(-column.low, column.high) >= BEYOND:
        finite = column.values[np.abs(column.values) < BEYOND]
        if len(np.unique(finite)) < 2:
            return "its values are infinite but for one"
    return ""


def target(columns: Sequence[Seen], rows: int | None) -> Guess | None:
    """The column that is most probably to be predicted; None where none can be."""
    fit = [c for c in columns if not problem_of_target(c)]
    fit = [c for c in fit if not (c.kind == "category" and c.distinct > MOST_CLASSES)] or fit
    by_name = {c.name.lower().strip(): c for c in fit}
    for name in TARGETS:
        if name in by_name:
            return Guess(by_name[name].name, "by its name")
    fit = [c for c in fit if not (is_key(c, rows) or is_named_key(c))] or fit
    for word in TARGET_WORDS:
        for column in reversed(fit):
            words = words_of_name(column.name)
            if word in words and not (len(words) > 1 and words[-1] in (*ID_WORDS, "at", "date", "time")):
                return Guess(column.name, f"by its name: '{word}' is often predicted")
    if not fit:
        return None
    last = fit[-1]
    if last.name == columns[-1].name and last.distinct <= FEW_CLASSES:
        return Guess(last.name, "as the last column, of few values")
    flags = [c for c in fit if words_of_name(c.name)[:1] in (("is",), ("has",), ("did",), ("was",)) and c.distinct == 2]
    if flags:
        return Guess(flags[-1].name, "as the last column that says yes or no")
    where = "as the last column" if last.name == columns[-1].name else "as the last column that can be predicted"
    return Guess(last.name, f"{where}: nothing else tells")


def time_column(columns: Sequence[Seen], taken: Iterable[str]) -> Guess | None:
    """The column that orders the rows: of moments, without missing values, and none of birth or expiry."""
    taken = set(taken)
    fit = [
        c
        for c in columns
        if c.name not in taken and c.kind == "date" and not c.missing and c.distinct > 2
        and not set(words_of_name(c.name)) & set(NO_TIME_WORDS)
    ]  # fmt: skip
    if len(fit) == 1:
        return Guess(fit[0].name, "as the one column of moments that every row has")
    for word in TIME_WORDS:
        for column in fit:
            if word in words_of_name(column.name):
                return Guess(column.name, f"by its name, with '{word}'")
    return None


def group_columns(columns: Sequence[Seen], taken: Iterable[str]) -> list[tuple[Seen, int]]:
    """Columns of which each value may have a model of its own, with the rows of a value in the middle; the best first."""
    taken = set(taken)
    found: list[tuple[int, int, Seen, int]] = []
    for place, column in enumerate(columns):
        whole = column.type.startswith(("int", "uint")) or column.kind == "category"
        if column.name in taken or not whole or column.missing or column.distinct < 3:
            continue
        middle = column.known // column.distinct
        words = words_of_name(column.name)
        rank = next((i for i, word in enumerate(GROUP_WORDS) if word in words), None)
        if rank is not None and middle >= LEAST_OF_GROUP:
            found.append((0 if words[-1] in ("id", "key") else rank, place, column, middle))
    return [(column, middle) for _, _, column, middle in sorted(found, key=lambda item: item[:2])]
