"""What LightGBM costs: time, memory and storage of each form. Arithmetic alone.

The priors are LightGBM 4.7's on 2 cores (CPU seconds; anonymous memory, MALLOC_ARENA_MAX=1) with 100,000 to 2,000,000
rows, 28 to 200 columns, 15 to 255 leaves, with and without missing values, which make no difference. Bins are found
in a sample of the rows, so that the time and memory of finding them stop growing at ``bin_construct_sample_cnt``: a
term of its own, by which a probe on fewer rows tells the whole.

Of sparse matrices they come from 20,000 to 100,000 rows, 3,000 to 30,000 columns and 20 to 100 cells a row. Nearly all columns
stand in one group there, and whoever makes a Booster has each row asked for each of them: 8 to 12 ns of two threads for each
pair, whatever is in it, and by rows as by columns. 100,000 rows of 100,000 columns take more than a minute before the
first round, however few the cells; ``is_enable_sparse: false`` does without it, and holds a byte for each row and bundle.
"""

from __future__ import annotations

import math

from fitscale.frameworks.boosting import settling
from fitscale.frameworks.lightgbm.params import Settings, by_rows, settings_of
from fitscale.records.data import Shape
from fitscale.records.plan import Law, Term
from fitscale.records.run import Form, Recipe, batch_rows_of

WORKER_BYTES = 7e7  # a worker with numpy, pyarrow, scipy's sparse matrices and lightgbm
HISTOGRAM_BYTES = 16.0  # of a bin: two doubles
# Later trees are lopsided, and the smaller side is what is counted. 150 rounds of five tables (200,000 to 300,000 rows) took
# 0.68 to 1.0 of what the first six would have made of them, 0.81 in the mean.
LATER = 0.7
PAIR_S = 1.3e-8  # of a row and a column of a sparse matrix, whenever a Booster is made
# Of a bin and leaf: where a leaf's histogram stays in the cache (28 to 200 columns), and beyond it (2,500 columns of numbers,
# 10,000 to 30,000 sparse ones), where it is written, taken from its parent's and looked through in memory.
BIN_S, FAR_BIN_S, CACHE_BYTES = 4e-9, 2.6e-8, 2**23
BY_ROWS = 0.7  # of the time that reading the bins by columns takes
COLUMN_BYTES = 1_000.0  # of a sparse matrix: the lists of each column
ROW_BYTES = 32.0  # label, weight, the places of rows by leaf
OUTPUT_BYTES = (
    32.0  # of a row and class: the sum of leaves, gradient and hessian, and both again in the order of leaves
)
PASSES: dict[str, float] = {"matrix": 1.0, "bins": 2.0}


def law(shape: Shape, recipe: Recipe, form: Form) -> Law:
    """See `contracts.Framework.law`."""
    settings = settings_of(recipe.estimator)
    size = _Size(settings, shape)
    deep_wide = size.leaves >= 2**8 and shape.features >= 100
    return Law(
        units=settings.rounds,
        later=LATER,
        settling=settling(float(settings.booster.get("learning_rate", 0.1))),
        passes=PASSES.get(form, 1.0),
        time=_time(size, shape),
        memory=_memory(size, shape, form, recipe.batch_rows or batch_rows_of(size.width)),
        late=(_model(size),),
        storage=(Term(name="nodes", amount=size.trees * size.leaves, prior=105.0),),
        plain=_plain(shape),
        parallel={"bin": 0.85, "iterations": 0.9, "score": 0.9, "save": 0.0},
        error=(1.5, 0.5, 0.3 if deep_wide else 0.18),
        memory_error=(0.5, 0.2, 0.08),
    )


class _Size:
    """The numbers that the terms are made of."""

    def __init__(self, settings: Settings, shape: Shape) -> None:
        given = settings.booster
        self.sparse = shape.density < 1
        self.width = shape.features * shape.density  # cells of a row that are there
        self.cells = float(shape.rows) * self.width
        self.outputs = shape.classes if shape.classes > 2 else 1
        self.trees = settings.rounds * self.outputs
        leaves = float(given.get("num_leaves", 31))
        if (depth := int(given.get("max_depth", -1))) > 0:
            leaves = min(leaves, 2.0**depth)
        least = max(1.0, float(given.get("min_data_in_leaf", 20)))
        self.leaves = max(1.0, min(leaves, shape.rows / least))
        # Of two children the larger is the difference of its parent and the smaller: each level is read by half.
        self.levels = 1 + math.log2(self.leaves) / 2
        bins = float(given.get("max_bin", 255))
        values = shape.rows * shape.density / max(1.0, float(given.get("min_data_in_bin", 3)))
        self.bins = shape.features * min(bins, max(2.0, values))
        self.sample = min(float(shape.rows), float(given.get("bin_construct_sample_cnt", 200_000))) * self.width
        self.sampled = float(given.get("bagging_fraction", 1.0)) if given.get("bagging_freq", 0) else 1.0
        self.columns = float(given.get("feature_fraction", 1.0)) * float(given.get("feature_fraction_bynode", 1.0))
        # Where something is drawn a Booster is begun anew for each segment.
        self.beginnings = float(settings.rounds // settings.segment) if settings.draws and settings.keeps else 0.0
        self.cell_bytes = 0.5 if bins <= 15 else 1.0 if bins <= 255 else 2.0
        # What is not there is told from what is by the library for each row and column, where a leaf could be split by it.
        self.used = min(float(shape.features), self.cells / least) if self.sparse else float(shape.features)
        grouped = self.sparse and bool(given.get("is_enable_sparse", True)) and bool(given.get("enable_bundle", True))
        self.asked = float(shape.rows) * self.used if grouped else 0.0
        if self.sparse:
            self.cell_bytes += 19.0  # it keeps where the bin is, by columns, and by rows once more
        self.by_rows = by_rows(given, shape.rows, shape.features, sparse=self.sparse)
        if given.get("linear_tree"):
            self.cell_bytes += 4.0  # it keeps the values beside their bins


def _time(size: _Size, shape: Shape) -> dict[str, tuple[Term, ...]]:
    bin_s = BIN_S + FAR_BIN_S * min(1.0, size.bins * HISTOGRAM_BYTES / CACHE_BYTES)
    each = BY_ROWS if size.by_rows else 1.0
    read = size.trees * size.cells * size.sampled * size.columns * size.levels
    iterations = [
        Term(name="leaves", amount=size.trees * size.leaves * size.bins * size.columns, prior=bin_s, floor=5e-10),
        Term(name="cells", amount=read, prior=1.2e-9 * each, floor=1e-10),
        Term(name="rows", amount=size.trees * float(shape.rows), prior=2e-8, floor=2e-9),
        Term(name="trees", amount=float(size.trees), prior=3e-5),
        Term(name="beginnings", amount=size.beginnings, prior=6e-4),
        Term(name="begun rows", amount=size.beginnings * size.outputs * float(shape.rows), prior=3e-8),
        Term(name="begun pairs", amount=size.beginnings * size.asked, prior=PAIR_S, floor=1e-9),
    ]
    if shape.validation_rows:
        judged = size.trees * float(shape.validation_rows)
        iterations.append(Term(name="validation", amount=judged, prior=6e-8, floor=2e-9))
    return {
        "bin": (
            Term(name="sample", amount=size.sample, prior=1e-7, floor=1e-8),
            Term(name="cells", amount=size.cells, prior=5.5e-8, floor=1e-9),
            Term(name="columns", amount=float(shape.features), prior=5e-5),
            Term(name="pairs", amount=size.asked, prior=PAIR_S, floor=1e-9),
            Term(name="fit", amount=1.0, prior=6e-4),
        ),
        "iterations": tuple(iterations),
        "score": (
            Term(name="trees", amount=size.trees * float(shape.holdout_rows) * size.levels, prior=1.2e-8, floor=5e-10),
            Term(name="cells", amount=float(shape.holdout_rows) * size.width, prior=2e-9),
        ),
        "save": (
            Term(name="nodes", amount=size.trees * size.leaves, prior=1e-6),
            Term(name="fit", amount=1.0, prior=5e-4),
        ),
    }


def _memory(size: _Size, shape: Shape, form: Form, batch_rows: int) -> tuple[Term, ...]:
    """The largest of three moments: while bins are found in the sample, while rows are binned, while trees grow."""
    base = Term(name="base", amount=1.0, prior=WORKER_BYTES, floor=4e7)
    columns = Term(name="columns", amount=float(shape.features), prior=COLUMN_BYTES if size.sparse else 0.0)
    bins = Term(name="bins", amount=size.cells, prior=size.cell_bytes, floor=0.1)
    sample = Term(name="sample", amount=size.sample, prior=12.0)
    held_bytes = 8.0 if size.sparse else 4.0  # of a cell in the feed's matrix
    if form == "bins":
        held = [Term(name="batch", amount=min(float(batch_rows), shape.rows) * size.width, prior=8.0)]
    else:
        # The feed fills the matrices of all views in one pass, and keeps that of the held-out rows for scoring.
        judged = float(shape.validation_rows + shape.holdout_rows) * size.width
        held = [Term(name="matrix", amount=size.cells + judged, prior=held_bytes, floor=4.0)]
    finding = [base, *held, sample]
    filling = [base, *held, bins, columns]
    state = ROW_BYTES + OUTPUT_BYTES * size.outputs
    growing = [
        base,
        bins,
        Term(name="bins by rows", amount=size.cells if size.by_rows else 0.0, prior=size.cell_bytes),
        columns,
        Term(name="rows", amount=float(shape.rows), prior=state, floor=20.0),
        Term(name="histograms", amount=size.leaves * size.bins, prior=HISTOGRAM_BYTES, floor=0.1),
    ]
    if form != "bins":
        growing.append(Term(name="holdout", amount=float(shape.holdout_rows) * size.width, prior=held_bytes))
    if shape.validation_rows:
        judged = float(shape.validation_rows) * size.width
        growing.append(Term(name="validation", amount=judged, prior=size.cell_bytes))
    growing.append(_model(size))
    moments = (finding, filling, growing)
    return tuple(max(moments, key=lambda terms: sum(term.amount * term.prior for term in terms)))


def _model(size: _Size) -> Term:
    """The trees, and their text when the model is written and read again."""
    return Term(name="nodes", amount=size.trees * size.leaves, prior=450.0)


def _plain(shape: Shape) -> tuple[Term, ...]:
    """pyarrow → one float32 matrix → its two sides → Dataset."""
    cells = float(shape.rows + shape.validation_rows + shape.holdout_rows) * shape.features * shape.density
    return (Term(name="base", amount=1.0, prior=1.5e8), Term(name="cells", amount=cells, prior=16.0, floor=5.0))
