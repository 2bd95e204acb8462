"""A fitted model as bytes, which run no code when they are read: JSON that says what is where, and arrays.

4 bytes   FSSF
2 bytes   format, little-endian as all that follows
2 bytes   0
8 bytes   how long the JSON is
          the JSON, and spaces up to a multiple of 8
          the arrays, one after the other, each in a multiple of 8
"""

from __future__ import annotations

import json
import math
import struct
from typing import Any, NamedTuple

import numpy as np

from fitscale.errors import DataError

MAGIC, FORMAT = b"FSSF", 1
HEAD = struct.Struct("<4sHHQ")
TYPES = ("<f8", "<f4", "<i8", "|b1")  # of an array
ARRAY, NUMBER = "array", "float64"  # what stands for one in the JSON: the only key of its mapping


class Model(NamedTuple):
    """What is in a payload.

    Attributes
    ----------
    name
        Of the class in ``statsforecast.models`` that was fitted; of a constant series the library fits a simpler one.
    params
        What its constructor was given.
    step, end
        Between the series' values, and the moment of its last: in the unit of its times.
    said
        Of its errors one step ahead: deviation, how many, kurtosis, and how many numbers were fitted.
    history
        (n,) the last values that the model was fitted on, as many as it looks back.
    state
        See `state.kept`.
    """

    name: str
    params: dict[str, Any]
    step: int
    end: int
    said: tuple[float, float, float, int]
    history: np.ndarray
    state: dict[str, Any]


def packed(model: Model) -> bytes:
    """The payload.

    Raises
    ------
    DataError
        Where the model holds what could not be read back as it was.
    """
    arrays = _Arrays()
    head = json.dumps(_plain(model._asdict(), arrays), sort_keys=True, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    return HEAD.pack(MAGIC, FORMAT, 0, len(head)) + head + bytes(arrays.content)


def read(payload: bytes) -> Model:
    """The model of a payload.

    Raises
    ------
    DataError
        For bytes that are none, or of a version to come.
    """
    if len(payload) < HEAD.size or payload[:4] != MAGIC:
        raise DataError("these bytes are no model of statsforecast: the file was cut off, or edited")
    _, format, _, length = HEAD.unpack_from(payload)
    if format != FORMAT:
        raise DataError(f"this model of statsforecast is of format {format}; a newer fitscale reads it")
    try:
        told = json.loads(payload[HEAD.size : HEAD.size + length])
        found = Model(**_read(told, memoryview(payload)[HEAD.size + length :]))
        deviation, n, kurtosis, spent = found.said
        said = float(deviation), float(n), float(kurtosis), int(spent)
        whole = isinstance(found.name, str) and isinstance(found.params, dict) and isinstance(found.state, dict)
        whole = whole and type(found.end) is int and type(found.step) is int and found.step > 0
        whole = (
            whole and isinstance(found.history, np.ndarray) and found.history.dtype == "<f8" and found.history.ndim == 1
        )
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError):
        whole = False
    if not whole:
        raise DataError("these bytes are no model of statsforecast: the file was edited")
    return found._replace(said=said)


class _Arrays:
    def __init__(self) -> None:
        self.content = bytearray()
        self._known: dict[bytes, int] = {}

    def put(self, array: np.ndarray) -> dict[str, Any]:
        """Where it lies; equal ones lie in one place."""
        kept = np.ascontiguousarray(array)
        kind = kept.dtype.newbyteorder("<").str
        if kind not in TYPES:
            raise DataError(f"the model holds numbers of type {kept.dtype}, which are not kept")
        content = kept.astype(kind, copy=False).tobytes()
        at = self._known.setdefault(content, len(self.content))
        if at == len(self.content):
            self.content += content + bytes(-len(content) % 8)
        return {ARRAY: [kind, list(array.shape), at]}


def _plain(value: Any, arrays: _Arrays) -> Any:
    """As JSON says it, with what it has no word for as a mapping of one key."""
    if isinstance(value, np.ndarray):
        return arrays.put(value)
    if isinstance(value, np.floating):  # divides by zero where the language's own would raise
        return {NUMBER: float(value)}
    if isinstance(value, (np.integer, np.bool_)):
        return value.item()
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _plain(each, arrays) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each, arrays) for each in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise DataError(f"the model holds a {type(value).__name__}, which is not kept")


def _read(told: Any, content: memoryview) -> Any:
    if isinstance(told, list):
        return [_read(each, content) for each in told]
    if not isinstance(told, dict):
        return told
    if set(told) == {NUMBER}:
        return np.float64(told[NUMBER])
    if set(told) == {ARRAY}:
        kind, shape, at = told[ARRAY]
        if kind not in TYPES or not all(type(n) is int and n >= 0 for n in (*shape, at)):
            raise ValueError("no array")
        flat = np.frombuffer(content, kind, math.prod(shape), at) if math.prod(shape) else np.zeros(0, kind)
        return flat.reshape(shape).copy()  # the library writes into some
    return {key: _read(each, content) for key, each in told.items()}
