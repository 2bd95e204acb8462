"""Where the loss lies: the values of columns with few of them that hold more of the loss than of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fitscale.records.worth import Segment, Segments

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.contracts import Metric
    from fitscale.models.worth.judged import Block

MOST_VALUES = 50
SHOWN, OF_ONE = 15, 5  # segments, and of them those of one column
LEAST_ROWS = 50
SURE = 3.0  # standard errors by which a segment's mean loss must lie above that of all rows: many are looked at
EPSILON = 1e-15


def segments_of(table: pa.Table, block: Block, measure: Metric, classes: int, gives: str) -> Segments:
    """``block`` has the predictions of the table's rows, in its order."""
    of, loss = losses(block, classes, gives)
    weight = np.ones(len(loss)) if block.weight is None else block.weight.astype(np.float64)
    whole = float((weight * loss).sum())
    mean = whole / float(weight.sum())
    found: list[Segment] = []
    looked_at = 0
    for name, column in zip(table.column_names, table.columns, strict=True):
        codes, values = _values(column)
        if codes is None or len(values) < 2:
            continue
        looked_at += 1
        own = _of_column(name, codes, values, block, loss, weight, mean, whole, measure, classes)
        found += sorted(own, key=_excess)[:OF_ONE]
    found.sort(key=_excess)
    return Segments(
        of=of, rows=len(loss), loss=mean, columns=looked_at, least=LEAST_ROWS, found=tuple(found[:SHOWN])
    )  # fmt: skip


def _excess(segment: Segment) -> float:
    return segment.share - segment.loss_share


def losses(block: Block, classes: int, gives: str) -> tuple[str, np.ndarray]:
    """(what it is, (n,) the loss of each row)."""
    if not classes:
        return "squared error", np.square(block.y.astype(np.float64) - block.value)
    codes = block.y.astype(np.int64)
    if block.proba is None or gives != "probabilities":
        return "share of wrong labels", (codes != block.value.astype(np.int64)).astype(np.float64)
    return "log loss", -np.log(np.clip(block.proba[np.arange(len(codes)), codes], EPSILON, 1.0))


def taken(takes: str, block: Block, classes: int) -> np.ndarray | None:
    """What of the predictions a metric takes; None where the model does not give it."""
    if takes != "proba":
        return block.value
    if block.proba is None:
        return None
    return np.ascontiguousarray(block.proba[:, 1]) if classes == 2 else block.proba


def _values(column: pa.ChunkedArray) -> tuple[np.ndarray | None, list[Any]]:
    """(code of each row, the values); no codes where there are too many values."""
    import pyarrow as pa

    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0) if whole.num_chunks else pa.nulls(0)
    if isinstance(whole, pa.DictionaryArray):
        whole = whole.cast(whole.type.value_type)  # a dictionary of many values may have few of them here
    encoded = whole.dictionary_encode(null_encoding="encode")
    if len(encoded.dictionary) > MOST_VALUES:
        return None, []
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), np.int64), encoded.dictionary.to_pylist()


def _of_column(
    name: str,
    codes: np.ndarray,
    values: list[Any],
    block: Block,
    loss: np.ndarray,
    weight: np.ndarray,
    mean: float,
    whole: float,
    measure: Metric,
    classes: int,
) -> list[Segment]:
    k = len(values)

    def summed(each: np.ndarray | None) -> np.ndarray:
        return np.bincount(codes, weights=each, minlength=k)

    rows, heft, lost = summed(None), summed(weight), summed(weight * loss)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = lost / heft
        error = np.sqrt(np.maximum(summed(np.square(loss - means[codes])) / np.maximum(rows - 1, 1), 0) / rows)
        expected, actual = _expected(block, weight, summed, heft, classes)
    enough = (rows >= LEAST_ROWS) & (heft > 0) & (whole > 0)
    wanted = np.flatnonzero(enough & (means > mean) & (means - mean >= SURE * error))
    if not len(wanted):
        return []
    predicted = taken(measure.takes, block, classes)
    scores = (
        np.full(k, np.nan)
        if predicted is None
        else measure.many(codes, k, block.y, predicted, block.weight)
    )  # fmt: skip
    return [
        Segment(
            column=name,
            value="(missing)" if values[at] is None else str(values[at]),
            rows=int(rows[at]),
            share=float(heft[at] / weight.sum()),
            loss=float(means[at]),
            error=float(error[at]),
            loss_share=float(lost[at] / whole),
            score=None if np.isnan(scores[at]) else float(scores[at]),
            predicted=None if expected is None else float(expected[at]),
            actual=None if actual is None else float(actual[at]),
        )
        for at in wanted.tolist()
    ]


def _expected(
    block: Block, weight: np.ndarray, summed: Any, heft: np.ndarray, classes: int
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Mean prediction and mean truth of each segment, where they are numbers."""
    if classes > 2 or (classes and block.proba is None):
        return None, None
    predicted = block.value if not classes or block.proba is None else block.proba[:, 1]
    return summed(weight * predicted) / heft, summed(weight * block.y) / heft
