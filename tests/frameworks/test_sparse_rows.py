"""CSR matrices in the boosters: each form gives the model of the bare library on the same matrix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
import xgboost
from scipy.sparse import csr_matrix

from fitscale.records.data import Folds
from fitscale.records.run import Estimator, Recipe
from fitscale.registry import plugin
from fitscale.testing.arrays import ArrayFeed, DirectContext


def rows() -> ArrayFeed:
    random = np.random.default_rng(5)
    X = random.random((2_000, 40)) * (random.random((2_000, 40)) < 0.08)
    y = (X[:, 0] + X[:, 7] - X[:, 9] + 0.1 * random.standard_normal(2_000)) > 0
    fold = random.choice(np.array([0, 0, 0, 0, 2], dtype=np.int8), 2_000)
    return ArrayFeed(csr_matrix(X.astype(np.float32)), y, fold=fold, batch_rows=300)


def proba(path: str, feed: ArrayFeed, scratch: Path, **params: Any) -> np.ndarray:
    framework = plugin("frameworks", path.partition(".")[0])()
    recipe = Recipe(
        framework=framework.name, estimator=Estimator(path=path, params=params), encoding="", data="", target="y",
        folds=Folds(seed=0),
    )  # fmt: skip
    native = framework.load(framework.fit(feed, recipe, None, DirectContext(scratch=scratch)).payload)
    return np.concatenate([scores.proba[:, 1] for scores in framework.score(native, feed.batches("holdout"))])


@pytest.mark.parametrize("form", ["matrix", "bins", "cache"])
def test_xgboost_takes_a_csr_matrix_in_every_form(tmp_path: Path, form: Any) -> None:
    """What is not there is missing, as for the bare library."""
    feed = rows().as_form(form)
    X, y, _, _ = feed.matrix("train")
    bare = xgboost.train(
        {"objective": "binary:logistic", "max_depth": 4, "seed": 0}, xgboost.DMatrix(X, label=y), num_boost_round=12
    )
    found = proba("xgboost.XGBClassifier", feed, tmp_path, n_estimators=12, max_depth=4)
    np.testing.assert_allclose(found, bare.predict(xgboost.DMatrix(feed.matrix("holdout").X)), atol=1e-6)


@pytest.mark.parametrize("form", ["matrix", "bins"])
@pytest.mark.parametrize("sampled", [200_000, 500])
def test_lightgbm_takes_a_csr_matrix_in_every_form(tmp_path: Path, form: Any, sampled: int) -> None:
    """With bins of a sample too; what is not there is zero, as for the bare library."""
    feed = rows().as_form(form)
    X, y, _, _ = feed.matrix("train")
    params = {"n_estimators": 12, "num_leaves": 15, "subsample_for_bin": sampled}
    fixed = {"random_state": 0, "n_jobs": 1, "deterministic": True, "force_col_wise": True, "verbosity": -1}
    bare = lightgbm.LGBMClassifier(**params, **fixed).fit(X, y)
    found = proba("lightgbm.LGBMClassifier", feed, tmp_path, **params)
    np.testing.assert_allclose(found, bare.predict_proba(feed.matrix("holdout").X)[:, 1], atol=1e-9)
