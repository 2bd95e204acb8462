"""docs/reference/workload.md: every key of the workload file. Each example is read by the real reader when the page is made."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from text import code

from fitscale.errors import NotOffered
from fitscale.records.workload import Place, Workload
from fitscale.workload import keys, parse, read_value, schema, units
from fitscale.workload.offered import GAPS

HEAD = """
# The workload file

One YAML file describes a training job. What does not stand in it has a default; an unknown key is an error that names the
nearest. `fitscale doctor FILE` reads it, opens its data and imports its estimator. The least there can be:

```yaml
data: {uri: flights.parquet, target: late}
model: {estimator: xgboost.XGBClassifier}
```

Relative paths start from the file's folder. A duration is `90`, `10m`, `1h 30m` or `2 days`; a size `500 MB` or `2 GiB`; a share
`20%` or `0.2`; money `300 USD/month`. A list of one may stand without its brackets. `fitscale init DATA` writes a file from the
data. An editor knows the keys by the [JSON Schema](workload.schema.json), which `fitscale init --schema` prints too: with
`# yaml-language-server: $schema=PATH` as the file's first line, where PATH starts from the file.
"""
EXAMPLES = {
    "name": "late-arrivals",
    "seed": "7",
    "data.uri": "data/part-*.parquet",
    "data.table": "public.events",
    "data.query": "select * from events",
    "data.key": "id",
    "data.csv.delimiter": '";"',
    "data.csv.decimal": '","',
    "data.csv.encoding": "cp1252",
    "data.csv.header": "[day, price, sold]",
    "data.csv.missing": '["", "-"]',
    "data.svmlight.zero_based": "false",
    "data.where": "\"day >= '2026-01-01' and origin in ('JFK', 'LGA')\"",
    "data.target": "late",
    "data.groups": "[dest, hour]",
    "data.time": "scheduled",
    "data.step": "1h",
    "data.horizon": "24",
    "data.weight": "w",
    "data.features.drop": "[tailnum]",
    "data.features.keep": "[distance, wind]",
    "data.features.categorical": "[month]",
    "data.features.scale": "true",
    "data.features.max_categories": "500",
    "data.features.text": "[comment]",
    "data.features.hash_columns": "4096",
    "data.features.ngrams": "2",
    "data.use": "20%",
    "data.use.enough": "0.002",
    "evaluate.holdout": "20%",
    "evaluate.by": "source_row",
    "evaluate.cv": "5",
    "evaluate.metric": "average_precision",
    "evaluate.early_stopping.rounds": "20",
    "evaluate.early_stopping.validation": "10%",
    "evaluate.refit": "true",
    "model.estimator": "sklearn.linear_model.LogisticRegression",
    "model.params": "{C: 0.1}",
    "model.framework": "sklearn",
    "model.fallback": "parent",
    "model.any_of": "[sklearn.linear_model.Ridge, xgboost.XGBRegressor]",
    "model.function": "pkg.train:fit",
    "model.search.budget": "10m",
    "model.search.space": "{max_depth: [3, 12], learning_rate: {low: 0.01, high: 0.3, log: true}}",
    "model.search.trials": "200",
    "needs.deadline": "4h",
    "needs.deadline.want": "1h",
    "needs.deadline.must": "'06:00'",
    "needs.frequency": "weekly",
    "needs.budget.hardware": "300 USD/month",
    "needs.budget.software": "0",
    "needs.export": "[native]",
    "needs.deploy": "edge/linux-arm64",
    "needs.functions": "[distributed_training]",
    "needs.weights": "{time: 3, budget: 1}",
    "needs.max_failed": "1%",
    "where": "[local, catalogue: aws/us-east-1]",
    "where.local": "{memory: 2 GB}",
    "where.local.memory": "2 GB",
    "where.local.cores": "2",
    "where.ray": "ray://head:10001",
    "where.spark": "spark://master:7077",
    "where.catalogue": "aws/us-east-1",
    "allow_other": "true",
}
# Of keys that are there and take some value that is not: one such value each.
NOT_YET = {
    "data.uri": "s3://bucket/flights",
    "needs.export": "[pmml]",
}
ABOUT = {  # of keys whose schema says none
    "where.local": "this machine; plain `local` where nothing limits it",
    "where.ray": "a Ray cluster, by its address",
    "where.spark": "a Spark cluster, by its address",
    "where.catalogue": "machines that can be rented, for comparison: a provider, a region, or a table of your own (.csv)",
}
DEFAULTS = {  # that are found out and stand in no record
    "name": "the file's name",
    "evaluate.metric": "`roc_auc`; `neg_log_loss` for more than two classes; `neg_root_mean_squared_error` for numbers",
}
ALONGSIDE: dict[str, dict[str, Any]] = {  # what an example needs beside it
    "data.table": {"data.uri": "postgresql://me@host/db"},
    "data.query": {"data.uri": "postgresql://me@host/db"},
    "data.key": {"data.uri": "postgresql://me@host/db"},
    "data.step": {"data.time": "scheduled"},
    "data.horizon": {"data.time": "scheduled", "data.step": "1h"},
    "model.fallback": {"data.groups": ["origin"]},
    "model.search.space": {"model.search.budget": "10m"},
    "model.search.trials": {"model.search.budget": "10m"},
    "evaluate.early_stopping.validation": {"evaluate.early_stopping.rounds": 20},
}
REPEATED = "model.any_of."  # its keys are those of model


def page() -> str:
    places = {place: about for place, about in keys().items() if not place.startswith(REPEATED)}
    above = dict.fromkeys(place.rpartition(".")[0] for place in places)  # the sections, the file itself first
    known = {place for place in places if place not in above} | {place for place in EXAMPLES if place in above}
    if wrong := known ^ set(EXAMPLES):
        raise SystemExit(f"scripts/docs: an example is missing, or its key is gone: {', '.join(sorted(wrong))}")
    parts = [HEAD.strip()]
    for section in above:
        parts.append(f"## {section}" if section else "## The file")
        if about := places.get(section) or ABOUT.get(section):
            parts.append(_sentence(about))
        parts += [_entry(place, places, place in above) for place in places if place.rpartition(".")[0] == section]
    return "\n\n".join(parts)


def _entry(place: str, places: Mapping[str, str], is_section: bool) -> str:
    """A key and what is to be said of it, as an entry of a definition list."""
    about = places[place] or ABOUT[place]
    told = [_sentence(about)]
    if place in EXAMPLES:
        told.append(f"Takes {_takes(_node(place))}.")
        if default := DEFAULTS.get(place) or code(_default(place)):
            told.append(f"Default: {default}.")
        told.append(f"Example: `{EXAMPLES[place]}`.")
    if is_section:
        told.append(f"Its keys stand [below](#{re.sub('[^a-z]+', '-', place)}).")
    if refused := _refused(place):
        told.append(f"**Not offered yet.** {refused}")
    required = " (required)" if place in ("data", "data.uri", "data.target", "model") else ""
    return f"`{place}`{required}\n: " + "\n  ".join(told)


def _sentence(about: str) -> str:
    return about[:1].upper() + about[1:] + ("" if about.endswith(("?", "…")) else ".")


def _refused(place: str) -> str:
    """What of a key this version refuses, in the reader's own words; checks that everything else is read."""
    tried = place
    if place not in EXAMPLES:  # a section: refused as a whole, or not at all
        if place not in {gap.place for gap in GAPS}:
            return ""
        tried = next(other for other in EXAMPLES if other.startswith(place + "."))
    if problem := _problem(tried, EXAMPLES[tried]):
        return f"It is refused: *{problem}*"
    return f"`{NOT_YET[place]}` is refused: *{_problem(place, NOT_YET[place])}*" if place in NOT_YET else ""


def _problem(place: str, example: str) -> str:
    document: dict[str, Any] = {
        "name": "job",
        "data": {"uri": "rows.parquet", "target": "y"},
        "model": {"estimator": "a.B"},
    }
    if place in ("model.any_of", "model.function"):
        del document["model"]["estimator"]
    if place.startswith("where."):
        kind, _, limit = place.removeprefix("where.").partition(".")
        value = read_value(example)
        document["where"] = ["local", {kind: {limit: value} if limit else value}][kind == "local" :]
    else:
        for other, value in {**ALONGSIDE.get(place, {}), place: read_value(example)}.items():
            _put(document, other.split("."), value)
    try:
        parse(document, file=None, folder=Path("."))
    except NotOffered as refusal:
        return refusal.problem
    return ""


def _put(document: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        document = document.setdefault(name, {})
    document[path[-1]] = value


def _node(place: str) -> Mapping[str, Any]:
    """The JSON Schema of a key."""
    found: Any = [schema()]
    for name in place.split("."):
        found = [n["properties"][name] for node in found for n in _objects(node) if name in n.get("properties", {})]
    return dict(found[0])


def _objects(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for inner in node.get("anyOf", ()):
        yield from _objects(inner)


def _takes(node: Mapping[str, Any]) -> str:
    """``text``, ``whole number from 2``, ``a list of …``: the schema in words."""
    names = {"string": "text", "number": "a number", "integer": "a whole number", "boolean": "true or false",
             "object": "a mapping", "array": "a list"}  # fmt: skip
    if "enum" in node:
        return ", ".join(code(word) for word in node["enum"])
    if "const" in node:
        return code(node["const"])
    if "anyOf" in node:
        lists = [inner for inner in node["anyOf"] if inner.get("type") == "array"]
        if lists:
            inner = _takes(lists[0]["items"])
            return "a list" if "anyOf" in lists[0]["items"] else f"a list of {inner}"
        return " or ".join(dict.fromkeys(_takes(inner) for inner in node["anyOf"]))
    kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
    least = f" from {node['minimum']}" if node.get("minimum") is not None and "integer" in kinds else ""
    return " or ".join(names[kind] for kind in kinds) + least


def _default(place: str) -> str:
    """The record's own default, as it would stand in the file."""
    record: type[BaseModel] = Workload
    *sections, name = place.split(".")
    if sections[:1] == ["where"]:
        sections, record = [], Place
    for section in sections:
        record = _record(record, section)
    field = next((f for f in record.model_fields if f == name or f.startswith(name + "_")), None)
    value = record.model_fields[field].get_default() if field else None
    if place == "where":
        return "local"
    if value is None or value == () or value == {} or not isinstance(value, bool | int | float | str):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(units.share_text(value)) if isinstance(value, float) else str(value)


def _record(record: type[BaseModel], section: str) -> type[BaseModel]:
    annotation = record.model_fields[section].annotation
    options = [annotation, *getattr(annotation, "__args__", ())]
    return next(option for option in options if isinstance(option, type) and issubclass(option, BaseModel))
