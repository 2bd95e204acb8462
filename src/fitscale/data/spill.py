"""Batches that a library reads several times, kept as they came: only the first pass decodes and encodes.

They lie in a file without a name, so that nothing is left of it whichever way the process ends. It is mapped: it counts to
no process's own memory, and comes from the page cache where the machine has room for it.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from fitscale.contracts import Batch

ALIGNED = 64  # bytes: where an array may begin


class _Place(NamedTuple):
    """Where an array lies in the file."""

    at: int
    type: np.dtype[Any]
    shape: tuple[int, ...]


class Spill:
    """The batches that ``read`` gives, as often as they are asked for. One pass at a time.

    Parameters
    ----------
    read
        Begins a pass: equal batches each time, dense or CSR.
    folder
        On whose disk they are kept. They take half of its free room at most: where that is not enough, every pass reads.
    """

    def __init__(self, read: Callable[[], Iterator[Batch]], folder: Path) -> None:
        self._read = read
        self._folder = folder
        self._kept: list[list[_Place | None]] = []
        self._map: mmap.mmap | None = None
        self._keeps = True

    def batches(self) -> Iterator[Batch]:
        """All batches from the first on; those that were kept must not be written to."""
        if self._map is not None:
            return map(self._batch, self._kept)
        return self._first() if self._keeps else self._read()

    def _first(self) -> Iterator[Batch]:
        kept: list[list[_Place | None]] = []
        with tempfile.TemporaryFile(dir=self._folder, buffering=0) as file:
            for batch in self._read():
                if self._keeps:
                    kept.append([self._put(file, array) for array in _arrays(batch)])
                yield batch
            if self._keeps and kept:
                self._kept, self._map = kept, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def _put(self, file: IO[bytes], array: np.ndarray | None) -> _Place | None:
        if array is None or not self._keeps:
            return None
        at = -(-file.tell() // ALIGNED) * ALIGNED
        disk = os.fstatvfs(file.fileno())
        self._keeps = at + array.nbytes <= disk.f_bavail * disk.f_frsize
        try:
            if self._keeps:
                file.seek(at)
                left = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
                while left:  # a call writes 2 GB at most
                    left = left[file.write(left) :]
        except OSError:  # a quota, or others who filled the disk meanwhile
            self._keeps = False
        if not self._keeps:
            file.truncate(0)
        return _Place(at, array.dtype, array.shape)

    def _batch(self, places: list[_Place | None]) -> Batch:
        *features, y, weight, row = (self._array(place) for place in places)
        X: Any = features[0]
        if len(features) > 1:
            from scipy.sparse import csr_matrix

            data, indices, starts, shape = features
            X = csr_matrix((data, indices, starts), shape=tuple(shape))
        return Batch(X, y, weight, row)

    def _array(self, place: _Place | None) -> Any:
        if place is None:
            return None
        assert self._map is not None
        size = int(np.prod(place.shape))
        return np.frombuffer(self._map, place.type, size, place.at).reshape(place.shape)


def _arrays(batch: Batch) -> tuple[np.ndarray | None, ...]:
    X = batch.X
    features = (X,) if isinstance(X, np.ndarray) else (X.data, X.indices, X.indptr, np.array(X.shape))
    return (*features, batch.y, batch.weight, batch.row)
