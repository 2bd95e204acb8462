"""An encoding as nodes: raw columns in, the matrix that the model was fitted on out, with the same float32 bits.

What differs: values that are infinite, or beyond what float32 holds, are an error in fitscale and go through here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fitscale.data.categories import value_type
from fitscale.errors import NotExportable
from fitscale.exporters.onnx import dates
from fitscale.exporters.onnx.graph import ML, Graph
from fitscale.exporters.onnx.inputs import MISSING, Input

if TYPE_CHECKING:
    from fitscale.data.encoding import Column, Encoding


def matrix(graph: Graph, encoding: Encoding, inputs: tuple[Input, ...]) -> str:
    """(n, width) float32."""
    made = [
        _category(graph, encoding, column, one)
        if column.kind == "category"
        else _quantities(graph, encoding, column, one)
        for column, one in zip(encoding.columns, inputs, strict=True)
    ]
    return graph.add("Concat", *(name for names in made for name in names), axis=1)


def _quantities(graph: Graph, encoding: Encoding, column: Column, one: Input) -> list[str]:
    """One column for each quantity: scaled, and missing values filled in, as the encoding says."""
    if column.kind not in ("number", "boolean", "date"):
        raise NotExportable(f"column '{column.name}' is a {column.kind}, whose encoding has no ONNX graph yet")
    gone = one.flag or _gone(graph, one)
    if column.kind == "date":
        moments = graph.add("Where", gone, _int(graph, 0), one.name)
        values = dates.parts(graph, moments, column.type, column.parts)
    else:
        values = [one.name]
    impute = encoding.missing == "impute"
    made = []
    for k, value in enumerate(values):
        if column.deviation:
            shifted = graph.add("Sub", graph.cast(value, np.float64), _double(graph, column.mean[k]))
            value = graph.add("Div", shifted, _double(graph, column.deviation[k]))
        value = value if one.type == "float" and value == one.name else graph.cast(value, np.float32)
        if impute:
            fill = 0.0 if column.deviation else column.mean[k]
            value = graph.add("Where", gone, _float(graph, fill), value)
        elif one.type not in ("float", "double"):  # there a missing value is NaN already
            value = graph.add("Where", gone, _float(graph, np.nan), value)
        made.append(value)
    return made


def _category(graph: Graph, encoding: Encoding, column: Column, one: Input) -> list[str]:
    """One column of codes, or one of 0 and 1 for each code."""
    other = len(column.categories) if column.other else -1
    if encoding.input == "codes":
        gap = float(column.codes - 1) if column.gap else np.nan
        return [_looked_up(graph, column, one, other, gap, np.float32)]
    codes = _looked_up(graph, column, one, other, -1, np.int64)
    each = graph.add("Equal", codes, graph.constant(np.arange(column.codes, dtype=np.int64).reshape(1, -1)))
    return [graph.cast(each, np.float32)]


def _looked_up(
    graph: Graph, column: Column, one: Input, other: float, gone: float, dtype: type[np.float32 | np.int64]
) -> str:
    """The code of each value; ``gone`` where it is missing, or unseen without a code for that."""
    other = gone if other < 0 else other
    if value_type(column.type) == "double":
        return _compared(graph, column, one, other, gone, dtype)
    key = one.name
    if one.flag is not None:
        key = graph.add("Where", one.flag, _int(graph, MISSING), graph.cast(key, np.int64))
    keys = "keys_strings" if one.type == "string" else "keys_int64s"
    values, default = ("values_floats", "default_float") if dtype is np.float32 else ("values_int64s", "default_int64")
    missing = MISSING if one.missing is None else one.missing
    said: dict[str, Any] = {
        keys: [*column.categories, missing],
        values: [dtype(code).item() for code in (*range(len(column.categories)), gone)],
        default: dtype(other).item(),
    }
    return graph.add("LabelEncoder", key, domain=ML, **said)


def _compared(graph: Graph, column: Column, one: Input, other: float, gone: float, dtype: type[np.generic]) -> str:
    """Of categories that are fractions: LabelEncoder would look them up in single precision."""
    value = graph.cast(one.name, np.float64)
    known = graph.constant(np.array(column.categories, np.float64).reshape(1, -1))
    same = graph.cast(graph.add("Equal", value, known), np.float32)
    axes = graph.constant(np.array([1], np.int64))
    found = graph.cast(graph.add("ReduceSum", same, axes, keepdims=1), np.bool_)
    code = graph.cast(graph.add("ArgMax", same, axis=1, keepdims=1), dtype)
    code = graph.add("Where", found, code, graph.constant(np.array([[other]], dtype)))
    missing = graph.add("Or", graph.add("IsNaN", value), graph.add("IsInf", value))
    return graph.add("Where", missing, graph.constant(np.array([[gone]], dtype)), code)


def _gone(graph: Graph, one: Input) -> str:
    if one.type in ("float", "double"):
        return graph.add("IsNaN", one.name)
    return graph.add("Equal", one.name, _int(graph, MISSING))


def _int(graph: Graph, value: int) -> str:
    return graph.constant(np.array([[value]], np.int64))


def _float(graph: Graph, value: float) -> str:
    return graph.constant(np.array([[value]], np.float32))


def _double(graph: Graph, value: float) -> str:
    return graph.constant(np.array([[value]], np.float64))
