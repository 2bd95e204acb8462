"""What a script does with more rows than memory holds: XGBoost on one matrix, LightGBM from the files row group by row group.

python larger.py xgboost|lightgbm FOLDER ROUNDS DEPTH
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq


def xgboost_(folder: str, rounds: int, depth: int) -> None:
    import xgboost

    table = pq.read_table(folder)
    names = [name for name in table.column_names if name != "y"]
    X = np.empty((len(table), len(names)), np.float32)
    for i, name in enumerate(names):
        X[:, i] = table.column(name).to_numpy()
    y = table.column("y").to_numpy()
    del table
    train = xgboost.DMatrix(X, y)
    del X
    xgboost.train({"objective": "binary:logistic", "max_depth": depth, "nthread": 2}, train, rounds)


def lightgbm_(folder: str, rounds: int, depth: int) -> None:
    import lightgbm

    class Groups(lightgbm.Sequence):
        """A file's rows; the row group that was asked for last is held."""

        batch_size = 65_536

        def __init__(self, path: Path) -> None:
            self.file = pq.ParquetFile(path)
            counts = [self.file.metadata.row_group(i).num_rows for i in range(self.file.num_row_groups)]
            self.starts = np.cumsum([0, *counts])
            self.names = [name for name in self.file.schema_arrow.names if name != "y"]
            self.held = (-1, np.empty((0, 0)))

        def __len__(self) -> int:
            return int(self.starts[-1])

        def __getitem__(self, index: int | slice | list[int]) -> np.ndarray:
            if isinstance(index, slice):
                return np.concatenate([self._of(g)[a:b] for g, a, b in self._parts(index.start or 0, index.stop)])
            if isinstance(index, list):
                return np.stack([self[i] for i in index])
            group = int(np.searchsorted(self.starts, index, "right")) - 1
            return self._of(group)[index - self.starts[group]]

        def _parts(self, start: int, stop: int) -> list[tuple[int, int, int]]:
            stop = min(stop, len(self))
            first = int(np.searchsorted(self.starts, start, "right")) - 1
            found = []
            for group in range(first, len(self.starts) - 1):
                at = int(self.starts[group])
                if at >= stop:
                    break
                found.append((group, max(start - at, 0), stop - at))
            return found

        def _of(self, group: int) -> np.ndarray:
            if self.held[0] != group:
                table = self.file.read_row_group(group, columns=self.names)
                self.held = (
                    group,
                    np.stack([column.to_numpy() for column in table.columns], axis=1).astype(np.float64),
                )
            return self.held[1]

    files = sorted(Path(folder).glob("*.parquet"))
    y = np.concatenate([pq.read_table(file, columns=["y"]).column("y").to_numpy().astype(np.float32) for file in files])
    params = {"objective": "binary", "num_leaves": 2**depth - 1, "num_threads": 2, "verbosity": -1}
    train = lightgbm.Dataset([Groups(file) for file in files], y, params=params)
    lightgbm.train(params, train, rounds)


if __name__ == "__main__":
    kind, folder, rounds, depth = sys.argv[1:]
    {"xgboost": xgboost_, "lightgbm": lightgbm_}[kind](folder, int(rounds), int(depth))
