"""The model of a run, fitted once more by the bare library on the run's own matrix: prints the largest difference.

python same.py RUN
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from fitscale import open_run
from fitscale.contracts import Batch
from fitscale.data.feed import make_feed
from fitscale.records.run import Task
from fitscale.store import folder
from fitscale.work.feeding import encoding_of, reader_of


def main() -> None:
    run = Path(sys.argv[1])
    (name,) = (path.parent.name for path in run.glob("tasks/*/task.json"))
    task = folder.read_task(run, name)
    reader = reader_of(run, task, threads=2)
    feed = make_feed(reader, task.data, encoding_of(run, task, reader, keep=False), task.recipe.folds)
    train, held = feed.matrix("train"), feed.matrix("holdout")
    histogram = "HistGradientBoosting" in task.recipe.estimator.path
    fit = {"xgboost": boosted, "lightgbm": leaf_wise, "sklearn": histogram_boosted if histogram else estimated}[
        task.recipe.framework
    ]
    theirs = fit(task, train, held, list(feed.kinds), feed.categories)
    model = open_run(run).model()
    ours = next(model._framework.score(model.native, [held])).proba[:, 1]
    print(json.dumps({"rows": len(held.y), "largest": float(np.abs(ours - theirs).max())}))


def boosted(task: Task, train: Batch, held: Batch, kinds: list[Any], _: tuple[int, ...]) -> np.ndarray:
    import xgboost

    params = dict(task.recipe.estimator.params)
    rounds = params.pop("n_estimators")
    columns = {"feature_types": kinds, "enable_categorical": True}
    params |= {"nthread": 2, "seed": task.recipe.seed}
    model = xgboost.train(params, xgboost.DMatrix(train.X, train.y, **columns), rounds)
    return np.asarray(model.predict(xgboost.DMatrix(held.X, **columns)), np.float64)


def leaf_wise(task: Task, train: Batch, held: Batch, kinds: list[Any], _: tuple[int, ...]) -> np.ndarray:
    import lightgbm

    fixed = {"random_state": task.recipe.seed, "n_jobs": 2, "verbosity": -1}
    exact = {"deterministic": True, "force_row_wise": True}  # which of two sums is faster is otherwise tried
    model = lightgbm.LGBMClassifier(**task.recipe.estimator.params, **fixed, **exact)
    categories = [i for i, kind in enumerate(kinds) if kind == "c"]
    model.fit(train.X, train.y.astype(np.int64), categorical_feature=categories)
    return np.asarray(model.predict_proba(held.X)[:, 1], np.float64)


def estimated(task: Task, train: Batch, held: Batch, *_: Any) -> np.ndarray:
    module, _, name = task.recipe.estimator.path.rpartition(".")
    model = getattr(importlib.import_module(module), name)(**task.recipe.estimator.params)
    model.set_params(random_state=task.recipe.seed, n_jobs=2)
    exact = np.float64 if name == "LogisticRegression" else np.float32  # as the run gives them
    model.fit(train.X.astype(exact, copy=False), train.y.astype(np.int64))
    return np.asarray(model.predict_proba(held.X.astype(exact, copy=False))[:, 1], np.float64)


def histogram_boosted(task: Task, train: Batch, held: Batch, kinds: list[Any], many: tuple[int, ...]) -> np.ndarray:
    from sklearn.ensemble import HistGradientBoostingClassifier

    categorical = [kind == "c" and n <= 255 for kind, n in zip(kinds, many, strict=True)]
    model = HistGradientBoostingClassifier(
        **task.recipe.estimator.params, categorical_features=categorical, random_state=task.recipe.seed
    )
    return np.asarray(model.fit(train.X, train.y.astype(np.int64)).predict_proba(held.X)[:, 1], np.float64)


if __name__ == "__main__":
    main()
