"""Three million flights of 2001 by their route, for those benchmarks that train a model for each: see examples/routes."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
from common import ROOT, SCALE, WORK, Failed

LEAST = 100  # flights of a route
FEW = 40  # routes, in trials


def flights() -> Any:
    """Flights of the 3,167 routes that have a hundred, or of some of them in trials, with the number of the route."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = WORK / "data"
    fetched = subprocess.run([sys.executable, ROOT / "examples" / "routes" / "routes.py", folder], check=False)
    if fetched.returncode:
        raise Failed("the flights could not be fetched")
    table = pq.read_table(folder / "flights.parquet")
    pair = [table.column(name).combine_chunks().dictionary_encode() for name in ("origin", "destination")]
    code = pair[0].indices.to_numpy().astype(np.int64) * len(pair[1].dictionary) + pair[1].indices.to_numpy()
    _, of, count = np.unique(code, return_inverse=True, return_counts=True)
    large = count >= LEAST
    route = (np.cumsum(large) - 1)[of]
    kept = large[of] & (route < int(max(FEW, large.sum() * SCALE)))
    return table.filter(pa.array(kept)).append_column("route", pa.array(route[kept].astype(np.int32)))


def minutes_of(table: Any) -> np.ndarray:
    """(rows,) minutes of the day."""
    at = table.column("date").to_numpy()
    return (at - at.astype("datetime64[D]")).astype("timedelta64[s]").astype(np.int64) / 60
