"""Every metric of fitscale's own, and some of scikit-learn's others, pass the published suite."""

from __future__ import annotations

import numpy as np
import pytest

from fitscale import metrics
from fitscale.contracts import Metric
from fitscale.metrics import classification, ranking, regression
from fitscale.testing.metrics import MetricSuite

OWN = [own.name for room in (ranking, classification, regression) for own in room.METRICS]


class TestOwn(MetricSuite):
    @pytest.fixture(params=OWN)
    def metric(self, request: pytest.FixtureRequest) -> Metric:
        return metrics.metric(request.param)

    def test_a_weight_of_two_is_the_row_twice(self, metric: Metric) -> None:
        """A weight is a number of rows, in every group."""
        for task in sorted(metric.tasks):
            y, _, noisy, _ = self.rows(metric, task)
            times = np.random.default_rng(3).integers(0, 3, len(y))
            group = np.arange(len(y)) % 4
            weighted = metric.many(group, 4, y, noisy, times.astype(np.float64))
            repeated = metric.many(*(np.repeat(group, times), 4), np.repeat(y, times), np.repeat(noisy, times, 0), None)
            np.testing.assert_allclose(weighted, repeated, rtol=1e-12)

    def test_the_neighbours_do_not_change_a_bit(self, metric: Metric) -> None:
        """A group scored alone has the bits that it has among others: a partial retrain changes no other score."""
        for task in sorted(metric.tasks):
            y, _, noisy, weight = self.rows(metric, task)
            group = np.random.default_rng(4).integers(0, 5, len(y))
            together = metric.many(group, 5, y, noisy, weight)
            for code in range(5):
                at = group == code
                assert metric.one(y[at], noisy[at], weight[at]) == together[code]

    def test_a_row_without_weight_is_no_row(self, metric: Metric) -> None:
        """Rows that weigh 0 do not count; where all do, there is no value."""
        for task in sorted(metric.tasks):
            y, _, noisy, weight = self.rows(metric, task)
            weight[::3] = 0
            kept = weight > 0
            alone = metric.one(y[kept], noisy[kept], weight[kept])
            assert metric.one(y, noisy, weight) == pytest.approx(alone, rel=1e-12)
            assert metric.one(y, noisy, np.zeros_like(weight)) is None

    def test_lengths_must_agree(self, metric: Metric) -> None:
        """Arrays of different lengths are an error, never broadcast."""
        y, _, noisy, weight = self.rows(metric, min(metric.tasks))
        with pytest.raises(ValueError, match="as many"):
            metric.one(y, noisy, weight[:1])
        with pytest.raises(ValueError, match="as many"):
            metric.many(np.zeros(3, np.int64), 1, y, noisy, None)

    def test_codes_must_be_of_a_group(self, metric: Metric) -> None:
        """A group code beyond the last group, or below 0, is an error."""
        y, _, noisy, _ = self.rows(metric, min(metric.tasks))
        for wrong in (-1, 2):
            with pytest.raises(ValueError, match="group codes"):
                metric.many(np.full(len(y), wrong), 2, y, noisy, None)


class TestForeign(MetricSuite):
    n_rows = 60

    @pytest.fixture(
        params=["f1_macro", "matthews_corrcoef", "explained_variance", "neg_mean_poisson_deviance", "roc_auc_ovr"]
    )
    def metric(self, request: pytest.FixtureRequest) -> Metric:
        return metrics.metric(request.param, {"roc_auc_ovr": 3}.get(request.param))
