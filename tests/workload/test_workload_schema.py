"""Promises of the JSON Schema: what the format shows fits it, and what is not in the format does not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from fitscale.workload import keys, load, schema, to_document
from fitscale.workload.document import read_document

# the example of the format, with a hold-out and folds side by side as it shows them
EXAMPLE = """
name: late-arrivals
seed: 0
data:
  uri: data/flights.parquet
  target: late
  groups: [origin, dest]
  time: scheduled
  step: 1h
  horizon: 24
  weight: w
  features: {drop: [tailnum]}
  use: all
evaluate:
  holdout: 20%
  by: random
  cv: 5
  metric: roc_auc
  early_stopping: {rounds: 20, validation: 10%}
  refit: false
model:
  estimator: xgboost.XGBClassifier
  params: {n_estimators: 300, max_depth: 8}
  search: {budget: 10m}
needs:
  deadline: {want: 1h, must: 4h}
  frequency: weekly
  budget: {hardware: 300 USD/month, software: 0}
  export: [onnx, pmml]
  deploy: edge/linux-arm64
  functions: [distributed_training, automl, collaboration, visual_modelling, virtual_training]
  max_failed: 1%
where:
  - local: {memory: 2 GB, cores: 2}
  - ray: ray://head:10001
  - spark: spark://master:7077
  - catalogue: aws/us-east-1
"""
SMALL = {"data": {"uri": "a.parquet", "target": "y"}, "model": {"estimator": "a.B"}}
TYPES: dict[str, Any] = {
    "object": Mapping,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}


def misfits(value: Any, shape: Mapping[str, Any], place: str = "$") -> Iterator[str]:
    """Where a value does not fit a JSON Schema, for the words that ours uses; an unknown word fails."""
    known = "$schema title description type enum const anyOf properties required additionalProperties items"
    assert set(shape) <= {*known.split(), "minimum", "minLength", "pattern", "examples"}, shape
    types = [shape["type"]] if isinstance(shape.get("type"), str) else shape.get("type", [])
    if types and not any(isinstance(value, TYPES[t]) and (t == "boolean") == isinstance(value, bool) for t in types):
        yield f"{place}: not {types}"
        return
    if ("enum" in shape and value not in shape["enum"]) or ("const" in shape and value != shape["const"]):
        yield f"{place}: not the word"
    if "anyOf" in shape and all([*misfits(value, one, place)] for one in shape["anyOf"]):
        yield f"{place}: fits no alternative"
    if isinstance(value, int) and value < shape.get("minimum", value):
        yield f"{place}: too small"
    if isinstance(value, str) and not re.search(shape.get("pattern", ""), value):
        yield f"{place}: not {shape['pattern']}"
    if isinstance(value, Mapping):
        for name in shape.get("required", ()):
            if name not in value:
                yield f"{place}.{name}: missing"
        for name, item in value.items():
            if name in shape.get("properties", {}):
                yield from misfits(item, shape["properties"][name], f"{place}.{name}")
            elif shape.get("additionalProperties") is False:
                yield f"{place}.{name}: unknown"
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from misfits(item, shape.get("items", {}), f"{place}[{index}]")


@pytest.mark.parametrize(
    "change",
    [
        "data: {uri: postgresql://host/db, table: public.events, key: id, where: day > 1, target: late}",
        "data: {uri: postgresql://host/db, query: select 1, target: late, use: enough}",
        "data: {uri: a, target: late, use: 0.2, groups: origin}",
        "data: {uri: a, target: late, use: {enough: 0.002}}",
        "model: {any_of: [a.B, {estimator: c.D, params: {x: 1}}]}",
        "model: {estimator: a.B, search: {budget: 5m, space: {x: [1, 3], y: {low: 0.1, high: 9, log: true}}}}",
        "model: {function: 'pkg.train:fit'}",
        "needs: {deadline: 06:00, max_failed: 3, export: onnx}",
        "needs: {deadline: 4h, frequency: '30 5 * * 1'}",
        "where: local",
        "where: [local, {local: {cores: 2}}]",
        "name: late-arrivals",
    ],
)
def test_the_examples_of_the_format_fit(change: str) -> None:
    """The documented example, and each form that its comments name, is of the published shape."""
    document = {**read_document(EXAMPLE)[0], **read_document(change)[0]}
    assert list(misfits(document, schema())) == []


@pytest.mark.parametrize(
    ("section", "value"),
    [
        ("data", {"uri": "a"}),
        ("data", {"uri": "a", "target": "y", "uze": 1}),
        ("data", {"uri": "a", "target": 3}),
        ("evaluate", {"cv": 1}),
        ("evaluate", {"refit": "maybe"}),
        ("needs", {"functions": ["magic"]}),
        ("where", [{"moon": "x"}]),
        ("where", "moon"),
        ("model", {"live": "x"}),
        ("name", "a/b"),
        ("nam", "x"),
    ],
)
def test_what_is_not_in_the_format_does_not_fit(section: str, value: Any) -> None:
    """An editor that follows the schema marks misspelt keys, unknown words and missing parts."""
    assert list(misfits({**SMALL, section: value}, schema()))
    assert list(misfits(SMALL, schema())) == []


def test_what_is_written_fits(tmp_path: Path) -> None:
    """The document of a workload is of the published shape."""
    path = tmp_path / "job.yaml"
    path.write_text(EXAMPLE.replace("  holdout: 20%\n", ""))
    assert list(misfits(to_document(load(path, check_offered=False)), schema())) == []


def test_the_schema_is_json_and_says_what_each_key_is_for() -> None:
    """It can be published as a file, and every dotted key has a sentence or stands in a section that has one."""
    assert json.loads(json.dumps(schema())) == schema()
    for key, about in keys().items():
        assert about or keys()[key.rpartition(".")[0]], key


def test_every_key_of_the_example_is_known() -> None:
    """The list of dotted keys covers the documented example."""

    def dotted(node: Any, place: str) -> Iterator[str]:
        for item in node if isinstance(node, list) else [node]:
            for name, inner in item.items() if isinstance(item, dict) and not place.endswith("params") else ():
                yield f"{place}.{name}".lstrip(".")
                yield from dotted(inner, f"{place}.{name}".lstrip("."))

    assert set(dotted(yaml.safe_load(EXAMPLE), "")) <= set(keys())
