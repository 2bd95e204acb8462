"""What stands in the file of target, groups, time, estimator and deadline: what was said, and a guess for the rest."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from fitscale.data.starter import guessing
from fitscale.data.starter.seeing import Seen, seen
from fitscale.data.starter.writing import clean
from fitscale.errors import DataError, UsageError, nearest
from fitscale.records.base import Record

if TYPE_CHECKING:
    from fitscale.data.starter.looking import Look

KIND_OF = {"binary": "two classes", "multiclass": "classes", "regression": "numbers"}


class Beginning(NamedTuple):
    """What a model is begun with where a library is installed."""

    classifier: str
    regressor: str
    params: dict[str, Any]


ESTIMATORS: dict[str, Beginning] = {  # the first library that is installed is taken
    "xgboost": Beginning(
        "xgboost.XGBClassifier", "xgboost.XGBRegressor", {"n_estimators": 300, "max_depth": 6, "learning_rate": 0.1}
    ),
    "lightgbm": Beginning(
        "lightgbm.LGBMClassifier",
        "lightgbm.LGBMRegressor",
        {"n_estimators": 300, "num_leaves": 31, "learning_rate": 0.1},
    ),
    "sklearn": Beginning(
        "sklearn.ensemble.HistGradientBoostingClassifier",
        "sklearn.ensemble.HistGradientBoostingRegressor",
        {"max_iter": 300, "learning_rate": 0.1},
    ),
    "": Beginning("baseline.Classifier", "baseline.Regressor", {"passes": 5}),
}


class Choice(Record):
    """What stands in the file, and the words on where it came from."""

    value: str | tuple[str, ...] | None
    why: str


class Choices(NamedTuple):
    """What a person may be asked. ``apart``: columns of which each value may have a model: name, models, rows of each."""

    target: Choice
    groups: Choice
    time: Choice
    estimator: Choice
    deadline: Choice
    apart: tuple[tuple[str, int, int], ...] = ()
    of_all: bool = True  # the rows of a value are those of all data, and not of what was looked at

    def models_of(self, k: int) -> str:
        """``50 models of about 400 rows each``."""
        _, n, rows = self.apart[k]
        return f"{n:,} models of about {rows:,} rows each" + ("" if self.of_all else " of those looked at")


def see(look: Look) -> tuple[Seen, ...]:
    """All columns of what was looked at."""
    types = dict(look.columns)
    return tuple(seen(name, types[name], look.table.column(place)) for place, (name, _) in enumerate(look.columns))


def choose(columns: Sequence[Seen], look: Look, said: Mapping[str, Any]) -> Choices:
    """What was said, and a guess for the rest. ``said`` has values by dotted place; None and () say that there is none.

    Raises
    ------
    UsageError, DataError
        A column that is not there or cannot be what it is said to be; or none that can be predicted.
    """
    target = _target(columns, look, said)
    taken = {str(target.value)}
    groups = _groups(columns, said, taken)
    time = _time(columns, said, taken | set(groups.value or ()))
    taken |= {str(time.value)} if time.value else set()
    scale = (look.rows or look.table.num_rows) / look.table.num_rows
    apart = tuple((c.name, c.distinct, round(rows * scale)) for c, rows in guessing.group_columns(columns, taken))
    task = guessing.task_of(named(columns, str(target.value), "target"))
    deadline = said.get("needs.deadline")
    return Choices(
        target, groups, time, _estimator(said, task),
        Choice(value=deadline, why="as you said" if deadline else ""), apart, look.rows is not None,
    )  # fmt: skip


def _target(columns: Sequence[Seen], look: Look, said: Mapping[str, Any]) -> Choice:
    name = said.get("data.target")
    if name is not None:
        column = named(columns, name, "target")
        if problem := guessing.problem_of_target(column):
            raise UsageError(f"--target {name}: {problem}")
        return Choice(value=name, why=f"as you said; {_described(column)}")
    guess = guessing.target(columns, look.rows)
    if guess is None:
        told = "; ".join(f"{clean(c.name)}: {guessing.problem_of_target(c)}" for c in columns[:3])
        raise DataError(f"data.uri: no column can be predicted ({told}{'; …' if len(columns) > 3 else ''})")
    if len(columns) < 2:
        raise DataError(f"data.uri: '{clean(guess.column)}' is the only column: there is nothing to predict it from")
    told = _described(named(columns, guess.column, "target"))
    return Choice(value=guess.column, why=f"guessed {guess.why}; {told}")


def _groups(columns: Sequence[Seen], said: Mapping[str, Any], taken: set[str]) -> Choice:
    names = tuple(said.get("data.groups") or ())
    for name in names:
        named(columns, name, "groups")
        if name in taken:
            raise UsageError(f"--groups {name}: is the target; one model for each needs another column")
    return Choice(value=names, why="as you said" if "data.groups" in said else "")


def _time(columns: Sequence[Seen], said: Mapping[str, Any], taken: set[str]) -> Choice:
    if "data.time" in said:
        name = said["data.time"]
        if name is not None:
            named(columns, name, "time")
        return Choice(value=name, why="as you said; it orders the rows, and is no feature")
    guess = guessing.time_column(columns, taken)
    if guess is None:
        return Choice(value=None, why="")
    return Choice(value=guess.column, why=f"guessed {guess.why}; it orders the rows, and is no feature")


def _estimator(said: Mapping[str, Any], task: guessing.Task) -> Choice:
    if name := said.get("model.estimator"):
        return Choice(value=str(name), why="as you said")
    library = next((name for name in ESTIMATORS if not name or importlib.util.find_spec(name) is not None), "")
    begin = ESTIMATORS[library]
    path = begin.regressor if task == "regression" else begin.classifier
    for_what = f"for {KIND_OF[task]}"
    if not library:
        return Choice(value=path, why=f"{for_what}; no library is installed: pip install 'fitscale[xgboost]'")
    return Choice(value=path, why=f"{for_what}: {library} is installed, and takes texts and missing values as they are")


def named(columns: Sequence[Seen], name: str, flag: str) -> Seen:
    for column in columns:
        if column.name == name:
            return column
    names = [column.name for column in columns]
    shown = ", ".join(map(clean, names[:12])) + (", …" if len(names) > 12 else "")
    raise UsageError(f"--{flag} {name}: no such column{nearest(name, names) or ';'} columns: {shown}")


def _described(column: Seen) -> str:
    """``23.7 % are true, the others false``, ``3 classes``, ``numbers from 0 to 12``."""
    task = guessing.task_of(column)
    if task == "regression":
        return f"numbers from {column.low:.6g} to {column.high:.6g}"
    if task == "binary" and len(column.few) == 2:
        (often, n), (seldom, m) = column.few
        return f"{100 * m / (n + m):.3g} % are {clean(seldom)}, the others {clean(often)}"
    return f"{column.distinct:,} classes"
