"""Many models as figures: how scores and rows are distributed, which groups are worst, what failed and why."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fitscale.records.run import Event
from fitscale.report.text import plain

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

WORST = 20
KINDS = 12
EXAMPLES = 3
KEY_LONGEST = 60


class Group(NamedTuple):
    key: tuple[str, ...]
    score: float
    rows: int
    holdout: int


class FailureKind(NamedTuple):
    """All groups that ended in one way, with some of them."""

    status: str  # failed | unfit
    kind: str
    n: int
    examples: tuple[tuple[str, str], ...]  # (key, why)


class Models(NamedTuple):
    """The index of a version, summed up. ``scores`` and ``rows`` are for the histograms; they go into no text."""

    names: tuple[str, ...]  # of the key's columns
    fitted: int
    unfit: int
    failed: int
    scores: np.ndarray  # of the fitted groups that have one
    rows: np.ndarray  # training rows of all groups
    worst: tuple[Group, ...]
    failures: tuple[FailureKind, ...]
    other_kinds: int
    n_train: int
    n_holdout: int


class ChunkTime(NamedTuple):
    rows: int
    groups: int
    wall_s: float


def models_of(run: Path, version: int, groups: tuple[str, ...], greater: bool) -> Models:
    """Read versions/V/index.parquet; the columns of the key come first, whatever they are called."""
    import numpy as np
    import pyarrow.parquet as pq

    # As a file and not as a data set, which takes no two columns of one name: a key may be called 'score' too.
    table: pa.Table = pq.ParquetFile(run / "versions" / str(version) / "index.parquet").read(use_threads=False)
    rest = table.select(list(range(len(groups), table.num_columns)))
    scores = _floats(rest, "score")
    n_train, n_holdout = (_floats(rest, name) for name in ("n_train", "n_holdout"))
    status = np.asarray(rest.column("status").to_numpy(zero_copy_only=False))
    counts = {name: int((status == name).sum()) for name in ("fitted", "unfit", "failed")}
    known = np.flatnonzero(~np.isnan(scores))
    failures, others = _failures(table, rest, len(groups))
    return Models(
        names=groups,
        **counts,
        scores=scores[known],
        rows=n_train[~np.isnan(n_train)],
        worst=_worst(table, len(groups), known, scores, n_train, n_holdout, greater),
        failures=failures,
        other_kinds=others,
        n_train=int(np.nansum(n_train)),
        n_holdout=int(np.nansum(n_holdout)),
    )


def _floats(table: pa.Table, name: str) -> np.ndarray:
    import numpy as np
    import pyarrow as pa

    if name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    return np.asarray(table.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=float)


def _key(table: pa.Table, width: int, row: int) -> tuple[str, ...]:
    return tuple(plain(table.column(i)[row].as_py(), KEY_LONGEST) for i in range(width))


def _worst(
    table: pa.Table,
    width: int,
    known: np.ndarray,
    scores: np.ndarray,
    n_train: np.ndarray,
    n_holdout: np.ndarray,
    greater: bool,
) -> tuple[Group, ...]:
    import numpy as np

    order = known[np.argsort(scores[known] if greater else -scores[known], kind="stable")[:WORST]]
    whole = np.nan_to_num(np.vstack([n_train, n_holdout])).astype(int)
    return tuple(Group(_key(table, width, int(i)), float(scores[i]), int(whole[0, i]), int(whole[1, i])) for i in order)


def _failures(table: pa.Table, rest: pa.Table, width: int) -> tuple[tuple[FailureKind, ...], int]:
    """The most frequent kinds, failed before unfit, and how many kinds are left out."""
    import numpy as np
    import pyarrow.compute as pc

    rows = np.flatnonzero(pc.not_equal(rest.column("status"), "fitted").to_numpy(zero_copy_only=False))
    bad = rest.select(["status", "kind", "why"]).take(rows)
    found: dict[tuple[str, str], list[Any]] = {}
    for row, status, kind, why in zip(
        rows, *(bad.column(name).to_pylist() for name in ("status", "kind", "why")), strict=True
    ):
        # What an unfit group lacks is in its sentence, which differs from the next one's in a number only.
        named = kind if status == "failed" else re.sub(r"\d[\d,]*", "…", why or "")
        seen = found.setdefault((status, named or ""), [0])
        seen[0] += 1
        if len(seen) <= EXAMPLES and all(why != other for _, other in seen[1:]):
            seen.append((int(row), why))
    ordered = sorted(found.items(), key=lambda item: (item[0][0] != "failed", -item[1][0], item[0][1]))
    kinds = tuple(
        FailureKind(
            status,
            plain(kind or "too little data", 60),
            seen[0],
            tuple((", ".join(_key(table, width, row)), plain(why or "", 200)) for row, why in seen[1:]),
        )
        for (status, kind), seen in ordered[:KINDS]
    )
    return kinds, len(ordered) - len(kinds)


def chunk_times(events: list[Event]) -> list[ChunkTime]:
    """Rows, groups and wall seconds of each chunk that was committed."""
    return [
        ChunkTime(int(event.data["rows"]), int(event.data.get("groups", 0)), float(event.data["wall_s"]))
        for event in events
        if event.kind == "chunk" and "rows" in event.data and "wall_s" in event.data
    ]
