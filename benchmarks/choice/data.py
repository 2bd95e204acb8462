"""The table of a workload, made when it is needed and deleted afterwards; real ones are fetched once, and kept.

flights
    New York 2013, joined; copies with noise where more rows are asked for. Categories, missing values.
csv
    The same as text, which is typed and staged before anything is fitted.
routes
    The US 2001: date, minute of the day, distance and two categories of airports.
table
    Numbers, as Parquet.
made, categories
    Made on demand while it is read, which takes longer than to decode: see `fitscale.data.sources.synthetic`.
words
    Sparse rows of 40 words, as svmlight.
series
    Series of so many points each, in order of key and time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import flightroutes
import series
import tables
from common import SCALE, WORK, flights
from workloads import scaled, words

from choice.design import Workload

JOINED = 327_346
LATE = 15  # minutes


@contextmanager
def table_of(workload: Workload, seed: int = 0) -> Iterator[dict[str, Any]]:
    """The `data` of a workload file. ``seed`` is that of a table made on demand."""
    about: dict[str, Any] = {"groups": list(workload.groups)} if workload.groups else {}
    rows, kind = scaled(workload.rows), workload.kind
    if kind in ("flights", "csv"):
        path, drop = _flights(rows)
        if kind == "flights":
            yield {"uri": str(path), "target": "late", "features": {"drop": drop}, **about}
            return
        text = _text(path)
        try:
            yield {"uri": str(text), "target": "late", "features": {"drop": drop}, **about}
        finally:
            text.unlink()
    elif kind == "routes":
        yield {"uri": str(_routes()), "target": "late", **about}
    elif kind == "table":
        path = tables.synthetic(rows, workload.columns)
        try:
            yield {"uri": str(path), "target": "y", **about}
        finally:
            tables.remove(path)
    elif kind == "words":
        path = words(WORK / "data" / "choice-words.svm", rows, workload.columns)
        try:
            yield {"uri": str(path), "target": "label", **about}
        finally:
            path.unlink()
    elif kind == "series":
        points = int(workload.more.removeprefix("points="))
        path = series.table_of(max(200, int(workload.rows / points * SCALE)), points)
        try:
            yield {"uri": str(path), "target": "value", "time": "at", "step": "1h", "horizon": 1, **about}
        finally:
            path.unlink()
    else:
        weight = {"weight": "w"} if "weight=true" in workload.more else {}
        yield {
            "uri": f"synthetic://?rows={rows}&seed={seed}&categorical=0&{workload.more}",
            "target": "y",
            **weight,
            **about,
        }


def _flights(rows: int) -> tuple[Path, list[str]]:
    """The flights, and which of their columns are no features."""
    if rows == JOINED:
        return flights("joined", "flights.parquet"), ["tailnum"]
    name = f"flights-{rows / 1e6:g}m"
    return flights("tiled", name, "--rows", rows), ["tailnum", "source_row"]


def _text(path: Path) -> Path:
    import pyarrow.dataset as ds
    from pyarrow import csv

    out = WORK / "data" / "choice-flights.csv"
    out.parent.mkdir(parents=True, exist_ok=True)
    rows = ds.dataset(path)
    with csv.CSVWriter(out, rows.schema) as file:
        for batch in rows.to_batches():
            file.write_batch(batch)
    return out


def _routes() -> Path:
    """Kept, as it is fetched from elsewhere."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    path = WORK / "data" / f"choice-routes-{SCALE:g}.parquet"
    if path.exists():
        return path
    table = flightroutes.flights()
    columns = {name: table.column(name) for name in ("date", "distance", "origin", "destination")}
    columns["minutes"] = pa.array(flightroutes.minutes_of(table))
    columns["late"] = pc.greater(table.column("delay"), LATE).cast(pa.int8())
    draft = path.with_suffix(".part")
    pq.write_table(pa.table(columns), draft, row_group_size=tables.UNIT)
    draft.rename(path)
    return path
