"""Calls of LightGBM's C interface that its Python classes do not offer, or offer only over rows that are all in memory."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import lightgbm
    import numpy as np

FLOAT32, INT64 = 0, 3  # C_API_DTYPE_FLOAT32, C_API_DTYPE_INT64


def sample_rows(n: int, params: str) -> np.ndarray:
    """(m,) int32, rising: the rows of ``n`` that the bins are made of. The same ones as for a matrix."""
    import numpy as np
    from lightgbm.libpath import _LIB

    count = ctypes.c_int(0)
    _check(_LIB.LGBM_GetSampleCount(ctypes.c_int32(n), params.encode(), ctypes.byref(count)))
    rows = np.empty(count.value, np.int32)
    found = ctypes.c_int32(0)
    _check(_LIB.LGBM_SampleIndices(ctypes.c_int32(n), params.encode(), _at(rows), ctypes.byref(found)))
    return rows[: found.value]


def empty_dataset(
    values: Sequence[np.ndarray], rows: Sequence[np.ndarray], m: int, n: int, params: str
) -> lightgbm.Dataset:
    """A Dataset with bins and room for ``n`` rows.

    Parameters
    ----------
    values, rows
        Of each column: the float64 values of the sample that are not zero, and their int32 places among its ``m`` rows.
    """
    import numpy as np
    from lightgbm.libpath import _LIB

    d = len(values)
    doubles, ints = ctypes.POINTER(ctypes.c_double), ctypes.POINTER(ctypes.c_int32)
    counts = np.array([len(column) for column in values], np.int32)
    handle = ctypes.c_void_p()
    _check(
        _LIB.LGBM_DatasetCreateFromSampledColumn(
            (doubles * d)(*[column.ctypes.data_as(doubles) for column in values]),
            (ints * d)(*[column.ctypes.data_as(ints) for column in rows]),
            ctypes.c_int32(d),
            counts.ctypes.data_as(ints),
            ctypes.c_int32(m),
            ctypes.c_int32(n),
            ctypes.c_int64(n),
            params.encode(),
            ctypes.byref(handle),
        )
    )
    return _owned(handle)


def dataset_like(reference: lightgbm.Dataset, n: int) -> lightgbm.Dataset:
    """A Dataset with the same bins and room for ``n`` rows."""
    from lightgbm.libpath import _LIB

    handle = ctypes.c_void_p()
    _check(_LIB.LGBM_DatasetCreateByReference(reference._handle, ctypes.c_int64(n), ctypes.byref(handle)))
    return _owned(handle)


def push(dataset: lightgbm.Dataset, X: np.ndarray, at: int) -> None:
    """Bin these rows (n, d) float32 into the places from ``at`` on. With the last of its rows a Dataset is complete."""
    import numpy as np
    from lightgbm.libpath import _LIB

    X = np.ascontiguousarray(X, np.float32)
    n, d = X.shape
    _check(
        _LIB.LGBM_DatasetPushRows(
            dataset._handle, _at(X), ctypes.c_int(FLOAT32), ctypes.c_int32(n), ctypes.c_int32(d), ctypes.c_int32(at)
        )
    )


def push_sparse(dataset: lightgbm.Dataset, X: Any, at: int) -> None:
    """As `push`, of a scipy CSR matrix."""
    import numpy as np
    from lightgbm.libpath import _LIB

    starts, index, value = (
        np.ascontiguousarray(part, type)
        for part, type in ((X.indptr, np.int64), (X.indices, np.int32), (X.data, np.float32))
    )
    _check(
        _LIB.LGBM_DatasetPushRowsByCSR(
            dataset._handle, _at(starts), ctypes.c_int(INT64), _at(index), _at(value), ctypes.c_int(FLOAT32),
            ctypes.c_int64(len(starts)), ctypes.c_int64(len(value)), ctypes.c_int64(X.shape[1]), ctypes.c_int64(at),
        )
    )  # fmt: skip


def merge(booster: lightgbm.Booster, first: lightgbm.Booster) -> None:
    """Put the trees of ``first`` before those of ``booster``, as copies."""
    from lightgbm.libpath import _LIB

    _check(_LIB.LGBM_BoosterMerge(booster._handle, first._handle))


def raw_scores(booster: lightgbm.Booster, data: int, n: int) -> np.ndarray:
    """(k * n,) float64: the sums of leaves so far, by class, of the training rows (0) or the validation rows (1).

    The Booster cannot go on afterwards: only without its objective does the library leave the sums as they are.
    """
    import numpy as np
    from lightgbm.libpath import _LIB

    booster.reset_parameter({"objective": "none"})
    out = np.empty(n * booster.num_model_per_iteration(), np.float64)
    length = ctypes.c_int64(0)
    _check(_LIB.LGBM_BoosterGetPredict(booster._handle, ctypes.c_int(data), ctypes.byref(length), _at(out)))
    assert length.value == len(out)
    return out


def params_text(params: dict[str, Any]) -> str:
    """Parameters as the C interface takes them."""
    from lightgbm.basic import _param_dict_to_str

    return str(_param_dict_to_str(params))


def _owned(handle: ctypes.c_void_p) -> lightgbm.Dataset:
    """The Python class around a Dataset of ours, which frees it."""
    import lightgbm

    dataset = lightgbm.Dataset(None, params={})
    dataset._handle = handle
    return dataset


def _at(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _check(code: int) -> None:
    from lightgbm.basic import _safe_call

    _safe_call(code)
