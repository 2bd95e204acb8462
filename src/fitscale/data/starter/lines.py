"""The lines of the file, in its order, each with why; what was not taken is offered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fitscale.data.sources.where import BEYOND, quoted
from fitscale.data.starter import guessing
from fitscale.data.starter.choices import ESTIMATORS, KIND_OF, Choices
from fitscale.data.starter.noticing import Notice
from fitscale.data.starter.seeing import Seen
from fitscale.data.starter.writing import Item, Line, clean

METRICS = {"binary": "roc_auc", "multiclass": "neg_log_loss", "regression": "neg_root_mean_squared_error"}
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


def lines_of(
    choices: Choices,
    found: Sequence[Notice],
    said: Mapping[str, Any],
    target: Seen,
    task: guessing.Task,
    name: str,
) -> list[Line]:
    """All lines of the file."""
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
    name = quoted(target.name)
    beyond = max(-target.low, target.high) >= BEYOND
    if target.type in ("double", "float") and (target.infinite or target.missing or beyond):
        return f"{name} > -{BEYOND:g} and {name} < {BEYOND:g}"  # neither null nor NaN nor infinite
    return f"{name} is not null" if target.missing else ""
