"""Read a CSV over all rows and stage it as Parquet, against the bare library: time and anonymous memory of processes."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
from common import WORK, Measured, measured, median, python, table, write
from pyarrow import csv

ROWS = 2_000_000
PAIRS = 5


def data() -> dict[str, Path]:
    """The same rows twice: as they are, and with a last row that makes whole numbers fractions and numbers text."""
    WORK.mkdir(parents=True, exist_ok=True)
    one, two = WORK / "rows.csv", WORK / "late.csv"
    if not two.exists():
        random = np.random.default_rng(0)
        columns = {f"x{k}": random.normal(size=ROWS).round(5) for k in range(6)}
        columns |= {f"n{k}": random.integers(0, 100_000, ROWS) for k in range(4)}
        columns["day"] = np.datetime64("2020-01-01", "s") + random.integers(0, 10**8, ROWS)
        names = pa.array([f"name {k}" for k in range(50)]).take(pa.array(random.integers(0, 50, ROWS)))
        csv.write_csv(pa.table({**columns, "name": names, "y": random.integers(0, 2, ROWS)}), one)
        shutil.copy(one, two)
        with open(two, "ab") as file:
            file.write(b"1,2,3,4,5,none,0.5,2,3,4,2026-01-01,x,1\n")
    return {"types as the first rows say": one, "a last row that is otherwise": two}


def main() -> None:
    rows = []
    plain: list[Measured] = []
    for name, path in data().items():
        ours = []
        for _ in range(PAIRS):
            to = WORK / "staged"
            shutil.rmtree(to, ignore_errors=True)
            to.mkdir()
            ours.append(measured([sys.executable, __file__, str(path), str(to)]))
            if path.name == "rows.csv":  # the plain script ends with an error on the other
                plain.append(measured(python("plain/stage.py", path, to / "plain.parquet")))
        rows.append(
            {
                "csv": name,
                "mb": path.stat().st_size / 1e6,
                "s": median([m.wall_s for m in ours]),
                "plain_s": median([m.wall_s for m in plain]),
                "ratio": median([a.wall_s / b.wall_s for a, b in zip(ours, plain, strict=True)]),
                "peak_mb": median([m.peak_bytes / 1e6 for m in ours]),
                "plain_peak_mb": median([m.peak_bytes / 1e6 for m in plain]),
            }
        )
    table("Staging a CSV, process start included", rows)
    write("staging", rows_of_data=ROWS, pairs=PAIRS, rows=rows)


def stage(path: str, to: str) -> None:
    from fitscale.data.choosing import open_source
    from fitscale.data.staging import staged
    from fitscale.records.workload import DataSpec

    spec = DataSpec(uri=path, target="y")
    staged(open_source(spec), spec, Path(to))


if __name__ == "__main__":
    stage(*sys.argv[1:]) if sys.argv[1:] else main()
