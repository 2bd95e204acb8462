"""Rows in pieces of any size → batches of exactly the asked size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fitscale.contracts import Batch

if TYPE_CHECKING:
    import pyarrow as pa


def rows_of(batch: Batch, start: int, stop: int) -> Batch:
    """Some of the rows; views of the same memory where the matrix is dense."""
    X = batch.X.slice(start, stop - start) if hasattr(batch.X, "slice") else batch.X[start:stop]
    weight = None if batch.weight is None else batch.weight[start:stop]
    return Batch(X, batch.y[start:stop], weight, batch.row[start:stop])


def exactly(pieces: Iterable[Batch], rows: int) -> Iterator[Batch]:
    """Batches of ``rows`` rows, but for the last. Pieces may be overwritten once the next is asked for."""
    filling: list[Batch] = []
    room = rows
    out: Batch | None = None  # dense rows are copied to where they will be handed out, once
    for piece in pieces:
        at, n = 0, len(piece.row)
        while at < n:
            take = min(room, n - at)
            part = rows_of(piece, at, at + take)
            if isinstance(part.X, np.ndarray):
                out = out or _room_for(part, rows)
                _copy(part, out, rows - room)
            else:
                filling.append(part)
            at += take
            room -= take
            if not room:
                yield out if out is not None else joined(filling)
                out, filling, room = None, [], rows
    if room < rows:
        yield rows_of(out, 0, rows - room) if out is not None else joined(filling)


def joined(parts: Sequence[Batch]) -> Batch:
    """One batch of several, in order."""
    if len(parts) == 1:
        return parts[0]
    weights = [part.weight for part in parts if part.weight is not None]
    return Batch(
        stacked([part.X for part in parts]),
        np.concatenate([part.y for part in parts]),
        np.concatenate(weights) if weights else None,
        np.concatenate([part.row for part in parts]),
    )


def stacked(parts: Sequence[Any]) -> Any:
    """Matrices, CSR matrices or Arrow tables, one below the other."""
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    if hasattr(parts[0], "tocsr"):
        from scipy.sparse import vstack

        return vstack(parts, format="csr")
    import pyarrow as pa

    return pa.concat_tables(parts)


def picked(batch: pa.RecordBatch, index: np.ndarray) -> pa.RecordBatch:
    """The rows at these positions."""
    import pyarrow as pa

    return batch if len(index) == batch.num_rows else batch.take(pa.array(index))


def _room_for(part: Batch, rows: int) -> Batch:
    weight = None if part.weight is None else np.empty(rows, np.float32)
    X = np.empty((rows, part.X.shape[1]), part.X.dtype)
    return Batch(X, np.empty(rows, part.y.dtype), weight, np.empty(rows, np.int64))


def _copy(part: Batch, out: Batch, at: int) -> None:
    end = at + len(part.row)
    out.X[at:end], out.y[at:end], out.row[at:end] = part.X, part.y, part.row
    if out.weight is not None and part.weight is not None:
        out.weight[at:end] = part.weight
