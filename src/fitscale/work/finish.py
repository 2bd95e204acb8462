"""Put a version together from what was committed: a pure function of the chunks, so that it can be done again after any end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fitscale.errors import FitscaleError, WorkloadError
from fitscale.metrics import default_metric, metric, task_of
from fitscale.records.run import ChunkResult, Manifest, Order, Task
from fitscale.registry import plugin
from fitscale.store import chunks, crash, files, folder, trust

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from fitscale.data.encoding import Encoding

MOST_FILES = 48  # of a version; more chunks than that are joined, by key order, into files of FILE_BYTES
FILE_BYTES = 64 << 20


def finish(run: Path, order: Order) -> None:
    """Write versions/V of the order: index, metrics, failures and manifest, whole or not at all."""
    from fitscale.data.encoding import Encoding

    if order.version is None:
        raise FitscaleError("an order to finish names no version")
    tasks = {name: folder.read_task(run, name) for name in order.tasks}
    results = {name: _results(run, name, task) for name, task in tasks.items()}
    last = order.tasks[-1]  # its models are the version's; the tasks before it were only scored
    task = tasks[last]
    encoding = Encoding.from_json((run / "encoding" / task.recipe.encoding / "encoding.json").read_bytes())

    payloads, places = _payloads(run, task, results[last], order.trust)
    crash.point("finish.payloads")
    index = _index(run, results[last], places)
    name, scores, column = _scores(run, tasks, results, encoding, index.num_rows)
    index = index.append_column("score", column)
    status = index.column("status").to_pylist()
    manifest = Manifest(
        version=order.version,
        name=folder.check(run),
        recipes={t.name: t.recipe for t in tasks.values()},
        encoding=task.recipe.encoding,
        groups=task.recipe.groups,
        models=status.count("fitted"),
        failed=status.count("failed"),
        unfit=status.count("unfit"),
        payloads=tuple(payloads),
        gives=_given(run, task, next(iter(results.values()))),
        metric=name,
        scores=scores,
    )

    def fill(temporary: Path) -> None:
        (temporary / "index.parquet").write_bytes(chunks.parquet_bytes(index))
        (temporary / "failures.jsonl").write_text("".join(_failures(index, task.recipe.groups)))
        (temporary / "metrics.json").write_text(json.dumps({"metric": name, "scores": scores}, sort_keys=True))
        (temporary / "manifest.json").write_text(manifest.to_json())

    files.folder_whole(run / "versions" / str(order.version), fill, after="finish.renamed")


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


def _payloads(
    run: Path, task: Task, results: list[ChunkResult], trusted: bool
) -> tuple[list[str], list[tuple[int, int]]]:
    """The payload files of the version, and (file, offset) of each model in key order; (-1, 0) where there is none."""
    pickles = plugin("frameworks", task.recipe.framework).pickles
    if len(results) == 1 and not task.recipe.groups:
        return [results[0].models], [(0, 0)]  # one model: its payload as it is
    if pickles:
        for result in results:
            trust.check(run, result.models, files.mapped(run / "models" / result.models), trust=trusted)
    # As they are where they are few: what was written and synced once need not be again.
    return _as_they_are(run, results) if len(results) <= MOST_FILES else _joined(run, results, sign=pickles)


def _as_they_are(run: Path, results: list[ChunkResult]) -> tuple[list[str], list[tuple[int, int]]]:
    payloads: list[str] = []
    places: list[tuple[int, int]] = []
    for result in results:
        models = _models(run, result)
        if any(status == "fitted" for status, _, _ in models):
            payloads.append(result.models)
        places += [(len(payloads) - 1, offset) if status == "fitted" else (-1, 0) for status, offset, _ in models]
    return payloads, places


def _joined(run: Path, results: list[ChunkResult], *, sign: bool) -> tuple[list[str], list[tuple[int, int]]]:
    payloads: list[str] = []
    places: list[tuple[int, int]] = []
    buffer = bytearray()

    def cut() -> None:
        payloads.append(files.store_content(run / "models", buffer))
        if sign:
            trust.sign(run, payloads[-1], buffer)
        buffer.clear()

    for result in results:
        source = files.mapped(run / "models" / result.models)
        for status, offset, length in _models(run, result):
            if status != "fitted":
                places.append((-1, 0))
                continue
            if buffer and len(buffer) + length > FILE_BYTES:
                cut()
            places.append((len(payloads), len(buffer)))
            buffer += source[offset : offset + length]
    if buffer:
        cut()
    return payloads, places


def _models(run: Path, result: ChunkResult) -> list[tuple[str, int, int]]:
    """(status, offset, length) of each model of a chunk."""
    table = chunks.read_table(run, result.table)
    columns = (table.column(name).to_pylist() for name in ("status", "offset", "length"))
    return list(zip(*columns, strict=True))


def _index(run: Path, results: list[ChunkResult], places: list[tuple[int, int]]) -> pa.Table:
    import pyarrow as pa

    index = pa.concat_tables([chunks.read_table(run, result.table) for result in results])
    offsets = pa.array([offset for _, offset in places], pa.int64())
    index = index.set_column(index.column_names.index("offset"), "offset", offsets)
    return index.append_column("file", pa.array([file for file, _ in places], pa.int32())).combine_chunks()


def _scores(
    run: Path,
    tasks: dict[str, Task],
    results: dict[str, list[ChunkResult]],
    encoding: Encoding,
    n_models: int,
) -> tuple[str, dict[str, float | None], pa.Array]:
    """(metric, its values, a value for each model). Cross-validation: the mean over its parts, and each part."""
    import numpy as np
    import pyarrow as pa

    task = next(iter(tasks.values()))
    kind = task_of(encoding.n_classes)
    name = task.metric or default_metric(kind, encoding.n_classes, _given(run, task, next(iter(results.values()))))
    measure = metric(name, encoding.n_classes, kind)
    whole: dict[str, float | None] = {}
    by_model: list[np.ndarray] = []
    for digest, each in tasks.items():
        table = _predictions(run, results[digest])
        if table is None:
            continue
        y = table.column("y").to_numpy()
        weight = table.column("weight").to_numpy() if "weight" in table.column_names else None
        predicted = _taken(table, measure.takes, encoding.n_classes, name)
        whole[each.name] = measure.one(y, predicted, weight)
        if each.recipe.groups:
            by_model.append(measure.many(table.column("model").to_numpy(), n_models, y, predicted, weight))
        else:
            by_model.append(np.array([np.nan if whole[each.name] is None else whole[each.name]]))
    values = [value for value in whole.values() if value is not None]
    mean = sum(values) / len(values) if values else None
    scores = {name: mean} | ({f"{name}: {part}": value for part, value in whole.items()} if len(whole) > 1 else {})
    if not by_model:
        return name, scores, pa.nulls(n_models, pa.float64())
    stacked = np.vstack(by_model)
    known = ~np.isnan(stacked)
    column = np.where(known, stacked, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return name, scores, pa.array(column, mask=~known.any(axis=0))


def _predictions(run: Path, results: list[ChunkResult]) -> pa.Table | None:
    """All hold-out predictions of a task in key order; ``model`` numbers the models of the task."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = []
    for result in results:
        if result.predictions is None:
            continue
        part = chunks.read_table(run, result.predictions)
        if "model" in part.column_names:
            at = part.column_names.index("model")
            part = part.set_column(at, "model", pc.add(part.column("model"), pa.scalar(result.chunk.start, pa.int32())))
        parts.append(part)
    return pa.concat_tables(parts) if parts else None


def _given(run: Path, task: Task, results: list[ChunkResult]) -> Literal["probabilities", "margins", "labels"]:
    """What the models gave: probabilities, margins or labels."""
    import pyarrow.parquet as pq

    first = next((result.predictions for result in results if result.predictions), None)
    if first is not None and "p1" not in pq.read_schema(run / "models" / first).names:
        return "labels"
    return task.traits.gives


def _taken(table: pa.Table, takes: str, n_classes: int, name: str) -> np.ndarray:
    """What of the predictions the metric takes."""
    import numpy as np

    if takes != "proba":
        return np.asarray(table.column("value").to_numpy())
    if "p1" not in table.column_names:
        told = f"'{name}' needs probabilities, and the estimator gives none; take accuracy"
        raise WorkloadError("evaluate.metric", told)
    if n_classes == 2:
        return np.asarray(table.column("p1").to_numpy())
    return np.column_stack([table.column(f"p{k}").to_numpy() for k in range(n_classes)])


def _failures(index: pa.Table, groups: tuple[str, ...]) -> Iterator[str]:
    wanted: list[str] = [*groups, "status", "kind", "why", "n_train"]
    for record in index.select(wanted).to_pylist():
        if record["status"] != "fitted":
            key: dict[str, Any] = {name: record.pop(name) for name in groups}
            yield json.dumps({"key": key, **record}, sort_keys=True, default=str) + "\n"
