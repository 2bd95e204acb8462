"""`fits.yaml` without fitscale: one XGBoost model in memory, scored on a random fifth of the rows.

python examples/plain/fits.py demo/data/flights.parquet [MODEL.ubj]
"""

from __future__ import annotations

import sys
import time

import numpy as np
import pandas as pd
import xgboost as xgb
from sklearn.metrics import roc_auc_score

TARGET, DROP = "late", ["tailnum"]
PARAMS = {"n_estimators": 500, "max_depth": 8, "learning_rate": 0.1}


def main() -> None:
    path, out = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
    begun = time.perf_counter()
    table = pd.read_parquet(path).drop(columns=DROP)
    y = table.pop(TARGET).to_numpy()
    for name in table.select_dtypes("object"):
        table[name] = pd.factorize(table[name])[0]
    X = table.to_numpy(np.float32)
    held = np.random.default_rng(0).random(len(X)) < 0.2
    model = xgb.XGBClassifier(**PARAMS).fit(X[~held], y[~held])
    auc = roc_auc_score(y[held], model.predict_proba(X[held])[:, 1])
    if out:
        model.save_model(out)
    print(f"roc_auc {auc:.4f}, {time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
