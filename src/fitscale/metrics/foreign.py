"""Every other scorer of scikit-learn, through scikit-learn: one library call for each group."""

from __future__ import annotations

import inspect
import warnings
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from fitscale.errors import WorkloadError
from fitscale.metrics.blocks import Blocks, Takes, check_lengths
from fitscale.registry import require

_AVERAGES = ("macro", "micro", "weighted")
_REGRESSION = frozenset({"regression"})
_BINARY = frozenset({"binary"})
_MULTICLASS = frozenset({"multiclass"})
_CLASSES = _BINARY | _MULTICLASS

# A table, so that a misspelt name is told without importing scikit-learn (2 s). Not here: …_samples, which judge
# several labels of one row.
KNOWN: dict[str, tuple[Takes, frozenset[str]]] = {
    **{
        name: ("value", _REGRESSION)
        for name in (
            "d2_absolute_error_score",
            "explained_variance",
            "neg_max_error",
            "neg_mean_absolute_percentage_error",
            "neg_mean_gamma_deviance",
            "neg_mean_poisson_deviance",
            "neg_mean_squared_log_error",
            "neg_median_absolute_error",
            "neg_root_mean_squared_log_error",
        )
    },
    **{name: ("label", _BINARY) for name in ("jaccard", "neg_negative_likelihood_ratio", "positive_likelihood_ratio")},
    **{
        f"{name}_{average}": ("label", _CLASSES)
        for name in ("f1", "jaccard", "precision", "recall")
        for average in _AVERAGES
    },
    "matthews_corrcoef": ("label", _CLASSES),
    **{
        name: ("label", _CLASSES)  # partitions compared
        for name in (
            "adjusted_mutual_info_score",
            "adjusted_rand_score",
            "completeness_score",
            "fowlkes_mallows_score",
            "homogeneity_score",
            "mutual_info_score",
            "normalized_mutual_info_score",
            "rand_score",
            "v_measure_score",
        )
    },
    **{name: ("proba", _CLASSES) for name in ("d2_brier_score", "d2_log_loss_score")},
    **{
        name: ("proba", _MULTICLASS)
        for name in ("roc_auc_ovr", "roc_auc_ovr_weighted", "roc_auc_ovo", "roc_auc_ovo_weighted", "top_k_accuracy")
    },
}


@final
@dataclass(slots=True, eq=False)
class Foreign:
    """One scorer of scikit-learn as a `contracts.Metric`.

    Undefined wherever scikit-learn raises ValueError or gives NaN. ``weighted`` says whether its function takes
    weights; where it does not, all rows count the same.
    """

    name: str
    takes: Takes
    tasks: frozenset[str]
    n_classes: int | None = None
    greater: bool = True  # of a scorer always: losses are negative
    weighted: bool = field(init=False)
    _scorer: Any = field(init=False, repr=False)
    _labels: dict[str, Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        require(f"metric '{self.name}'", "sklearn", "sklearn")
        import sklearn
        from sklearn.metrics import get_scorer

        try:
            self._scorer = get_scorer(self.name)
        except ValueError as error:
            # the table is of scikit-learn 1.9; an older one has fewer
            problem = f"scikit-learn {sklearn.__version__} has no '{self.name}': upgrade it, or choose another metric"
            raise WorkloadError("evaluate.metric", problem) from error
        parameters = inspect.signature(self._scorer._score_func).parameters
        self.weighted = "sample_weight" in parameters
        # with all labels a group may lack a class; for predicted classes they would change what is averaged over
        every = self.takes == "proba" and "labels" in parameters
        self._labels = {"labels": np.arange(self.n_classes)} if every and self.n_classes else {}

    def one(self, y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> float | None:
        """The value over all rows; None where undefined."""
        check_lengths(y, predicted, weight)
        if len(y) == 0:
            return None
        more = dict(self._labels)
        if self.weighted and weight is not None:
            more["sample_weight"] = weight
        # the function, not the scorer: that would want an estimator to ask
        scorer = self._scorer
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # undefined is said by the value
            try:
                value = float(scorer._sign * scorer._score_func(y, predicted, **scorer._kwargs, **more))
            except (ValueError, ZeroDivisionError):  # the latter: weights that sum to 0
                return None
        return None if np.isnan(value) else value

    def many(
        self, group: np.ndarray, n_groups: int, y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None
    ) -> np.ndarray:
        """(n_groups,) float64, NaN where undefined: **loops over the groups**, about a millisecond for each."""
        check_lengths(y, predicted, weight, group)
        values = np.full(n_groups, np.nan)
        if len(y) == 0:
            return values
        blocks = Blocks.by(group, n_groups)
        y, predicted = blocks.take(y), blocks.take(predicted)
        weight = None if weight is None else blocks.take(weight)
        for code, start, size in zip(blocks.present, blocks.starts, blocks.sizes, strict=True):
            rows = slice(start, start + size)
            value = self.one(y[rows], predicted[rows], None if weight is None else weight[rows])
            values[code] = np.nan if value is None else value
        return values
