"""XGBoost on small real fits: forms, resuming, early stopping, and the bare library."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from fitscale.contracts import Batch
from fitscale.errors import DataError, WorkloadError
from fitscale.frameworks.boosting import round_seed
from fitscale.frameworks.xgboost import XGBoost
from fitscale.records.data import Folds
from fitscale.records.run import Estimator, Form, Recipe
from fitscale.testing.arrays import ArrayFeed, DirectContext

SAMPLED = {"n_estimators": 23, "max_depth": 4, "learning_rate": 0.5, "subsample": 0.7, "colsample_bytree": 0.6}


def rows(n: int = 2_000, classes: int = 2) -> ArrayFeed:
    """Missing values, categories, weights, and a share of rows for validation and hold-out."""
    random = np.random.default_rng(3)
    X = random.standard_normal((n, 6)).astype(np.float32)
    X[:, 5] = random.integers(0, 7, n)
    signal = X[:, 0] + X[:, 1] * X[:, 2] + (X[:, 5] == 3) + 0.5 * random.standard_normal(n)
    y = signal if classes == 0 else np.digitize(signal, np.quantile(signal, np.arange(1, classes) / classes))
    X[random.random(X.shape) < 0.1] = np.nan
    fold = random.choice(np.array([0, 0, 0, 1, 2], dtype=np.int8), n)
    return ArrayFeed(
        X,
        y,
        weight=random.random(n),
        fold=fold,
        kinds="qqqqqc",  # type: ignore[arg-type]
        categories=(0, 0, 0, 0, 0, 7),
        classes=classes,
        batch_rows=300,
    )


def recipe(
    params: dict[str, Any], *, name: str = "XGBClassifier", patience: int | None = None, metric: str = ""
) -> Recipe:
    return Recipe(
        framework="xgboost",
        estimator=Estimator(path=f"xgboost.{name}", params=params),
        encoding="",
        data="",
        target="y",
        folds=Folds(seed=0),
        seed=7,
        segment=5,
        early_stopping=patience,
        metric=metric,
    )


def fit(feed: ArrayFeed, of: Recipe, scratch: Path, *, threads: int = 1) -> tuple[bytes, DirectContext]:
    context = DirectContext(segment=5, threads=threads, scratch=scratch)
    return XGBoost().fit(feed, of, None, context).payload, context


def matrix(batch: Batch, ref: xgboost.DMatrix | None = None) -> xgboost.DMatrix:
    """The rows as somebody would hand them to the bare library."""
    names = [f"f{j}" for j in range(6)]
    kind = list("qqqqqc")
    return xgboost.DMatrix(batch.X, batch.y, weight=batch.weight, feature_names=names, feature_types=kind)


def test_forms_threads_and_batches_give_the_same_bytes(tmp_path: Path) -> None:
    """With missing values, categories, weights, sampling and early stopping."""
    feed = rows()
    of = recipe(SAMPLED, patience=4, metric="roc_auc")
    reference, context = fit(feed, of, tmp_path)
    for form, batch_rows, threads in (
        ("matrix", 300, 2),
        ("bins", 300, 1),
        ("bins", 77, 2),
        ("cache", 500, 1),
        ("cache", 77, 2),
    ):
        payload, other = fit(feed.as_form(form, batch_rows), of, tmp_path, threads=threads)  # type: ignore[arg-type]
        assert payload == reference, (form, batch_rows, threads)
        assert other.scores() == context.scores()


def test_a_checkpoint_is_carried_on_in_another_form(tmp_path: Path) -> None:
    """A smaller strategy goes on from where a larger one was ended, to the same bytes."""
    feed = rows()
    of = recipe({**SAMPLED, "monotone_constraints": {"f0": 1}}, patience=8)
    reference, context = fit(feed, of, tmp_path)
    assert sorted(context.checkpoints) == [5, 10, 15, 20]
    for units, form in zip([5, 10, 15, 20], ["cache", "bins", "matrix", "cache"], strict=True):
        again = XGBoost().fit(feed.as_form(form), of, context.checkpoints[units], context.resumed(units))  # type: ignore[arg-type]
        assert again.payload == reference, (units, form)


def test_dart_is_resumed_to_the_same_bytes(tmp_path: Path) -> None:
    """Dropped trees are drawn by the seed of the segment, too."""
    of = recipe({"n_estimators": 14, "booster": "dart", "rate_drop": 0.4, "max_depth": 3})
    reference, context = fit(rows(), of, tmp_path)
    for units, state in context.checkpoints.items():
        assert XGBoost().fit(rows(), of, state, context.resumed(units)).payload == reference
    assert not XGBoost().traits(of.estimator).early_stopping


@pytest.mark.parametrize("form", ["bins", "cache"])
def test_each_view_is_decoded_once(form: Form, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library asks for the batches several times: they come from the disk then."""
    feed = rows().as_form(form)
    decoded: list[str] = []
    read = feed.batches
    monkeypatch.setattr(feed, "batches", lambda view, rows: (decoded.append(view), read(view, rows))[1])
    fit(feed, recipe(SAMPLED, patience=3), tmp_path)
    assert decoded == ["train", "validation"]


def test_the_disk_cache_leaves_nothing_behind(tmp_path: Path) -> None:
    """XGBoost's files lie in the attempt's folder, and go with the fit."""
    fit(rows().as_form("cache"), recipe(SAMPLED, patience=3), tmp_path)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_the_matrix_is_let_go_before_the_first_round(tmp_path: Path) -> None:
    """A feed that can release its matrix is asked to, when XGBoost has its bins."""
    released: list[str] = []

    class Releasing(ArrayFeed):
        def release(self, view: str) -> None:
            assert context.reported == []
            released.append(view)

    feed = rows()
    feed.__class__ = Releasing
    context = DirectContext(segment=5, scratch=tmp_path)
    XGBoost().fit(feed, recipe(SAMPLED, patience=3), None, context)
    assert released == ["train", "validation"]


@pytest.mark.parametrize(("name", "classes"), [("XGBClassifier", 2), ("XGBClassifier", 3), ("XGBRegressor", 0)])
def test_without_sampling_it_is_the_bare_estimator(name: str, classes: int, tmp_path: Path) -> None:
    """The same predictions, to the bit, as the class that the workload names; which also reads the payload."""
    params = {"n_estimators": 12, "max_depth": 5, "learning_rate": 0.2, "gamma": 0.1, "reg_lambda": 2.0, "max_bin": 64}
    feed = rows(classes=classes)
    payload, _ = fit(feed, recipe(params, name=name), tmp_path)
    train, held = feed.matrix("train"), feed.matrix("holdout")
    bare = getattr(xgboost, name)(**params, feature_types=list("qqqqqc"), enable_categorical=True, random_state=7)
    bare.fit(train.X, train.y, sample_weight=train.weight)
    (scores,) = XGBoost().score(XGBoost().load(payload), [held])
    loaded = getattr(xgboost, name)()
    loaded.load_model(bytearray(payload))
    for model in (bare, loaded):
        assert np.array_equal(scores.value, model.predict(held.X))
        if classes:
            assert scores.proba is not None
            assert np.allclose(scores.proba, model.predict_proba(held.X), atol=1e-7, rtol=0)


def test_with_sampling_it_is_the_bare_library_under_the_rule(tmp_path: Path) -> None:
    """A Booster whose seed is set anew every five rounds has the same trees."""
    payload, _ = fit(rows(), recipe(SAMPLED), tmp_path)
    train = matrix(rows().matrix("train"))
    given = {k: v for k, v in SAMPLED.items() if k != "n_estimators"}
    booster = xgboost.Booster({**given, "objective": "binary:logistic", "seed": 7, "nthread": 1}, cache=[train])
    for at in range(23):
        if at % 5 == 0:
            booster.load_config(booster.save_config())
            booster.set_param({"seed": round_seed(7, at)})
        booster.update(train, at)
    held = matrix(rows().matrix("holdout"))
    assert np.array_equal(booster.predict(held), XGBoost().load(payload).predict(held))


def test_early_stopping_is_that_of_the_bare_estimator(tmp_path: Path) -> None:
    """It stops after the same round; the payload is cut there, so that any reader predicts with the best trees."""
    params = {"n_estimators": 200, "max_depth": 6, "learning_rate": 0.8}
    feed = rows()
    payload, context = fit(feed, recipe(params, patience=5, metric="neg_log_loss"), tmp_path)
    train, judged, held = (feed.matrix(view) for view in ("train", "validation", "holdout"))  # type: ignore[arg-type]
    bare = xgboost.XGBClassifier(
        **params,
        early_stopping_rounds=5,
        eval_metric="logloss",
        feature_types=list("qqqqqc"),
        enable_categorical=True,
    )
    bare.fit(
        train.X,
        train.y,
        sample_weight=train.weight,
        eval_set=[(judged.X, judged.y)],
        sample_weight_eval_set=[judged.weight],
        verbose=False,
    )
    history = context.scores()["neg_log_loss"]
    assert np.allclose(history, [-x for x in bare.evals_result()["validation_0"]["logloss"]], rtol=1e-12)
    native = XGBoost().load(payload)
    assert native.best_iteration == bare.best_iteration < 199
    assert native.num_boosted_rounds() == bare.best_iteration + 1
    (scores,) = XGBoost().score(native, [held])
    assert scores.proba is not None
    assert np.array_equal(scores.proba[:, 1], bare.predict_proba(held.X)[:, 1])
    assert np.array_equal(native.predict(matrix(held)), scores.proba[:, 1].astype(np.float32))


@pytest.mark.parametrize(
    ("classes", "metric"),
    [
        (2, "roc_auc"),
        (2, "average_precision"),
        (2, "neg_log_loss"),
        (2, "neg_brier_score"),
        (2, "accuracy"),
        (3, "neg_log_loss"),
        (3, "accuracy"),
        (0, "neg_root_mean_squared_error"),
        (0, "neg_mean_squared_error"),
        (0, "neg_mean_absolute_error"),
    ],
)
def test_watched_scores_are_those_of_scikit_learn(classes: int, metric: str, tmp_path: Path) -> None:
    """What is reported under scikit-learn's name has its value, on the validation rows and with their weights."""
    from sklearn import metrics as sk

    feed = rows(classes=classes)
    name = "XGBClassifier" if classes else "XGBRegressor"
    # Patience is never used up, and the last round is not always the best: compare at the best.
    payload, context = fit(feed, recipe({"n_estimators": 6}, name=name, patience=50, metric=metric), tmp_path)
    judged = feed.matrix("validation")
    (scores,) = XGBoost().score(XGBoost().load(payload), [judged])
    y, w, p = judged.y, judged.weight, scores.proba
    expected = {
        "roc_auc": lambda: sk.roc_auc_score(y, p[:, 1], sample_weight=w),
        "average_precision": lambda: sk.average_precision_score(y, p[:, 1], sample_weight=w),
        "neg_log_loss": lambda: -sk.log_loss(y, p, sample_weight=w),
        "neg_brier_score": lambda: -sk.brier_score_loss(y, p[:, 1], sample_weight=w),
        "accuracy": lambda: sk.accuracy_score(y, scores.value, sample_weight=w),
        "neg_root_mean_squared_error": lambda: -sk.root_mean_squared_error(y, scores.value, sample_weight=w),
        "neg_mean_squared_error": lambda: -sk.mean_squared_error(y, scores.value, sample_weight=w),
        "neg_mean_absolute_error": lambda: -sk.mean_absolute_error(y, scores.value, sample_weight=w),
    }[metric]()
    # average_precision: XGBoost interpolates between thresholds
    assert max(context.scores()[metric]) == pytest.approx(expected, rel=5e-3 if "average" in metric else 1e-4)


def test_early_stopping_needs_rows_and_a_metric_it_can_watch(tmp_path: Path) -> None:
    """Both are said with what to do."""
    with pytest.raises(WorkloadError, match=r"evaluate\.metric: .*cannot watch 'f1'.*roc_auc"):
        fit(rows(), recipe(SAMPLED, patience=3, metric="f1"), tmp_path)
    feed = rows()
    nothing = ArrayFeed(feed.matrix("train").X, feed.matrix("train").y)
    with pytest.raises(DataError, match=r"evaluate\.early_stopping\.validation"):
        fit(nothing, recipe(SAMPLED, patience=3), tmp_path)


def test_an_undefined_score_is_never_the_best(tmp_path: Path) -> None:
    """Validation rows of one class have no AUC: it stops, and does not fail."""
    train = rows().matrix("train")
    fold = np.zeros(len(train.y), dtype=np.int8)
    fold[np.flatnonzero(train.y == 1)[:40]] = 1
    payload, context = fit(ArrayFeed(train.X, train.y, fold=fold), recipe(SAMPLED, patience=3), tmp_path)
    assert len(context.scores()["roc_auc"]) == 4
    assert all(math.isnan(x) or x in (0.0, 0.5) for x in context.scores()["roc_auc"])
    assert XGBoost().load(payload).num_boosted_rounds() == 1


def test_the_estimators_own_seed_comes_first(tmp_path: Path) -> None:
    """random_state names the draws; without it the workload's seed does."""
    seven, _ = fit(rows(), recipe({**SAMPLED, "random_state": 7}), tmp_path)
    eight, _ = fit(rows(), recipe({**SAMPLED, "random_state": 8}), tmp_path)
    assert seven == fit(rows(), recipe(SAMPLED), tmp_path)[0] != eight


def test_column_names_that_xgboost_refuses_go_by_position(tmp_path: Path) -> None:
    """A bracket in a column's name ends no fit."""
    train = rows().matrix("train")
    feed = ArrayFeed(train.X, train.y, names=["a<b", "c", "d", "e", "f", "g"])
    payload, _ = fit(feed, recipe({"n_estimators": 2}), tmp_path)
    assert XGBoost().load(payload).feature_names is None


@pytest.mark.parametrize("n", [1, 2, 5])
def test_the_smallest_groups_are_fitted(n: int, tmp_path: Path) -> None:
    """One row makes a model: groups may be that small."""
    train = rows().matrix("train")
    payload, _ = fit(ArrayFeed(train.X[:n], train.y[:n]), recipe({"n_estimators": 6}), tmp_path)
    (scores,) = XGBoost().score(XGBoost().load(payload), [train])
    assert np.isfinite(scores.value).all()
