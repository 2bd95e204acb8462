"""How models are judged, through the whole run: folds, weights, cross-validation, early stopping, refit, metrics, targets."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from doing import held_out, results_of, said_of, trained
from killing import bytes_of

import fitscale
from fitscale.errors import WorkloadError
from fitscale.store import chunks, lookup, versions

N = 3000


def rows(n: int = N) -> dict[str, Any]:
    """Two numbers, a shop, a day in no order, a weight, and targets of every kind that hang on them."""
    random = np.random.default_rng(1)
    a, b = random.normal(size=(2, n))
    signal = a - 0.7 * b + 0.5 * random.normal(size=n)
    day = random.integers(0, 200, n)
    return {
        "a": a,
        "b": b,
        "shop": random.integers(0, 40, n),
        "day": [datetime(2026, 1, 1) + timedelta(days=int(d)) for d in day],
        "w": random.exponential(size=n),
        "binary": (signal > 0).astype(np.int64),
        "mood": np.array(["cold", "warm", "hot"])[np.digitize(signal, [-0.5, 0.5])],
        "yes": signal > 0,
        "value": signal,
        "sunday": ((day + 3) % 7 == 6).astype(np.int64),  # 1 January 2026 was a Thursday
    }


ROWS = rows()
TARGETS = ("binary", "mood", "yes", "value", "sunday")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rows") / "rows.parquet"
    pq.write_table(pa.table(ROWS), path, row_group_size=700)
    return path


def job(table: Path, target: str = "binary", estimator: str | None = None, **more: Any) -> dict[str, Any]:
    """Depth-limited trees on a, b and the shop."""
    data = {
        "uri": str(table),
        "target": target,
        "features": {"drop": [name for name in (*TARGETS, "day", "w") if name != target]},
    } | more.pop("data", {})
    made = {"estimator": estimator or f"sklearn.tree.DecisionTree{'Regressor' if target == 'value' else 'Classifier'}"}
    params = more.pop("params", {"max_depth": 4} if estimator is None else {})
    return {"name": "judged", "seed": 5, "data": data, "model": {**made, "params": params}, **more}


def boosted(table: Path, target: str = "binary", **more: Any) -> dict[str, Any]:
    kind = "Regressor" if target == "value" else "Classifier"
    return job(table, target, f"xgboost.XGB{kind}", params={"n_estimators": 60, "max_depth": 4}, **more)


def of_rows(run: Path, column: str, fit: str | None = None) -> np.ndarray:
    """The values of a column in the held-out rows."""
    return np.asarray(ROWS[column])[held_out(run, fit=fit).column("row").to_numpy()]


def n_train(run: Path, fit: str) -> int:
    recipe = versions.manifest(run, 1).recipes[fit]
    (result,) = results_of(run)[recipe.digest]
    return int(chunks.read_table(run, result.table).column("n_train")[0].as_py())


# Which rows are held out.


def test_by_time_the_latest_rows_are_held_out(tmp_path: Path, table: Path) -> None:
    """A fifth, and no row that is trained on is later than one that is judged; the validation rows lie between."""
    data = {"time": "day"}
    early = {"rounds": 3, "validation": "15%"}
    run = tmp_path / "run"
    trained(boosted(table, data=data, evaluate={"by": "time", "early_stopping": early}), run, "in-memory@inline")
    held = held_out(run).column("row").to_numpy()
    assert len(held) == pytest.approx(0.2 * N, rel=0.1)
    day = np.asarray(ROWS["day"])
    assert np.delete(day, held).max() < day[held].min()
    assert n_train(run, "fit") == pytest.approx(0.8 * 0.85 * N, rel=0.1)


def test_by_a_column_no_value_is_on_both_sides(tmp_path: Path, table: Path) -> None:
    """Every row of a shop is trained on, or every row is held out."""
    run = tmp_path / "run"
    trained(job(table, evaluate={"by": "shop"}), run, "in-memory@inline")
    held = held_out(run).column("row").to_numpy()
    shop = np.asarray(ROWS["shop"])
    assert 0 < len(held) < N / 2
    assert not set(shop[held]) & set(np.delete(shop, held))
    assert n_train(run, "fit") == N - len(held)


@pytest.mark.parametrize("by", ["random", "shop"])
def test_a_cross_validation_judges_every_row_once(tmp_path: Path, table: Path, by: str) -> None:
    """A score for each part and their mean; the model of the version is trained on all rows."""
    from sklearn.metrics import roc_auc_score

    run = tmp_path / "run"
    about = trained(job(table, evaluate={"cv": 3, "by": by}), run, "in-memory@inline").manifest
    assert list(about.recipes) == ["cv 1/3", "cv 2/3", "cv 3/3", "final"]
    parts = [held_out(run, fit=f"cv {k}/3") for k in (1, 2, 3)]
    numbers = np.concatenate([part.column("row").to_numpy() for part in parts])
    assert sorted(numbers) == list(range(N))
    for k, part in enumerate(parts, 1):
        expected = roc_auc_score(part.column("y").to_numpy(), part.column("p1").to_numpy())
        assert about.scores[f"roc_auc: cv {k}/3"] == pytest.approx(expected)
        assert n_train(run, f"cv {k}/3") == N - part.num_rows
    assert about.scores["roc_auc"] == pytest.approx(np.mean([about.scores[f"roc_auc: cv {k}/3"] for k in (1, 2, 3)]))
    assert n_train(run, "final") == N
    if by == "shop":
        sides = [set(of_rows(run, "shop", f"cv {k}/3")) for k in (1, 2, 3)]
        assert sum(map(len, sides)) == len(set.union(*sides))


def test_the_seed_draws_the_rows(tmp_path: Path, table: Path) -> None:
    """Another seed holds out others; the same seed the same, whatever the estimator."""
    held = {}
    for name, document in {
        "five": job(table),
        "again": job(table, estimator="sklearn.naive_bayes.GaussianNB"),
        "six": job(table) | {"seed": 6},
    }.items():
        trained(document, tmp_path / name, "in-memory@inline")
        held[name] = held_out(tmp_path / name).column("row").to_pylist()
    assert held["five"] == held["again"]
    assert held["five"] != held["six"]


# What is trained on.


def test_weights_change_the_model_and_the_score(tmp_path: Path, table: Path) -> None:
    """The fit and the metric take them; the column is no feature."""
    from sklearn.metrics import roc_auc_score

    plain, weighted = tmp_path / "plain", tmp_path / "weighted"
    trained(job(table), plain, "in-memory@inline")
    about = trained(job(table, data={"weight": "w"}), weighted, "in-memory@inline").manifest
    table_ = held_out(weighted)
    w = table_.column("weight").to_numpy()
    np.testing.assert_allclose(w, np.asarray(ROWS["w"])[table_.column("row").to_numpy()], rtol=1e-6)
    expected = roc_auc_score(table_.column("y").to_numpy(), table_.column("p1").to_numpy(), sample_weight=w)
    assert about.scores["roc_auc"] == pytest.approx(expected)
    assert not np.array_equal(said_of(held_out(plain)), said_of(table_))
    assert (
        fitscale.open_run(weighted).model().native.n_features_in_
        == fitscale.open_run(plain).model().native.n_features_in_
    )


def test_refit_takes_the_number_of_rounds_that_early_stopping_found(tmp_path: Path, table: Path) -> None:
    """The judged model ends at its best round by its own validation rows; the final one has as many trees, from all rows."""
    run = tmp_path / "run"
    evaluate = {"early_stopping": {"rounds": 5, "validation": "20%"}, "refit": True}
    about = trained(boosted(table, evaluate=evaluate), run, "in-memory@inline").manifest
    judged, final = about.recipes["fit"], about.recipes["final"]
    (result,) = results_of(run)[judged.digest]
    (scores,) = result.scores.values()
    best = int(np.argmax(scores)) + 1  # areas under the curve
    assert len(scores) == best + 5 < 60
    assert final.estimator.params["n_estimators"] == best
    assert fitscale.open_run(run).model().native.num_boosted_rounds() == best
    assert (final.early_stopping, final.folds.validation, final.folds.holdout) == (None, 0.0, 0.0)
    assert n_train(run, "final") == N
    assert n_train(run, "fit") == pytest.approx(0.8 * 0.8 * N, rel=0.05)
    assert about.scores["roc_auc"] is not None


def test_a_share_of_the_rows(tmp_path: Path, table: Path) -> None:
    """``use: 20%`` trains and judges on a fifth of the rows, drawn by seed, spread over the file."""
    run = tmp_path / "run"
    trained(job(table, data={"use": "20%"}), run, "in-memory@inline")
    held = held_out(run).column("row").to_numpy()
    assert n_train(run, "fit") + len(held) == N // 5
    assert held.min() < N / 4
    assert held.max() > 3 * N / 4


def test_a_filter(tmp_path: Path, table: Path) -> None:
    """``where`` leaves rows out before anything is drawn: the same as a file without them."""
    where, without = tmp_path / "where", tmp_path / "without"
    trained(job(table, data={"where": "shop < 10 and day >= '2026-02-01'"}), where, "in-memory@inline")
    kept = pa.table(ROWS).filter(
        pa.array((np.asarray(ROWS["shop"]) < 10) & (np.asarray(ROWS["day"]) >= datetime(2026, 2, 1)))
    )
    pq.write_table(kept, tmp_path / "kept.parquet", row_group_size=100)
    trained(job(tmp_path / "kept.parquet"), without, "in-memory@inline")
    assert held_out(where).equals(held_out(without))
    assert n_train(where, "fit") + held_out(where).num_rows == kept.num_rows


def test_a_moment_becomes_features(tmp_path: Path, table: Path) -> None:
    """What hangs on the day of the week is learnt from a column of days, and the model takes days as they are."""
    drop = [name for name in ROWS if name not in ("day", "sunday", "a")]
    run = tmp_path / "run"
    about = trained(job(table, "sunday", data={"features": {"drop": drop}}), run, "in-memory@inline").manifest
    assert about.scores["roc_auc"] == 1.0
    days = [datetime(2026, 11, 22), datetime(2026, 11, 23)]  # a Sunday and a Monday
    assert fitscale.open_run(run).model().predict({"day": days, "a": [0.0, 0.0]}).tolist() == [1, 0]


# Targets and metrics.


@pytest.mark.parametrize("framework", ["sklearn", "xgboost"])
@pytest.mark.parametrize("target", ["binary", "mood", "yes", "value"])
def test_targets_of_every_kind(tmp_path: Path, table: Path, target: str, framework: str) -> None:
    """Two classes, three with words, true and false, values: predict answers in the target's own words, and well."""
    run = tmp_path / "run"
    trained((boosted if framework == "xgboost" else job)(table, target), run, "in-memory@inline")
    model = fitscale.open_run(run).model()
    held = held_out(run).column("row").to_numpy()
    truth = np.asarray(ROWS[target])[held]
    said = model.predict(pa.table({name: np.asarray(ROWS[name])[held] for name in ("a", "b", "shop")}))
    if target == "value":
        assert np.corrcoef(truth, said)[0, 1] > 0.7
        assert model.classes is None
        return
    assert list(model.classes) == sorted(set(ROWS[target].tolist()))
    assert {type(word) for word in said.tolist()} == {type(truth.tolist()[0])}
    assert np.mean(truth == said) > 0.6
    proba = model.predict_proba(pa.table({name: np.asarray(ROWS[name])[held] for name in ("a", "b", "shop")}))
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    stored = said_of(held_out(run))
    np.testing.assert_allclose(proba if target == "mood" else proba[:, [1]], stored, rtol=1e-6)


METRICS = [
    ("binary", None),
    ("binary", "average_precision"),
    ("binary", "f1"),
    ("binary", "neg_brier_score"),
    ("binary", "matthews_corrcoef"),
    ("mood", None),
    ("mood", "accuracy"),
    ("mood", "f1_macro"),
    ("mood", "balanced_accuracy"),
    ("mood", "roc_auc_ovr"),
    ("value", None),
    ("value", "r2"),
    ("value", "neg_median_absolute_error"),
    ("value", "neg_mean_absolute_percentage_error"),
    ("value", "d2_absolute_error_score"),
]
DEFAULTS = {"binary": "roc_auc", "mood": "neg_log_loss", "value": "neg_root_mean_squared_error"}


@pytest.mark.parametrize(("target", "name"), METRICS)
def test_a_metric_by_scikit_learns_name(tmp_path: Path, table: Path, target: str, name: str | None) -> None:
    """The version's score is what scikit-learn's scorer of that name gives for the library's own model on the held-out rows."""
    from sklearn.metrics import get_scorer

    run = tmp_path / "run"
    evaluate = {"metric": name} if name else {}
    about = trained(job(table, target, evaluate=evaluate), run, "in-memory@inline").manifest
    assert about.metric == (name or DEFAULTS[target])
    model = fitscale.open_run(run).model()
    held = held_out(run)
    at = held.column("row").to_numpy()
    X = model.encoding.apply(pa.table({n: np.asarray(ROWS[n])[at] for n in ("a", "b", "shop")}).to_batches()[0])
    expected = get_scorer(about.metric)(model.native, X, held.column("y").to_numpy())
    assert about.scores[about.metric] == pytest.approx(expected)


def test_a_metric_that_does_not_fit_the_target(tmp_path: Path, table: Path) -> None:
    """It is refused before anything is trained, or by the first fit, with its place."""
    with pytest.raises(WorkloadError, match=r"evaluate\.metric"):
        trained(job(table, "value", evaluate={"metric": "roc_auc"}), tmp_path / "run", "in-memory@inline")
    evaluate = {"metric": "neg_median_absolut_error"}
    with pytest.raises(WorkloadError, match=r"evaluate\.metric.*neg_median_absolute_error"):
        trained(job(table, "value", evaluate=evaluate), tmp_path / "run", "in-memory@inline")


def test_each_model_of_many_has_its_score(tmp_path: Path, table: Path) -> None:
    """The metric of each group over its held-out rows, null where it is undefined; the pooled one over all."""
    from sklearn.metrics import roc_auc_score

    run = tmp_path / "run"
    about = trained(job(table, data={"groups": ["shop"]}), run, "many-models@inline").manifest
    held = held_out(run)
    y, p = held.column("y").to_numpy(), held.column("p1").to_numpy()
    assert about.scores["roc_auc"] == pytest.approx(roc_auc_score(y, p))
    shop = np.asarray(ROWS["shop"])[held.column("row").to_numpy()]
    for record in lookup.Index(run, 1).table.select(["shop", "score"]).to_pylist():
        own = shop == record["shop"]
        one = len(set(y[own])) < 2
        assert record["score"] == (None if one else pytest.approx(roc_auc_score(y[own], p[own])))


def test_a_group_without_validation_rows_is_unfit(tmp_path: Path) -> None:
    """Early stopping has nothing to look at there: listed apart, and no failure of the group's."""
    random = np.random.default_rng(3)
    size = {0: 200, 1: 200, 2: 3, 3: 3, 4: 3}
    g = np.concatenate([np.full(n, k) for k, n in size.items()])
    y = np.tile([0, 1], len(g))[: len(g)]
    pq.write_table(pa.table({"a": random.normal(size=len(g)), "g": g, "y": y}), tmp_path / "rows.parquet")
    document = {
        "name": "small",
        "data": {"uri": "rows.parquet", "target": "y", "groups": ["g"]},
        "evaluate": {"holdout": "1%", "early_stopping": {"rounds": 3, "validation": "20%"}},
        "model": {"estimator": "xgboost.XGBClassifier", "params": {"n_estimators": 5}},
    }
    about = trained(document, tmp_path / "run", "many-models").manifest
    assert (about.models, about.failed, about.unfit) == (2, 0, 3)
    assert "no validation rows for early stopping" in {f["why"] for f in versions.failures(tmp_path / "run", 1)}


# From Python.


def test_a_live_pipeline_on_a_frame(tmp_path: Path) -> None:
    """Words, numbers and missing values in a frame, through a Pipeline of the user's: judged, and it predicts words."""
    pd = pytest.importorskip("pandas")
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    frame = pd.DataFrame({name: ROWS[name] for name in ("a", "b", "mood")})
    frame["side"] = np.where(frame.a > 0, "left", "right")
    frame.loc[::9, "b"] = np.nan
    encode = make_column_transformer((OneHotEncoder(), ["side"]), (SimpleImputer(), ["a", "b"]))
    workload = {
        "data": {"uri": frame, "target": "mood"},
        "evaluate": {"metric": "accuracy"},
        "model": {"estimator": make_pipeline(encode, LogisticRegression(max_iter=500))},
    }
    run = fitscale.train(workload, tmp_path / "run")
    assert run.score is not None
    assert run.score > 0.6
    said = run.model().predict(frame)
    assert set(said) <= {"cold", "warm", "hot"}
    assert np.mean(said == frame.mood) > 0.6
    before = bytes_of(tmp_path / "run")
    assert fitscale.train(workload, tmp_path / "run", fresh=True).version == 2
    assert bytes_of(tmp_path / "run")["index.parquet"] == before["index.parquet"]
