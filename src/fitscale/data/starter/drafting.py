"""From what was seen and what was said to a workload file that `plan` takes as it is."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fitscale.data.checks import check_columns
from fitscale.data.features import encodable, feature_columns
from fitscale.data.sources.where import parse as parse_where
from fitscale.data.starter import guessing
from fitscale.data.starter.noticing import Notice, notices
from fitscale.data.starter.seeing import Seen, seen
from fitscale.data.starter.writing import Item, Line, clean, text_of
from fitscale.errors import DataError, UsageError, WorkloadError, nearest
from fitscale.records.base import Record
from fitscale.records.data import Snapshot
from fitscale.workload.document import LARGEST_BYTES, read_document
from fitscale.workload.spec import parse

if TYPE_CHECKING:
    from fitscale.data.starter.looking import Look
    from fitscale.records.workload import Workload

SCHEMA_FILE = ".fitscale.schema.json"  # beside the workload file, so that an editor finds it without a network


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
METRICS = {"binary": "roc_auc", "multiclass": "neg_log_loss", "regression": "neg_root_mean_squared_error"}
KIND_OF = {"binary": "two classes", "multiclass": "classes", "regression": "numbers"}


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


class Draft(Record):
    """What `init` found and wrote."""

    format: int = 1
    name: str
    rows: int  # looked at
    of_rows: int | None
    seconds: float
    columns: int
    task: guessing.Task
    chosen: dict[str, Choice]
    notices: tuple[Notice, ...]
    assumed: tuple[str, ...] = ()
    text: str


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
    task = guessing.task_of(_named(columns, str(target.value), "target"))
    deadline = said.get("needs.deadline")
    return Choices(
        target, groups, time, _estimator(said, task),
        Choice(value=deadline, why="as you said" if deadline else ""), apart, look.rows is not None,
    )  # fmt: skip


def draft(
    look: Look,
    columns: Sequence[Seen],
    choices: Choices,
    said: Mapping[str, Any],
    *,
    name: str,
    folder: Path,
    given: str,
) -> Draft:
    """The file's text, read back and held to the columns. ``folder`` is where it will lie; ``given`` is how it was asked.

    Raises
    ------
    WorkloadError, DataError
        What was said and does not go together with the data.
    """
    target = _named(columns, str(choices.target.value), "target")
    task = guessing.task_of(target)
    roles = {target.name, *(choices.groups.value or ()), *([str(choices.time.value)] if choices.time.value else ())}
    roles |= {str(said[place]) for place in ("data.key", "data.weight") if said.get(place)}
    found = notices(columns, look.table, target, roles, task, look.rows)
    for notice in found:
        if notice.dropped and not notice.column.strip():
            raise DataError(f"data.uri: a column has no name, and {notice.says}: give it a name, or take it out")
    lines = _lines(choices, found, said, target, task, name)
    text = text_of(_head(look, given, name, folder), lines)
    if len(text.encode()) > LARGEST_BYTES:
        raise DataError(
            f"data.uri: {len(look.columns):,} columns are too many for each to be named in a file; write it by hand, with "
            "data.features.keep"
        )
    workload = parse(read_document(text)[0], file=None, folder=folder)
    _check(workload, look)
    chosen = {line.place: Choice(value=_plain(line.value), why=line.why) for line in lines if _is_chosen(line)}
    return Draft(
        name=name, rows=look.table.num_rows, of_rows=look.rows, seconds=look.seconds, columns=len(look.columns), task=task,
        chosen=chosen, notices=found, assumed=look.assumed, text=text,
    )  # fmt: skip


def _check(workload: Workload, look: Look) -> None:
    """What `plan` would refuse before it reads."""
    check_columns(Snapshot(source="", root="", columns=look.columns, pieces=()), workload.data, counted=False)
    by = workload.evaluate.by
    apart = None if by in ("random", "time") else by
    encodable(feature_columns(workload.data, look.columns, apart), workload.data.features.categorical)


# What is chosen.


def _target(columns: Sequence[Seen], look: Look, said: Mapping[str, Any]) -> Choice:
    name = said.get("data.target")
    if name is not None:
        column = _named(columns, name, "target")
        if problem := guessing.problem_of_target(column):
            raise UsageError(f"--target {name}: {problem}")
        return Choice(value=name, why=f"as you said; {_described(column)}")
    guess = guessing.target(columns, look.rows)
    if guess is None:
        told = "; ".join(f"{clean(c.name)}: {guessing.problem_of_target(c)}" for c in columns[:3])
        raise DataError(f"data.uri: no column can be predicted ({told}{'; …' if len(columns) > 3 else ''})")
    if len(columns) < 2:
        raise DataError(f"data.uri: '{clean(guess.column)}' is the only column: there is nothing to predict it from")
    told = _described(_named(columns, guess.column, "target"))
    return Choice(value=guess.column, why=f"guessed {guess.why}; {told}")


def _groups(columns: Sequence[Seen], said: Mapping[str, Any], taken: set[str]) -> Choice:
    names = tuple(said.get("data.groups") or ())
    for name in names:
        _named(columns, name, "groups")
        if name in taken:
            raise UsageError(f"--groups {name}: is the target; one model for each needs another column")
    return Choice(value=names, why="as you said" if "data.groups" in said else "")


def _time(columns: Sequence[Seen], said: Mapping[str, Any], taken: set[str]) -> Choice:
    if "data.time" in said:
        name = said["data.time"]
        if name is not None:
            _named(columns, name, "time")
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


def _named(columns: Sequence[Seen], name: str, flag: str) -> Seen:
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


# What is written.


def _head(look: Look, given: str, name: str, folder: Path) -> list[str]:
    of = f" of its {look.rows:,}" if look.rows is not None else ""
    return [
        f"yaml-language-server: $schema={SCHEMA_FILE}",
        "",
        f"A training job, written by '{given}' after a look at {look.table.num_rows:,}{of} rows.",
        "Each line says where its value came from; lines that begin with # are offers. Nothing here is final.",
    ]


def _lines(
    choices: Choices,
    found: Sequence[Notice],
    said: Mapping[str, Any],
    target: Seen,
    task: guessing.Task,
    name: str,
) -> list[Line]:
    lines = [Line("name", name, "of the file's name; names the run's folder")]
    lines += [Line(place, said[place], why) for place, why in _GIVEN.items() if said.get(place)]
    lines += [Line(place, value, "as you said") for place, value in said.items() if place.startswith("data.csv.")]
    if (where := _where(target)) and not said.get("data.where"):
        lines.append(Line("data.where", where, "leaves out the rows that have no target"))
    lines.append(Line("data.target", choices.target.value, choices.target.why))
    lines += _groups_lines(choices)
    if choices.time.value:
        lines.append(Line("data.time", choices.time.value, choices.time.why))
    lines += _features(found)
    lines += _evaluate(choices, found, said, task)
    lines.append(Line("model.estimator", choices.estimator.value, choices.estimator.why))
    params = next((b.params for b in ESTIMATORS.values() if choices.estimator.value in (b.classifier, b.regressor)), {})
    if "model.params" not in said:
        lines += [Line(f"model.params.{key}", value, _PARAMS.get(key, "")) for key, value in params.items()]
    if choices.deadline.value:
        lines.append(Line("needs.deadline", choices.deadline.value, choices.deadline.why))
    else:
        lines.append(
            Line("needs.deadline", "1h", "no limit was named: what takes longer would be refused", offered=True)
        )
    return _with_said(lines, said)


_GIVEN = {
    "data.uri": "as you gave it, seen from this file",
    "data.table": "as you said",
    "data.query": "as you said",
    "data.key": "as you said",
}
_PARAMS = {
    "n_estimators": "a usual beginning; evaluate.early_stopping can find the number",
    "max_iter": "a usual beginning",
    "passes": "a usual beginning",
    "max_depth": "the library's own default",
    "num_leaves": "the library's own default",
    "learning_rate": "a usual beginning",
}


def _groups_lines(choices: Choices) -> list[Line]:
    if choices.groups.value:
        return [Line("data.groups", list(choices.groups.value), f"{choices.groups.why}: one model for each value")]
    if not choices.apart:
        return []
    why = f"one for each of its values would be {choices.models_of(0)}"
    return [Line("data.groups", [choices.apart[0][0]], why, offered=True)]


def _features(found: Sequence[Notice]) -> list[Line]:
    lines = []
    if dropped := [notice for notice in found if notice.dropped]:
        items = tuple(Item(n.column, n.says + (f"; {n.step}" if n.step else "")) for n in dropped)
        lines.append(Line("data.features.drop", items, "left out; every other column is a feature"))
    for notice in found:
        if not notice.dropped and notice.what not in ("missing target", "rare"):
            step = f"; {notice.step}" if notice.step else ""
            lines.append(Line("data.features.note", None, f"look at {clean(notice.column)}: it {notice.says}{step}"))
    if lines and not dropped:
        return [line._replace(place="data.note") for line in lines]
    return lines


def _evaluate(choices: Choices, found: Sequence[Notice], said: Mapping[str, Any], task: guessing.Task) -> list[Line]:
    lines = (
        [] if "evaluate.cv" in said else [Line("evaluate.holdout", "20%", "the default: kept from training, to judge")]
    )
    lines.append(Line("evaluate.by", "random", "the default"))
    if choices.time.value:
        why = "rather, where later rows will be predicted from earlier ones: judges on the latest"
        lines.append(Line("evaluate.by", "time", why, offered=True))
    alike = [name for name, *_ in choices.apart if set(guessing.words_of_name(name)) & set(guessing.ENTITY_WORDS)]
    if alike and not choices.groups.value:
        name = alike[0]
        why = f"rather, where rows of one {clean(name)} are alike: none of its values is on both sides"
        lines.append(Line("evaluate.by", name, why, offered=True))
    rare = [notice for notice in found if notice.what == "rare"]
    if rare and task == "binary":
        why = f"the target {rare[0].says}: roc_auc would look good whatever is found"
        return [*lines, Line("evaluate.metric", "average_precision", why)]
    return [*lines, Line("evaluate.metric", METRICS[task], f"the default for {KIND_OF[task]}", offered=True)]


def _with_said(lines: list[Line], said: Mapping[str, Any]) -> list[Line]:
    """With what else was said, in place of what would stand there."""
    known = {"data.target", "data.time", "data.groups", "model.estimator", "needs.deadline", *_GIVEN}
    for place, value in said.items():
        if place in known or value is None or place.startswith("data.csv."):
            continue
        line = Line(place, value, "as you said")
        at = next((k for k, other in enumerate(lines) if other.place == place and not other.offered), None)
        lines = [other for other in lines if other.place != place]
        lines.insert(len(lines) if at is None else at, line)
    return lines


def _where(target: Seen) -> str:
    """The filter that keeps rows with a target."""
    quoted = '"' + target.name.replace('"', '""') + '"'
    if re.fullmatch(r"[a-z_]\w*", target.name, re.ASCII):
        with suppress(WorkloadError):  # a word of SQL, such as left, stays in quotes
            if parse_where(f"{target.name} is not null") == parse_where(f"{quoted} is not null"):
                quoted = target.name
    if target.type in ("double", "float") and (target.infinite or target.missing):
        return (
            f"{quoted} > -{guessing.LARGEST:g} and {quoted} < {guessing.LARGEST:g}"  # neither null nor NaN nor infinite
        )
    return f"{quoted} is not null" if target.missing else ""


def _is_chosen(line: Line) -> bool:
    return not line.offered and line.value is not None and not isinstance(line.value, Mapping)


def _plain(value: Any) -> str | tuple[str, ...]:
    if isinstance(value, list | tuple):
        return tuple(item.value if isinstance(item, Item) else str(item) for item in value)
    return str(value)
