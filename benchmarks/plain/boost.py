"""The plain script of the overhead benchmark: read, one matrix, fit, score the held-out rows, save.

python boost.py xgboost|hgb DATA ROUNDS OUT
"""

from __future__ import annotations

import pickle
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


def read(path: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """(n, d) float32 features with strings as codes, the target, and which columns are categories."""
    names = [n for n in pq.read_schema(_first(path)).names if n not in ("late", "tailnum", "source_row")]
    table = pq.read_table(path, columns=[*names, "late"])
    X = np.empty((table.num_rows, len(names)), np.float32)
    kinds = []
    for i, name in enumerate(names):
        column = table.column(name)
        if pa.types.is_string(column.type):
            column = column.combine_chunks().dictionary_encode().indices
        kinds.append("c" if pa.types.is_string(table.column(name).type) else "q")
        if pa.types.is_temporal(column.type):
            column = column.cast(pa.int64())
        X[:, i] = pc.cast(column, pa.float32(), safe=False).to_numpy(zero_copy_only=False)
    return X, table.column("late").to_numpy().astype(np.float32), kinds


def _first(path: str) -> str:
    from pathlib import Path

    return str(next(iter(sorted(Path(path).glob("*.parquet"))), path))


def main() -> None:
    kind, path, rounds, out = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    X, y, kinds = read(path)
    held = np.random.default_rng(0).random(len(y)) < 0.2
    if kind == "xgboost":
        import xgboost

        types = {"feature_types": kinds, "enable_categorical": True}
        train = xgboost.DMatrix(X[~held], y[~held], **types)
        test = xgboost.DMatrix(X[held], y[held], **types)
        del X
        params = {
            "objective": "binary:logistic",
            "max_depth": 8,
            "learning_rate": 0.1,
            "nthread": 2,
            "tree_method": "hist",
        }
        model = xgboost.train(params, train, rounds)
        chance = model.predict(test)
        model.save_model(out)
    else:
        from sklearn.ensemble import HistGradientBoostingClassifier

        categorical = [k == "c" and len(np.unique(X[:, i])) <= 255 for i, k in enumerate(kinds)]
        model = HistGradientBoostingClassifier(
            max_iter=rounds, early_stopping=False, categorical_features=categorical, random_state=0
        )
        model.fit(X[~held], y[~held])
        chance = model.predict_proba(X[held])[:, 1]
        with open(out, "wb") as file:
            pickle.dump(model, file)
    order = np.argsort(chance)
    rank = np.empty(len(order))
    rank[order] = np.arange(1, len(order) + 1)
    late = y[held] == 1
    auc = (rank[late].sum() - late.sum() * (late.sum() + 1) / 2) / (late.sum() * (~late).sum())
    print(f"AUC {auc:.4f}")


if __name__ == "__main__":
    main()
