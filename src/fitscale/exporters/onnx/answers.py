"""What a model says, as nodes: margins → probabilities → the class → its label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fitscale.exporters.onnx.graph import Graph


class Answer(NamedTuple):
    """``value``: (n,) int64 class codes, or (n,) float values; ``proba``: (n, k) float, where the model has it."""

    value: str
    proba: str | None = None


def of_two(graph: Graph, chance: str, more: float = 0.0) -> Answer:
    """Of (n, 1) float32 probabilities of the second of two classes: the second where it is above one half and ``more``."""
    one = graph.constant(np.array([[1.0]], np.float32))
    proba = graph.add("Concat", graph.add("Sub", one, chance), chance, axis=1)
    above = graph.add("Greater", chance, graph.constant(np.array([[0.5 + more]], np.float32)))
    return Answer(flat(graph, graph.cast(above, np.int64)), proba)


def of_many(graph: Graph, proba: str) -> Answer:
    """Of (n, k) probabilities: the first of the largest."""
    return Answer(graph.add("ArgMax", proba, axis=1, keepdims=0), proba)


def of_value(graph: Graph, value: str) -> Answer:
    """Of a (n, 1) value."""
    return Answer(flat(graph, value))


def spread(graph: Graph, answer: Answer, codes: Sequence[int], classes: int) -> Answer:
    """From the classes that a fit saw to all: a class that it did not see has the probability 0. Codes stay."""
    if answer.proba is None or len(codes) == classes:
        return answer
    places = np.zeros((len(codes), classes), np.float32)
    places[np.arange(len(codes)), list(codes)] = 1.0
    return answer._replace(proba=graph.add("MatMul", answer.proba, graph.constant(places)))


def picked(graph: Graph, answer: Answer, codes: Sequence[int]) -> Answer:
    """From positions among the classes that a fit saw to their codes."""
    if list(codes) == list(range(len(codes))):
        return answer
    return answer._replace(value=graph.add("Gather", graph.constant(np.array(codes, np.int64)), answer.value))


def flat(graph: Graph, value: str) -> str:
    """(n, 1) or (n,) → (n,)."""
    return graph.add("Reshape", value, graph.constant(np.array([-1], np.int64)))
