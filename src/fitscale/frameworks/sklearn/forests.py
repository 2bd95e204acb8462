"""Forests: trees that are grown apart, in any order and by any process, and make the same forest as one fit.

scikit-learn draws a seed for each tree from ``random_state``, in their order, and a forest with ``warm_start`` first draws
past those of the trees that it has. So a forest that is given a list of 40 trees, and is then fitted for 44, grows those
that are numbers 40 to 43 of the whole; which trees the list holds is never looked at.
"""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from functools import partial
from itertools import islice
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from fitscale.contracts import Context
from fitscale.frameworks.sklearn.families import trees_together
from fitscale.frameworks.sklearn.pickling import dumps

CLASSES = ("RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor")
LEAST_ROWS = 200_000  # rows × trees that a fit has at least: what small ones repeat costs more than their trees
ENDING = 8  # the last are cut finer, so that as many processes as this end together
NODE_BYTES = 64  # without its values

Span = tuple[int, int]


class Rows(NamedTuple):
    """What is fitted."""

    X: Any
    y: np.ndarray
    weight: Mapping[str, np.ndarray]  # under the name that `fit` has for it


class Part(NamedTuple):
    """Some trees of a forest."""

    start: int
    forest: Any  # as it was fitted, without its trees; only where it begins with the first
    trees: list[Any]

    @property
    def span(self) -> Span:
        return self.start, self.start + len(self.trees)


def is_forest(made: Any) -> bool:
    return type(made).__name__ in CLASSES and type(made).__module__.startswith("sklearn.")


def why_whole(made: Any) -> str:
    """Why the trees of a forest cannot be grown apart; empty where they can."""
    if not isinstance(made.random_state, (int, np.integer, type(None))):
        return "draws the seeds of its trees from a generator whose state is not a number"
    return ""


def spans(trees: int, rows: int, together: int, ending: int = ENDING) -> list[Span]:
    """Which trees are grown together: as many as ``together`` at first, down to a quarter of it towards the end.

    A function of the numbers alone.
    """
    least = max(-(-LEAST_ROWS // max(1, rows)), together // 4, 1)
    found: list[Span] = []
    start = 0
    while start < trees:
        size = max(least, min(together, -(-(trees - start) // ending)))
        found.append((start, min(trees, start + size)))
        start = found[-1][1]
    return found


def grow(made: Any, rows: Rows, span: Span) -> Part:
    """Trees ``span`` of the forest, by one thread, with the seeds that they have in the whole."""
    from sklearn.base import clone

    start, stop = span
    forest = clone(made).set_params(n_estimators=stop, warm_start=start > 0, oob_score=False, n_jobs=None)
    if start:
        forest.estimators_ = [None] * start
    forest.fit(rows.X, rows.y, **rows.weight)
    trees = forest.estimators_[start:]
    forest.estimators_ = []
    return Part(start, None if start else forest, trees)


def merge(made: Any, parts: Sequence[Part]) -> Any:
    """The forest of all its trees, with the parameters of ``made``."""
    ordered = sorted(parts, key=attrgetter("start"))
    forest = ordered[0].forest
    # The parameters of trees are their forest's own objects in one fit: in a pickle, references to them.
    own = {name: getattr(forest, name) for name in forest.estimator_params if name != "random_state"}
    forest.estimators_ = [tree for part in ordered for tree in part.trees]
    for tree in forest.estimators_:
        for name, value in own.items():
            setattr(tree, name, value)
    return forest.set_params(n_estimators=made.n_estimators, warm_start=made.warm_start, oob_score=made.oob_score)


def fit(made: Any, rows: Rows, state: bytes | None, context: Context) -> Any:
    """The forest, grown by the attempt's threads; the state is what was grown so far."""
    each = trees_together(type(made).__name__, made.get_params(deep=False), *rows.X.shape)
    cut = spans(made.n_estimators, len(rows.y), each, 2 * max(2, context.threads))
    before: list[Part] = pickle.loads(state) if state is not None else []
    parts = [part for part in before if part.span in cut]  # those of another cut would overlap
    grown = {part.span for part in parts}
    left = [span for span in cut if span not in grown]
    done = sum(len(part.trees) for part in parts)
    size = sum(_bytes_of(tree) for part in parts for tree in part.trees)
    with context.phase("iterations"), quiet():
        with closing(_in_threads(partial(grow, made, rows), left, context.threads)) as coming:
            for part in coming:
                parts.append(part)
                done += len(part.trees)
                size += sum(map(_bytes_of, part.trees))
                context.report(done, partial(dumps, parts), size=size)
        forest = merge(made, parts)
        if forest.oob_score:  # asks every tree for the rows that it has not seen: once all are there, growing none
            forest.set_params(warm_start=True).fit(rows.X, rows.y, **rows.weight)
            forest.set_params(warm_start=made.warm_start)
    return forest


@contextmanager
def quiet() -> Iterator[None]:
    """Without warnings of ``warm_start`` for those who fit other rows, or no more trees: both are meant here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="class_weight presets")
        warnings.filterwarnings("ignore", message="Warm-start fitting without increasing n_estimators")
        yield


def _bytes_of(tree: Any) -> int:
    return int(tree.tree_.node_count * NODE_BYTES + tree.tree_.value.nbytes)


def _in_threads(grow: Callable[[Span], Part], left: Sequence[Span], threads: int) -> Generator[Part, None, None]:
    """What is grown, as it comes; a thread that is done goes on with the next while the last is told of."""
    if threads < 2 or len(left) < 2:
        yield from map(grow, left)
        return
    waiting = iter(left)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="tree")
    try:
        running: set[Future[Part]] = {pool.submit(grow, span) for span in islice(waiting, threads)}
        while running:
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            running |= {pool.submit(grow, span) for span in islice(waiting, len(ended))}
            yield from [future.result() for future in ended]
    finally:
        pool.shutdown(cancel_futures=True)
