"""What every metric promises. A metric of your own passes when this does:

    class TestMyMetric(MetricSuite):
        @pytest.fixture
        def metric(self):
            return MyMetric()

A metric that has no value where a class is missing says so: ``needs = frozenset({0, 1})``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from fitscale.contracts import Metric

CLASSES = {"binary": 2, "multiclass": 3, "regression": 0}


class Rows(NamedTuple):
    """Rows with a target, two predictions of it, and weights from 0.5 to 2."""

    y: np.ndarray
    perfect: np.ndarray
    noisy: np.ndarray
    weight: np.ndarray


class MetricSuite:
    """Subclass as ``TestX`` and give the fixture ``metric``."""

    n_rows = 120

    @pytest.fixture
    def metric(self) -> Metric:
        """The metric under test."""
        raise NotImplementedError("override the fixture 'metric'")

    def rows(self, metric: Metric, task: str, seed: int = 0) -> Rows:
        """Made-up rows as the metric takes them. Override for a metric that wants others, such as values in a range."""
        rng = np.random.default_rng(seed)
        n, k = self.n_rows, CLASSES[task]
        weight = rng.uniform(0.5, 2.0, n)
        if task == "regression":
            y = rng.gamma(3.0, size=n)
            return Rows(y, y.copy(), y * rng.uniform(0.5, 1.5, n), weight)
        perfect = np.eye(k)[rng.permutation(np.arange(n) % k)]
        votes = rng.dirichlet(np.ones(k), n).round(2) * 0.7 + 0.3 * perfect  # rounded: some scores are equal
        votes /= votes.sum(axis=1, keepdims=True)
        y = perfect.argmax(axis=1).astype(np.float64)
        if metric.takes == "label":
            return Rows(y, y.copy(), votes.argmax(axis=1).astype(np.float64), weight)
        return Rows(y, perfect[:, 1], votes[:, 1], weight) if k == 2 else Rows(y, perfect, votes, weight)

    def test_it_says_what_it_is(self, metric: Metric) -> None:
        """Name, input, direction and tasks are there as data."""
        assert isinstance(metric, Metric)
        assert metric.name
        assert metric.takes in ("label", "proba", "value")
        assert isinstance(metric.greater, bool)
        assert metric.tasks
        assert metric.tasks <= CLASSES.keys()

    def test_one_is_many_with_one_group(self, metric: Metric) -> None:
        """The value over all rows is that of one group with all rows."""
        for y, _, noisy, weight in self._all(metric):
            for w in (None, weight):
                one = metric.one(y, noisy, w)
                assert one is not None
                assert_same(metric.many(np.zeros(len(y), np.int64), 1, y, noisy, w), [one], 1e-12)

    def test_groups_do_not_mix(self, metric: Metric) -> None:
        """Each group has the value of its own rows, wherever they stand; a group without rows has none."""
        for y, _, noisy, weight in self._all(metric):
            group = np.random.default_rng(1).choice([0, 1, 3, 4], len(y))
            for w in (None, weight):
                apart = [
                    metric.one(y[at], noisy[at], None if w is None else w[at]) for at in group == np.arange(6)[:, None]
                ]
                assert apart[2] is None
                assert apart[5] is None
                assert_same(metric.many(group, 6, y, noisy, w), apart, 1e-12)

    def test_no_rows_no_value(self, metric: Metric) -> None:
        """Without rows there is None, and NaN for each group."""
        for y, _, noisy, _ in self._all(metric):
            assert metric.one(y[:0], noisy[:0], None) is None
            values = metric.many(np.zeros(0, np.int64), 3, y[:0], noisy[:0], None)
            assert_same(values, [None, None, None], 0)

    def test_a_missing_class_leaves_no_value(self, metric: Metric) -> None:
        """Where y lacks a class that the metric needs, it is undefined, in that group alone."""
        for needed in sorted(getattr(metric, "needs", ())):
            for y, _, noisy, weight in self._all(metric):
                group = (y == needed).astype(np.int64)
                without = group == 0
                assert metric.one(y[without], noisy[without], None) is None
                group[: len(y) // 2] = 1  # group 1: both kinds of rows
                values = metric.many(group, 2, y, noisy, weight)
                assert np.isnan(values[0])
                assert not np.isnan(values[1])

    def test_weights_of_one_change_nothing(self, metric: Metric) -> None:
        """Rows that all weigh 1 are rows without weights."""
        for y, _, noisy, weight in self._all(metric):
            assert_same([metric.one(y, noisy, np.ones_like(weight))], [metric.one(y, noisy, None)], 1e-12)

    def test_the_order_of_rows_does_not_matter(self, metric: Metric) -> None:
        """Shuffled rows have the same value, but for rounding."""
        for y, _, noisy, weight in self._all(metric):
            at = np.random.default_rng(2).permutation(len(y))
            assert_same([metric.one(y[at], noisy[at], weight[at])], [metric.one(y, noisy, weight)], 1e-9)

    def test_the_same_rows_give_the_same_bits(self, metric: Metric) -> None:
        """Twice the same call, twice the same value."""
        for y, _, noisy, weight in self._all(metric):
            group = np.arange(len(y)) % 3
            assert metric.one(y, noisy, weight) == metric.one(y, noisy, weight)
            once, again = (metric.many(group, 3, y, noisy, weight) for _ in range(2))
            assert once.tobytes() == again.tobytes()

    def test_better_is_better(self, metric: Metric) -> None:
        """Perfect predictions score at least as well as noisy ones, in the direction that the metric says."""
        for y, perfect, noisy, _ in self._all(metric):
            best, worse = metric.one(y, perfect, None), metric.one(y, noisy, None)
            assert best is not None
            assert worse is not None
            assert best >= worse if metric.greater else best <= worse

    def test_smaller_types_are_taken(self, metric: Metric) -> None:
        """y as a feed gives it (float32), class codes as integers too."""
        for task in sorted(metric.tasks):
            y, _, noisy, weight = self.rows(metric, task)
            narrow = y.astype(np.float32)
            wide = metric.one(narrow.astype(np.float64), noisy, weight)
            assert_same([metric.one(narrow, noisy, weight)], [wide], 1e-6)
            if task != "regression":
                assert_same([metric.one(y.astype(np.int64), noisy, weight)], [wide], 1e-12)

    def test_its_input_is_left_alone(self, metric: Metric) -> None:
        """The arrays are the caller's."""
        for rows in self._all(metric):
            y, _, noisy, weight = rows
            before = [a.tobytes() for a in rows]
            metric.one(y, noisy, weight)
            metric.many(np.arange(len(y)) % 3, 3, y, noisy, weight)
            assert [a.tobytes() for a in rows] == before

    def _all(self, metric: Metric) -> list[Rows]:
        return [self.rows(metric, task) for task in sorted(metric.tasks)]


def assert_same(values: object, expected: object, tolerance: float) -> None:
    """Equal but for ``tolerance``, relative above 1; None and NaN are one."""
    found, wanted = np.array(values, dtype=np.float64), np.array(expected, dtype=np.float64)
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)
