"""Regressions of many groups at once: scikit-learn's models, each by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression
from sklearn.linear_model import Ridge as SklearnRidge

from fitscale.contracts import Batch
from fitscale.errors import DataError, WorkloadError
from fitscale.frameworks.batched import Batched, kernels
from fitscale.records.run import Estimator
from fitscale.testing.frameworks import FrameworkSuite
from fitscale.testing.trying import Case


def case(path: str, *, weights: bool = True, **params: object) -> Case:
    return Case(Estimator(path=path, params=params), target="regression", weights=weights)


class TestBatched(FrameworkSuite):
    framework = Batched
    cases = {
        "ridge": case("batched.Ridge", alpha=0.5),
        "linear": case("batched.Linear"),
        "mean": case("batched.Mean"),
        "quantile": case("batched.Quantile", weights=False, quantile=0.9),
    }


def rows(sizes: list[int], d: int, seed: int, *, weighted: bool = False) -> Batch:
    rng = np.random.default_rng(seed)
    n = sum(sizes)
    X = rng.normal(size=(n, d)).astype(np.float32) * 10.0 ** rng.integers(-2, 3, d).astype(np.float32)
    y = (X @ rng.normal(size=d) + rng.normal(size=n) + 5).astype(np.float32)
    weight = rng.exponential(size=n).astype(np.float32) if weighted else None
    return Batch(X, y, weight, np.arange(n))


@pytest.mark.parametrize("alpha", [0.0, 0.5, 100.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_it_is_scikit_learns(alpha: float, weighted: bool) -> None:
    """Coefficients and intercepts of each group, with weights too."""
    sizes = [40, 7, 300]
    batch = rows(sizes, 4, 0, weighted=weighted)
    found = kernels.fitted(kernels.Ridge(alpha), batch, np.array(sizes))
    start = 0
    for k, n in enumerate(sizes):
        here = slice(start, start + n)
        plain: Any = SklearnRidge(alpha=alpha) if alpha else LinearRegression()
        weight = None if batch.weight is None else batch.weight[here]
        plain.fit(batch.X[here].astype(float), batch.y[here].astype(float), sample_weight=weight)
        assert np.allclose(found[k, 1:], plain.coef_, rtol=1e-6, atol=1e-8)
        assert found[k, 0] == pytest.approx(plain.intercept_, rel=1e-6, abs=1e-6)
        start += n


def test_columns_that_hang_together_have_the_smallest_coefficients() -> None:
    """As scikit-learn's: also a column that is constant in its group."""
    batch = rows([30], 3, 1)
    batch.X[:, 1] = batch.X[:, 0]
    batch.X[:, 2] = 4.0
    found = kernels.fitted(kernels.Ridge(0.0), batch, np.array([30]))[0]
    plain = LinearRegression().fit(batch.X.astype(float), batch.y.astype(float))
    assert np.allclose(found[1:], plain.coef_, atol=1e-6)


@pytest.mark.parametrize(
    "kernel", [kernels.Ridge(1.0), kernels.Ridge(0.0), kernels.Quantile(None), kernels.Quantile(0.3)]
)
@given(
    sizes=st.lists(st.integers(0, 60), min_size=1, max_size=12), seed=st.integers(0, 2**32 - 1), weighted=st.booleans()
)
@settings(max_examples=25, deadline=None)
def test_a_group_does_not_hang_on_those_beside_it(
    kernel: kernels.Kernel, sizes: list[int], seed: int, weighted: bool
) -> None:
    """The same numbers to the bit, alone, one by one and among others."""
    batch = rows(sizes, 3, seed, weighted=weighted)
    together = kernels.fitted(kernel, batch, np.array(sizes))
    assert np.array_equal(together, kernels.fitted(kernel, batch, np.array(sizes), one_by_one=True), equal_nan=True)
    start = 0
    for k, n in enumerate(sizes):
        here = slice(start, start + n)
        weight = None if batch.weight is None else batch.weight[here]
        alone = kernels.fitted(kernel, Batch(batch.X[here], batch.y[here], weight, batch.row[here]), np.array([n]))
        assert np.array_equal(together[k], alone[0], equal_nan=True)
        start += n


@pytest.mark.parametrize(
    ("path", "params", "told"),
    [
        ("batched.Ridge", {"alpha": -1}, "no number from 0"),
        ("batched.Quantile", {"quantile": 2}, "from 0 to 1"),
        ("batched.Rigde", {}, "did you mean 'batched.Ridge'"),
        ("batched.Linear", {"alpha": 1}, "takes none"),
    ],
)
def test_what_is_none_is_refused(path: str, params: dict[str, Any], told: str) -> None:
    """With the value, and what would do."""
    with pytest.raises(WorkloadError, match=told):
        Batched().traits(Estimator(path=path, params=params))


@given(st.binary(max_size=60))
def test_bytes_that_are_no_model_are_refused(content: bytes) -> None:
    """Unless they are one."""
    try:
        assert len(Batched().load(content)) >= 1
    except DataError as error:
        assert str(error).startswith("these bytes are no linear model")  # noqa: PT017 (most bytes are none, some are)
