"""The bare fits of the benchmark of many models: a loop, one thread, texts as categories. Prints their CPU seconds.

python groups.py DATA
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import pandas as pd
import xgboost as xgb

PARAMS = {"n_estimators": 100, "max_depth": 4, "learning_rate": 0.05, "n_jobs": 1}


def main() -> None:
    table = pd.read_parquet(sys.argv[1]).drop(columns=["tailnum"])
    labels, where = table["late"].to_numpy(), table.groupby(["dest", "hour"]).indices
    features = table.drop(columns=["late", "dest", "hour"])
    kinds = ["c" if features[name].dtype == object else "q" for name in features]
    for name in features.select_dtypes("object"):
        codes = pd.factorize(features[name])[0]
        features[name] = np.where(codes < 0, np.nan, codes)
    X = features.to_numpy(np.float32)
    held = np.random.default_rng(0).random(len(table)) < 0.2
    fitted, cpu = 0, 0.0
    for rows in where.values():
        train = rows[~held[rows]]
        if len(np.unique(labels[train])) < 2:
            continue
        data, target = X[train], labels[train]
        begun = time.process_time()
        xgb.XGBClassifier(**PARAMS, enable_categorical=True, feature_types=kinds).fit(data, target)
        cpu += time.process_time() - begun
        fitted += 1
    print(json.dumps({"fits": fitted, "cpu_s": round(cpu, 3)}))


if __name__ == "__main__":
    main()
