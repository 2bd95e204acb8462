"""The rounds: the same trees whether or not the run was interrupted, and whatever form carries it on.

A Booster can be begun at any round from the sums of leaves of the rows (``init_score``): LightGBM keeps them in double
precision, and a model that was read from its text sums to the same bits. Only its random numbers cannot be gone on
with. Where they are drawn, every run, interrupted or not, begins anew at each segment, with seeds of the segment.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from fitscale.contracts import Context
from fitscale.frameworks.boosting import best_of, enough
from fitscale.frameworks.lightgbm import library
from fitscale.frameworks.lightgbm.datasets import Datasets
from fitscale.frameworks.lightgbm.params import seeds_of
from fitscale.frameworks.lightgbm.watch import Watch

if TYPE_CHECKING:
    import lightgbm


class Job(NamedTuple):
    """What is to be trained."""

    params: dict[str, Any]
    rounds: int
    segment: int
    draws: bool
    keeps: bool
    patience: int | None
    watch: Watch | None


class State(NamedTuple):
    """A checkpoint: rounds that are done, those of them that added no tree, and the model."""

    rounds: int
    empty: list[int]
    model: str

    def to_bytes(self) -> bytes:
        return json.dumps([self.rounds, self.empty]).encode() + b"\n" + self.model.encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> State:
        head, _, model = data.partition(b"\n")
        rounds, empty = json.loads(head)
        return cls(rounds, empty, model.decode())


def train(
    job: Job, data: Datasets, state: State | None, before: lightgbm.Booster | None, context: Context
) -> tuple[str, int, lightgbm.Booster | None]:
    """Train from the beginning, or from ``state`` and its model: the model's text, how many rounds it is of, and a Booster.

    That predicts as the text does, which takes a sixth of a small fit to read. There is none where trees were put together.

    With early stopping the model is cut after its best round, as LGBMClassifier.predict takes the trees up to
    ``best_iteration_``.
    """
    with context.phase("bin"):
        run = _Run(job, data, state, before)
    history = list(context.scores().get(job.watch.name, ())[: run.at]) if job.watch else []
    while run.at < job.rounds and not enough(history, job.patience) and not run.ended:
        scores: dict[str, float] = {}
        with context.phase("iterations"):
            run.advance()
            if job.watch is not None:
                scores[job.watch.name] = job.watch.value(run.evaluated())
                history.append(scores[job.watch.name])
        # The answer is not needed: going on from this Booster gives the same trees as from the text.
        context.report(run.at, run.state if job.keeps else None, scores, kept=job.keeps)
    with context.phase("save"):
        rounds = best_of(history) + 1 if history else run.at
        return run.model(rounds), rounds, run.native(rounds)


class _Run:
    """The Booster of the segment that is at hand."""

    def __init__(self, job: Job, data: Datasets, state: State | None, before: lightgbm.Booster | None) -> None:
        self.at = 0 if state is None else state.rounds
        # Where no column has two values that could be split, as in the smallest groups, nothing is drawn either.
        self._draws = job.draws and data.splittable
        self._ends = job.keeps and not self._draws
        self.ended = self._ends and state is not None and bool(state.empty)
        self._job = job
        self._views = [data.train] if data.validation is None else [data.train, data.validation]
        self._empty = [] if state is None else list(state.empty)
        self._before = before  # the trees of the segments that are done
        self._booster = self._begun()

    def advance(self) -> None:
        """One round. One that finds no split adds no tree, unless it is the first; without draws none after it would."""
        job = self._job
        if self._draws and job.keeps and self.at % job.segment == 0 and self.at > self._since:
            self._begin_anew()
        found_none = self._booster.update()
        if found_none and self._booster.current_iteration() == self._trees:
            self._empty.append(self.at)
        else:
            self._trees += 1
        self.ended = found_none and self._ends
        self.at += 1

    def evaluated(self) -> float:
        """LightGBM's metric of the validation rows."""
        (result,) = self._booster.eval_valid()
        return float(result[2])

    def state(self) -> bytes:
        return State(self.at, self._empty, self._booster.model_to_string(num_iteration=-1)).to_bytes()

    def model(self, rounds: int) -> str:
        """The text of the model after so many rounds, with the seeds as they were given."""
        if self._since:
            self._booster.reset_parameter(seeds_of(self._job.params, 0))
        return self._booster.model_to_string(num_iteration=self._trees_of(rounds))

    def native(self, rounds: int) -> lightgbm.Booster | None:
        """The Booster of all rounds, which predicts by the first of them."""
        if self._since or self._before is not None:
            return None
        self._booster.best_iteration = self._trees_of(rounds)
        return self._booster

    def _trees_of(self, rounds: int) -> int:
        return rounds - sum(at < rounds for at in self._empty)

    def _begin_anew(self) -> None:
        import lightgbm

        for k, rows in enumerate(self._views):
            rows.dataset.set_field("init_score", library.raw_scores(self._booster, k, rows.n))
        # Only the trees: the state of each row must not stand beside that of the next Booster.
        done = 0 if self._before is None else self._before.current_iteration()
        if self._booster.current_iteration() > done:
            grown = lightgbm.Booster(model_str=self._booster.model_to_string(start_iteration=done, num_iteration=-1))
            if self._before is not None:
                library.merge(grown, self._before)
            self._before = grown
        del self._booster
        self._booster = self._begun()

    def _begun(self) -> lightgbm.Booster:
        import lightgbm

        train, *others = self._views
        booster = lightgbm.Booster({**self._job.params, **seeds_of(self._job.params, self.at)}, train.dataset)
        for rows in others:
            booster.add_valid(rows.dataset, "validation")
        if self._before is not None:
            library.merge(booster, self._before)
        self._since = self.at
        self._trees = booster.current_iteration()
        return booster
