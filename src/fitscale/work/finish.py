"""Put a version together from what was committed: a pure function of the chunks, so that it can be done again after any end."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from fitscale.errors import FitscaleError
from fitscale.metrics import default_metric, metric, task_of
from fitscale.metrics.errors import errors_of, moments
from fitscale.records.run import Chunk, ChunkResult, Manifest, Order, Task
from fitscale.registry import plugin
from fitscale.store import chunks, crash, files, folder, reference, trust, versions
from fitscale.work.judged import probabilities_of, taken
from fitscale.work.parents import are_parents, with_parents

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from fitscale.data.bins import Bins
    from fitscale.data.encoding import Encoding

MOST_FILES = 48  # of a version; more chunks than that are joined, by key order, into files of FILE_BYTES
FILE_BYTES = 64 << 20


def finish(run: Path, order: Order) -> None:
    """Write versions/V of the order: index, metrics, failures, reference and manifest, whole or not at all."""
    from fitscale.data.encoding import Encoding

    if order.version is None:
        raise FitscaleError("an order to finish names no version")
    tasks = {name: folder.read_task(run, name) for name in order.tasks}
    results = {name: _results(run, name, task) for name, task in tasks.items()}
    last = order.tasks[-1]  # its models are the version's; the tasks before it were only scored
    task = tasks[last]
    encoding = Encoding.from_json((run / "encoding" / task.recipe.encoding / "encoding.json").read_bytes())

    # What is trained again comes beside files that are there: few of its own, so that those stay as they are.
    room = MOST_FILES - (len(versions.manifest(run, order.base).payloads) if order.base is not None else 0)
    places = _payloads(run, task, results[last], order.trust, room)
    crash.point("finish.payloads")
    bins = _bins(run, task)
    index = _index(run, results[last], places, bins)
    name, scores, columns = _scores(run, tasks, results, encoding, index)
    for title, column in columns.items():
        index = index.append_column(title, column)
    if task.recipe.fallback is not None:
        index = with_parents(index, task.recipe.groups)
    retrained, payloads = index.num_rows, places.payloads
    if order.base is not None:
        index, payloads = _beside(run, order.base, index, payloads, task, bins)
    lies = index.column(reference.COLUMN) if reference.COLUMN in index.column_names else None
    index = index.select([name for name in index.column_names if name != reference.COLUMN])
    status, kinds = (_counted(index.column(name)) for name in ("status", "kind"))
    manifest = Manifest(
        version=order.version,
        name=folder.check(run),
        recipes={t.name: t.recipe for t in tasks.values()},
        encoding=task.recipe.encoding,
        groups=task.recipe.groups,
        models=status["fitted"],
        failed=status["failed"],
        unfit=status["unfit"],
        payloads=tuple(payloads),
        gives=_given(run, task, next(iter(results.values()))),
        metric=name,
        scores=scores,
        base=order.base,
        retrained=retrained if order.base is not None else 0,
        fallback=kinds[chunks.PARENT],
    )

    def fill(temporary: Path) -> None:
        (temporary / "index.parquet").write_bytes(chunks.parquet_bytes(index))
        if bins is not None and lies is not None:
            reference.write(temporary, bins, lies)
        (temporary / "failures.jsonl").write_text("".join(_failures(index, task.recipe.groups)))
        (temporary / "metrics.json").write_text(json.dumps({"metric": name, "scores": scores}, sort_keys=True))
        (temporary / "manifest.json").write_text(manifest.to_json())

    files.folder_whole(run / "versions" / str(order.version), fill, after="finish.renamed")


def _counted(column: pa.ChunkedArray) -> Counter[str]:
    found = column.value_counts()
    return Counter(dict(zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True)))


def _results(run: Path, name: str, task: Task) -> list[ChunkResult]:
    missing = set(range(len(task.chunks))) - chunks.committed(run, name)
    if missing:
        raise FitscaleError(f"{run}/tasks/{name}: chunks {sorted(missing)[:5]} are not done")
    results = [chunks.read(run, name, k) for k in range(len(task.chunks))]
    for result in results:
        for content in (result.table, result.models, result.predictions):
            if content is not None:
                chunks.kept(run, content)  # before anything is put together from the others
    return results


class _Places(NamedTuple):
    """Where the models of a version are, in key order: file -1 where there is none."""

    payloads: list[str]
    file: np.ndarray  # (n,) int32
    offset: np.ndarray  # (n,) int64


def _payloads(run: Path, task: Task, results: list[ChunkResult], trusted: bool, room: int) -> _Places:
    """The payload files of the version, at most ``room`` if that can be, and the place of each model in them."""
    import numpy as np

    pickles = plugin("frameworks", task.recipe.framework).pickles
    if len(results) == 1 and not task.recipe.groups:
        return _Places([results[0].models], np.zeros(1, np.int32), np.zeros(1, np.int64))  # one model: as it is
    if pickles:
        for result in results:
            trust.check(run, result.models, files.mapped(run / "models" / result.models), trust=trusted)
    # As they are where they are few: what was written and synced once need not be again.
    return _as_they_are(run, results) if len(results) <= room else _joined(run, results, sign=pickles)


def _as_they_are(run: Path, results: list[ChunkResult]) -> _Places:
    import numpy as np

    payloads: list[str] = []
    file: list[np.ndarray] = []
    offset: list[np.ndarray] = []
    for result in results:
        fitted, lengths = _models(run, result)
        if fitted.any():
            payloads.append(result.models)
        file.append(np.where(fitted, len(payloads) - 1, -1))
        offset.append(np.where(fitted, np.cumsum(lengths) - lengths, 0))
    return _Places(payloads, np.concatenate(file).astype(np.int32), np.concatenate(offset))


def _joined(run: Path, results: list[ChunkResult], *, sign: bool) -> _Places:
    """The chunks' models in fewer files. A chunk's bytes are those of its models, one after the other."""
    import numpy as np

    sources: list[files.Bytes] = [files.mapped(run / "models" / result.models) for result in results]
    models = [_models(run, result) for result in results]
    fitted = np.concatenate([there for there, _ in models])
    return _cut_into_files(run, sources, fitted, np.concatenate([lengths for _, lengths in models]), sign=sign)


def _cut_into_files(
    run: Path, sources: Sequence[files.Bytes], fitted: np.ndarray, lengths: np.ndarray, *, sign: bool
) -> _Places:
    """Files of up to FILE_BYTES, cut between models, of sources that hold one model after the other."""
    import numpy as np

    ends = np.cumsum(lengths)  # in all bytes, one after the other
    starts = np.concatenate([[0], ends[:-1]])
    cuts = [0]
    while cuts[-1] < ends[-1]:
        first = int(np.searchsorted(ends, cuts[-1], "right"))  # a model alone, where it is larger than a file
        cuts.append(int(max(ends[first], ends[np.searchsorted(ends, cuts[-1] + FILE_BYTES, "right") - 1])))
    payloads = [_joined_file(run, sources, low, high, sign) for low, high in itertools.pairwise(cuts)]
    file = np.where(fitted, np.searchsorted(cuts, starts, "right") - 1, -1)
    offset = np.where(fitted, starts - np.asarray(cuts)[np.maximum(file, 0)], 0)
    return _Places(payloads, file.astype(np.int32), offset)


def _joined_file(run: Path, sources: Sequence[files.Bytes], low: int, high: int, sign: bool) -> str:
    """Bytes ``low`` to ``high`` of all sources, one after the other, as a payload."""
    buffer, at = bytearray(), 0
    for source in sources:
        size = len(source)
        if at < high and at + size > low:
            buffer += source[max(0, low - at) : high - at]
        at += size
    name = files.store_content(run / "models", buffer)
    if sign:
        trust.sign(run, name, buffer)
    return name


def _models(run: Path, result: ChunkResult) -> tuple[np.ndarray, np.ndarray]:
    """Of each model of a chunk: whether there is one, and how long it is."""
    import pyarrow.compute as pc

    table = chunks.read_table(run, result.table)
    fitted = pc.equal(table.column("status"), "fitted").to_numpy()
    lengths: np.ndarray = table.column("length").to_numpy()
    return fitted, lengths


def _bins(run: Path, task: Task) -> Bins | None:
    """None of series, and where no column has any."""
    from fitscale.data.bins import Bins

    path = run / "encoding" / task.recipe.encoding / reference.BINS
    bins = Bins.from_json(path.read_bytes()) if path.exists() else None
    return bins if bins is not None and bins.columns else None


def _index(run: Path, results: list[ChunkResult], places: _Places, bins: Bins | None) -> pa.Table:
    """One row for each model; behind it, where they were counted, how its training rows lie."""
    import pyarrow as pa

    tables = [chunks.read_table(run, result.table) for result in results]
    if bins is None:
        tables = [table.select([name for name in table.column_names if name != reference.COLUMN]) for table in tables]
    else:
        tables = reference.aligned(tables, bins.width)
    index = pa.concat_tables(tables)
    index = index.set_column(index.column_names.index("offset"), "offset", pa.array(places.offset))
    return index.append_column("file", pa.array(places.file)).combine_chunks()


def _beside(
    run: Path, base: int, index: pa.Table, payloads: list[str], task: Task, bins: Bins | None
) -> tuple[pa.Table, list[str]]:
    """The models that were trained again among those of the version before; payloads are named, not written again."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from fitscale.data.groupkeys import KeyFilter

    before = versions.manifest(run, base)
    names = list(before.groups)
    there = pq.ParquetFile(run / "versions" / str(base) / "index.parquet", memory_map=True).read(use_threads=False)
    if bins is not None:
        lay = reference.column_of(run, base, bins)
        there, index = reference.aligned(
            [there if lay is None else there.append_column(reference.COLUMN, lay), index], bins.width
        )
    others = there.filter(pa.array(~KeyFilter(index.select(names)).of(there.combine_chunks())))
    file = others.column("file").to_numpy()
    used = np.unique(file[file >= 0])
    kept = [before.payloads[k] for k in used.tolist()]
    moved = np.where(file >= 0, np.searchsorted(used, file), -1).astype(np.int32)
    others = others.set_column(others.column_names.index("file"), "file", pa.array(moved))
    own = index.column("file").to_numpy()
    own = np.where(own >= 0, own + len(kept), -1).astype(np.int32)
    index = index.set_column(index.column_names.index("file"), "file", pa.array(own)).select(others.column_names)
    merged = pa.concat_tables([others, index.cast(others.schema)]).sort_by([(name, "ascending") for name in names])
    payloads = [*kept, *payloads]
    if len(payloads) > MOST_FILES:
        merged, payloads = _one_after_the_other(
            run, merged, payloads, sign=plugin("frameworks", task.recipe.framework).pickles
        )
    assert not pc.any(pc.is_null(merged.column("status"))).as_py()
    return merged.combine_chunks(), payloads


def _one_after_the_other(run: Path, index: pa.Table, payloads: list[str], *, sign: bool) -> tuple[pa.Table, list[str]]:
    """The models of too many files written anew, in key order."""
    import numpy as np
    import pyarrow as pa

    sources = [files.mapped(run / "models" / name) for name in payloads]
    columns = (index.column(name).to_numpy() for name in ("file", "offset", "length"))
    file, offset, length = columns
    lengths = np.where(file >= 0, length, 0)
    pieces = [
        bytes(sources[k][at : at + size]) if k >= 0 else b"" for k, at, size in zip(file, offset, lengths, strict=True)
    ]
    places = _cut_into_files(run, [b"".join(pieces)], file >= 0, lengths, sign=sign)
    for name, column in (("file", places.file), ("offset", places.offset)):
        index = index.set_column(index.column_names.index(name), name, pa.array(column))
    return index, places.payloads


def _scores(
    run: Path,
    tasks: dict[str, Task],
    results: dict[str, list[ChunkResult]],
    encoding: Encoding,
    index: pa.Table,
) -> tuple[str, dict[str, float | None], dict[str, pa.Array]]:
    """(metric, its values, columns of the index). Cross-validation: the mean over its parts, and each part.

    A column has the value of each model; of rows, others what their held-out errors were: drift is seen by them.
    """
    import numpy as np
    import pyarrow as pa

    task, n_models = next(iter(tasks.values())), index.num_rows
    parents = are_parents(index)
    kind = task_of(encoding.n_classes)
    gives = _given(run, task, next(iter(results.values())))
    name = task.metric or default_metric(kind, encoding.n_classes, gives)
    measure = metric(name, encoding.n_classes, kind)
    seen = _Seen(n_models, apart=len(tasks) == 1)
    whole: dict[str, float | None] = {}
    by_model: list[np.ndarray] = []
    for digest, each in tasks.items():
        # Of all rows only what their common value needs is held: of tens of millions the rest is gigabytes.
        ys: list[np.ndarray] = []
        predictions: list[np.ndarray] = []
        weights: list[np.ndarray] = []
        values_of = np.full(n_models, np.nan)
        for chunk, table in _predictions(run, results[digest]):
            if each.recipe.fallback is not None:  # whose rows are groups' rows, too
                table = table.filter(pa.array(~parents[table.column("model").to_numpy() + chunk.start]))
            y = table.column("y").to_numpy()
            weight = table.column("weight").to_numpy() if "weight" in table.column_names else None
            predicted = taken(table, measure.takes, encoding.n_classes, name)
            ys.append(y)
            predictions.append(predicted)
            weights += [] if weight is None else [weight]
            model = table.column("model").to_numpy() if each.recipe.groups else np.zeros(len(y), np.int32)
            if encoding.input != "series":  # whose models know their own
                proba = probabilities_of(table, encoding.n_classes) if gives == "probabilities" else None
                error = errors_of(y, table.column("value").to_numpy(), proba, encoding.n_classes)
                seen.add(chunk, model, error)
            if each.recipe.groups:
                here = slice(chunk.start, chunk.stop)
                values_of[here] = measure.many(model, chunk.stop - chunk.start, y, predicted, weight)
        if not ys:
            continue
        whole[each.name] = measure.one(_in_one(ys), _in_one(predictions), _in_one(weights) if weights else None)
        if not each.recipe.groups and (value := whole[each.name]) is not None:
            values_of[0] = value
        by_model.append(values_of)
    values = [value for value in whole.values() if value is not None]
    mean = sum(values) / len(values) if values else None
    scores = {name: mean} | ({f"{name}: {part}": value for part, value in whole.items()} if len(whole) > 1 else {})
    told = {} if encoding.input == "series" else seen.columns()
    if not by_model:
        return name, scores, {"score": pa.nulls(n_models, pa.float64()), **told}
    stacked = np.vstack(by_model)
    known = ~np.isnan(stacked)
    column = np.where(known, stacked, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return name, scores, {"score": pa.array(column, mask=~known.any(axis=0)), **told}


class _Seen:
    """What the held-out errors of each model were: 0 rows of those whose rows were all trained on.

    ``apart``: no model has errors in two chunks, as those of a cross-validation have, so that none need be held.
    """

    def __init__(self, n_models: int, *, apart: bool) -> None:
        import numpy as np

        self._n = n_models
        self._apart = apart
        self._model = [np.empty(0, np.int64)]
        self._error = [np.empty(0)]
        self._found = moments(np.empty(0), np.empty(0, np.int64), n_models)

    def add(self, chunk: Chunk, model: np.ndarray, error: np.ndarray) -> None:
        """Of the rows of a chunk: which of its models each is of, and how far off it was."""
        if not self._apart:
            self._model.append(model + chunk.start)
            self._error.append(error)
            return
        own = moments(error, model, chunk.stop - chunk.start)
        for whole, part in zip(self._found, own, strict=True):
            whole[chunk.start : chunk.stop] = part

    def columns(self) -> dict[str, pa.Array]:
        import numpy as np
        import pyarrow as pa

        if not self._apart:
            self._found = moments(_in_one(self._error), _in_one(self._model), self._n)
        rows, mean, variance, kurtosis = self._found
        columns = (rows.astype(np.int64), mean, np.sqrt(variance), kurtosis)
        return {title: pa.array(column) for title, column in zip(chunks.ERRORS, columns, strict=True)}


def _predictions(run: Path, results: list[ChunkResult]) -> Iterator[tuple[Chunk, pa.Table]]:
    """Hold-out predictions of each chunk, in key order; ``model`` numbers the models of the chunk."""
    for result in results:
        if result.predictions is not None:
            yield result.chunk, chunks.read_table(run, result.predictions)


def _in_one(parts: list[np.ndarray]) -> np.ndarray:
    """One after the other, of which nothing is held twice afterwards; one alone is not copied."""
    import numpy as np

    whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
    parts.clear()
    return whole


def _given(run: Path, task: Task, results: list[ChunkResult]) -> Literal["probabilities", "margins", "labels"]:
    """What the models gave: probabilities, margins or labels."""
    import pyarrow.parquet as pq

    first = next((result.predictions for result in results if result.predictions), None)
    if first is not None and "p1" not in pq.read_schema(run / "models" / first).names:
        return "labels"
    return task.traits.gives


def _failures(index: pa.Table, groups: tuple[str, ...]) -> Iterator[str]:
    import pyarrow.compute as pc

    wanted: list[str] = [*groups, "status", "kind", "why", "n_train"]
    without = index.filter(pc.not_equal(index.column("status"), "fitted"))
    for record in without.select(wanted).to_pylist():
        key: dict[str, Any] = {name: record.pop(name) for name in groups}
        yield json.dumps({"key": key, **record}, sort_keys=True, default=str) + "\n"
