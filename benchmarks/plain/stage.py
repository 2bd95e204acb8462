"""A CSV as Parquet, as a script does it: all rows in memory, types by the first block."""

from __future__ import annotations

import os
import sys

import pyarrow.parquet as pq
from pyarrow import csv

if __name__ == "__main__":
    source, to = sys.argv[1:]
    pq.write_table(csv.read_csv(source), to)
    handle = os.open(to, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
