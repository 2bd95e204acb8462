"""The rounds: the same trees whether or not the run was interrupted, and whatever form carries it on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from fitscale.contracts import Context, Feed, Fitted
from fitscale.frameworks.boosting import best_of, enough, round_seed
from fitscale.frameworks.xgboost.matrices import Matrices, feature_names
from fitscale.frameworks.xgboost.watch import Watch

if TYPE_CHECKING:
    import xgboost

# XGBoost keeps no state of its random numbers in a model. With sampling the seed is therefore set anew at each multiple
# of this many rounds, checkpoints fall on them, and a resume sets it in the same way.
SEGMENT = 5


class Job(NamedTuple):
    """What is to be trained."""

    params: dict[str, Any]
    rounds: int
    seed: int
    sampling: bool
    classifier: bool
    patience: int | None
    watch: Watch | None


def train(job: Job, matrices: Matrices, state: bytes | None, feed: Feed, context: Context) -> Fitted:
    """Train from the beginning or from ``state``.

    With early stopping the model is cut after its best round, so that every reader of it predicts as
    XGBClassifier.predict does, which takes the trees up to ``best_iteration``.
    """
    import xgboost

    cache = [m for m in (matrices.train, matrices.validation) if m is not None]
    params = dict(job.params)
    if job.watch is not None:
        params["eval_metric"] = job.watch.metric
    booster = xgboost.Booster(params, cache=cache, model_file=None if state is None else bytearray(state))
    at = 0 if state is None else booster.num_boosted_rounds()
    history = list(context.scores().get(job.watch.name, ())[:at]) if job.watch else []
    binned = matrices.binned
    while at < job.rounds and not enough(history, job.patience):
        scores: dict[str, float] = {}
        with context.phase("iterations" if binned else "bin"):
            if job.sampling and at % SEGMENT == 0:
                booster.load_config(booster.save_config())
                booster.set_param({"seed": round_seed(job.seed, at)})
            booster.update(matrices.train, at)
            # It has taken the names and types of the columns, and would compare them at every round: a tenth of a small fit.
            booster._assign_dmatrix_features = _compared  # type: ignore[method-assign, assignment]
            if job.watch is not None and matrices.validation is not None:
                text = booster.eval_set([(matrices.validation, "v")], at)
                scores[job.watch.name] = job.watch.value(float(text.rpartition(":")[2]))
                history.append(scores[job.watch.name])
        at, binned = at + 1, True
        # The answer is not needed: going on from this booster gives the same trees as from the bytes.
        context.report(at, lambda: bytes(booster.save_raw("ubj")), scores)
    with context.phase("save"):
        return _fitted(booster, job, history, feed)


def _compared(_: xgboost.DMatrix) -> None:
    """All rounds take the same matrix."""


def _fitted(booster: xgboost.Booster, job: Job, history: list[float], feed: Feed) -> Fitted:
    if job.watch is not None and history:
        best = best_of(history)
        booster = booster[: best + 1]
        booster.set_attr(best_iteration=str(best))
    booster.feature_names = feature_names(feed.names)
    booster.feature_types = list(feed.kinds)
    # What XGBClassifier.save_model writes: load_model of the wrong class is refused.
    kind = "classifier" if job.classifier else "regressor"
    booster.set_attr(scikit_learn=json.dumps({"_estimator_type": kind}))
    return Fitted(bytes(booster.save_raw("ubj")), booster.num_boosted_rounds(), booster)
