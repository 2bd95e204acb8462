"""What shuffling a raw column costs: permutation importance, bounded in rows and seconds, by seed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

import numpy as np

from fitscale.models.worth.judged import Block
from fitscale.models.worth.segments import taken
from fitscale.records.worth import Importance, Shuffled

if TYPE_CHECKING:
    from fitscale.contracts import Metric
    from fitscale.models.worth.rows import Sample
    from fitscale.work.model import Model

REPEATS = 5
LADDER = (500, 1_000, 2_000, 5_000, 10_000, 20_000)  # of rows: a machine that is somewhat slower takes as many


def importance_of(
    model: Model, sample: Sample, measure: Metric, seed: int, limit_s: float, repeats: int = REPEATS
) -> Importance | str:
    """The drops of the score by column, or why there are none.

    So many of the sample's rows are taken that ``repeats`` rounds over all columns take about ``limit_s``. A round that the
    time ends counts only where it is the first.
    """
    began = time.monotonic()
    names = sample.table.column_names
    rows = _affordable(model, sample, measure, limit_s / (repeats * max(1, len(names))))
    shuffling = shuffling_of(model, _part(sample, rows), measure)
    score = shuffling.score()
    if score is None:
        return f"{measure.name} is undefined on {rows:,} held-out rows, or takes what the model does not give"
    sign = 1.0 if measure.greater else -1.0
    rounds: list[dict[int, float]] = []
    for k in range(repeats):
        drops: dict[int, float] = {}
        for column in np.random.default_rng([seed, k]).permutation(len(names)).tolist():
            if time.monotonic() - began > limit_s and (rounds or drops):
                break
            # Drawn for each round and column apart: one that the time ended changes nothing of the others.
            order = np.random.default_rng([seed, k, column]).permutation(len(shuffling.part.row))
            if (changed := shuffling.score(column, order)) is not None:
                drops[column] = sign * (score - changed)
        else:
            rounds.append(drops)
            continue
        rounds = rounds or [drops]
        break
    found = [(names[column], [drops[column] for drops in rounds if column in drops]) for column in rounds[0]]
    return Importance(
        metric=measure.name,
        score=score,
        rows=len(shuffling.part.row),
        repeats=len(rounds),
        columns=tuple(sorted((_shuffled(name, drops) for name, drops in found), key=lambda c: (-c.drop, c.column))),
        untried=len(names) - len(found),
        seconds=round(time.monotonic() - began, 3),
        limit_s=limit_s,
    )


def _shuffled(name: str, drops: list[float]) -> Shuffled:
    spread = float(np.std(drops, ddof=1)) if len(drops) > 1 else None
    return Shuffled(column=name, drop=float(np.mean(drops)), spread=spread)


def _affordable(model: Model, sample: Sample, measure: Metric, each_s: float) -> int:
    """So many rows are scored in ``each_s``, by the ladder and as far as there are any."""
    pilot = shuffling_of(model, _part(sample, LADDER[0]), measure)
    order = np.arange(len(pilot.part.row))
    pilot.score(0, order)  # what is loaded on first use is no cost of a row
    began = time.monotonic()
    pilot.score(0, order)
    per_row = (time.monotonic() - began) / max(1, len(order))
    return min(max((n for n in LADDER if n * per_row <= each_s), default=LADDER[0]), len(sample.row))


def _part(sample: Sample, most: int) -> Sample:
    """Evenly drawn rows of the sample."""
    import pyarrow as pa

    if len(sample.row) <= most:
        return sample
    at = np.linspace(0, len(sample.row) - 1, most).astype(np.int64)
    weight = None if sample.weight is None else sample.weight[at]
    return sample._replace(table=sample.table.take(pa.array(at)), row=sample.row[at], y=sample.y[at], weight=weight)


class Shuffling(Protocol):
    """Scores of a part of the rows, as they are or with the values of one raw column in another order."""

    part: Sample

    def score(self, column: int = -1, order: np.ndarray | None = None) -> float | None: ...


def shuffling_of(model: Model, part: Sample, measure: Metric) -> Shuffling:
    """Of encoded rows where that can be, as encoding thousands of columns anew would take longer than scoring them."""
    encoding = model.encoding
    return (RawRows if encoding.input == "raw" or encoding.sparse else EncodedRows)(model, part, measure)


class RawRows:
    """See `Shuffling`: the column is shuffled before the encoding."""

    def __init__(self, model: Model, part: Sample, measure: Metric) -> None:
        self.part = part
        self._model, self._measure = model, measure

    def score(self, column: int = -1, order: np.ndarray | None = None) -> float | None:
        table = self.part.table
        if order is not None:
            table = table.set_column(column, table.schema.field(column), table.column(column).take(order))
        return _measured(self._model.scored(table.combine_chunks()), self.part, self._measure, self._model)


class EncodedRows:
    """See `Shuffling`: rows are encoded one by one, so that the encoded columns of a raw one can be shuffled as well."""

    def __init__(self, model: Model, part: Sample, measure: Metric) -> None:
        self.part = part
        self._model, self._measure = model, measure
        encoding = model.encoding
        widths = [encoding.but(columns=(column,)).width for column in encoding.columns]
        self._ends = np.cumsum([0, *widths])
        batches = part.table.combine_chunks().to_batches()
        self._X = np.concatenate([encoding.apply(batch) for batch in batches])

    def score(self, column: int = -1, order: np.ndarray | None = None) -> float | None:
        X = self._X
        if order is None:
            return _measured(self._model.scored_encoded([X]), self.part, self._measure, self._model)
        own = slice(self._ends[column], self._ends[column + 1])
        before = X[:, own].copy()
        X[:, own] = before[order]
        try:
            return _measured(self._model.scored_encoded([X]), self.part, self._measure, self._model)
        finally:
            X[:, own] = before


def _measured(said: tuple[np.ndarray, np.ndarray | None], part: Sample, measure: Metric, model: Model) -> float | None:
    predicted = taken(measure.takes, Block(part.row, part.y, part.weight, *said), model.encoding.n_classes)
    return None if predicted is None else measure.one(part.y, predicted, part.weight)


def scored(model: Model, part: Sample) -> Block:
    """What the model says of the rows."""
    return Block(part.row, part.y, part.weight, *model.scored(part.table.combine_chunks()))
