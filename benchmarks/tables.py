"""Large tables for the benchmarks: rows of the project's own synthetic source as Parquet, float32, not compressed.

Made once under BENCH_DATA (default: build/bench/data) and deleted by `remove`, unless BENCH_KEEP=1.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

from common import WORK, Failed

UNIT = 65_536  # rows of a row group; the source's own
SPARE = 5e9  # bytes of the disk that are left alone


def folder() -> Path:
    return Path(os.environ.get("BENCH_DATA", WORK / "data"))


def path_of(rows: int, columns: int) -> Path:
    return folder() / f"synthetic-{rows}-{columns}"


def synthetic(rows: int, columns: int) -> Path:
    """A folder of float32 columns x0 … and y (0 or 1). The files of its first quarter are named quarter-*.parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from fitscale.data.reader import open_reader
    from fitscale.records.workload import DataSpec

    path = path_of(rows, columns)
    if path.exists():
        return path
    draft = path.with_name(path.name + ".part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    room(draft, rows * columns * 4.1)
    made = DataSpec(uri=f"synthetic://?rows={rows}&columns={columns}&categorical=0", target="y")
    reader = open_reader(made, threads=len(os.sched_getaffinity(0)))
    source, snapshot = reader.source, reader.snapshot
    units = len(snapshot.pieces[0].parts)
    names = [f"x{i}" for i in range(columns)] + ["y"]
    each = max(1, -(-units // 16))
    for k, first in enumerate(range(0, units, each)):
        kind = "quarter" if first + each <= max(each, units // 4) else "rest"
        writer = None
        for part in range(first, min(first + each, units)):
            (batch,) = source.read(snapshot, 0, part, names, UNIT)
            if writer is None:
                writer = pq.ParquetWriter(
                    draft / f"{kind}-{k:03d}.parquet", batch.schema, compression="none", use_dictionary=["y"]
                )
            writer.write_table(pa.Table.from_batches([batch]), row_group_size=UNIT)
        if writer is not None:
            writer.close()
    for file in draft.iterdir():
        handle = os.open(file, os.O_RDONLY)
        os.fsync(handle)  # what is not on the disk cannot be read cold
        os.close(handle)
    draft.rename(path)
    print(f"{path}: {size_of(path) / 1e9:.1f} GB", file=sys.stderr, flush=True)
    return path


def room(path: Path, wanted: float) -> None:
    """Fail where the disk has no room for so many bytes."""
    free = shutil.disk_usage(path).free
    if free < wanted + SPARE:
        raise Failed(
            f"{path}: {wanted / 1e9:.1f} GB are needed, {free / 1e9:.1f} are free: BENCH_DATA names another disk"
        )


def remove(path: Path) -> None:
    if os.environ.get("BENCH_KEEP") != "1":
        shutil.rmtree(path, ignore_errors=True)


def size_of(path: Path) -> int:
    """Bytes on the disk of a file, or of all files below a folder."""
    total = 0
    for file in [path, *path.rglob("*")]:
        try:
            total += file.stat().st_blocks * 512 if file.is_file() else 0
        except OSError:  # gone meanwhile
            continue
    return total


def forget(path: Path) -> None:
    """Give the page cache's copy of the files back, so that the next to read them reads the disk."""
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            handle = os.open(file, os.O_RDONLY)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(handle)


def cold_read_bytes_per_s(path: Path, most: float = 2e9) -> float:
    """How fast the disk gives files that are in no cache, read in order as buffered readers do."""
    forget(path)
    done, began = 0, time.monotonic()
    for file in sorted(path.rglob("*.parquet")):
        with open(file, "rb", buffering=0) as handle:
            while done < most and (block := handle.read(2**22)):
                done += len(block)
    return done / (time.monotonic() - began)
