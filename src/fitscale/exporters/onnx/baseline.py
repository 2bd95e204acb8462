"""The smallest converter, and the reference: the same answer for every row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fitscale.exporters.onnx.answers import Answer, of_many, of_value

if TYPE_CHECKING:
    from fitscale.data.encoding import Encoding
    from fitscale.exporters.onnx.graph import Graph
    from fitscale.exporters.onnx.inputs import Input
    from fitscale.records.run import Recipe


def answer(graph: Graph, X: str, native: Any, recipe: Recipe, encoding: Encoding, inputs: tuple[Input, ...]) -> Answer:
    """See `models.CONVERTERS`."""
    rows = graph.add("Slice", graph.add("Shape", X), *(graph.constant(np.array([k], np.int64)) for k in (0, 1)))
    shape = graph.add("Concat", rows, graph.constant(np.array([1], np.int64)), axis=0)
    said = graph.constant(np.array([native["value"]], np.float64))
    every = graph.cast(graph.add("Tile", said, shape), np.float32)
    return of_many(graph, every) if native["classes"] else of_value(graph, every)
