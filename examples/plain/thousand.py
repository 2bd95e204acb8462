"""`thousand.yaml` without fitscale: a loop over the groups; the group that cannot be fitted is caught and printed.

    python examples/plain/thousand.py demo/data/flights-poisoned.parquet [MODELS.pickle]

One thread for each fit: on groups of 287 rows more of them only cost. Nothing is kept until the end, so a loop that is
killed begins again.
"""

from __future__ import annotations

import pickle
import sys
import time
from typing import Any

import numpy as np
import pandas as pd
import xgboost as xgb
from sklearn.metrics import roc_auc_score

TARGET, GROUPS, DROP = "late", ["dest", "hour"], ["tailnum"]
PARAMS = {"n_estimators": 100, "max_depth": 4, "learning_rate": 0.05, "n_jobs": 1}


def main() -> None:
    path, out = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
    begun, cpu = time.perf_counter(), time.process_time()
    table = pd.read_parquet(path).drop(columns=DROP)
    held = np.random.default_rng(0).random(len(table)) < 0.2
    models: dict[Any, xgb.XGBClassifier] = {}
    scored = np.full(len(table), np.nan)
    unfit, failed = [], []
    labels, where = table[TARGET].to_numpy(), table.groupby(GROUPS).indices
    features = table.drop(columns=[TARGET, *GROUPS])
    for name in features.select_dtypes("object"):
        features[name] = pd.factorize(features[name])[0]
    X = features.to_numpy(np.float32)
    for key, rows in where.items():
        train, test = rows[~held[rows]], rows[held[rows]]
        if len(np.unique(labels[train])) < 2:
            unfit.append(key)
            continue
        try:
            models[key] = xgb.XGBClassifier(**PARAMS).fit(X[train], labels[train])
        except ValueError as error:
            failed.append(key)
            print(f"{key}: " + next(line for line in str(error).splitlines() if line).rsplit(": ", 1)[-1])
            continue
        if len(test):
            scored[test] = models[key].predict_proba(X[test])[:, 1]
    seen = ~np.isnan(scored)
    auc = roc_auc_score(labels[seen], scored[seen])
    if out:
        with open(out, "wb") as file:
            pickle.dump(models, file)
    print(
        f"{len(models):,} models, {len(unfit)} unfit, {len(failed)} failed, pooled roc_auc {auc:.4f}, "
        f"{time.perf_counter() - begun:.0f} s ({time.process_time() - cpu:.0f} s CPU)"
    )


if __name__ == "__main__":
    main()
