"""Scores of the rows that a model can take; the others cost themselves alone, and say why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fitscale.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.work.model import Model

# Of calls of a pipeline for one batch, in search of the rows that it cannot take: about 16 for each such row; and of such
# rows, where no other was found before them.
MOST_TRIES = 2_000
MOST_FIRST = 50


class Spared(NamedTuple):
    """What a model says of n rows, NaN where it says nothing."""

    value: np.ndarray  # (n,) class codes or values
    proba: np.ndarray | None  # (n, k)
    why: dict[int, str]  # row → why there is no prediction


def scored(model: Model, batch: pa.RecordBatch) -> Spared:
    """Score a batch; rows with infinite values, or on which a pipeline raises, are left out and named.

    Raises
    ------
    DataError
        If a column is of another type, or a pipeline raises at very many rows.
    """
    try:
        value, proba = model.scored(batch)
        why: dict[int, str] = {}
    except DataError:
        value, proba, why = _without_infinite(model, batch)
    except Exception:  # whatever a pipeline of the user's raises; an encoded matrix has nothing to raise at
        if model.encoding.input != "raw":
            raise
        value, proba, why = _halved(model, batch)
    return _told(value, proba, why)


def scored_encoded(model: Model, X: Any, batch: pa.RecordBatch) -> Spared:
    """The same of rows that were encoded already; where that raises, row by row of the batch."""
    try:
        value, proba = model.scored_encoded([X])
    except Exception:
        return scored(model, batch)
    return _told(value, proba, {})


def _told(value: np.ndarray, proba: np.ndarray | None, why: dict[int, str]) -> Spared:
    for row in np.flatnonzero(np.isnan(value)):
        why.setdefault(int(row), "the model gives no number")
    return Spared(value, proba, why)


def _without_infinite(model: Model, batch: pa.RecordBatch) -> Spared:
    import pyarrow as pa

    encoding = model.encoding
    first = encoding.infinite_in(batch)
    why = {
        int(row): f"column '{encoding.names[first[row]]}' is infinite (or beyond 3.4e38)"
        for row in np.flatnonzero(first >= 0)
    }
    fine = np.flatnonzero(first < 0)
    value, proba = model.scored(batch.take(pa.array(fine)))
    return Spared(*_spread(batch.num_rows, [(fine, value, proba)]), why)


def _halved(model: Model, batch: pa.RecordBatch) -> Spared:
    """Halve what raises until single rows are left that do."""
    import pyarrow as pa

    found: list[tuple[np.ndarray, np.ndarray, np.ndarray | None]] = []
    why: dict[int, str] = {}
    todo, tries = [np.arange(batch.num_rows)], 0
    while todo:
        rows = todo.pop()
        tries += 1
        try:
            found.append((rows, *model.scored(batch.take(pa.array(rows)))))
        except Exception as error:  # the user's own code
            told = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
            if tries > MOST_TRIES or (len(why) >= MOST_FIRST and not found):
                raise DataError(
                    f"the model raises at {len(why):,} of these rows and more: {told}; mend the column that it names"
                ) from error
            if len(rows) == 1:
                why[int(rows[0])] = told
            else:
                todo += [rows[len(rows) // 2 :], rows[: len(rows) // 2]]
    return Spared(*_spread(batch.num_rows, found), why)


def _spread(
    n: int, parts: list[tuple[np.ndarray, np.ndarray, np.ndarray | None]]
) -> tuple[np.ndarray, np.ndarray | None]:
    """The parts at their rows, among NaN."""
    value = np.full(n, np.nan)
    proba: np.ndarray | None = None
    for rows, some, chances in parts:
        value[rows] = some
        if chances is not None:
            proba = np.full((n, chances.shape[1]), np.nan) if proba is None else proba
            proba[rows] = chances
    return value, proba
