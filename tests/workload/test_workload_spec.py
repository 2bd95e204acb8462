"""Promises of the workload file: every key is known and checked, every error names line, place, value and next step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fitscale.errors import NotOffered, UsageError, WorkloadError
from fitscale.records.workload import Budget, Deadline, Workload
from fitscale.workload import build, keys, load, parse, read_value, to_document

SMALL = "data: {uri: a.parquet, target: y}\nmodel: {estimator: sklearn.linear_model.LogisticRegression}\n"

# every key of the format that can stand together
FULL = r"""
name: late-arrivals
seed: 7
data:
  uri: postgresql://me:${PGPASSWORD}@db/flights
  table: public.events
  key: id
  where: "day >= '2026-01-01'"
  csv: {delimiter: ";", decimal: ",", encoding: cp1252, header: [day, late], missing: ["", "-"]}
  svmlight: {zero_based: false}
  target: late
  groups: [origin, dest]
  time: scheduled
  step: 1h
  horizon: 24
  weight: w
  features: {drop: [tailnum], categorical: month, scale: true, max_categories: 50, text: note, hash_columns: 512, ngrams: 2}
  use: {enough: 0.002}
evaluate:
  by: time
  cv: 5
  metric: roc_auc
  early_stopping: {rounds: 20, validation: 15%}
  refit: true
model:
  any_of:
    - xgboost.XGBClassifier
    - estimator: sklearn.svm.SVC
      params: {C: 1e-3, kernel: rbf}
      framework: sklearn
      search: {budget: 5m, trials: 9, space: {C: [0.1, 9.5]}}
  params: {n_estimators: 300, nested: {a: [1, null, true]}}
  fallback: parent
  search:
    budget: 10m
    space: {max_depth: [3, 12], eta: {low: 0.01, high: 0.3, log: true}, booster: {choices: [gbtree, dart]}}
    trials: 200
needs:
  deadline: {want: 1h, must: 4h}
  frequency: 30 5 * * 1
  budget: {hardware: 300 USD/month, software: 20}
  export: [onnx, pmml]
  deploy: edge/linux-arm64
  functions: [distributed_training, automl, collaboration, visual_modelling, virtual_training]
  weights: {time: 3, storage: 0.5, budget: 1}
  max_failed: 5%
where:
  - local: {memory: 2 GB, cores: 2}
  - ray: ray://head:10001
  - spark: spark://master:7077
  - catalogue: aws/us-east-1
allow_other: true
"""


TWO = {"uri": "rows.parquet", "target": "y"}
ANY = {"any_of": ["a.B", "c.D"]}
LOOP: list[Any] = []
LOOP.append(LOOP)


def written(folder: Path, text: str) -> Path:
    path = folder / "job.yaml"
    path.write_text(text)
    return path


def with_(dotted: str, value: Any) -> dict[str, Any]:
    """The small document with one key set, or some sections."""
    document: dict[str, Any] = yaml.safe_load(SMALL)
    if not dotted:
        return {**document, **value}
    *sections, last = dotted.split(".")
    inner = document
    for section in sections:
        inner = inner.setdefault(section, {})
    inner[last] = value
    return document


def read(document: dict[str, Any], **more: Any) -> Workload:
    return parse(document, file=None, folder=Path("/x"), **more)


def test_a_small_file_is_enough(tmp_path: Path) -> None:
    """Where the data is, what to predict, with what: the rest has defaults; the file gives name and folder."""
    workload = load(written(tmp_path, SMALL))
    assert (workload.name, workload.folder, workload.data.base) == ("job", str(tmp_path), str(tmp_path))
    assert (workload.evaluate.holdout, workload.data.use, workload.where[0].kind) == (0.2, "all", "local")


def test_every_key_is_read_and_written_back(tmp_path: Path) -> None:
    """A file with all keys becomes a record whose document reads as the same record, through YAML too."""
    workload = load(written(tmp_path, FULL), check_offered=False)
    assert workload.data.step_s == 3600
    assert workload.data.features.categorical == ("month",)
    assert (workload.evaluate.holdout, workload.evaluate.cv) == (None, 5)
    assert workload.model.any_of[1].params == {"C": 0.001, "kernel": "rbf"}
    assert workload.needs.deadline == Deadline(want_s=3600, must_s=14400)
    assert workload.where[0].memory_bytes == 2_000_000_000
    again = load(written(tmp_path, yaml.safe_dump(to_document(workload))), check_offered=False)
    assert again == workload
    assert Workload.from_json(workload.to_json()) == workload


def test_no_secret_is_stored(tmp_path: Path) -> None:
    """``${PGPASSWORD}`` stays as it is written, and a password in plain text is refused without being shown."""
    assert "${PGPASSWORD}" in load(written(tmp_path, FULL), check_offered=False).to_json()
    for uri in ("postgresql://me:hunter2@db/x", "mysql://db/x?password=hunter2"):
        with pytest.raises(WorkloadError, match="holds a password") as caught:
            read(with_("data.uri", uri))
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("data.targt", "y", "unknown key; did you mean 'target'?"),
        ("metric", "auc", "metric: unknown key; it stands under 'evaluate'"),
        ("data.target", None, "data.target: is missing"),
        ("data.target", True, "read as true: write a column's name in quotes"),
        ("data.target", 3, "3 is a number: write a column's name in quotes"),
        ("data.groups", ["g", "y"], "data.groups: 'y' is the target"),
        ("data.groups", ["g", "g"], "data.groups[1]: 'g' is there twice"),
        ("data.time", "y", "data.time: 'y' is the target"),
        ("data.weight", "y", "data.weight: 'y' is the target"),
        ("data", {"uri": "a", "target": "y", "groups": "g", "weight": "g"}, "data.weight: 'g' is one of the groups"),
        ("data", {"uri": "a", "target": "y", "table": "t", "query": "q"}, "data.query: there is a 'table' too"),
        ("data", {"uri": "a", "target": "y", "horizon": 2}, "data.time: is missing: a series needs"),
        ("data.features", {"drop": "a", "categorical": ["a"]}, "stands in 'categorical' too"),
        ("data.features.keep", "y", "data.features.keep: 'y' is the target"),
        ("data.features", {"keep": ["a"], "drop": ["a"]}, "stands in 'keep' too"),
        ("data.use", "some", "all, enough or a share"),
        ("data.use", 0, "leaves no rows"),
        ("data.use", {"enough": 0}, "data.use.enough: 0 must be above 0"),
        ("data.use", {"enough": -0.1}, "data.use.enough: -0.1 must be above 0"),
        ("data.use", {"enough": "next to nothing"}, "is not a number: the loss that may be"),
        ("data.use", {"enough": float("nan")}, "data.use.enough: nan"),
        ("data.use", {"enough": None}, "data.use.enough: is missing"),
        ("data.use", {"enuf": 1}, "did you mean 'enough'?"),
        ("data.horizon", 0, "data.horizon: 0 must be at least 1"),
        ("data.csv", {"delimiter": "; "}, "data.csv.delimiter: '; ' is not one character such as ';'"),
        ("data.csv", {"delimiter": '"'}, "is not one character"),
        ("data.csv", {"decimal": "'"}, "is not one of ., ,"),
        ("data.csv", {"header": 3}, "data.csv.header: 3 is a number"),
        ("data.csv", {"missing": [0]}, "data.csv.missing[0]: 0 is not text: write it in quotes"),
        ("data", "a.parquet", "is not a section; it has keys such as 'uri: …'"),
        ("evaluate", {"holdout": 0.2, "cv": 5}, "has both 'holdout' and 'cv'"),
        ("evaluate.holdout", 1, "must lie between 0 and 1, both excluded"),
        ("evaluate.holdout", "20", "a share lies between 0 and 1"),
        ("evaluate.cv", 1, "evaluate.cv: 1 must be at least 2"),
        ("evaluate.cv", 2.5, "2.5 is not a whole number"),
        ("evaluate.by", "time", "splitting by time needs data.time"),
        ("evaluate.by", "y", "evaluate.by: 'y' is the target"),
        ("evaluate.metric", ["roc_auc"], "is not a metric's name"),
        ("evaluate.early_stopping", {"validation": 0.1}, "evaluate.early_stopping.rounds: is missing"),
        ("evaluate.refit", "maybe", "neither true nor false"),
        ("model.function", "pkg.train:fit", "it has 'estimator' and 'function'"),
        ("model", {"params": {"a": 1}}, "it has none of them"),
        ("model", {"function": "pkg.train"}, "model.function: 'pkg.train' is not a function such as pkg.train:fit"),
        ("model.estimator", "LogisticRegression", "is not an import path"),
        ("model.params", [1], "is not a mapping"),
        ("model.params", {"missing": float("nan")}, "model.params.missing: nan is not a finite number"),
        ("model.params", {"loop": LOOP}, "is nested deeper than 32 levels"),
        ("model.params", {"f": object()}, "model.params.f: a object is not plain"),
        ("model", {"any_of": ["a.B", {"estimator": "c"}]}, "model.any_of[1].estimator: 'c' is not an import path"),
        ("model", {"any_of": []}, "it has none of them"),
        (
            "model",
            {"any_of": ["a.B"]},
            "model.any_of: has one entry, which leaves nothing to choose: write it as estimator: a.B",
        ),
        ("model", {"any_of": ["a.B", "a.B"]}, "model.any_of[1]: 'a.B' is there twice"),
        ("model", {**ANY, "params": {"x": 1}}, "model.params: stands beside 'any_of': give it to the entries"),
        (
            "model",
            {**ANY, "search": {"budget": "1m", "space": {"x": [1, 2]}}},
            "model.search.space: stands beside 'any_of'",
        ),
        (
            "model",
            {"any_of": ["a.B", {"estimator": "c.D", "search": {"trials": 3}}]},
            "model.any_of[1].search.budget: is missing",
        ),
        ("model.search", {"bugdet": "10m"}, "model.search.bugdet: unknown key; did you mean 'budget'?"),
        ("model.search", {"budget": 0}, "model.search.budget: 0"),
        ("model.search", {"trials": 5}, "model.search.budget: is missing: the time for tuning"),
        ("model.search", {"budget": "1m", "trials": 0}, "model.search.trials: 0 must be at least 1"),
        ("model.search", {"budget": "1m", "space": {}}, "model.search.space: {} names no parameter"),
        (
            "model.search",
            {"budget": "1m", "space": {"x": [9, 3]}},
            "model.search.space.x: low (9) must lie below high (3)",
        ),
        (
            "model.search",
            {"budget": "1m", "space": {"x": [1, 2, 3]}},
            "values to choose from are written {choices: [a, b]}",
        ),
        ("model.search", {"budget": "1m", "space": {"x": ["a", "b"]}}, "model.search.space.x[0]: 'a' is not a number"),
        ("model.search", {"budget": "1m", "space": {"x": 3}}, "3 is no range; give [3, 12]"),
        (
            "model.search",
            {"budget": "1m", "space": {"x": {"low": 0, "high": 1, "log": True}}},
            "low (0) has no logarithm",
        ),
        ("model.search", {"budget": "1m", "space": {"x": {"low": 1}}}, "has no 'high'"),
        ("model.search", {"budget": "1m", "space": {"x": {"choices": ["a"]}}}, "is not a list of two values or more"),
        ("model.search", {"budget": "1m", "space": {"x": {"choices": ["a", "a"]}}}, "has a value twice"),
        ("model.search", {"budget": "1m", "space": {"x": {"choices": [1, 2], "low": 1}}}, "has 'choices' and a range"),
        (
            "",
            {"needs": {"deadline": "5m"}, "model": {"estimator": "a.B", "search": {"budget": "10m"}}},
            "model.search.budget: 10m of tuning leave nothing of needs.deadline.must (5m)",
        ),
        ("seed", "abc", "seed: 'abc' is not a whole number"),
        ("seed", True, "seed: True is not a whole number"),
        ("seed", -1, "seed: -1 must be at least 0"),
        ("name", "a/b", "name: 'a/b' is not a name for a folder"),
        ("name", "..", "is not a name for a folder"),
        ("needs.deadline", "soon", "needs.deadline: 'soon' cannot be read"),
        ("needs.deadline", "25:00", "a time is written like '06:00'"),
        ("needs.deadline", {"want": "5h", "must": "4h"}, "'want' (5h) is later than 'must' (4h)"),
        ("needs.deadline", {"want": "06:00"}, "a time of day is for 'must'"),
        ("needs.deadline", {}, "has neither 'want' nor 'must'"),
        ("needs.deadline", "2020-01-01 06:00", "2020-01-01T06:00:00 is past"),
        ("needs.frequency", "0 24 * * *", "hour: '24'"),
        ("needs.budget", {"hardware": "300 EUR"}, "needs.budget.hardware: '300 EUR'"),
        ("needs.export", "onxx", "did you mean 'onnx'?"),
        ("needs.functions", ["auto_ml"], "needs.functions[0]: 'auto_ml' is not one of"),
        ("needs.max_failed", "100%", "would let every group fail"),
        ("needs.max_failed", 2.5, "neither a share below 1 nor a whole number"),
        ("where", "lokal", "did you mean 'local'?"),
        ("where", ["ray"], "where[0].ray: has no address; write '- ray: ray://head:10001'"),
        ("where", [{"local": {"memory": "2 G"}}], "where[0].local.memory: '2 G' cannot be read"),
        ("where", [{"local": None, "ray": "x"}], "is not one place"),
        ("where", [], "where: is empty"),
    ],
)
def test_wrong_values_are_refused_with_place_and_value(key: str, value: Any, says: str) -> None:
    """Each rule of the format holds, and its sentence names the place."""
    with pytest.raises(WorkloadError) as caught:
        read(with_(key, value))
    assert not isinstance(caught.value, NotOffered)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "deadline"),
    [
        ("needs.deadline", "4h", Deadline(must_s=14400)),
        ("needs.deadline", 90, Deadline(must_s=90)),
        ("needs.deadline", "06:00", Deadline(at="06:00")),
        ("needs.deadline", {"want": "1h", "must": "18:00"}, Deadline(want_s=3600, at="18:00")),
        ("needs.deadline", {"want": "1h"}, Deadline(want_s=3600)),
    ],
)
def test_deadlines_take_a_duration_or_a_time_of_day(key: str, value: Any, deadline: Deadline) -> None:
    """One value means must; each form is written back to one that reads the same."""
    workload = read(with_(key, value))
    assert workload.needs.deadline == deadline
    assert read(to_document(workload)) == workload


def test_a_past_deadline_does_not_hide_what_was_trained() -> None:
    """Commands that only look at a run read the file, whatever the hour."""
    document = with_("needs.deadline", "2020-01-01 06:00")
    assert read(document, check_offered=False).needs.deadline == Deadline(at="2020-01-01T06:00:00")


@pytest.mark.parametrize("key", ["table", "query", "key"])
def test_what_belongs_to_databases_is_refused_for_files(key: str) -> None:
    """With an address that would take it."""
    with pytest.raises(
        WorkloadError, match=rf"data.{key}: 'a.parquet' is no database; leave it out, or give an address"
    ):
        read(with_("data", {"uri": "a.parquet", "target": "y", key: "t"}))
    assert read(with_("data", {"uri": "postgresql://u@h/d", "target": "y", key: "t"}))


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("data.uri", "s3://bucket/a", "reading from s3:// is not offered yet: export the rows to Parquet"),
        (
            "",
            {"data": {**TWO, "groups": "g"}, "model": {"any_of": ["a.B", "c.D"]}},
            "model.any_of: choosing among estimators for many models is not offered yet: name one as 'estimator'",
        ),
        (
            "data",
            {"uri": "a", "target": "y", "use": "enough", "groups": ["g"]},
            "the learning curve of many models is not",
        ),
        (
            "data",
            {"uri": "a", "target": "y", "use": {"enough": 1}, "time": "t", "step": "1h", "horizon": 3},
            "the learning curve of series is not offered yet: give all",
        ),
        ("model", {"function": "pkg.train:fit"}, "a training function is not offered yet"),
        (
            "",
            {"data": {**TWO, "time": "t", "step": "1h"}, "model": {"estimator": "a.B", "search": {"budget": "10m"}}},
            "model.search: tuning for a series is not offered yet: leave it out",
        ),
        ("needs.export", ["native", "onnx", "pmml"], "exporting to onnx, pmml is not offered yet"),
        ("needs.deploy", "edge/linux-arm64", "deploying is not offered yet"),
        ("where", [{"ray": "ray://head:10001"}], "running on ray is not offered yet"),
        ("where", ["local", {"spark": "spark://m:7077"}], "running on spark is not offered yet"),
    ],
)
def test_what_is_not_there_yet_is_refused_and_never_ignored(
    key: str, value: Any, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each known ability that is missing has its sentence at its place; looking at the file is still possible."""
    from fitscale import registry

    builtin = {"sources": ["files", "synthetic"], "exporters": ["native"], "engines": ["inline", "process"]}
    monkeypatch.setattr(registry, "names", lambda family: tuple(builtin[family]))
    with pytest.raises(NotOffered) as caught:
        read(with_(key, value))
    assert sentence in str(caught.value)
    assert str(caught.value).startswith(key.split(".")[0])
    read(with_(key, value), check_offered=False)


def test_a_gap_closes_when_its_plug_in_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exporter that an installed package brings is accepted, also under a name that the format does not know."""
    from fitscale import registry

    monkeypatch.setattr(registry, "names", lambda family: ("native", "onnx", "coreml"))
    assert read(with_("needs.export", ["onnx", "coreml"])).needs.export == ("onnx", "coreml")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("data.use", "20%"),
        ("data.uri", "synthetic://classification?rows=100"),
        ("data.uri", "file:///data/a.parquet"),
        ("data.where", "day > 3"),
        ("needs.functions", ["distributed_training"]),
        (
            "needs.functions",
            ["automl", "collaboration", "visual_modelling", "virtual_training"],
        ),  # counted as unmatched
        ("model", ANY),
        ("model.search", {"budget": "10m"}),
        ("", {"model": {"estimator": "a.B", "search": {"budget": "1m"}}, "needs": {"functions": ["automl"]}}),
        ("needs.export", "native"),
        ("where", [{"catalogue": "aws/us-east-1"}]),
        ("needs.max_failed", 3),
    ],
)
def test_what_is_there_is_offered(key: str, value: Any) -> None:
    """Fractions, filters, synthetic data and the catalogue are no gaps."""
    read(with_(key, value))


def test_errors_name_the_line(tmp_path: Path) -> None:
    """The error about a value begins with file and line, as editors and terminals take it."""
    path = written(tmp_path, SMALL + "evaluate:\n  metric: roc_auc\n  cv: 1\n")
    with pytest.raises(WorkloadError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}:5: evaluate.cv: 1 must be")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("seed: 1\nseed: 2\n", ":2: YAML: the key 'seed' is there twice, first in line 1"),
        ("a: &x [1]\nb: *x\n", "anchors (&) and aliases (*) are not taken"),
        ("a: &x 1\n", "anchors (&) and aliases (*) are not taken"),
        ("uri: *.parquet\n", "text that begins with * must be quoted"),
        ("a: !!python/object:os.system x\n", "is not taken"),
        ("a: [1\n", "YAML"),
        ("a: 1\n---\nb: 2\n", "YAML"),
        ("[" * 5000, "nested too deeply"),
        ("", "is empty"),
        ("- a\n", "is not a workload"),
        ("1: 2\n", "the key 1 is not text"),
        ("no: 2\n", "the key False is not text"),
        ("a: \x07\n", "YAML"),
    ],
)
def test_broken_yaml_is_refused(tmp_path: Path, text: str, says: str) -> None:
    """What is not YAML, or only to a lenient reader, gets its line and reason."""
    with pytest.raises(WorkloadError) as caught:
        load(written(tmp_path, text))
    assert says in str(caught.value)


def test_yaml_surprises_are_none() -> None:
    """A time is no number in base 60, 1e-3 is a number, a date is text, numbers may have thousands marked."""
    assert read_value("[18:00, 1e-3, 1E5, 2026-01-01, 1_000, 0x1F, .5, 1.5, -2, 1.2.3, 007]") == [
        "18:00", 0.001, 1e5, "2026-01-01", 1000, 31, 0.5, 1.5, -2, "1.2.3", "007",
    ]  # fmt: skip


def test_what_is_no_workload_file_is_said(tmp_path: Path) -> None:
    """A missing file names the nearest that is there; a folder, a data file and a large file are named as such."""
    written(tmp_path, SMALL)
    with pytest.raises(UsageError, match=r"no such file; did you mean 'job.yaml'\?"):
        load(tmp_path / "jobs.yaml")
    with pytest.raises(UsageError, match="is a folder"):
        load(tmp_path)
    (tmp_path / "a.parquet").write_bytes(b"PAR1\xff\xfe\x00")
    with pytest.raises(UsageError, match="is not UTF-8 text"):
        load(tmp_path / "a.parquet")
    (tmp_path / "big.csv").write_bytes(b"x" * 1_000_001)
    with pytest.raises(UsageError, match="is this the data"):
        load(tmp_path / "big.csv")


def test_overrides_win_and_are_checked(tmp_path: Path) -> None:
    """A flag's value takes the place of the file's; an error about it does not point at the file's old line."""
    path = written(tmp_path, SMALL + "needs:\n  deadline: 4h\n")
    changed = load(path, overrides={"data.use": "20%", "needs.deadline": "30m", "evaluate.cv": read_value("3")})
    assert (changed.data.use, changed.needs.deadline, changed.evaluate.cv) == (0.2, Deadline(must_s=1800), 3)
    with pytest.raises(WorkloadError) as caught:
        load(path, overrides={"needs.deadline": "soon"})
    assert str(caught.value).startswith(f"{path}: needs.deadline: 'soon'")
    with pytest.raises(WorkloadError, match="'deadline' is '4h', not a section; set it as a whole"):
        load(path, overrides={"needs.deadline.want": "1h"})
    with pytest.raises(WorkloadError, match="did you mean 'use'"):
        load(path, overrides={"data.uze": 1})


def test_a_workload_is_built_from_python(tmp_path: Path) -> None:
    """Nested, dotted and plain names of keys give the same workload as the file."""
    path = written(tmp_path, SMALL + "evaluate: {cv: 5, metric: roc_auc}\nwhere: {local: {memory: 2 GB}}\nname: y\n")
    from_file, estimator = load(path), "sklearn.linear_model.LogisticRegression"
    common: dict[str, Any] = {"target": "y", "estimator": estimator, "folder": tmp_path}
    assert build("a.parquet", **common, evaluate={"cv": 5, "metric": "roc_auc"}, memory="2 GB") == from_file
    assert build(Path("a.parquet"), **common, **{"evaluate.cv": 5}, metric="roc_auc", memory="2 GB") == from_file
    data = {"uri": "a.parquet", "target": "y"}
    assert (
        build(data, estimator=estimator, folder=tmp_path, evaluate={"metric": "roc_auc"}, cv=5, memory=2e9) == from_file
    )
    needs = build("a", **common, budget={"hardware": "300 USD"}, want="1h").needs
    assert needs.budget == Budget(hardware_usd_month=300)
    assert needs.deadline == Deadline(want_s=3600)
    with pytest.raises(WorkloadError, match="did you mean 'groups'"):
        build("a", **common, grups=["g"])


def test_a_staged_estimator_is_for_python_alone(tmp_path: Path) -> None:
    """The address of a live estimator can be built and written back; a file that names one is refused."""
    workload = build("a.parquet", "y", live="live/model.pkl", folder=tmp_path)
    assert workload.model.live == "live/model.pkl"
    assert parse(to_document(workload), file=None, folder=tmp_path) == workload
    with pytest.raises(WorkloadError, match="unknown key"):
        load(written(tmp_path, "data: {uri: a, target: y}\nmodel: {live: live/model.pkl}\n"))


def test_every_key_of_the_format_is_used_by_the_full_example(tmp_path: Path) -> None:
    """The full example leaves out only what excludes something else in it, so that its round trip covers the format."""
    document = yaml.safe_load(FULL)
    rest = {key for key in keys() if not _stands(document, key.split("."))}
    excluded = {
        "data.query",
        "data.features.keep",
        "evaluate.holdout",
        "model.estimator",
        "model.framework",
        "model.function",
    }
    assert rest == excluded


def _stands(node: Any, path: list[str]) -> bool:
    if not path:
        return True
    if isinstance(node, list):
        return any(_stands(item, path) for item in node)
    return isinstance(node, dict) and path[0] in node and _stands(node[path[0]], path[1:])


WORDS = st.sampled_from([key.rpartition(".")[2] for key in keys()])
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["20%", "4h", "local", "2 GB", "a.B", "06:00"]),
)
PLAIN = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=8
)


@given(st.sampled_from(list(keys())), PLAIN)
def test_no_document_raises_anything_but_a_workload_error(key: str, value: Any) -> None:
    """Whatever stands at a key is read, then written and read back as the same, or refused by a WorkloadError."""
    document: dict[str, Any] = yaml.safe_load(SMALL)
    inner: Any = document
    *sections, last = key.split(".")
    for section in sections:
        inner = inner.setdefault(section, {})
    inner[last] = value
    try:
        workload = read(document, check_offered=False)
    except WorkloadError:
        return
    assert read(to_document(workload), check_offered=False) == workload


@given(st.text())
def test_no_text_raises_anything_but_a_workload_error(text: str) -> None:
    """Whatever a file holds, reading it gives a value or a WorkloadError."""
    try:
        read_value(text)
    except WorkloadError:
        return
