"""Puts hourly metrics of many databases into a PostgreSQL table: levels, days, noise; incidents, and some that drift.

    python metrics.py postgresql://fitscale@127.0.0.1:5432/postgres --databases 5000 --metrics 50 --hours 100

The table `metrics` (db, metric, at, value) is made where it is not there, and the hours from --from on are added to it. A metric is
the same in every call with the same seed: its level and its day belong to it. With --drifted 1% the level of one metric of a
hundred has shifted, by two deviations of its noise. What --incidents plants stands in the table `incidents`, for judging detectors.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import adbc_driver_postgresql.dbapi as postgres
import numpy as np
import pyarrow as pa

AT_ONCE = 500_000  # rows
SPIKE = 6.0  # deviations of the noise
TABLES = (
    "create table if not exists metrics (db text, metric text, at timestamptz, value double precision)",
    "create table if not exists incidents (db text, metric text, at timestamptz)",
)


def main() -> None:
    asked = arguments()
    with postgres.connect(asked.uri) as connection, connection.cursor() as cursor:
        for statement in TABLES:
            cursor.execute(statement)
        rows = planted = 0
        for metrics, incidents in made(asked):
            cursor.adbc_ingest("metrics", metrics, mode="append")
            if incidents.num_rows:
                cursor.adbc_ingest("incidents", incidents, mode="append")
            rows, planted = rows + metrics.num_rows, planted + incidents.num_rows
        connection.commit()
        cursor.execute("analyze metrics")
        connection.commit()
    print(f"{rows:,} rows of {asked.databases * asked.metrics:,} metrics, {planted:,} incidents")


def made(asked: argparse.Namespace) -> Iterator[tuple[pa.Table, pa.Table]]:
    """(metrics, incidents) of some databases at a time."""
    step = max(1, AT_ONCE // (asked.metrics * asked.hours))
    for first in range(0, asked.databases, step):
        yield of_databases(range(first, min(first + step, asked.databases)), asked)


def of_databases(databases: range, asked: argparse.Namespace) -> tuple[pa.Table, pa.Table]:
    n, hours = len(databases) * asked.metrics, asked.hours
    own = np.random.default_rng([asked.seed, databases.start])  # what stays: levels, days
    level, day, phase = own.lognormal(3, 1, n), own.uniform(0, 5, n), own.uniform(0, 24, n)
    drifts = own.random(n) < asked.drifted
    start = np.datetime64(asked.start, "h")
    at = start + np.arange(hours)
    new = np.random.default_rng([asked.seed, databases.start, int(start.astype(np.int64))])
    noise = new.normal(size=(n, hours))
    spikes = new.random((n, hours)) < asked.incidents
    for t in range(1, hours):
        noise[:, t] += 0.6 * noise[:, t - 1]
    clock = at.astype(np.int64) % 24
    value = level[:, None] + day[:, None] * np.sin((clock + phase[:, None]) * (np.pi / 12)) + noise
    value += 2.0 * 1.25 * drifts[:, None] + SPIKE * spikes
    names = [f"db{k:05d}" for k in databases]
    db = np.repeat(np.arange(len(names), dtype=np.int32), asked.metrics)
    metric = np.tile(np.arange(asked.metrics, dtype=np.int32), len(names))

    def rows(of: np.ndarray, when: np.ndarray) -> dict[str, pa.Array]:
        words = {"db": (db[of], names), "metric": (metric[of], [f"m{k:02d}" for k in range(asked.metrics)])}
        keys = {
            name: pa.DictionaryArray.from_arrays(codes, texts).cast(pa.string())
            for name, (codes, texts) in words.items()
        }
        return {**keys, "at": pa.array(when.astype("datetime64[us]"), pa.timestamp("us", "UTC"))}

    of = np.repeat(np.arange(n), hours)
    metrics = pa.table({**rows(of, np.tile(at, n)), "value": value.reshape(-1)})
    series, hour = np.nonzero(spikes)
    return metrics, pa.table(rows(series, at[hour]))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("uri")
    parser.add_argument("--databases", type=int, default=50)
    parser.add_argument("--metrics", type=int, default=10, help="of each database")
    parser.add_argument("--hours", type=int, default=24 * 14)
    parser.add_argument("--from", dest="start", default="2026-01-01T00", help="the first hour")
    parser.add_argument(
        "--drifted", type=share, default=0.0, help="share of metrics whose level has shifted, such as 1%%"
    )
    parser.add_argument("--incidents", type=share, default=0.0, help="share of hours that have one")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def share(text: str) -> float:
    return float(text.rstrip("%")) / (100 if text.endswith("%") else 1)


if __name__ == "__main__":
    main()
