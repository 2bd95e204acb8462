"""One model of independent parts: grown by forked children side by side, each kept as it comes, merged once all are there.

The children share the rows that this process has read, and hold no part but their own. What is kept was grown by whoever:
after a kill only the others are grown, and the model is the one that a single fit gives.
"""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitscale.contracts import Divisible, Fitted
from fitscale.errors import FitscaleError
from fitscale.records.run import Order, Recipe, Task
from fitscale.registry import plugin
from fitscale.store import crash, parts
from fitscale.store.parts import Span
from fitscale.work.failure import describe
from fitscale.work.forking import Fatal, fit_side_by_side, import_first

if TYPE_CHECKING:
    from fitscale.contracts import Feed
    from fitscale.work.context import WorkContext

AGAIN = 3  # times that parts which turn out to be torn are grown anew


class Torn(Exception):
    """A part that was kept is gone, or not what was written."""


def fit_by_parts(run: Path, order: Order, task: Task, recipe: Recipe, feed: Feed, context: WorkContext) -> Fitted:
    """Grow what is not kept, keep it, and merge. A probe keeps its parts in the attempt's scratch folder."""
    framework: Any = plugin("frameworks", recipe.framework)()
    folder = context.scratch / "parts" if order.samples else parts.folder(run, order.task)
    if order.samples:
        shutil.rmtree(folder, ignore_errors=True)  # of the sample before
    parts.clear_halves(folder)
    if order.isolate:
        with context.phase("start"):
            import_first(framework, task)
    read = partial(parts.read, run, folder, pickles=framework.pickles, trusted=order.trust)
    for _ in range(AGAIN):
        feed.matrix("train")  # the feed holds it from now on: the children share it
        wanted = framework.spans(feed, recipe)
        with context.phase("iterations"), context.children():
            _grow_missing(framework, feed, recipe, folder, wanted, order, context)
        if release := getattr(feed, "release", None):
            release("train")
        try:
            with context.phase("save"):
                return _merged(framework, feed, recipe, wanted, read)
        except Torn:
            continue
    raise FitscaleError(f"{folder}: parts are torn again and again: the disk does not keep what is written")


def _grow_missing(
    framework: Divisible,
    feed: Feed,
    recipe: Recipe,
    folder: Path,
    wanted: Sequence[Span],
    order: Order,
    context: WorkContext,
) -> None:
    kept = parts.kept(folder) & set(wanted)
    left = [span for span in wanted if span not in kept]
    done = sum(stop - start for start, stop in kept)
    size = sum(parts.size(folder, span) for span in kept)
    if kept:
        context.goes_on_from(done)

    def grow(span: Span) -> None:
        parts.save(folder, span, framework.grow(feed, recipe, span))

    context.pause_point()
    for start, stop in _here(left, grow) if not order.isolate else _in_children(left, grow, folder, order, context):
        crash.point("part.kept")
        done += stop - start
        size += parts.size(folder, (start, stop))
        context.report(done, size=size)
        context.pause_point()


def _here(left: Sequence[Span], grow: Callable[[Span], None]) -> Iterator[Span]:
    """In this process, which is the user's own: nothing is forked from it."""
    for span in left:
        grow(span)
        yield span


def _in_children(
    left: Sequence[Span], grow: Callable[[Span], None], folder: Path, order: Order, context: WorkContext
) -> Iterator[Span]:
    """The spans as they are kept, however the children that did it ended."""

    def caught(i: int) -> Exception | None:
        try:
            grow(left[i])
        except Exception as error:  # whatever it is, it is raised in the parent
            return _portable(error)
        return None

    for i, end in fit_side_by_side(range(len(left)), caught, order.parts, between=context.pause_point):
        if isinstance(end, Exception):
            raise end
        if isinstance(end, Fatal) and left[i] not in parts.kept(folder):
            start, stop = left[i]
            raise FitscaleError(f"parts {start} to {stop - 1} of the model: {end.why}, twice")
        yield left[i]


def _merged(
    framework: Divisible, feed: Feed, recipe: Recipe, wanted: Sequence[Span], read: Callable[[Span], bytes | None]
) -> Fitted:
    def payloads() -> Iterator[bytes]:
        for span in wanted:
            payload = read(span)
            if payload is None:
                raise Torn
            yield payload

    return framework.merge(feed, recipe, payloads())


def _portable(error: Exception) -> Exception:
    """The error as it can be sent; some of libraries cannot, and are told by their names and words."""
    try:
        whole = type(pickle.loads(pickle.dumps(error))) is type(error)
    except Exception:  # whatever a class does when it is pickled
        whole = False
    return error if whole else FitscaleError(": ".join(describe(error)))
