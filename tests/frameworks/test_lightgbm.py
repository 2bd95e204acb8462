"""LightGBM on small real fits: forms, resuming, early stopping, and the bare library."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest

from fitscale.contracts import Batch
from fitscale.errors import DataError, WorkloadError
from fitscale.frameworks.lightgbm import LightGBM
from fitscale.frameworks.lightgbm.params import seeds_of
from fitscale.records.data import Folds
from fitscale.records.run import Estimator, Recipe
from fitscale.testing.arrays import ArrayFeed, DirectContext

# Bins are made of a part of the rows, as they are where there are many.
SAMPLED = {
    "n_estimators": 33, "num_leaves": 15, "learning_rate": 0.3, "subsample_for_bin": 500, "max_bin": 63,
    "subsample": 0.7, "subsample_freq": 1, "colsample_bytree": 0.6, "min_data_per_group": 20,
}  # fmt: skip
PLAIN = {k: v for k, v in SAMPLED.items() if k not in ("subsample", "subsample_freq", "colsample_bytree")}


def rows(n: int = 2_000, classes: int = 2) -> ArrayFeed:
    """Missing values, zeros, categories with rare ones, weights, and a share of rows for validation and hold-out."""
    random = np.random.default_rng(3)
    X = random.standard_normal((n, 6)).astype(np.float32)
    X[:, 5] = np.minimum(random.geometric(0.2, n), 12) - 1
    signal = X[:, 0] + X[:, 1] * X[:, 2] + (X[:, 5] == 3) + 0.5 * random.standard_normal(n)
    y = signal if classes == 0 else np.digitize(signal, np.quantile(signal, np.arange(1, classes) / classes))
    X[random.random(n) < 0.5, 4] = 0
    X[random.random(X.shape) < 0.1] = np.nan
    fold = random.choice(np.array([0, 0, 0, 1, 2], dtype=np.int8), n)
    return ArrayFeed(
        X,
        y,
        weight=random.random(n),
        fold=fold,
        kinds="qqqqqc",  # type: ignore[arg-type]
        categories=(0, 0, 0, 0, 0, 12),
        classes=classes,
        batch_rows=300,
    )


def recipe(
    params: dict[str, Any], *, name: str = "LGBMClassifier", patience: int | None = None, metric: str = ""
) -> Recipe:
    return Recipe(
        framework="lightgbm",
        estimator=Estimator(path=f"lightgbm.{name}", params=params),
        encoding="",
        data="",
        target="y",
        folds=Folds(seed=0),
        seed=7,
        segment=10,
        early_stopping=patience,
        metric=metric,
    )


def fit(feed: ArrayFeed, of: Recipe, scratch: Path, *, threads: int = 1) -> tuple[bytes, DirectContext]:
    context = DirectContext(segment=10, threads=threads, scratch=scratch)
    return LightGBM().fit(feed, of, None, context).payload, context


def bare(name: str, params: dict[str, Any], train: Batch, *, way: str = "force_col_wise", **more: Any) -> Any:
    """The estimator that the workload names, as a script would fit it."""
    fixed = {"random_state": 7, "n_jobs": 1, "deterministic": True, way: True, "verbosity": -1}
    estimator = getattr(lightgbm, name)(**params, **fixed)
    return estimator.fit(train.X, train.y, sample_weight=train.weight, categorical_feature=[5], **more)


def trees(text: str) -> str:
    """The part of a model's text that predicts."""
    return text[text.index("\nTree=0") : text.index("end of trees")]


def test_forms_and_batches_give_the_same_bytes(tmp_path: Path) -> None:
    """With missing values, categories, weights, sampling and early stopping."""
    feed = rows()
    of = recipe(SAMPLED, patience=8, metric="roc_auc")
    reference, context = fit(feed, of, tmp_path)
    for form, batch_rows in (("matrix", 77), ("bins", 300), ("bins", 77), ("bins", 10_000)):
        payload, other = fit(feed.as_form(form, batch_rows), of, tmp_path)  # type: ignore[arg-type]
        assert payload == reference, (form, batch_rows)
        assert other.scores() == context.scores()


def test_a_checkpoint_is_carried_on_in_another_form(tmp_path: Path) -> None:
    """A smaller strategy goes on from where a larger one was ended, to the same bytes."""
    feed = rows()
    of = recipe({**SAMPLED, "monotone_constraints": {"f0": 1}}, patience=30)
    reference, context = fit(feed, of, tmp_path)
    assert sorted(context.checkpoints) == [10, 20, 30]
    for units, form in zip([10, 20, 30], ["bins", "matrix", "bins"], strict=True):
        again = LightGBM().fit(feed.as_form(form), of, context.checkpoints[units], context.resumed(units))  # type: ignore[arg-type]
        assert again.payload == reference, (units, form)


@pytest.mark.parametrize(
    ("name", "classes", "params"),
    [
        ("LGBMClassifier", 3, {"objective": "ova", "extra_trees": True}),
        ("LGBMClassifier", 2, {"is_unbalance": True, "use_quantized_grad": True}),
        ("LGBMRegressor", 0, {"objective": "mae", "subsample": 0.5, "subsample_freq": 4}),
        ("LGBMRegressor", 0, {"linear_tree": True, "colsample_bynode": 0.5}),
        ("LGBMRegressor", 0, {"objective": "quantile", "alpha": 0.3, "bagging_seed": 5}),
    ],
)
def test_what_draws_or_renews_its_leaves_is_resumed_to_the_same_bytes(
    name: str, classes: int, params: dict[str, Any], tmp_path: Path
) -> None:
    """Random numbers of rows, columns, splits and gradients; leaves that are computed anew from the residuals."""
    feed = rows(classes=classes)
    of = recipe({**PLAIN, **params}, name=name)
    segment = LightGBM().traits(of.estimator).segment
    context = DirectContext(segment=segment, scratch=tmp_path)
    reference = LightGBM().fit(feed, of, None, context)
    assert len(context.checkpoints) > 1
    for units, state in context.checkpoints.items():
        assert LightGBM().fit(feed, of, state, context.resumed(units)) == reference


@pytest.mark.parametrize(("name", "classes"), [("LGBMClassifier", 2), ("LGBMClassifier", 3), ("LGBMRegressor", 0)])
def test_without_draws_it_is_the_bare_estimator(name: str, classes: int, tmp_path: Path) -> None:
    """The same trees as the class that the workload names, to the letter; and so the same predictions."""
    feed = rows(classes=classes)
    train, held = feed.matrix("train"), feed.matrix("holdout")
    payload, _ = fit(feed.as_form("bins"), recipe(PLAIN, name=name), tmp_path)
    model = bare(name, PLAIN, train)
    native = LightGBM().load(payload)
    (scores,) = LightGBM().score(native, [held])
    assert trees(payload.decode()) == trees(model.booster_.model_to_string())
    assert np.array_equal(scores.value, model.predict(held.X))
    if classes:
        assert scores.proba is not None
        assert np.allclose(scores.proba, model.predict_proba(held.X), rtol=0, atol=1e-15)


def test_histograms_by_rows_are_the_bare_librarys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where they are faster: in both forms, and gone on with in the other one."""
    monkeypatch.setattr("fitscale.frameworks.lightgbm.params.MANY_ROWS", 1_000)
    feed, of = rows(), recipe(PLAIN)
    payload, context = fit(feed, of, tmp_path)
    assert fit(feed.as_form("bins"), of, tmp_path)[0] == payload
    again = LightGBM().fit(feed.as_form("bins"), of, context.checkpoints[20], context.resumed(20))
    assert again.payload == payload
    model = bare("LGBMClassifier", PLAIN, feed.matrix("train"), way="force_row_wise")
    assert trees(payload.decode()) == trees(model.booster_.model_to_string())
    assert "[force_row_wise: 1]" in payload.decode()


@pytest.mark.parametrize(
    "params",
    [{"boosting_type": "dart"}, {"boosting_type": "rf", **SAMPLED}, {"data_sample_strategy": "goss"}],
    ids=["dart", "rf", "goss"],
)
def test_what_keeps_no_progress_is_the_bare_estimator(params: dict[str, Any], tmp_path: Path) -> None:
    """It is never begun anew, and so draws as the bare library does."""
    params = {**PLAIN, "n_estimators": 25, **params}
    payload, context = fit(rows(), recipe(params), tmp_path)
    assert not context.checkpoints
    model = bare("LGBMClassifier", params, rows().matrix("train"))
    assert trees(payload.decode()) == trees(model.booster_.model_to_string())


def test_with_draws_it_is_the_bare_library_in_segments(tmp_path: Path) -> None:
    """What `lightgbm.train` gives, ten rounds at a time, each from the model before and with the seeds of its segment."""
    feed = rows()
    payload, _ = fit(feed, recipe(SAMPLED), tmp_path)
    train = feed.matrix("train")
    given = {k: v for k, v in SAMPLED.items() if k != "n_estimators"}
    fixed = {"objective": "binary", "deterministic": True, "force_col_wise": True, "verbosity": -1, "num_threads": 1}
    binned = lightgbm.Dataset(
        train.X, train.y, weight=train.weight, categorical_feature=[5], params={**given, **fixed, "seed": 7},
        free_raw_data=False,
    ).construct()  # fmt: skip
    model = None
    for at in (0, 10, 20, 30):
        params = {**given, **fixed, **seeds_of({"seed": 7}, at)}
        model = lightgbm.train(params, binned, min(10, 33 - at), init_model=model)
    assert model is not None
    assert trees(payload.decode()) == trees(model.model_to_string())


def test_the_first_segment_is_the_bare_estimator_with_draws_too(tmp_path: Path) -> None:
    """The seeds of the first rounds are those that were given."""
    params = {**SAMPLED, "n_estimators": 10}
    payload, _ = fit(rows(), recipe(params), tmp_path)
    model = bare("LGBMClassifier", params, rows().matrix("train"))
    assert trees(payload.decode()) == trees(model.booster_.model_to_string())


def test_early_stopping_is_that_of_the_bare_estimator(tmp_path: Path) -> None:
    """It stops after the same round; the payload is cut there, so that any reader predicts with the best trees."""
    params = {**PLAIN, "n_estimators": 200}
    feed = rows()
    payload, context = fit(feed, recipe(params, patience=5, metric="neg_log_loss"), tmp_path)
    judged, held = feed.matrix("validation"), feed.matrix("holdout")
    model = bare(
        "LGBMClassifier",
        params,
        feed.matrix("train"),
        eval_X=judged.X,
        eval_y=judged.y,
        eval_sample_weight=[judged.weight],
        eval_metric="binary_logloss",
        callbacks=[lightgbm.early_stopping(5, verbose=False)],
    )
    history = context.scores()["neg_log_loss"]
    (measured,) = (of["binary_logloss"] for of in model.evals_result_.values())
    assert np.allclose(history, [-x for x in measured], rtol=1e-12)
    native = LightGBM().load(payload)
    assert native.current_iteration() == model.best_iteration_ < 195
    (scores,) = LightGBM().score(native, [held])
    assert scores.proba is not None
    assert np.array_equal(scores.proba, model.predict_proba(held.X))


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
    name = "LGBMClassifier" if classes else "LGBMRegressor"
    # Patience is never used up, and the last round is not always the best: compare at the best.
    of = recipe({**PLAIN, "n_estimators": 6}, name=name, patience=50, metric=metric)
    payload, context = fit(feed, of, tmp_path)
    judged = feed.matrix("validation")
    (scores,) = LightGBM().score(LightGBM().load(payload), [judged])
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
    assert max(context.scores()[metric]) == pytest.approx(expected, rel=1e-6)


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
    assert all(math.isnan(x) or x == 1.0 for x in context.scores()["roc_auc"])
    assert LightGBM().load(payload).current_iteration() == 1


def test_the_matrix_is_let_go_before_the_first_round(tmp_path: Path) -> None:
    """A feed that can release its matrix is asked to, when LightGBM has its bins."""
    released: list[str] = []

    class Releasing(ArrayFeed):
        def release(self, view: str) -> None:
            assert context.reported == []
            released.append(view)

    feed = rows()
    feed.__class__ = Releasing
    context = DirectContext(segment=10, scratch=tmp_path)
    LightGBM().fit(feed, recipe(SAMPLED, patience=3), None, context)
    assert released == ["train", "validation"]


def test_balanced_classes_are_those_of_the_bare_estimator(tmp_path: Path) -> None:
    """Each class weighs the same, beside the weights of the rows."""
    feed = rows()
    few = np.flatnonzero((feed.matrix("train").y == 0) | (np.arange(feed.count("train")) % 5 == 0))
    train = Batch(*(column[few] for column in feed.matrix("train")))
    part = ArrayFeed(train.X, train.y, weight=train.weight, kinds="qqqqqc", categories=(0, 0, 0, 0, 0, 12))  # type: ignore[arg-type]
    payload, _ = fit(part, recipe({**PLAIN, "class_weight": "balanced"}), tmp_path)
    model = bare("LGBMClassifier", {**PLAIN, "class_weight": "balanced"}, train)
    held = feed.matrix("holdout")
    (scores,) = LightGBM().score(LightGBM().load(payload), [held])
    assert scores.proba is not None
    assert np.allclose(scores.proba, model.predict_proba(held.X), rtol=1e-5)
    assert payload != fit(part, recipe(PLAIN), tmp_path)[0]


def test_the_estimators_own_seed_comes_first(tmp_path: Path) -> None:
    """random_state names the draws; without it the workload's seed does."""
    seven, _ = fit(rows(), recipe({**SAMPLED, "random_state": 7}), tmp_path)
    eight, _ = fit(rows(), recipe({**SAMPLED, "random_state": 8}), tmp_path)
    assert seven == fit(rows(), recipe(SAMPLED), tmp_path)[0] != eight


def test_rounds_without_a_split_end_the_fit_or_are_passed_over(tmp_path: Path) -> None:
    """Without draws nothing comes after one; with them the next may find one. Resumed to the same bytes, too."""
    feed = rows()
    steep = {**PLAIN, "n_estimators": 60, "min_split_gain": 3.0}
    few = {**steep, "subsample": 0.4, "subsample_freq": 1, "min_split_gain": 9.0}  # whole segments find none
    for params in (steep, few):
        context = DirectContext(segment=10, scratch=tmp_path)
        fitted = LightGBM().fit(feed, recipe(params), None, context)
        grown = LightGBM().load(fitted.payload).current_iteration()
        assert grown < fitted.units == context.reported[-1][0]
        assert (fitted.units == 60) == ("subsample" in params)
        assert context.checkpoints
        for units, state in context.checkpoints.items():
            assert LightGBM().fit(feed, recipe(params), state, context.resumed(units)) == fitted


def test_column_names_reach_the_model_where_it_takes_them(tmp_path: Path) -> None:
    """A bracket in a column's name ends no fit: columns go by position then."""
    train = rows().matrix("train")
    for names, told in (
        (["a b", "c", "d", "e", "f", "größe"], ["a_b", "c", "d", "e", "f", "größe"]),
        (["a[b]", "c", "d", "e", "f", "g"], [f"Column_{j}" for j in range(6)]),
    ):
        payload, _ = fit(ArrayFeed(train.X, train.y, names=names), recipe({"n_estimators": 2}), tmp_path)
        assert LightGBM().load(payload).feature_name() == told


@pytest.mark.parametrize("n", [1, 2, 5])
def test_the_smallest_groups_are_fitted(n: int, tmp_path: Path) -> None:
    """One row makes a model, two with draws over several segments: groups may be that small."""
    train = rows().matrix("train")
    for params in ({"n_estimators": 6}, {"boosting": "dart", "n_estimators": 6}, SAMPLED)[: 2 if n == 1 else 3]:
        payload, _ = fit(ArrayFeed(train.X[:n], train.y[:n]), recipe(params), tmp_path)
        (scores,) = LightGBM().score(LightGBM().load(payload), [train])
        assert np.isfinite(scores.value).all()
