"""Small fits on a table with every kind of column, and values missing in most, for the tests of conversions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fitscale.data.encoding import Encoding
from fitscale.data.feed import make_feed
from fitscale.data.learning import learn
from fitscale.data.reader import open_reader
from fitscale.exporters.onnx.comparing import Seen, compare
from fitscale.exporters.onnx.inputs import Input
from fitscale.exporters.onnx.models import convert
from fitscale.records.data import Folds
from fitscale.records.run import Estimator, Recipe
from fitscale.records.workload import DataSpec
from fitscale.registry import framework_of

TARGETS = ("y", "y3", "v")
ROWS = 1_200


def write_table(folder: Path) -> Path:
    """Numbers, texts, truth values, dates from 1887 to 2052, categories that are fractions; three targets."""
    rng = np.random.default_rng(0)

    def some(values: Any, share: float = 0.1) -> pa.Array:
        return pa.array(values, mask=rng.random(ROWS) < share)

    store = rng.integers(0, 30, ROWS)
    small = rng.normal(size=ROWS).astype(np.float32)
    flag = rng.random(ROWS) < 0.3
    odds = small + np.isin(store, [1, 5, 7, 20, 22]) * 2 - 1 + flag
    columns = {
        "whole": some(rng.integers(-50, 50, ROWS)),
        "small": some(small),
        "large": some(rng.normal(size=ROWS) * 1e5 + 3e6),
        "flag": some(flag),
        "plan": some(rng.choice(["basic", "plus", "pro", ""], ROWS).tolist()),
        "many": pa.array([f"v{k}" for k in rng.zipf(1.3, ROWS) % 300]),
        "grade": some(rng.choice([0.5, 1.5, 2.25], ROWS)),
        "store": some(store),
        "day": some(rng.integers(-30_000, 30_000, ROWS).astype(np.int32)).cast(pa.date32()),
        "at": some(rng.integers(-(2 * 10**15), 3 * 10**15, ROWS)).cast(pa.timestamp("us")),
        "clock": pa.array(rng.integers(0, 86_399, ROWS).astype(np.int32)).cast(pa.time32("s")),
        "y": pa.array(rng.random(ROWS) < 1 / (1 + np.exp(-odds))),
        "y3": pa.array(np.array(["hi", "lo", "mid"])[np.digitize(odds, [-1, 1])].tolist()),
        "v": pa.array(odds * 100),
    }
    path = folder / "table.parquet"
    pq.write_table(pa.table(columns), path)
    return path


class Fit(NamedTuple):
    native: Any
    encoding: Encoding
    recipe: Recipe
    rows: pa.RecordBatch

    def exported(self) -> tuple[bytes, tuple[Input, ...]]:
        model, inputs = convert(self.native, self.encoding, self.recipe)
        return model.SerializeToString(deterministic=True), inputs

    def compared(self) -> Seen:
        """Convert, run on all rows (held out and not), and compare."""
        model, inputs = self.exported()
        return compare(model, inputs, self.native, self.encoding, self.recipe, self.rows)


def fit(table: Path, path: str, target: str, params: dict[str, Any] | None = None, **features: Any) -> Fit:
    """Fit an estimator in this process, as a worker would."""
    estimator = Estimator(path=path, params=params or {})
    framework: Any = framework_of(path)()
    traits = framework.traits(estimator)
    plain = DataSpec(uri=str(table), target=target)
    apart = tuple(name for name in TARGETS if name != target) + tuple(features.pop("drop", ()))
    keep = features.get("keep", ())
    named = {
        "categorical": tuple(c for c in ("store", "grade") if (c in keep or not keep) and c not in apart)
    } | features
    data = plain.but(features=plain.features.but(drop=apart, **named))
    reader, folds = open_reader(data), Folds(seed=0, holdout=0.2)
    encoding = learn(reader, data, folds, traits)
    feed = make_feed(reader, data, encoding, folds, form="frame" if traits.input == "raw" else "matrix")
    recipe = Recipe(
        framework=framework.name, estimator=estimator, encoding="e", data="d", target=target, folds=folds, seed=1
    )
    native = framework.load(framework.fit(feed, recipe, None, Alone()).payload)
    batches = [batch for _, batch in reader.batches(list(encoding.raw_columns))]
    return Fit(native, encoding, recipe, pa.Table.from_batches(batches).combine_chunks().to_batches()[0])


class Alone:
    """See `contracts.Context`."""

    rank, world, host, port, threads = 0, 1, "", 0, 1
    scratch = Path(".")

    def phase(self, name: str) -> AbstractContextManager[None]:
        return nullcontext()

    def report(
        self,
        units: int,
        state: Any = None,
        scores: Mapping[str, float] | None = None,
        *,
        of: int = 0,
        kept: bool = True,
        size: int = 0,
    ) -> bytes | None:
        return None

    def scores(self) -> dict[str, tuple[float, ...]]:
        return {}

    def program(self, argv: Sequence[str]) -> str:
        raise NotImplementedError
