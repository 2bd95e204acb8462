"""statsforecast's models from the workload file to the next day: what they say is what the bare library says."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from doing import HOUR, START, rows_of, trained, workload_of
from killing import bytes_of, kill_after, train, write_job

from fitscale.models.anomalies import anomalies
from fitscale.models.asked import Asked
from fitscale.models.drift import drift
from fitscale.models.opened import Run
from fitscale.running.planning import plan_only

pytest.importorskip("statsforecast")

STEPS, HORIZON, SERIES = 120, 12, 20


def values_of(key: int, steps: int = STEPS) -> np.ndarray:
    rng = np.random.default_rng(key)
    y: np.ndarray = 20 + 10 * key + 3 * np.sin(np.arange(steps) * np.pi / 6) + rng.normal(size=steps)
    return y


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty series with a season: one too short, one constant, one with few gaps, one with many, one with an hour twice."""
    parts = []
    for key in range(SERIES):
        y, first, kept = values_of(key), 0, np.ones(STEPS, bool)
        if key == 3:
            y, first, kept = y[-6:], STEPS - 6, kept[:6]
        if key == 4:
            y[:] = 7.0
        if key == 5:
            kept[[20, 21, 50]] = False
        if key == 6:
            kept[10:70:2] = False
        parts.append(rows_of(key, y, first, kept))
    twice = rows_of(SERIES, values_of(SERIES))
    parts.append(pa.concat_tables([twice, twice.slice(3, 1)]))
    path = tmp_path_factory.mktemp("metrics") / "metrics.parquet"
    pq.write_table(pa.concat_tables(parts), path)
    return path


def job(metrics: Path, model: str = "AutoETS", **params: Any) -> dict[str, Any]:
    return {
        "name": "metrics",
        "data": {
            "uri": str(metrics), "target": "value", "groups": ["metric"], "time": "at", "step": "1h", "horizon": HORIZON,
        },
        "model": {"estimator": f"statsforecast.models.{model}", "params": params},
        "needs": {"max_failed": "50%"},
    }  # fmt: skip


@pytest.fixture(scope="module")
def run(metrics: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "run"
    trained(job(metrics, season_length=12), folder)
    return folder


def bare(model: str, y: np.ndarray, **params: Any) -> Any:
    from statsforecast import models

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(models, model)(**params).fit(y)


def test_many_series_say_what_the_bare_library_says(run: Path) -> None:
    """To the last bit, intervals too; what is wrong with a series is told of that one."""
    opened = Run(run)
    index = opened.models().to_pylist()
    why = {row["metric"]: row["why"] for row in index if row["why"]}
    assert set(why) == {"m003", "m006", "m020"}
    assert "too few" in why["m003"]
    assert "more than 20% are not filled" in why["m006"]
    assert "occur twice" in why["m020"]
    table = opened.ahead(HORIZON)
    assert table.num_rows == (SERIES - 2) * HORIZON
    for key in (0, 4, 11):
        mine = table.filter(pa.array([metric == f"m{key:03d}" for metric in table.column("metric").to_pylist()]))
        y = np.full(STEPS, 7.0) if key == 4 else values_of(key)
        said = bare("AutoETS", y, season_length=12).predict(h=HORIZON, level=[90.0])
        for column, name in (("prediction", "mean"), ("low", "lo-90.0"), ("high", "hi-90.0")):
            assert np.array_equal(mine.column(column).to_numpy(), said[name]), (key, column)
        by_rows = opened.model(f"m{key:03d}").predict(mine.select(["at"]))
        assert np.array_equal(by_rows, said["mean"])


def test_held_out_steps_are_foretold_at_once(metrics: Path, run: Path, tmp_path: Path) -> None:
    """As the score says: by the library's own forecast from before them."""
    document = {**job(metrics, season_length=12), "evaluate": {"refit": False}}
    about = trained(document, tmp_path / "run").manifest
    errors = []
    for key in [k for k in range(SERIES) if k not in (3, 6)]:
        y = np.full(STEPS, 7.0) if key == 4 else values_of(key)
        train = y[:-HORIZON].copy()
        if key == 5:
            for k in (20, 21, 50):
                train[k] = np.nan
            there = ~np.isnan(train)
            train = np.interp(np.arange(len(train)), np.flatnonzero(there), train[there])
        errors.append(y[-HORIZON:] - bare("AutoETS", train, season_length=12).predict(h=HORIZON)["mean"])
    expected = -np.sqrt(np.mean(np.concatenate(errors) ** 2))
    assert about.scores["neg_root_mean_squared_error"] == pytest.approx(expected, rel=1e-9)
    assert Run(run).manifest.scores["neg_root_mean_squared_error"] == about.scores["neg_root_mean_squared_error"]


def test_inline_or_in_forked_processes_it_is_the_same(metrics: Path, run: Path, tmp_path: Path) -> None:
    """Models byte by byte."""
    trained(job(metrics, season_length=12), tmp_path / "run", "many-models@inline")
    assert Run(tmp_path / "run").fitted()[1] == Run(run).fitted()[1]


def test_a_run_that_is_killed_ends_with_the_same_bytes(metrics: Path, run: Path, tmp_path: Path) -> None:
    """As of any other framework."""
    path = write_job(tmp_path, job(metrics, season_length=12))
    kill_after(path, tmp_path / "killed", 6.0)
    assert train(path, tmp_path / "killed")[0] == 0
    assert bytes_of(tmp_path / "killed") == bytes_of(run)


def test_drift_and_anomalies_are_seen_by_one_step(run: Path, tmp_path: Path) -> None:
    """A series whose level has moved, and one value that is far off; the others are as before."""
    parts = []
    for key in range(SERIES):
        y = values_of(key, STEPS + 60)[STEPS:]
        if key == 4:
            continue
        if key == 9:
            y = y + 9 * np.sin(np.arange(60))
        if key == 12:
            y[30] += 40
        parts.append(rows_of(key, y, STEPS))
    new = tmp_path / "new.parquet"
    pq.write_table(pa.concat_tables(parts), new)
    opened = Run(run)
    _, table = drift(opened, Asked(str(new)), tmp_path / "drift.parquet")
    rows = {row["metric"]: row for row in table.to_pylist()}
    assert {key for key, row in rows.items() if row["drifted"]} == {"m009"}
    assert {key for key, row in rows.items() if row["why"]} == {"m003", "m006"}
    assert abs(rows["m000"]["shift"]) < 0.5
    assert 0.7 < rows["m000"]["spread"] < 1.4
    anomalies(opened, Asked(str(new)), tmp_path / "anomalies.parquet")
    odd = [row for row in pq.read_table(tmp_path / "anomalies.parquet").to_pylist() if row["anomaly"]]
    assert ("m012", (START + (STEPS + 30) * HOUR).item()) in {(row["metric"], row["at"]) for row in odd}
    assert {row["metric"] for row in odd} <= {"m009", "m012"}


def test_one_series_alone(tmp_path: Path) -> None:
    """Without groups there is one model, in memory."""
    y = values_of(1, 300)
    pq.write_table(rows_of(0, y).drop_columns(["metric"]), tmp_path / "one.parquet")
    document = job(tmp_path / "one.parquet", "AutoTheta", season_length=12)
    del document["data"]["groups"], document["needs"]
    about = trained(document, tmp_path / "run").manifest
    assert about.models == 1
    table = Run(tmp_path / "run").ahead(5)
    said = bare("AutoTheta", y, season_length=12).predict(h=5, level=[90.0])
    assert np.array_equal(table.column("prediction").to_numpy(), said["mean"])
    assert np.array_equal(table.column("low").to_numpy(), said["lo-90.0"])


def test_the_plan_fits_them_one_by_one(metrics: Path, tmp_path: Path) -> None:
    """The library takes a series at a time, and so does the plan."""
    plan = plan_only(workload_of(job(metrics, season_length=12), tmp_path), tmp_path / "run")
    assert plan.decision.chosen is not None
    assert plan.decision.chosen.candidate.strategy == "many-models"
    assert plan.decision.alternatives == ()
