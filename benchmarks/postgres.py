"""Stage a table of PostgreSQL as Parquet, against one bare ADBC connection: time and anonymous memory of processes."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from common import ROOT, WORK, measured, median, python, table, write

sys.path.insert(0, str(ROOT / "tests" / "servers"))
from postgres_server import Server, started

ROWS = 2_000_000
PAIRS = 5
TABLE = (
    "create table rows as select g::bigint as id, (g % 100)::int as a, random() as b, random()::float4 as c, "
    "(g % 7)::smallint as d, 'name' || g % 1000 as e, g % 2 = 0 as y, now() + g * interval '1 second' as at, "
    f"random() as z, md5((g % 5000)::text) as f from generate_series(1, {ROWS}) g"
)


def main() -> None:
    rows = []
    with started() as server:
        server.sql(TABLE, "alter table rows add primary key (id)", "vacuum analyze rows")
        for way, key in (("ranges of the key", "id"), ("ranges of blocks", "")):
            ours, plain = [], []
            for _ in range(PAIRS):
                to = WORK / "staged"
                shutil.rmtree(to, ignore_errors=True)
                to.mkdir(parents=True)
                ours.append(measured([sys.executable, __file__, str(server.port), key, str(to)], env=SECRET))
                select = "select * from rows" + (f" order by {key}" if key else "")
                plain.append(measured(python("plain/table.py", server.uri(), select, to / "plain.parquet"), env=SECRET))
            rows.append(
                {
                    "read by": way,
                    "s": median([m.wall_s for m in ours]),
                    "plain_s": median([m.wall_s for m in plain]),
                    "rate": median([b.wall_s / a.wall_s for a, b in zip(ours, plain, strict=True)]),
                    "peak_mb": median([m.peak_bytes / 1e6 for m in ours]),
                    "plain_peak_mb": median([m.peak_bytes / 1e6 for m in plain]),
                }
            )
    table("Staging 2,000,000 rows × 10 columns of PostgreSQL, process start included", rows)
    write("postgres", rows_of_data=ROWS, pairs=PAIRS, rows=rows)


SECRET = {"PGPASSWORD": Server.password}


def stage(port: str, key: str, to: str) -> None:
    from fitscale.data.choosing import open_source
    from fitscale.data.staging import staged
    from fitscale.records.workload import DataSpec

    spec = DataSpec(uri=Server(int(port)).uri(), table="rows", key=key or None, target="y")
    staged(open_source(spec), spec, Path(to))


if __name__ == "__main__":
    stage(*sys.argv[1:]) if sys.argv[1:] else main()
