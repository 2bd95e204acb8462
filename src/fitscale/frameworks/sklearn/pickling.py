"""Equal estimators to equal bytes, whatever the process did before.

A pickle writes an object that it meets again as a reference to the first, by identity, and for strings and number types
identity is an accident. An estimator that was unpickled earlier in a process leaves its attribute names, which are not
interned, to all later instances of its class (they share the keys of their dictionaries): the same name in another class is
then another object. And an array that was unpickled has a copy of its dtype. See docs/decisions/0005.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import sys
import types
from typing import Any

import numpy as np

# Written by their names.
_NAMED = (type, types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType, np.ufunc)


class _Canonical(pickle.Pickler):
    """Writes strings and types of numbers by their value."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, protocol=5)
        self._records: dict[tuple[np.dtype[Any], bool], np.dtype[Any]] = {}
        self._ours: dict[int, tuple[Any, Any]] = {}  # by id: what was met, and what stands for it

    def reducer_override(self, obj: Any) -> Any:
        """Called for all but strings, numbers and containers, which are seen to in the state of what holds them."""
        if isinstance(obj, _NAMED) or type(obj) in copyreg.dispatch_table:
            return NotImplemented
        if type(obj) is np.ndarray:
            one = self._one_type(obj.dtype)
            return NotImplemented if one is obj.dtype else obj.view(one).__reduce_ex__(5)
        reduced = obj.__reduce_ex__(5)
        if isinstance(reduced, str):
            return reduced
        return (reduced[0], *(self._one(part) for part in reduced[1:3]), *reduced[3:])

    def _one(self, value: Any) -> Any:
        """What stands for all that are equal, in strings and types of numbers, however deep in containers."""
        kind = type(value)
        if kind is str:
            return sys.intern(value)
        if kind not in (dict, list, tuple):
            return self._one_type(value) if isinstance(value, np.dtype) else value
        if id(value) in self._ours:
            return self._ours[id(value)][1]
        made: Any
        if kind is tuple:
            made = tuple(self._one(item) for item in value)
            self._ours[id(value)] = value, made
        elif kind is list:
            self._ours[id(value)] = value, (made := [])  # before its items, of which one may be itself
            made += [self._one(item) for item in value]
        else:
            self._ours[id(value)] = value, (made := {})
            made |= {self._one(key): self._one(item) for key, item in value.items()}
        return made

    def _one_type(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """A type of numbers is there once; of those of records, such as the nodes of a tree, the first stands for all."""
        if dtype.metadata is not None or dtype.hasobject:
            return dtype
        if dtype.fields is not None:
            return self._records.setdefault((dtype, dtype.isalignedstruct), dtype)
        return np.dtype(dtype.str) if dtype.isnative and dtype.kind in "biuf" else dtype


def dumps(made: Any) -> bytes:
    """The pickle of an object (protocol 5), in which equal strings, and equal types of numbers, are one."""
    file = io.BytesIO()
    _Canonical(file).dump(made)
    return file.getvalue()
