"""Many models: claim a chunk, load its rows once, fit its groups in forked children, commit, and so on until none is left."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fitscale.contracts import Fitted, Grouped, Unfit
from fitscale.engines.supervisor import RESERVE
from fitscale.errors import FitscaleError, WorkloadError
from fitscale.records.data import Shape
from fitscale.records.run import Form, Order, Recipe, Task
from fitscale.registry import plugin
from fitscale.store import chunks
from fitscale.work.batched import Made, fit_at_once
from fitscale.work.failure import describe
from fitscale.work.feeding import bins_of, encoding_of, reader_of
from fitscale.work.fit import check_metric, predictions_of, table_of
from fitscale.work.forking import Fatal, Limits, Result, fit_forked, import_first
from fitscale.work.live import recipe_to_fit
from fitscale.work.parents import mark_parents
from fitscale.work.trimming import trim
from fitscale.workload.units import duration_s

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from fitscale.contracts import Feed, Framework
    from fitscale.work.context import WorkContext
    from fitscale.work.events import EventLog
    from fitscale.work.phases import Ledger

_Sent = dict[str, tuple[str, bytes]]  # columns as type and bytes: arrays themselves cost ten times as much to send

LEAST_S, PATIENCE = 60.0, 20.0  # CPU seconds of a fit that is never ended, and how much longer than expected one may be
MARGIN = 256_000_000  # by which a fit is ended before the supervisor would end the whole worker


def fit_groups(run: Path, order: Order, task: Task, context: WorkContext, log: EventLog, ledger: Ledger) -> None:
    """Do the order's chunks, as many of them as no other worker of the attempt claims."""
    from fitscale.data.groups import make_groups
    from fitscale.data.partition import Partition
    from fitscale.data.rowcheck import need_weight

    if task.partition is None:
        raise FitscaleError(f"task {order.task}: has no partition")
    framework: Framework = plugin("frameworks", task.recipe.framework)()
    with context.phase("start"):
        import_first(framework, task)
    partition = Partition(run / "data" / task.partition)
    reader = reader_of(run, task)
    with context.phase("read"):
        need_weight(reader, task.data, task.recipe.folds)
    with context.phase("encode"):
        encoding = encoding_of(run, task, reader, keep=True)
        bins = bins_of(run, task, reader, encoding)
    trim(len(partition.cut.columns))
    as_arrays = framework if isinstance(framework, Grouped) and "groups" in task.traits.can else None
    done_last = _PutOff(in_thread=as_arrays is not None)

    def keep(k: int, made: Made, keys: pa.Table, lies: np.ndarray | None, about: dict[str, Any]) -> None:
        with context.phase("save"):
            _commit(run, order, task, k, made, table_of(made.table, keys, lies), framework.pickles)
        log.write("chunk", **about)

    try:
        for k in _claimed(run, order, context):
            context.pause_point()
            before, began, timed = _cpu_s(), time.perf_counter(), {}
            chunk = task.chunks[k]
            feed = make_groups(
                partition, task.data, encoding, task.recipe.folds, chunk.start, chunk.stop,
                form=order.form, scratch=context.scratch, phase=context.phase, bins=bins,
            )  # fmt: skip
            rows = feed.chunk.rows  # decoded here and now: the children share it
            if order.form == "frame":
                _ = feed.chunk.frame
            decoded_s = _cpu_s()[0] - before[0]
            trim(len(partition.cut.columns))
            check_metric(task, feed)
            if as_arrays is not None:
                recipe = recipe_to_fit(run, task, order)
                made = fit_at_once(as_arrays, feed, recipe, context, one_by_one=order.form != "groups")
                done_last.catch_up()
            else:
                groups = [each for _, each in feed.groups()]
                with context.phase("iterations"):
                    done, each_s = _fit_all(run, framework, task, groups, context, order, meanwhile=done_last.catch_up)
                ledger.add("iterations", 0.0, _children_cpu_s() - before[1])
                if chunk.probe:
                    decoded = {"decoded_s": decoded_s, "decoded_rows": partition.decoded(chunk.start, chunk.stop)}
                    timed = {**_timed(done, partition.sizes[chunk.start : chunk.stop]), "each_s": each_s, **decoded}
                made = _one_by_one(done)
            mark_parents(made.table["kind"], chunk.start, len(partition), partition.cut.parents)
            about = {
                "k": k,
                "groups": len(feed),
                "rows": len(rows.y),
                "wall_s": time.perf_counter() - began,
                "cpu_s": sum(_cpu_s()) - sum(before),
                **{status: made.table["status"].count(status) for status in chunks.STATUS},
                **timed,
            }
            lies = feed.chunk.counted.counts if feed.chunk.counted is not None else None
            done_last.put_off(partial(keep, k, made, feed.keys, lies, about))
    finally:  # stopped, too
        done_last.close()


class _PutOff:
    """What a chunk came to is written and synced while the next one is at work.

    By this process, once its children are at their first fits; by a thread where nothing is forked.
    """

    def __init__(self, *, in_thread: bool) -> None:
        self._work: Callable[[], None] | None = None
        self._thread = ThreadPoolExecutor(1) if in_thread else None

    def put_off(self, work: Callable[[], None]) -> None:
        self._work = work if self._thread is None else self._thread.submit(work).result

    def catch_up(self) -> None:
        work, self._work = self._work, None
        if work is not None:
            work()

    def close(self) -> None:
        try:
            self.catch_up()
        finally:
            if self._thread is not None:
                self._thread.shutdown()


def _claimed(run: Path, order: Order, context: WorkContext) -> Iterator[int]:
    """Chunks that this worker was the first to claim. Claims live with the attempt: what a dead worker had is free in the next."""
    claims = context.folder / "claims"
    claims.mkdir(exist_ok=True)
    for k in order.chunks:
        try:
            os.close(os.open(claims / str(k), os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            continue
        yield k


class _Wrong(NamedTuple):
    """A key of the workload that is wrong: no group's failure, but the run's."""

    place: str
    problem: str


def _fit_all(
    run: Path,
    framework: Framework,
    task: Task,
    groups: list[Any],
    context: WorkContext,
    order: Order,
    *,
    meanwhile: Callable[[], None],
) -> tuple[list[dict[str, Any]], float]:
    """One record for each group, in key order, and what taking the result of one is in this process's CPU seconds.

    ``meanwhile`` is called once fits are at work in a child.
    """
    ended = 0.0  # CPU seconds of the child at the end of its last fit

    def fit(i: int) -> Result:
        nonlocal ended
        began = ended or time.process_time()  # what is sent of a fit counts to the next
        try:
            row, payload = _fit_group(framework, task, recipe, groups[i], context)
            ended = time.process_time()
            return Result({**row, "cpu_s": ended - began}, payload)
        except WorkloadError as error:
            return Result(_Wrong(error.place, error.problem), b"")

    recipe = recipe_to_fit(run, task, order)
    found: dict[int, dict[str, Any]] = {}
    if not order.isolate:
        meanwhile()
        done: Iterator[tuple[int, Result | Fatal]] = ((i, fit(i)) for i in range(len(groups)))
    else:
        limit = None if order.memory_bytes is None else _most_bytes(order.memory_bytes)
        limits = Limits(limit, _seconds_of(framework, recipe, groups, order.form))
        done = fit_forked(range(len(groups)), fit, limits=limits, meanwhile=meanwhile)
    taken: list[float] = []
    for i, result in done:
        taken.append(time.process_time())
        row, payload = _without_model("failed", *result, groups[i]) if isinstance(result, Fatal) else result
        if isinstance(row, _Wrong):
            raise WorkloadError(*row)
        found[i] = {**row, "payload": payload}
    each_s = (taken[-1] - taken[0]) / (len(taken) - 1) if order.isolate and len(taken) > 1 else 0.0
    return [found[i] for i in range(len(groups))], each_s


def _seconds_of(framework: Framework, recipe: Recipe, groups: list[Any], form: Form) -> Callable[[int], float]:
    """CPU seconds that the fit of a group may take: far more than its law lets expect, for one that never ends costs the run."""
    said = os.environ.get("FITSCALE_GROUP_S")
    if said:
        most = float(said) if said.replace(".", "", 1).isdigit() else duration_s(said)
        return lambda i: most

    def seconds(i: int) -> float:
        feed = groups[i]
        shape = Shape(
            rows=max(1, feed.count("train")), holdout_rows=feed.count("holdout"), features=max(1, len(feed.names)),
            classes=feed.classes,
        )  # fmt: skip
        expected = framework.law(shape, recipe, form).time.values()
        return LEAST_S + PATIENCE * sum(term.amount * term.prior for terms in expected for term in terms)

    return seconds


def _fit_group(framework: Framework, task: Task, recipe: Recipe, feed: Feed, context: WorkContext) -> Result:
    """Fit, score and describe one group. Whatever it raises is its own failure, but for an error in the workload."""
    try:
        if why := _unfit(task, feed):
            return _without_model("unfit", "unfit", why, feed)
        fitted: Fitted = framework.fit(feed, recipe, None, GroupContext(context))
        native = framework.load(fitted.payload) if fitted.native is None else fitted.native
        predictions = predictions_of(framework, native, feed, gaps=task.traits.input == "series")
    except WorkloadError:
        raise
    except Unfit as error:
        return _without_model("unfit", "unfit", str(error), feed)
    except Exception as error:  # a group's failure, whatever it is
        return _without_model("failed", *describe(error), feed)
    record = {
        "status": "fitted",
        "kind": "",
        "why": "",
        "units": fitted.units,
        "n_train": feed.count("train"),
        "n_holdout": feed.count("holdout"),
        "predictions": _sent(predictions),
    }
    return Result(record, fitted.payload)


def _sent(columns: dict[str, np.ndarray] | None) -> _Sent | None:
    if columns is None:
        return None
    return {name: (column.dtype.str, column.tobytes()) for name, column in columns.items()}


def _unfit(task: Task, feed: Feed) -> str:
    """Why a group has too little to learn from, or nothing."""
    import numpy as np

    n = feed.count("train")
    if n == 0:
        return "no training rows"
    if task.traits.input == "series":
        return ""  # which looks for itself
    if task.recipe.early_stopping is not None and feed.count("validation") == 0:
        return "no validation rows for early stopping"
    rows = feed.matrix("train")
    if rows.weight is not None and not rows.weight.any():
        return f"data.weight is 0 in all {n} training rows"
    if task.traits.target == "classifier":
        y = rows.y
        present = np.unique(y[~np.isnan(y)])
        if len(present) < 2:
            return f"one class in {n} training rows" if n > 1 else "one training row"
    elif n < 2:
        return "one training row"
    return ""


def _timed(done: list[dict[str, Any]], sizes: np.ndarray) -> dict[str, Any]:
    """Rows of each group of a probe, and the CPU seconds of its fit. The first of a process are dearer, and left out."""
    first = max(1, len(done) // 3)
    fitted = [k for k, row in enumerate(done) if k >= first and row["status"] == "fitted"]
    return {
        "timed_rows": [int(sizes[k]) for k in fitted],
        "timed_cpu_s": [round(done[k]["cpu_s"], 6) for k in fitted],
        "fits_cpu_s": round(sum(row.get("cpu_s", 0.0) for row in done), 6),
    }


def _without_model(status: str, kind: str, why: str, feed: Feed) -> Result:
    record = {
        "status": status,
        "kind": kind,
        "why": why,
        "units": 0,
        "n_train": feed.count("train"),
        "n_holdout": feed.count("holdout"),
        "predictions": None,
    }
    return Result(record, b"")


def _one_by_one(done: list[dict[str, Any]]) -> Made:
    """The groups' own records, put together."""
    import numpy as np
    import pyarrow as pa

    models = bytearray()
    parts: list[_Sent] = []
    of: list[int] = []
    for i, row in enumerate(done):
        payload = row.pop("payload")
        row["offset"], row["length"] = len(models), len(payload)
        models += payload
        predictions = row.pop("predictions")
        if predictions is not None:
            parts.append(predictions)
            of.append(i)
    table = {name: [row[name] for row in done] for name in chunks.TABLE}
    if not parts:
        return Made(table, models, None)
    columns = {name: _put_together([part[name] for part in parts]) for name in parts[0]}
    sizes = [len(part["row"][1]) // columns["row"].itemsize for part in parts]
    return Made(table, models, pa.table({"model": np.repeat(np.array(of, np.int32), sizes), **columns}))


def _put_together(parts: list[tuple[str, bytes]]) -> np.ndarray:
    """The parts of a column, of which a group may have another type than the next."""
    import numpy as np

    if len({type for type, _ in parts}) == 1:
        return np.frombuffer(b"".join([content for _, content in parts]), parts[0][0])
    return np.concatenate([np.frombuffer(content, type) for type, content in parts])


def _commit(run: Path, order: Order, task: Task, k: int, made: Made, table: pa.Table, pickles: bool) -> None:
    chunks.commit(
        run,
        order.task,
        k,
        result={"chunk": task.chunks[k]},
        table=table,
        models=made.models,
        predictions=made.predictions,
        pickles=pickles,
    )


class GroupContext:
    """The context of one small fit: it keeps no checkpoints, and its time is the chunk's. See `contracts.Context`."""

    def __init__(self, of: WorkContext) -> None:
        self.rank, self.world, self.host, self.port = 0, 1, "", 0
        self.threads = of.threads
        self.scratch = of.scratch
        self.program = of.program
        self._scores: dict[str, tuple[float, ...]] = {}

    def phase(self, name: str) -> AbstractContextManager[None]:
        return nullcontext()

    def report(
        self,
        units: int,
        state: Callable[[], bytes] | None = None,
        scores: Mapping[str, float] | None = None,
        **about: Any,
    ) -> bytes | None:
        for name, value in (scores or {}).items():
            self._scores[name] = (*self._scores.get(name, ()), value)
        return None

    def scores(self) -> dict[str, tuple[float, ...]]:
        return dict(self._scores)


def _cpu_s() -> tuple[float, float]:
    return time.process_time(), _children_cpu_s()


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _most_bytes(memory_bytes: int) -> int:
    """What one fit may take beside what this process holds. A looker comes late: a part of the room is for that."""
    room = memory_bytes - min(RESERVE, memory_bytes // 8) - _own_bytes()
    return room - min(room // 4, MARGIN)


def _own_bytes() -> int:
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("RssAnon"))
