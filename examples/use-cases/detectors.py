# detectors.py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

rng = np.random.default_rng(0)
hours = np.arange(336)  # two weeks
at = np.datetime64("2026-01-01", "us") + hours.astype("timedelta64[h]")
daily = np.sin(2 * np.pi * hours / 24)
tables = [
    pa.table({
        "db": pa.array([f"db{db:02}"] * len(hours)),
        "metric": pa.array([f"metric{metric}"] * len(hours)),
        "at": at,
        "value": 100 + 10 * rng.random() * daily + rng.normal(size=len(hours)),
    })
    for db in range(25) for metric in range(10)
]  # fmt: skip
pq.write_table(pa.concat_tables(tables), "detectors.parquet")
