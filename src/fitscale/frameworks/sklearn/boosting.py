"""Boosting by scikit-learn: told round by round, and gone on with by ``warm_start`` from any of them.

A fit is never cut into several for it: each would bin the rows again and ask all earlier trees anew. What a round leaves
is seen from inside the one fit: GradientBoosting has a ``monitor``; HistGradientBoosting has none, but with ``verbose=2``
it prints a line as each iteration begins, and whoever gets that line sees the estimator as the last one left it.
"""

from __future__ import annotations

import copy
import pickle
import re
from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np

from fitscale.contracts import Context
from fitscale.frameworks.sklearn.forests import Rows
from fitscale.frameworks.sklearn.pickling import dumps
from fitscale.frameworks.sklearn.printing import heard_by

HISTOGRAMS = ("HistGradientBoostingClassifier", "HistGradientBoostingRegressor")
STAGES = ("GradientBoostingClassifier", "GradientBoostingRegressor")
BEGINS = re.compile(r"\[(\d+)/\d+\] $")
BINNED = "Fitting gradient boosted rounds:"


def is_boosting(made: Any) -> bool:
    return type(made).__name__ in HISTOGRAMS + STAGES and type(made).__module__.startswith("sklearn.")


def why_whole(made: Any) -> str:
    """Why a fit of it cannot go on from one of its rounds; empty where it can."""
    if not isinstance(made.random_state, (int, np.integer, type(None))):
        return "draws from a generator whose state is not a number"
    if type(made).__name__ in STAGES:
        return "" if made.n_iter_no_change is None else "looks back at losses that only the fit itself knows"
    return "" if made.scoring == "loss" or made.early_stopping is False else "judges its rounds by a score of its own"


def rounds_of(made: Any) -> int:
    """How many rounds a fitted one has."""
    return int(made.n_iter_ if type(made).__name__ in HISTOGRAMS else made.n_estimators_)


def fit(made: Any, rows: Rows, state: bytes | None, context: Context) -> Any:
    """The boosted trees; the state is the estimator as a fit of fewer rounds leaves it."""
    said = {name: getattr(made, name) for name in ("warm_start", "verbose")}
    if state is not None:
        made = pickle.loads(state).set_params(warm_start=True)
    if type(made).__name__ in HISTOGRAMS:
        _histograms(made, rows, context, silent=not said["verbose"])
    else:
        _stages(made, rows, context)
    return made.set_params(**said)


def _stages(made: Any, rows: Rows, context: Context) -> None:
    def monitor(at: int, fitting: Any, _locals: Any) -> bool:
        done = at + 1
        # Nothing goes on from the last: a fit that finds all of its rounds done adds one, or more.
        context.report(done, partial(_first_stages, fitting, done) if done < made.n_estimators else None)
        return False

    with context.phase("iterations"):
        made.fit(rows.X, rows.y, monitor=monitor, **rows.weight)


def _first_stages(fitting: Any, stages: int) -> bytes:
    """The arrays of a fit have room for all of its stages; what a shorter one leaves has none for more."""
    part = copy.copy(fitting)
    for name in ("estimators_", "train_score_", "oob_improvement_", "oob_scores_"):
        if hasattr(part, name):
            setattr(part, name, getattr(part, name)[:stages])
    return dumps(part)


def _histograms(made: Any, rows: Rows, context: Context, *, silent: bool) -> None:
    before = rounds_of(made) if made.warm_start and hasattr(made, "_predictors") else 0
    made.set_params(verbose=2)
    with ExitStack() as phase:
        phase.enter_context(context.phase("bin"))

        def binned() -> None:
            phase.close()
            phase.enter_context(context.phase("iterations"))

        def begins(at: int) -> None:
            if at - 1 > before:
                context.report(at - 1, partial(_as_fitted, made))

        def heard(text: str) -> None:
            if text == BINNED:
                binned()
            elif found := BEGINS.match(text):
                begins(int(found[1]))

        with heard_by(heard, silent=silent):
            made.fit(rows.X, rows.y, **rows.weight)
    context.report(rounds_of(made))


def _as_fitted(fitting: Any) -> bytes:
    """As the fit leaves it when it ends: with arrays of scores, and no mark that it is still at work."""
    part = copy.copy(fitting)
    vars(part).pop("_in_fit", None)
    part.train_score_ = np.asarray(part.train_score_)
    part.validation_score_ = np.asarray(part.validation_score_)
    return dumps(part)
