"""Hashes of row numbers and values that never change: what the folds stand on.

A 64-bit word is hashed by splitmix64 (Steele, Lea, Flood, 2014) after the seed's key was added. A text is the sum of
its UTF-8 bytes, each plus one, times the powers of an odd constant, modulo 2**64, mixed with its length. Both are
arithmetic on whole columns. Tests hold golden values: a change here would move rows between the folds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fitscale.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

GOLDEN = 0x9E3779B97F4A7C15
MASK = 0xFFFFFFFFFFFFFFFF
POWER = 0x100000001B3  # odd, so that no power loses a bit
MISSING = 0x6D697373696E6700  # what a missing value counts as: all of them are in one part


def mixed(word: int) -> int:
    """splitmix64 of one word, in Python integers."""
    z = (word + GOLDEN) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def hashed(words: np.ndarray, key: int) -> np.ndarray:
    """splitmix64 of each word plus ``key``: (n,) uint64, evenly spread."""
    z = words + np.uint64((key + GOLDEN) & MASK)
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return z


def words_of(column: pa.Array) -> np.ndarray:
    """(n,) uint64, equal for equal values whatever the width, unit or dictionary they are stored in.

    Raises
    ------
    DataError
        For values without a stable form (lists, structs).
    """
    import pyarrow.types as t

    if not t.is_dictionary(column.type):
        if t.is_integer(column.type) or t.is_floating(column.type) or t.is_boolean(column.type):
            return _words(column)
        column = column.dictionary_encode()  # each distinct value is hashed once
    words: np.ndarray = np.append(_words(column.dictionary), np.uint64(MISSING))
    index = column.indices.cast("int64").fill_null(len(words) - 1)
    picked: np.ndarray = words[index.to_numpy(zero_copy_only=False)]
    return picked


def _words(values: pa.Array) -> np.ndarray:
    import pyarrow as pa
    import pyarrow.types as t

    kind = values.type
    words: np.ndarray
    if t.is_floating(kind):
        floats = values.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False) + 0.0  # -0.0 is 0.0
        words = np.where(np.isnan(floats), np.uint64(MISSING), floats.view(np.uint64))
        return words
    if t.is_temporal(kind) and not (t.is_time(kind) or t.is_duration(kind)):
        values = values.cast(pa.timestamp("ns", getattr(kind, "tz", None)), safe=False).cast(pa.int64())
    elif t.is_boolean(kind):
        values = values.cast(pa.int8())
    elif not t.is_integer(kind):
        try:
            return _text_words(values.cast(pa.large_string()).cast(pa.large_binary()))
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
            raise DataError(f"values of type {kind} cannot be split by: they have no stable text") from None
    integers = values.fill_null(0).to_numpy(zero_copy_only=False)
    signed = integers.dtype.kind == "i"
    words = integers.astype(np.int64 if signed else np.uint64).view(np.uint64)
    if values.null_count:
        words[values.is_null().to_numpy(zero_copy_only=False)] = MISSING
    return words


def _text_words(texts: pa.Array) -> np.ndarray:
    """Of a large_binary column."""
    n = len(texts)
    if n == 0:
        return np.empty(0, np.uint64)
    _, ends, data = texts.buffers()
    offsets = np.frombuffer(ends, np.int64, n + 1, texts.offset * 8)
    first, last = int(offsets[0]), int(offsets[-1])
    lengths = np.diff(offsets)
    raw = np.frombuffer(data, np.uint8, last - first, first) if last > first else np.empty(0, np.uint8)
    powers = np.cumprod(np.full(int(lengths.max()) + 1, POWER, np.uint64), dtype=np.uint64)
    place = np.arange(last - first) - np.repeat(offsets[:-1] - first, lengths)
    terms = (raw.astype(np.uint64) + np.uint64(1)) * powers[place]
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms, dtype=np.uint64)])
    words: np.ndarray = (sums[offsets[1:] - first] - sums[offsets[:-1] - first]) ^ hashed(lengths.astype(np.uint64), 0)
    if texts.null_count:
        words[texts.is_null().to_numpy(zero_copy_only=False)] = MISSING
    return words
