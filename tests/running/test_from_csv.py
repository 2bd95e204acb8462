"""A CSV from a colleague, from beginning to end: planned, trained, gone on with, predicted, and changed meanwhile."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
from commands import fitscale
from doing import interrupted, trained
from killing import bytes_of

from fitscale.errors import SourceChanged, UsageError
from fitscale.report import actual_of
from fitscale.running.command import Told
from fitscale.store import folder, journal, versions

N = 3_000
TREES = {
    "name": "trees",
    "data": {"uri": "sales.csv", "target": "gekauft"},
    "model": {"estimator": "xgboost.XGBClassifier", "params": {"n_estimators": 20, "max_depth": 3, "subsample": 0.7}},
}
SLOW = {**TREES, "model": {"estimator": "baseline.Classifier", "params": {"passes": 12, "sleep_s": 0.1}}}


def table(seed: int = 0, n: int = N) -> pa.Table:
    random = np.random.default_rng(seed)
    price, age = random.normal(20, 5, n).round(2), random.integers(18, 90, n)
    town = np.array(["Köln", "Zürich", "Bern; Süd"])[random.integers(0, 3, n)]
    bought = (price + age / 9 + random.normal(0, 3, n) > 26).astype(int)
    return pa.table({"preis": price, "alter": age, "ort": town, "gekauft": bought})


def export(path: Path, rows: pa.Table, encoding: str = "cp1252") -> None:
    """As a spreadsheet writes it in half of Europe."""
    lines = [";".join(rows.column_names)]
    lines += [f'{str(r["preis"]).replace(".", ",")};{r["alter"]};"{r["ort"]}";{r["gekauft"]}' for r in rows.to_pylist()]
    path.write_bytes("\r\n".join([*lines, ""]).encode(encoding))


def test_a_plan_says_what_was_staged_and_assumed(tmp_path):
    """Bytes and seconds, measured; delimiter, commas and encoding, assumed. `train` and `predict` go on from there."""
    export(tmp_path / "sales.csv", table())
    job = tmp_path / "job.yaml"
    job.write_text(json.dumps(TREES))
    said = fitscale("plan", job)
    assert said.code == 0, said.err
    assert "kB of sales.csv once as " in said.out
    assert " of Parquet in the run, " in said.out
    for told in (
        "the encoding Windows-1252, as it is not UTF-8",
        "semicolons between fields",
        "decimal commas in 'preis'",
    ):
        assert told in said.out
    run = tmp_path / "runs" / "trees"
    plan = folder.read_plan(run)
    assert plan.staging is not None
    assert plan.staging.rows == N
    assert plan.decision.chosen is not None
    assert plan.decision.chosen.forecast.storage_bytes.low >= plan.staging.bytes
    staged = sorted(run.glob("data/*/part-*.parquet"))
    assert fitscale("train", job).code == 0
    assert sorted(run.glob("data/*/part-*.parquet")) == staged
    assert "Nothing to do" in fitscale("train", job).out
    new = table(1, 50)
    export(tmp_path / "new.csv", new, "utf-8")
    pq.write_table(new, tmp_path / "new.parquet")
    feather.write_feather(new, str(tmp_path / "new.feather"))
    found = []
    for name in ("new.csv", "new.parquet", "new.feather"):
        said = fitscale("predict", job, "--data", tmp_path / name, "--out", tmp_path / "out.parquet", "--proba")
        assert said.code == 0, said.err
        found.append(pq.read_table(tmp_path / "out.parquet"))
    assert found[0].equals(found[1])
    assert found[0].equals(found[2])
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith(".")} == set()


def test_the_same_rows_give_the_same_model(tmp_path):
    """From CSV, and from the Parquet that holds the same."""
    export(tmp_path / "sales.csv", table())
    trained(TREES, tmp_path / "one", "in-memory")
    pq.write_table(table(), tmp_path / "sales.parquet")
    trained({**TREES, "data": {**TREES["data"], "uri": "sales.parquet"}}, tmp_path / "two", "in-memory")
    one, two = (versions.manifest(tmp_path / run, 1) for run in ("one", "two"))
    assert one.scores == two.scores
    payloads = [
        {(tmp_path / run / "models" / name).read_bytes() for name in about.payloads}
        for run, about in (("one", one), ("two", two))
    ]
    assert payloads[0] & payloads[1]


def test_a_csv_that_changed_under_an_unfinished_version(tmp_path):
    """75 with the file's name; put back, though with another time, it goes on and ends with the same bytes."""
    path, run = tmp_path / "sales.csv", tmp_path / "run"
    export(path, table())
    trained(SLOW, tmp_path / "other", "in-memory")
    interrupted(SLOW, run, "in-memory", at=3)
    kept = path.read_bytes()
    export(path, table(7))
    with pytest.raises(SourceChanged, match=r"1 file changed: sales\.csv.*--fresh"):
        trained(SLOW, run)
    path.write_bytes(kept)
    os.utime(path, (5, 5))
    notes: list[str] = []
    trained(SLOW, run, told=Told(note=notes.append))
    assert any("going on with version 1" in note for note in notes)
    assert bytes_of(run) == bytes_of(tmp_path / "other")


def test_new_data_makes_a_version_and_pruning_forgets_the_old(tmp_path):
    """What was staged for versions that are gone goes with them."""
    run = tmp_path / "run"
    for seed in (0, 1):
        export(tmp_path / "sales.csv", table(seed))
        trained(SLOW | {"model": {"estimator": "baseline.Classifier"}}, run, "in-memory")
    assert versions.numbers(run) == [1, 2]
    assert len(list(run.glob("data/*/staging.json"))) == 2
    versions.prune(run, {2})
    assert len(list(run.glob("data/*/staging.json"))) == 1
    assert trained(SLOW | {"model": {"estimator": "baseline.Classifier"}}, run, "in-memory").nothing_to_do


@pytest.mark.parametrize("wrong", ["a ragged row", "no such target"])
def test_what_is_wrong_leaves_no_run_behind(tmp_path: Path, wrong: str) -> None:
    """Also where it stands in the last line."""
    export(tmp_path / "sales.csv", table())
    document: dict[str, Any] = {**TREES, "data": {**TREES["data"], "uri": str(tmp_path / "sales.csv")}}
    if wrong == "no such target":
        document["data"]["target"] = "gekaufd"
    else:
        with open(tmp_path / "sales.csv", "ab") as file:
            file.write(b"1,5;20;x;1;9\r\n")
    with pytest.raises(UsageError, match=r"line 3,002: has 5 fields|did you mean 'gekauft'"):
        trained(document, tmp_path / "runs" / "r")
    assert not (tmp_path / "runs").exists()


def test_what_was_staged_before_is_in_no_forecast(tmp_path: Path) -> None:
    """Once, in the command that did it: forecast, actual and journal agree; with --fresh a file that is the same is not staged."""
    export(tmp_path / "sales.csv", table())
    run, quick = tmp_path / "run", {**TREES, "model": {"estimator": "baseline.Classifier"}}
    for fresh in (False, True):
        trained(quick, run, "in-memory", fresh=fresh)
    first, again = (folder.read_plan(run, number) for number in (1, 2))
    assert first.stage is not None
    assert first.decision.chosen is not None
    assert again.decision.chosen is not None
    assert first.decision.chosen.forecast.phases["stage"] == first.stage.seconds.value > 0
    assert again.stage is None
    assert "stage" not in again.decision.chosen.forecast.phases
    one, two = actual_of(run, 1), actual_of(run, 2)
    assert one is not None
    assert two is not None
    assert one.phases["stage"].wall_s == first.stage.seconds.value
    assert one.work_s <= one.wall_s
    assert "stage" not in two.phases
    assert len([event for event in journal.replay(run) if event["kind"] == "staged"]) == 1
