"""From a framework's name to its converter, and from a fitted model with its encoding to one ONNX model."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from fitscale.errors import NotExportable
from fitscale.exporters.onnx import encoding as encodings
from fitscale.exporters.onnx.answers import Answer
from fitscale.exporters.onnx.graph import Graph
from fitscale.exporters.onnx.inputs import Input, inputs_of
from fitscale.records.base import canonical_json
from fitscale.registry import plugin

if TYPE_CHECKING:
    import onnx

    from fitscale.data.encoding import Encoding
    from fitscale.records.run import Recipe

# Each has `answer(graph, X, native, recipe, encoding, inputs)`: nodes that say of X, the name of the (n, width) float32
# matrix, what the model says. X is empty where the model takes raw columns: the inputs are then its columns.
CONVERTERS = {
    "baseline": "fitscale.exporters.onnx.baseline",
    "lightgbm": "fitscale.exporters.onnx.lightgbm",
    "sklearn": "fitscale.exporters.onnx.sklearn",
    "xgboost": "fitscale.exporters.onnx.xgboost",
}


def reason_not(recipe: Recipe) -> str | None:
    """Why there is no converter for the framework of a recipe, or None."""
    if recipe.framework in CONVERTERS:
        return None
    return f"framework '{recipe.framework}' has no converter to ONNX; there are: {', '.join(CONVERTERS)}"


def convert(native: Any, encoding: Encoding, recipe: Recipe) -> tuple[onnx.ModelProto, tuple[Input, ...]]:
    """The model with its encoding inside: one input for each raw column, outputs ``prediction`` and ``probabilities``.

    Raises
    ------
    NotExportable
        Naming what has no operator.
    """
    if wide := next((column for column in encoding.columns if column.width), None):
        what = "holds sparse vectors" if wide.kind == "vector" else "is hashed text"
        raise NotExportable(f"column '{wide.name}' {what}, for which the model would have no input")
    inputs = inputs_of(encoding)
    graph = Graph(frozenset(name for one in inputs for name in (one.name, one.flag) if name))
    _declare(graph, inputs)
    X = "" if encoding.input == "raw" else encodings.matrix(graph, encoding, inputs)
    answer: Callable[..., Answer] = importlib.import_module(CONVERTERS[recipe.framework]).answer
    said = answer(graph, X, native, recipe, encoding, inputs)
    return graph.model(_outputs(graph, said, encoding), _about(encoding, recipe, inputs)), inputs


def _declare(graph: Graph, inputs: tuple[Input, ...]) -> None:
    from onnx import helper

    for one in inputs:
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(one.dtype))
        graph.inputs.append(helper.make_tensor_value_info(one.name, kind, ["n", 1]))
        if one.flag is not None:
            flag = helper.np_dtype_to_tensor_dtype(np.dtype(np.bool_))
            graph.inputs.append(helper.make_tensor_value_info(one.flag, flag, [None, 1]))
            graph.default(one.flag, np.zeros((1, 1), np.bool_))


def _outputs(graph: Graph, said: Answer, encoding: Encoding) -> list[onnx.ValueInfoProto]:
    """Labels of the target's own type for class codes; values as they are."""
    from onnx import helper

    value = said.value
    kind = np.dtype(np.float32)
    if encoding.n_classes:
        labels = encoding.decode(np.arange(encoding.n_classes)).to_numpy(zero_copy_only=False)
        value = graph.add("Gather", graph.constant(labels), value)
        kind = labels.dtype
    outputs: list[tuple[str, str, np.dtype[Any], list[Any]]] = [(value, "prediction", kind, ["n"])]
    if said.proba is not None:
        outputs.append((said.proba, "probabilities", np.dtype(np.float32), ["n", encoding.n_classes]))
    made = []
    for source, wanted, dtype, shape in outputs:
        name = graph.output(source, wanted)
        made.append(helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(dtype), shape))
    return made


def _about(encoding: Encoding, recipe: Recipe, inputs: tuple[Input, ...]) -> dict[str, str]:
    """Kept in the model's metadata: what its inputs are, and the classes in the order of ``probabilities``."""
    return {
        "estimator": recipe.estimator.path,
        "target": encoding.target_name,
        "inputs": canonical_json([one.model_dump(exclude_none=True) for one in inputs]),
        "classes": canonical_json(encoding.labels() or []),
    }


def native_of(payload: bytes, recipe: Recipe) -> Any:
    """The library's own object. Whoever calls has checked where the bytes come from."""
    return plugin("frameworks", recipe.framework)().load(payload)
