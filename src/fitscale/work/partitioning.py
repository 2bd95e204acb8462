"""Cut a snapshot's rows by group, once, for all workers that fit its groups."""

from __future__ import annotations

from pathlib import Path

from fitscale.data.partition import Fallback, kept_columns, partition
from fitscale.errors import FitscaleError
from fitscale.records.run import Order
from fitscale.store import crash
from fitscale.work.feeding import rows_used
from fitscale.work.phases import Ledger


def cut(run: Path, order: Order, ledger: Ledger) -> None:
    """Do the order's partitioning, unless it is there. Whole or not at all."""
    wanted = order.partitioning
    if wanted is None:
        raise FitscaleError("an order to partition says not what")
    import pyarrow.parquet as pq

    with ledger.phase("cut"):
        reader = rows_used(run, wanted.snapshot, wanted.data, wanted.use, wanted.seed, threads=order.threads)
        columns = [name for folds in wanted.folds for name in kept_columns(reader, wanted.data, folds)]
        # Half of what the worker may take: the other half is for what Arrow decodes meanwhile.
        memory = (order.memory_bytes or 2 << 30) // 2
        only = None if wanted.only is None else pq.ParquetFile(run / "data" / f"{wanted.only}.parquet").read()
        kept = tuple(dict.fromkeys(columns))
        fallback = None if wanted.fallback is None else Fallback(wanted.fallback == "parent", wanted.seed)
        partition(
            reader, wanted.data, kept, run / "data" / wanted.name, memory_bytes=memory, only=only, fallback=fallback
        )  # fmt: skip
    crash.point("partition.written")
