"""Made-up rows with a planted signal: the smallest source, and the reference for the others.

    synthetic://?rows=1000000&columns=20&classes=2&categorical=2&missing=0.1&seed=7

x0 … (float32), c0 … (text), d0 … (moments; d0 rises with the rows), y (classes, or a number when ``classes=0``), and
where asked for ``group`` (sizes skewed) and ``w`` (a weight). Every column of every 65,536 rows (fewer where there are more than
1,024 columns) has a counter-based generator of its own, so that any of them can be made alone, and nothing is ever whole in
memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ClassVar, Self
from urllib.parse import parse_qsl

import numpy as np
from pydantic import Field, ValidationError

from fitscale.errors import SourceChanged, WorkloadError, nearest
from fitscale.records import Record, digest_of
from fitscale.records.data import Piece, Snapshot

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.records.workload import DataSpec

UNIT, LEAST_UNIT = 65_536, 1_024  # rows that are made at once
UNIT_CELLS = 1 << 26  # of wide tables so many values: 256 MB; the fewer, the more generators are made
FORMAT = 1  # raised when the same uri would give other rows
START = np.datetime64("2020-01-01", "us")
LINEAR = 4  # columns that the target hangs on; two of them also by their product


class Wanted(Record):
    """What the uri asks for."""

    rows: int = Field(100_000, ge=1, le=10**10)
    columns: int = Field(20, ge=0, le=100_000)
    classes: int = Field(2, ge=0, le=1_000)  # 0: regression
    groups: int = Field(0, ge=0, le=10**7)
    strings: bool = False  # group keys are text
    categorical: int = Field(2, ge=0, le=10_000)
    levels: int = Field(12, ge=1, le=10**6)  # of each categorical column
    sparsity: float = Field(0.0, ge=0, le=1)  # share of zeros in x
    missing: float = Field(0.0, ge=0, le=1)  # share of nulls in x and c
    signal: float = Field(1.0, ge=0, le=1_000)
    dates: int = Field(0, ge=0, le=1_000)
    weight: bool = False
    seed: int = Field(0, ge=0, le=2**63)

    @classmethod
    def of(cls, uri: str) -> Wanted:
        """Parse a uri; WorkloadError at data.uri for what is unknown or out of range."""
        try:
            asked = cls.model_validate(dict(parse_qsl(uri.partition("://")[2].lstrip("?/"), keep_blank_values=True)))
        except ValidationError as error:
            first = error.errors()[0]
            key = str(first["loc"][0])
            known = list(cls.model_fields)
            problem = f"synthetic: {key}={first['input']}: {first['msg']}"
            if key not in known:
                problem = f"synthetic takes no '{key}'{nearest(key, known) or ';'} it takes {', '.join(known)}"
            raise WorkloadError("data.uri", problem) from None
        if asked.classes == 1 or asked.columns + asked.categorical + asked.dates == 0:
            raise WorkloadError("data.uri", "synthetic: it needs a feature, and 0 (regression), 2 or more classes")
        return asked


class Synthetic:
    """Rows made on demand, the same each time."""

    name: ClassVar[str] = "synthetic"
    schemes: ClassVar[tuple[str, ...]] = ("synthetic",)
    needs: ClassVar[tuple[str, ...]] = ()
    stable: ClassVar[bool] = True
    # Of a unit's bytes, while units are read: one is made while the last is still taken from. 20,000 columns: 0.6 GB of 0.26.
    held: ClassVar[float] = 2.4

    def __init__(self, asked: Wanted) -> None:
        self.asked = asked
        self.threads = 1  # above 1, columns are made side by side, which a process that forks must not do
        self.types = {f"x{i}": "float" for i in range(asked.columns)}
        self.types |= {f"c{i}": "string" for i in range(asked.categorical)}
        self.types |= {f"d{i}": "timestamp[us]" for i in range(asked.dates)}
        self.types |= {"group": "string" if asked.strings else "int64"} if asked.groups else {}
        self.types |= {"w": "float"} if asked.weight else {}
        self.types["y"] = "int64" if asked.classes else "double"
        self.unit = max(LEAST_UNIT, min(UNIT, UNIT_CELLS // len(self.types)))
        self.digest = digest_of(str(FORMAT), asked.to_json(), *([] if self.unit == UNIT else [str(self.unit)]))
        self._order = {name: index for index, name in enumerate(self.types)}
        fixed = np.random.default_rng(asked.seed)
        self._slopes = fixed.normal(size=(max(asked.classes, 1), LINEAR)) * asked.signal
        self._products = fixed.normal(size=max(asked.classes, 1)) * asked.signal
        self._shifts = fixed.normal(size=asked.groups) * asked.signal  # each group differs from the others

    @classmethod
    def open(cls, data: DataSpec) -> Self:
        if data.where:
            raise WorkloadError("data.where", "the synthetic source takes no filter: leave it out")
        return cls(Wanted.of(data.uri))

    def snapshot(self) -> Snapshot:
        width = sum(4 if type == "float" else 8 for type in self.types.values())
        rows = self.asked.rows
        parts = tuple((n, n * width) for n in (min(self.unit, rows - start) for start in range(0, rows, self.unit)))
        piece = Piece(path="synthetic", bytes=rows * width, pin=self.digest, parts=parts)
        return Snapshot(source=self.name, root="", columns=tuple(self.types.items()), pieces=(piece,))

    def read(
        self, snapshot: Snapshot, piece: int, part: int, columns: Sequence[str], batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        pinned = snapshot.pieces[piece]
        if pinned.pin != self.digest:
            raise SourceChanged("data.uri: the synthetic data is not that of the snapshot; train anew with --fresh")
        rows = pinned.parts[part][0]
        ordered = sorted(columns, key=lambda name: name != "y")  # which takes the longest
        if self.threads > 1:
            with ThreadPoolExecutor(self.threads) as pool:
                made = dict(zip(ordered, pool.map(lambda name: self._column(name, part, rows), ordered), strict=True))
        else:
            made = {name: self._column(name, part, rows) for name in ordered}
        unit = pa.record_batch({name: made[name] for name in columns})
        for start in range(0, rows, batch_rows):
            yield unit.slice(start, batch_rows)

    def _random(self, name: str, part: int, use: int = 0) -> np.random.Generator:
        key = np.array([self.asked.seed, self._order[name]], dtype=np.uint64)
        return np.random.Generator(np.random.Philox(key=key, counter=[0, 0, part, use]))

    def _x(self, index: int, part: int, rows: int) -> np.ndarray:
        random = self._random(f"x{index}", part)
        values = random.standard_normal(rows, dtype=np.float32)
        if self.asked.sparsity:
            values[random.random(rows) < self.asked.sparsity] = 0.0
        return values

    def _group(self, part: int, rows: int) -> np.ndarray:
        share = self._random("group", part).random(rows) ** 2  # the first have most rows
        return (share * self.asked.groups).astype(np.int64)

    def _column(self, name: str, part: int, rows: int) -> pa.Array:
        import pyarrow as pa

        random = self._random(name, part, use=1)
        missing = random.random(rows) < self.asked.missing if self.asked.missing and name[0] in "xc" else None
        match name[0]:
            case "x":
                return pa.array(self._x(int(name[1:]), part, rows), mask=missing)
            case "c":
                codes = (random.random(rows) ** 2 * self.asked.levels).astype(np.int32)
                names = pa.array([f"{name}-{k}" for k in range(self.asked.levels)])
                return names.take(pa.array(codes, mask=missing))
            case "d":
                row = part * self.unit + (np.arange(rows) if name == "d0" else random.integers(0, UNIT, rows))
                return pa.array(START + row * np.timedelta64(60_000_000, "us"))
            case "g":
                keys = pa.array(self._group(part, rows))
                return keys.cast(pa.string()) if self.asked.strings else keys
            case "w":
                return pa.array(0.5 + random.random(rows, dtype=np.float32))
        return pa.array(self._target(random, part, rows))

    def _target(self, random: np.random.Generator, part: int, rows: int) -> np.ndarray:
        used = [self._x(i, part, rows) for i in range(min(LINEAR, self.asked.columns))]
        lean = np.zeros((len(self._slopes), rows))
        for i, values in enumerate(used):
            lean += self._slopes[:, [i]] * values
        if len(used) > 1:
            lean += self._products[:, None] * (used[0] * used[1])
        if self.asked.groups:
            lean[0] += self._shifts[self._group(part, rows)]
        if not self.asked.classes:
            value: np.ndarray = lean[0] + random.standard_normal(rows)
            return value
        drawn: np.ndarray = np.argmax(lean + random.gumbel(size=lean.shape), axis=0)  # from the softmax of `lean`
        return drawn
