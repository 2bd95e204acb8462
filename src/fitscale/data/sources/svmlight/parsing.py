"""Lines such as ``1 3:0.5 17:2 # comment`` → labels and sparse rows. Runs in a thread; knows no files.

All lines of a block at once: each becomes ``MARK,label`` and its pairs ``index,value``, one below the other, which is
delimited text of two columns, and Arrow's parser reads that. Where anything is odd they are read one by one, which is
slow, and says what it is.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

import numpy as np

MARK = -9  # the index that a label is given; none of a file is negative
LARGEST = 2**31 - 2  # so that the number of columns is an int32 too
_BREAKS = bytes.maketrans(b" \t\r\v\f:", b"\n\n\n\n\n,")
_COMMENT = re.compile(rb"#[^\n]*")
_QID = re.compile(rb"(?<=[ \t])qid:-?\d+(?=[ \t\r\n#]|\Z)")
_WHOLE = re.compile(rb"[+-]?\d+")


class Rows(NamedTuple):
    """The rows of a block, those of lines with nothing but a comment left out."""

    label: np.ndarray  # (n,) float64
    starts: np.ndarray  # (n + 1,) int32
    indices: np.ndarray  # (pairs,) int32, as written
    values: np.ndarray  # (pairs,) float32
    qid: bool  # some line had one, which was passed over

    @property
    def first(self) -> int | None:
        """The smallest index."""
        return int(self.indices.min()) if len(self.indices) else None


class Odd(Exception):
    """A line that cannot be read. ``line`` counts those of the block from 0."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(line, problem)
        self.line = line
        self.problem = problem


def parsed(data: bytes, least: int = 0) -> Rows:
    """The rows of whole lines; no index may be smaller than ``least``.

    Raises
    ------
    Odd
    """
    text, qid = (_COMMENT.sub(b"", data) if b"#" in data else data), False
    if b"qid:" in text:
        text, found = _QID.subn(b"", text)
        qid = found > 0
    rows = _at_once(text.rstrip(b"\n"), least)
    return _one_by_one(data, least) if rows is None else rows._replace(qid=qid)


def _at_once(text: bytes, least: int) -> Rows | None:
    """None where a line is not as lines are; what is wrong with it is found out line by line."""
    import pyarrow as pa
    from pyarrow import csv

    mark = b"%d:" % MARK
    lines = text.count(b"\n") + 1
    text = mark + text.replace(b"\n", b"\n" + mark)
    if b"+" in text:
        text = text.replace(b":+", b":")
    try:
        table = csv.read_csv(
            pa.py_buffer(text.translate(_BREAKS)),
            csv.ReadOptions(use_threads=False, block_size=len(text) + 1, column_names=["index", "value"]),
            csv.ParseOptions(delimiter=",", quote_char=False, double_quote=False, ignore_empty_lines=True),
            csv.ConvertOptions(
                check_utf8=False, column_types={"index": pa.int64(), "value": pa.float64()}, null_values=[""]
            ),
        )
    except pa.ArrowInvalid:
        return None
    if table.column("index").null_count:
        return None
    index, value = table.column("index").to_numpy(), table.column("value").to_numpy()
    marked = index == MARK
    at = np.flatnonzero(marked)
    if len(at) != lines:
        return None
    empty = np.zeros(lines, bool)
    if nulls := table.column("value").null_count:
        gone = table.column("value").is_null().to_numpy()
        empty = gone[at]
        if int(empty.sum()) != nulls:
            return None  # an index without a value
    label, starts = value[at], np.append(at, len(index)) - np.arange(lines + 1)
    keep = ~marked
    index, value = index[keep], value[keep]
    if empty.any():
        if (np.diff(starts)[empty] > 0).any():
            return None  # pairs without a label
        label, starts = label[~empty], np.append(starts[:-1][~empty], starts[-1])
    with np.errstate(over="ignore"):
        value = value.astype(np.float32)
    if not (np.isfinite(label).all() and np.isfinite(value).all()):
        return None
    if len(index) and not (least <= index.min() and index.max() <= LARGEST and _rising(index, starts)):
        return None
    return Rows(label, starts.astype(np.int32), index.astype(np.int32), value, False)


def _rising(index: np.ndarray, starts: np.ndarray) -> bool:
    """Whether the indices of each row rise."""
    falls = np.diff(index) <= 0
    inside = starts[1:-1]
    falls[inside[(inside > 0) & (inside < len(index))] - 1] = False
    return not falls.any()


def _one_by_one(data: bytes, least: int) -> Rows:
    label: list[float] = []
    starts: list[int] = [0]
    index: list[int] = []
    value: list[float] = []
    qid = False
    for number, line in enumerate(data.split(b"\n")):
        tokens = line.partition(b"#")[0].split()
        if not tokens:
            continue
        label.append(_label(number, tokens[0]))
        last = least - 1
        for token in tokens[1:]:
            if token.startswith(b"qid:") and _WHOLE.fullmatch(token[4:]):
                qid = True
                continue
            last, own = _pair(number, token, last, least)
            index.append(last)
            value.append(own)
        starts.append(len(index))
    return Rows(
        np.array(label, np.float64), np.array(starts, np.int32), np.array(index, np.int32),
        np.array(value, np.float32), qid,
    )  # fmt: skip


def _label(line: int, token: bytes) -> float:
    found = _number(token)
    if found is not None and math.isfinite(found):
        return found
    if b"," in token:
        raise Odd(line, f"the label '{_shown(token)}' is no number: several labels of one row are not offered")
    if b":" in token:
        raise Odd(line, f"it begins with '{_shown(token)}' and has no label; put one before it, such as 0")
    raise Odd(line, f"the label '{_shown(token)}' is no number; write classes as whole numbers")


def _pair(line: int, token: bytes, last: int, least: int) -> tuple[int, float]:
    head, colon, tail = token.partition(b":")
    shown = _shown(token)
    if not colon:
        raise Odd(line, f"'{shown}' is no pair of an index and a value, such as 3:0.5; is the line whole?")
    if not _WHOLE.fullmatch(head):
        raise Odd(line, f"the index of '{shown}' is no whole number; write it as 3:0.5")
    index = int(head)
    if index < least:
        what = "negative" if index < 0 else "0, and data.svmlight.zero_based is false"
        raise Odd(line, f"the index of '{shown}' is {what}; indices begin at {least} here: mend the line")
    if index > LARGEST:
        raise Odd(line, f"the index of '{shown}' is larger than {LARGEST:,}; number the columns anew, or hash them")
    if index <= last:
        raise Odd(line, f"the index of '{shown}' does not rise: {last} stands before it; sort the pairs of the line")
    value = _number(tail)
    if value is None:
        raise Odd(line, f"the value of '{shown}' is no number; mend the line")
    with np.errstate(over="ignore"):
        if not np.isfinite(np.float32(value)):
            raise Odd(
                line, f"the value of '{shown}' is not finite (or beyond 3.4e38); leave the pair out where it is missing"
            )
    return index, value


def _number(token: bytes) -> float | None:
    try:
        return None if b"_" in token else float(token)
    except ValueError:
        return None


def _shown(token: bytes) -> str:
    text = token.decode("utf-8", "replace")
    return text if len(text) <= 40 else text[:39] + "…"
