"""Series from the workload file to the next day: fitted at once or one by one, the same; what is wrong with one costs that one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from doing import HOUR, START, rows_of, trained, workload_of
from killing import bytes_of, kill_after, train, write_job

from fitscale.errors import NotOffered, UsageError, WorkloadError
from fitscale.models.opened import Run
from fitscale.running.planning import plan_only
from fitscale.store import versions

STEPS, HORIZON = 120, 12


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty series: a season, gaps, other lengths, no order; some that are none."""
    rng = np.random.default_rng(0)
    parts = []
    for key in range(40):
        y = 10 * key + 3 * np.sin(np.arange(STEPS) * np.pi / 6) + rng.normal(size=STEPS)
        first = 0
        if key == 3:  # shorter
            y, first = y[50:], 50
        if key == 5:  # too short
            y, first = y[-4:], STEPS - 4
        if key == 6:
            y[:] = 4.0
        if key == 7:
            y[20] = np.inf
        if key == 8:
            y[30] = np.nan
        kept = rng.random(len(y)) > (0.05 if key % 4 == 0 else 0)
        parts.append(rows_of(key, y, first, kept))
    twice = rows_of(40, np.zeros(STEPS))
    parts.append(pa.concat_tables([twice, twice.slice(3, 1)]))
    between = rows_of(41, np.zeros(STEPS)).to_pydict()
    between["at"][5] = (START + 5 * HOUR + np.timedelta64(60, "s")).item()
    parts.append(pa.table(between, schema=twice.schema))
    whole = pa.concat_tables(parts)
    path = tmp_path_factory.mktemp("metrics") / "metrics.parquet"
    pq.write_table(whole.take(pa.array(rng.permutation(whole.num_rows))), path)
    return path


def job(metrics: Path, estimator: str = "series.AR", **params: Any) -> dict[str, Any]:
    return {
        "name": "metrics",
        "data": {
            "uri": str(metrics), "target": "value", "groups": ["metric"], "time": "at", "step": "1h", "horizon": HORIZON,
        },
        "model": {"estimator": estimator, "params": params},
        "needs": {"max_failed": "50%"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("estimator", "params"),
    [("series.AR", {"seasonal": 12}), ("series.ARIMA", {"order": [1, 0, 1]}), ("series.Smoothing", {"season": 12})],
)
def test_fitted_at_once_or_one_by_one_it_is_the_same(
    metrics: Path, tmp_path: Path, estimator: str, params: dict[str, Any]
) -> None:
    """Byte by byte, in processes or inline; what is wrong with a series is told of that one."""
    document = job(metrics, estimator, **params)
    runs = {}
    for choose in ("batched-models", "many-models", "batched-models@inline"):
        run = tmp_path / choose / "run"
        run.parent.mkdir()
        about = trained(document, run, choose).manifest
        assert (about.models, about.failed, about.unfit) == (38, 3, 1)
        runs[choose] = run
    index = [pq.read_table(run / "versions" / "1" / "index.parquet") for run in runs.values()]
    said = [table.drop_columns(["file", "offset"]) for table in index]
    assert said[0].equals(said[1])
    assert said[0].equals(said[2])
    models = [Run(run).fitted()[1] for run in runs.values()]
    assert models[0] == models[1] == models[2]
    why = {row["metric"]: row["why"] for row in index[0].to_pylist() if row["why"]}
    assert set(why) == {"m005", "m007", "m040", "m041"}
    assert "too few" in why["m005"]
    assert "infinite" in why["m007"]
    assert "occur twice" in why["m040"]
    assert "not whole steps" in why["m041"]


def test_models_begin_where_the_data_ends(metrics: Path, tmp_path: Path) -> None:
    """The last steps judge, and then everything is fitted: what comes next is told from the last value on."""
    run = tmp_path / "run"
    about = trained(job(metrics, seasonal=12), run).manifest
    assert len(about.recipes) == 2
    assert -1.6 < (about.scores["neg_root_mean_squared_error"] or 0) < -0.9
    opened = Run(run)
    table = opened.ahead(HORIZON)
    assert table.num_rows == 38 * HORIZON
    one = table.filter(pa.array([key == "m001" for key in table.column("metric").to_pylist()]))
    end = START + (STEPS - 1) * HOUR
    assert one.column("at").to_pylist() == [(end + (k + 1) * HOUR).item() for k in range(HORIZON)]
    expected = 10 + 3 * np.sin((STEPS + np.arange(HORIZON)) * np.pi / 6)
    told = one.column("prediction").to_numpy()
    assert np.abs(told - expected).max() < 2.5
    assert (one.column("low").to_numpy() < told).all()
    by_rows = opened.model("m001").predict(one.select(["at"]))
    assert np.array_equal(by_rows, told)
    index = opened.models()
    assert set(index.column("n_holdout").to_pylist()) == {0}  # of the final fit


def test_judged_from_several_origins(metrics: Path, tmp_path: Path) -> None:
    """Each origin is followed by the horizon, and forgets what came later; the last one is that of a single judgement."""
    one = trained(job(metrics, seasonal=12), tmp_path / "one").manifest.scores
    about = trained({**job(metrics, seasonal=12), "evaluate": {"cv": 3}}, tmp_path / "three").manifest
    assert list(about.recipes) == ["cv 1/3", "cv 2/3", "cv 3/3", "final"]
    metric = "neg_root_mean_squared_error"
    parts = [about.scores[f"{metric}: cv {k}/3"] for k in (1, 2, 3)]
    assert parts[2] == one[metric]
    assert len(set(parts)) == 3
    assert about.scores[metric] == pytest.approx(sum(part or 0 for part in parts) / 3)
    assert Run(tmp_path / "three").fitted()[1] == Run(tmp_path / "one").fitted()[1]  # of all rows, as before


def test_a_run_that_is_killed_ends_with_the_same_bytes(metrics: Path, tmp_path: Path) -> None:
    """Chunks of models that were fitted at once are kept as any others."""
    path = write_job(tmp_path, job(metrics, "series.ARIMA", order=[1, 0, 1]))
    assert train(path, tmp_path / "whole")[0] == 0
    for seconds in (1.2, 1.6, 2.0):
        kill_after(path, tmp_path / "killed", seconds)
    assert train(path, tmp_path / "killed")[0] == 0
    assert bytes_of(tmp_path / "killed") == bytes_of(tmp_path / "whole")


def test_one_series_alone(tmp_path: Path) -> None:
    """Without groups there is one model, planned and fitted as any other."""
    y = 5 + np.cumsum(np.random.default_rng(0).normal(size=300))
    pq.write_table(rows_of(0, y).drop_columns(["metric"]), tmp_path / "one.parquet")
    document = job(tmp_path / "one.parquet", "series.ARIMA", order=[0, 1, 1])
    del document["data"]["groups"], document["needs"]
    about = trained(document, tmp_path / "run").manifest
    assert about.models == 1
    table = Run(tmp_path / "run").ahead(3)
    assert table.column_names == ["at", "prediction", "low", "high"]
    assert abs(table.column("prediction")[0].as_py() - y[-1]) < 3


def test_the_plan_says_how(metrics: Path, tmp_path: Path) -> None:
    """All at once, because it is forecast to be faster; one by one beside it."""
    plan = plan_only(workload_of(job(metrics, "series.ARIMA"), tmp_path), tmp_path / "run")
    assert plan.decision.chosen is not None
    assert plan.decision.chosen.candidate.name == "batched-models"
    assert [a.candidate.name for a in plan.decision.alternatives] == ["many-models"]
    assert not versions.numbers(tmp_path / "run")


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        ({"data": {"step": None, "horizon": None}}, UsageError, "give data.step if the rows are a series"),
        ({"data": {"step": None}}, WorkloadError, "data.step: is missing: a series needs the spacing"),
        ({"data": {"time": None}}, WorkloadError, "data.time: is missing"),
        ({"data": {"weight": "w"}}, WorkloadError, "no weights"),
        ({"data": {"use": "20%"}}, WorkloadError, "leave gaps"),
        ({"data": {"time": "value", "target": "metric"}}, UsageError, "dates or whole numbers"),
        ({"evaluate": {"by": "random"}}, WorkloadError, "judged on its last ones"),
        ({"evaluate": {"cv": 3}, "data": {"horizon": None}}, WorkloadError, "data.horizon: is missing: evaluate.cv"),
        ({"model": {"estimator": "sklearn.linear_model.Ridge", "params": {}}}, NotOffered, "name one of series.AR"),
    ],
)
def test_what_cannot_be_is_refused(
    metrics: Path, tmp_path: Path, change: dict[str, dict[str, Any]], error: type[Exception], told: str
) -> None:
    """At its place, before anything is read."""
    document = job(metrics)
    for section, keys in change.items():
        document[section] = {k: v for k, v in {**document.get(section, {}), **keys}.items() if v is not None}
    if change == {"data": {"time": "value", "target": "metric"}}:
        document["data"]["groups"] = []
    with pytest.raises(error, match=told):
        plan_only(workload_of(document, tmp_path), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_rows_have_no_next_step(tmp_path: Path) -> None:
    """Models of rows say so."""
    model = {"estimator": "baseline.Classifier"}
    document = {"name": "rows", "data": {"uri": "synthetic://?rows=300", "target": "y"}, "model": model}
    trained(document, tmp_path / "run")
    with pytest.raises(UsageError, match="fitted on rows, not on series"):
        Run(tmp_path / "run").ahead(3)
