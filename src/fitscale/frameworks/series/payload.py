"""A model of a series as bytes: what kind it is, where its series ended, and its numbers.

4 bytes   FSER
2 bytes   kind (place in KINDS), little-endian as all that follows
2 bytes   format
8 bytes   step, in the unit of the times
8 bytes   moment of the last value
8 bytes   each number, float64
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fitscale.errors import DataError

MAGIC, FORMAT = b"FSER", 1
KINDS = ("ar", "level", "smoothing", "arima")  # what a payload's kind is the place of: only ever added to
HEAD = np.dtype([("magic", "S4"), ("kind", "<u2"), ("format", "<u2"), ("step", "<i8"), ("end", "<i8")])


class Model(NamedTuple):
    """A model as it is read."""

    kind: str
    step: int
    end: int
    numbers: np.ndarray  # (width,) float64


def packed(kind: str, step: int, ends: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """(b, bytes) uint8: the payloads of models of one kind and width."""
    head = np.zeros(len(numbers), HEAD)
    head["magic"], head["kind"], head["format"], head["step"], head["end"] = (
        MAGIC,
        KINDS.index(kind),
        FORMAT,
        step,
        ends,
    )
    body = np.ascontiguousarray(numbers, "<f8").view(np.uint8).reshape(len(numbers), 8 * numbers.shape[1])
    return np.concatenate([head.view(np.uint8).reshape(len(numbers), HEAD.itemsize), body], axis=1)


def read(payload: bytes) -> Model:
    """The model of a payload.

    Raises
    ------
    DataError
        For bytes that are none, or of a version to come.
    """
    whole = len(payload) >= HEAD.itemsize and (len(payload) - HEAD.itemsize) % 8 == 0
    if not whole or payload[:4] != MAGIC:
        raise DataError("these bytes are no model of a series: the file was cut off, or edited")
    head = np.frombuffer(payload, HEAD, 1)[0]
    if head["format"] != FORMAT or head["kind"] >= len(KINDS):
        raise DataError(f"this model of a series is of format {head['format']}; a newer fitscale reads it")
    numbers = np.frombuffer(payload, "<f8", offset=HEAD.itemsize)
    return Model(KINDS[head["kind"]], int(head["step"]), int(head["end"]), numbers)
