"""Equal estimators to equal bytes, whatever the process did before.

A pickle writes an object that it meets again as a reference to the first, by identity, and for strings and number types
identity is an accident. An estimator that was unpickled earlier in a process leaves its attribute names, which are not
interned, to all later instances of its class (they share the keys of their dictionaries): the same name in another class is
then another object. And an array that was unpickled has a copy of its dtype. See docs/decisions/0005.
"""

from __future__ import annotations

import io
import pickle
import struct
import sys
from typing import Any

import numpy as np

# The pickler of the standard library that is written in Python: its subclasses may say how a type is saved.
_Pickler: Any = pickle._Pickler


class _Canonical(_Pickler):  # type: ignore[misc]  # see above
    """Writes strings and types of numbers by their value."""

    dispatch = dict(_Pickler.dispatch)

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, protocol=5)
        self._records: dict[tuple[np.dtype[Any], bool], np.dtype[Any]] = {}

    def _save_str(self, text: str) -> None:
        one = sys.intern(text)
        if not self._met(one):
            _Pickler.save_str(self, one)

    def _save_dtype(self, dtype: np.dtype[Any]) -> None:
        one = np.dtype(dtype.str) if dtype.isnative and dtype.metadata is None else dtype
        if not self._met(one):
            self.save_reduce(*one.__reduce__(), obj=one)

    def _save_record(self, dtype: np.dtype[Any]) -> None:
        """The type of an array of records, such as the nodes of a tree: the first of those that are equal stands for all."""
        one = self._records.setdefault((dtype, dtype.isalignedstruct), dtype) if dtype.metadata is None else dtype
        if not self._met(one):
            self.save_reduce(*one.__reduce__(), obj=one)

    def _save_buffer(self, buffer: pickle.PickleBuffer) -> None:
        """The bytes of an array, without the copy (kept until the end) that the standard library makes of them."""
        with buffer.raw() as raw:
            head = (pickle.BINBYTES8 if raw.readonly else pickle.BYTEARRAY8) + struct.pack("<Q", raw.nbytes)
            if raw.nbytes < self.framer._FRAME_SIZE_TARGET:
                self.write(head + raw)
            else:
                self._write_large_bytes(head, raw)

    def _met(self, one: object) -> bool:
        """Whether this very object was written before; then a reference to it is written."""
        known = self.memo.get(id(one))
        if known is not None:
            self.write(self.get(known[0]))
        return known is not None

    dispatch[str] = _save_str
    dispatch[pickle.PickleBuffer] = _save_buffer
    for _char in np.typecodes["AllInteger"] + np.typecodes["AllFloat"] + "?":  # others have parameters of their own
        dispatch[type(np.dtype(_char))] = _save_dtype
    dispatch[type(np.dtype("V1"))] = _save_record


def dumps(made: Any) -> bytes:
    """The pickle of an object (protocol 5), in which equal strings, and equal types of numbers, are one."""
    file = io.BytesIO()
    _Canonical(file).dump(made)
    return file.getvalue()
