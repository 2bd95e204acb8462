"""What the data is like, found out within a limit of bytes and seconds; and what of it is only estimated."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fitscale.data.checks import check_columns
from fitscale.data.features import roles_of
from fitscale.data.learning import VECTOR_CELLS
from fitscale.data.sources.where import without_missing
from fitscale.data.tally import KEPT, KEPT_OF_ALL, ColumnTally, GroupTally
from fitscale.records.base import Figure
from fitscale.records.data import ColumnProfile, GroupSizes, Kind, Profile

if TYPE_CHECKING:
    from fitscale.data.reader import Reader
    from fitscale.records.workload import DataSpec

__all__ = ["check_columns", "profile"]

PILOT_ROWS = 16_384  # read first, to learn how fast the rest is
BATCH_CELLS = 4_000_000  # at once: the time is looked at between batches
SMALL_CELLS = 10_000_000  # so many are read at once, without a pilot: less than half a second
TEXT_WORDS, TEXT_SHARE = 4.0, 0.5  # so many words in a row, of so many different rows: not names, but text
KEY_SHARE = 0.95  # so many different values in so many rows: a key (above 4,096 the count is ± 2.6 %)


def profile(
    reader: Reader, data: DataSpec, *, limit_bytes: int, limit_s: float, every: Figure | None = None
) -> Profile:
    """Look at all rows where the limits allow it, else at a seeded part that is spread over the data.

    ``limit_bytes`` bounds the bytes of the units that are entered (for group sizes: the group columns' share of them),
    ``limit_s`` the time, which can be passed by that of one batch. Half of it at most goes to the group sizes.
    ``every``: how many rows there are, where the reader has a part of them.
    """
    rows = Figure.exact(reader.rows) if every is None else every
    all_rows = max(reader.rows, round(rows.value))
    began = time.monotonic()
    groups, group_bytes, notes = _group_sizes(reader, data, limit_bytes, began + limit_s / 2, all_rows)
    columns, read_bytes = _columns(reader, limit_bytes - group_bytes, began + limit_s)
    read_rows = sum(next(iter(columns.values())).rows.values())
    warnings = list(notes)
    complete = read_rows == all_rows
    kept = {name for name in columns if name not in data.features.drop}
    for tally in columns.values():
        if tally.name in kept:
            warnings += _warnings(tally, data, all_rows, complete)
    return Profile(
        rows=rows,
        bytes=round(reader.snapshot.bytes * all_rows / max(1, reader.rows)),
        columns=tuple(_column(tally, data, all_rows, complete) for tally in columns.values()),
        groups=groups,
        read_rows=read_rows,
        read_bytes=read_bytes + group_bytes,
        read_s=round(time.monotonic() - began, 3),
        warnings=tuple(warnings),
    )


def _columns(reader: Reader, limit_bytes: int, until: float) -> tuple[dict[str, ColumnTally], int]:
    """The tallies of the largest part that the limits allow, and the bytes read on the way to it.

    Each part tells how long a larger one would take. One that the time ends before its own end is not used, where a
    smaller one was finished: what was read of it is not spread over the data.
    """
    all_bytes = _bytes(reader)
    small = reader.rows * len(reader.snapshot.columns) <= SMALL_CELLS and all_bytes <= limit_bytes
    part = reader if small else reader.sample(PILOT_ROWS, seed=0)
    finished: dict[str, ColumnTally] | None = None
    spent = 0
    kept = min(KEPT, max(256, KEPT_OF_ALL // len(reader.snapshot.columns)))
    while True:
        columns = {name: ColumnTally(name, type, kept) for name, type in reader.snapshot.columns}
        began = time.monotonic()
        read, counting_s = _tally(part, columns, until)
        decoding_s = time.monotonic() - began - counting_s
        spent += _bytes(part)
        if read < part.rows:
            return finished or columns, spent
        finished = columns
        # a part's rows lie anywhere in their units, which are decoded to there: to their half, on average
        whole_s = 2 * decoding_s * all_bytes / max(_bytes(part), 1) + counting_s * reader.rows / max(part.rows, 1)
        share = min(0.7 * (until - time.monotonic()) / whole_s, (limit_bytes - spent) / max(all_bytes, 1))
        larger = reader if share >= 1 else reader.sample(int(reader.rows * share), seed=0)
        if larger.rows < min(2 * part.rows, reader.rows) or part.rows == reader.rows:
            return finished, spent
        if _bytes(larger) > limit_bytes - spent:
            return finished, spent
        part = larger


def _bytes(reader: Reader) -> int:
    """Of the units that are entered."""
    return sum(size for _, _, size in reader.units)


def _tally(part: Reader, columns: dict[str, ColumnTally], until: float) -> tuple[int, float]:
    """Count what the rows hold, until the time is up: (rows, seconds that counting and not reading took)."""
    starts = [start for start, _ in part.ranges]
    place = rows = 0
    seconds = 0.0
    vectors = sum(tally.kind == "vector" for tally in columns.values())
    size = min(65_536, max(1_024, int(BATCH_CELLS // (len(columns) + VECTOR_CELLS * vectors))))
    for first, batch in part.batches(list(columns), batch_rows=size):
        while place + 1 < len(starts) and starts[place + 1] <= first:
            place += 1
        began = time.monotonic()
        for index, tally in enumerate(columns.values()):
            tally.add(place, batch.column(index))
        now = time.monotonic()
        rows += batch.num_rows
        seconds += now - began
        if now > until:
            break
    return rows, seconds


def _group_sizes(
    reader: Reader, data: DataSpec, limit_bytes: int, until: float, all_rows: int
) -> tuple[GroupSizes | None, int, list[str]]:
    """Sizes, bytes read for them, warnings. By one pass over the group columns where the limits allow it."""
    if not data.groups:
        return None, 0, []
    share = len(data.groups) / max(1, len(reader.snapshot.columns))
    estimate = round(share * _bytes(reader))
    whole = estimate <= limit_bytes
    part = reader if whole else reader.sample(int(reader.rows * limit_bytes / estimate), seed=0)
    tally = GroupTally(data.groups)
    for _, batch in part.batches(list(data.groups)):
        tally.add(batch)
        if time.monotonic() > until:
            break
    sizes = tally.sizes(all_rows)
    read = round(estimate * tally.rows / max(1, reader.rows))
    names, warnings = ", ".join(data.groups), []
    if tally.without_key:
        warnings.append(f"the group key ({names}) is missing in {tally.without_key:,} of {tally.rows:,} rows")
    if sizes is not None and sizes.rows_median <= 1 < all_rows:
        number = "" if sizes.exact else "about "
        warnings.append(
            f"{number}{sizes.n:,} groups of {all_rows:,} rows: most have a single one, from which nothing is learnt; group by fewer"
            f" columns than {names}, or by one with fewer values"
        )
    return sizes, read, warnings


def _column(tally: ColumnTally, data: DataSpec, rows: int, complete: bool) -> ColumnProfile:
    missing = tally.missing_share(complete)
    supported = tally.kind not in ("vector", "unsupported")
    values = rows * (1 - missing.value)
    return ColumnProfile(
        name=tally.name,
        kind=_kind(tally, data),
        type=tally.type,
        missing=missing,
        distinct=tally.distinct.figure(tally.counted, tally.counted if complete else values) if supported else None,
        width=tally.width,
        filled=tally.words if tally.looked else tally.pairs / max(1, sum(tally.rows.values())),
        note=roles_of(data).get(tally.name, "dropped" if tally.name in data.features.drop else ""),
    )


def _kind(tally: ColumnTally, data: DataSpec) -> Kind:
    if tally.kind in ("vector", "unsupported"):
        return tally.kind
    if tally.name in data.features.text:
        return "text"
    return "category" if tally.name in data.features.categorical else tally.kind


def _warnings(tally: ColumnTally, data: DataSpec, rows: int, complete: bool) -> list[str]:
    name, read = tally.name, sum(tally.rows.values())
    role = roles_of(data).get(name)
    drop = "leave it out with data.features.drop"
    of = f"all {rows:,} rows" if complete else f"the {read:,} rows that were read"
    if tally.kind == "unsupported" and role is None:
        return [f"column '{name}' is of type {tally.type}, which cannot be a feature: {drop}"]
    if not tally.counted:
        return [f"column '{name}' is missing in {of}: {drop}"]
    told: list[str] = []
    if tally.infinite:
        told.append(
            f"column '{name}' is infinite in {tally.infinite:,} of {read:,} rows: they count as missing or fail a fit"
        )
    if role == "target" and tally.counted < read:
        told.append(
            f"the target '{name}' is missing in {read - tally.counted:,} of {read:,} rows: fill them in, or leave them out "
            f"with {without_missing(name, tally.type)}"
        )
    if role is not None:
        return told
    seen = tally.distinct.seen
    seen_of = f"{rows:,} rows" if complete else of
    if seen == 1 and tally.counted == read:
        told.append(f"column '{name}' has one value in {of}: {drop}")
    elif tally.kind == "category" and tally.words >= TEXT_WORDS and read >= 100 and seen >= TEXT_SHARE * read:
        if name not in data.features.text:
            told.append(
                f"column '{name}' looks like text ({tally.words:.0f} words a row, nearly all different): data.features.text "
                "hashes its words; as it is, whole values are categories"
            )
    elif name == "__index_level_0__":
        told.append(f"column '{name}' is the index that pandas wrote, a row number: {drop}")
    elif (
        read >= 100
        and seen >= KEY_SHARE * read
        and (tally.kind == "category" or tally.type.startswith(("int", "uint")))
    ):
        told.append(f"column '{name}' has a different value in nearly all of {seen_of}, as a key has: {drop}")
    return told
