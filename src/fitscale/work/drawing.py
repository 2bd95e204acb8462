"""Where the next trial of a search is drawn: by Optuna's TPE, over a study in memory that is told what was tried before."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fitscale.records.workload import Range

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

STARTS = 10  # trials that are drawn blindly, before what was seen says where to look


class Draws:
    """The next parameters, and what came of them. More is better.

    A search that goes on draws by a seed of its own: what an interrupted one would have drawn next is not known any more.
    """

    def __init__(self, space: Mapping[str, Range], seed: int, before: int = 0) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna = optuna
        self._ranges = {name: _distribution(one) for name, one in space.items()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sampler = optuna.samplers.TPESampler(seed=(seed + 7919 * before) % 2**32, n_startup_trials=STARTS)
            self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._asked: dict[int, Any] = {}

    def tell_before(self, params: Mapping[str, Any], values: Mapping[int, float], whole: float | None) -> None:
        """A trial of an earlier process: what it had at each rung, and on all rows if it came so far."""
        state = self._optuna.trial.TrialState
        if whole is None and not values:
            return  # it failed, and says nothing of how good its parameters are
        known = {name: value for name, value in params.items() if name in self._ranges}
        known = {name: value for name, value in known.items() if _holds(self._ranges[name], value)}
        self._study.add_trial(
            self._optuna.trial.create_trial(
                state=state.PRUNED if whole is None else state.COMPLETE,
                value=whole,
                params=known,
                distributions={name: self._ranges[name] for name in known},
                intermediate_values=dict(values),
            )
        )

    def ask(self, number: int) -> dict[str, Any]:
        """The parameters of the next trial, plain values."""
        trial = self._study.ask(self._ranges)
        self._asked[number] = trial
        return dict(trial.params)

    def tell(self, number: int, values: Mapping[int, float], whole: float | None) -> None:
        """What came of a trial that was asked for; nothing: it failed."""
        trial, state = self._asked.pop(number), self._optuna.trial.TrialState
        for rung, value in values.items():
            trial.report(value, rung)
        if whole is not None:
            self._study.tell(trial, whole)
        else:
            self._study.tell(trial, state=state.PRUNED if values else state.FAIL)


def _distribution(one: Range) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if one.choices:
        return CategoricalDistribution(one.choices)
    assert one.low is not None
    assert one.high is not None
    if one.whole:
        return IntDistribution(int(one.low), int(one.high), log=one.log)
    return FloatDistribution(one.low, one.high, log=one.log)


def _holds(distribution: BaseDistribution, value: Any) -> bool:
    try:
        return bool(distribution._contains(distribution.to_internal_repr(value)))
    except (TypeError, ValueError):
        return False
