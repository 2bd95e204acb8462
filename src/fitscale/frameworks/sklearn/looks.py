"""What a fit and a prediction must know of an estimator, looked up once: asking it takes longer than to fit a small one."""

from __future__ import annotations

import weakref
from functools import cached_property
from typing import Any, Literal

import numpy as np

from fitscale.errors import WorkloadError
from fitscale.frameworks.sklearn import epochs
from fitscale.frameworks.sklearn.abilities import Input, input_of, kept_by, leaves_of, nested, target_of
from fitscale.frameworks.sklearn.families import steps_by_row
from fitscale.frameworks.sklearn.streams import weight_name
from fitscale.frameworks.sklearn.threads import starts_threads


class Look:
    """Of an estimator and its parameters, whether it is fitted or not: each is asked once, when it is first wanted."""

    def __init__(self, made: Any) -> None:
        self._made = made
        self.name = type(made).__name__

    @cached_property
    def input(self) -> Input:
        return input_of(self._made)

    @cached_property
    def classifier(self) -> bool:
        return target_of(self._made) == "classifier"

    @cached_property
    def widens(self) -> bool:
        """Whether its rows are made float64: linear and other one-hot models would compute in float32 otherwise.

        There a normal matrix of unscaled columns loses all digits. Gradient steps go from row to row: in float32 they are an
        eighth quicker, and the rows are not there twice.
        """
        return self.input == "one-hot" and not all(steps_by_row(type(leaf).__name__) for leaf in leaves_of(self._made))

    @cached_property
    def weight(self) -> str | None:
        """The name of the parameter of ``fit`` for weights; None where it takes none."""
        return weight_name(self._made)

    @cached_property
    def kept(self) -> Literal["parts", "rounds"] | None:
        """How a fit of all rows keeps progress."""
        return kept_by(self._made)

    @cached_property
    def epochs(self) -> bool:
        """Whether it says how far it is."""
        return epochs.tells(self._made)

    @cached_property
    def categorical(self) -> bool:
        """Whether it, or a part of it, is to be told which columns are categories."""
        return any(is_binned(part) for part in (self._made, *nested(self._made)))

    @cached_property
    def starts_threads(self) -> bool:
        """Whether it says how many it starts, or would start as many as it likes."""
        return starts_threads(self._made)

    def rows(self, X: Any) -> Any:
        """Rows of the feed as the estimator takes them."""
        if self.input == "raw":
            return X.to_pandas() if hasattr(X, "to_pandas") else X
        return X.astype(np.float64) if self.widens else X

    def target(self, y: np.ndarray) -> np.ndarray:
        """(n,) the target as it takes it."""
        return y.astype(np.int64 if self.classifier else np.float64)

    @property
    def weight_name(self) -> str:
        """As ``weight``.

        Raises
        ------
        WorkloadError
            At data.weight, where it takes none.
        """
        if self.weight is None:
            raise no_weights(self.name)
        return self.weight


def no_weights(name: str) -> WorkloadError:
    return WorkloadError("data.weight", f"{name} takes none: leave it out, or use another estimator")


def is_binned(part: Any) -> bool:
    """Whether it is histogram boosting."""
    return type(part).__name__.startswith("HistGradientBoosting")


_seen: tuple[weakref.ref[Any], Look] | None = None  # the last one that was fitted: it is scored next


def remember(made: Any, known: Look) -> None:
    """`look_again` at this very object finds it."""
    global _seen
    try:
        _seen = weakref.ref(made), known
    except TypeError:  # a class of the user's with slots
        _seen = None


def look_again(made: Any) -> Look:
    """A look at it; what is known already, where it was the last that was remembered."""
    return _seen[1] if _seen is not None and _seen[0]() is made else Look(made)
