"""A table of PostgreSQL as Parquet, as a script does it: one connection, batch by batch."""

from __future__ import annotations

import os
import sys

import adbc_driver_postgresql.dbapi as driver
import pyarrow.parquet as pq

if __name__ == "__main__":
    uri, select, to = sys.argv[1:]
    with driver.connect(uri) as connection, connection.cursor() as cursor:
        cursor.execute(select)
        with cursor.fetch_record_batch() as reader, pq.ParquetWriter(to, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
    handle = os.open(to, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
