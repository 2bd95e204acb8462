"""What XGBoost costs: time, memory and storage of each form. Arithmetic alone.

The priors are XGBoost 3.2's on 2 cores (CPU seconds; anonymous memory polled each 5 ms, MALLOC_ARENA_MAX=1) with
300,000 to 2,500,000 rows, 29 to 60 columns, depth 6 to 10, with and without missing values. Time has the form
α·leaves·bins + β·rows·columns: a line through the rows alone is wrong by half where trees are deep and data is wide.
"""

from __future__ import annotations

import math

from fitscale.frameworks.boosting import settling
from fitscale.frameworks.xgboost.params import Settings, settings_of
from fitscale.records.data import Shape
from fitscale.records.plan import Law, Term
from fitscale.records.run import Form, Recipe, batch_rows_of

WORKER_BYTES = 65e6  # a worker with numpy, pyarrow and xgboost, which does without scikit-learn and pandas there
SPARSE_COLUMN = 0.8  # missing share from which XGBoost keeps a column as sparse
SPARSE_ENTRY = 14.0  # bytes of a cell of a CSR matrix: its bin by rows, its bin and row number by columns
SKETCH_MOST = 2e6  # bytes of a column, measured with a million and more rows
SKETCH_FACTOR = 8.0  # entries of a column's sketch for each of its bins (WQSketch::kFactor)
QUEUE_BYTES, ENTRY_BYTES = 16.0, 16.0  # of two that wait to be sorted in; of one that is
BIN_BYTES = 16.0  # of a histogram: two doubles
CACHED_HISTOGRAMS = 2**16  # XGBoost keeps no more
# Of a page of the disk cache, batches. Threads wait for each other several times a page and level: pages of one, two and
# four batches took 48, 31 and 23 CPU seconds for 40 rounds on a busy machine, and 152, 169 to 194 and 239 MB.
PAGE_BATCHES = 2
ROW_BYTES = 45.0  # gradient, prediction, label, position
# Later trees have fewer leaves. 120 rounds of five tables (200,000 to 300,000 rows, depth 7) took 0.79 to 0.99 of what
# the first six would have made of them, 0.89 in the mean; of a million made-up rows the last ones took 0.6 of the first.
LATER = 0.8
PAGES_LATE = 3.0


def law(shape: Shape, recipe: Recipe, form: Form) -> Law:
    """See `contracts.Framework.law`. ``shape.rows`` are all training rows; a rank has its share of them."""
    settings = settings_of(recipe.estimator)
    rows = shape.rows / max(1, shape.ranks)
    size = _Size(settings, rows, shape)
    deep_wide = size.leaves >= 2**9 and shape.features >= 100
    batch_rows = recipe.batch_rows or batch_rows_of(size.width)
    return Law(
        units=settings.rounds,
        later=LATER,
        settling=settling(float(settings.booster.get("learning_rate", settings.booster.get("eta", 0.3)))),
        time=_time(size, shape, form),
        memory=_memory(size, shape, form, batch_rows),
        late=_late(size, form, batch_rows),
        storage=_storage(size, shape, form),
        plain=_plain(shape),
        parallel={"bin": 0.85, "iterations": 0.9, "score": 0.9, "save": 0.0},
        error=(1.5, 0.5, 0.3 if deep_wide else 0.12),
        # Out-of-core grows while it trains: pages that are read ahead, and what the allocator keeps of them.
        memory_error=(0.5, 0.3, 0.25) if form == "cache" else (0.5, 0.2, 0.08),
    )


class _Size:
    """The numbers that the terms are made of."""

    def __init__(self, settings: Settings, rows: float, shape: Shape) -> None:
        given = settings.booster
        self.rows = rows
        self.sparse = shape.density < 1
        self.width = shape.features * shape.density  # cells of a row that are there
        self.cells = rows * self.width
        self.held_bytes = 8.0 if self.sparse else 4.0  # of a cell in the feed's matrix
        self.outputs = shape.classes if shape.classes > 2 else 1
        self.trees = settings.rounds * self.outputs * int(given.get("num_parallel_tree", 1))
        depth = int(given.get("max_depth", 6))
        # A leaf needs rows: with min_child_weight 1 and a hessian of at most a quarter, four.
        leaves = max(1.0, min(2.0**depth if depth else float("inf"), rows / 4))
        if given.get("max_leaves"):
            leaves = min(leaves, float(given["max_leaves"]))
        self.leaves = leaves
        self.levels = depth or 1 + math.log2(leaves)
        self.bins = float(given.get("max_bin", 256))
        # No column has more bins than values.
        self.row_bins = shape.features * min(self.bins, max(2.0, rows * shape.density))
        self.sampled = float(given.get("subsample", 1.0))
        columns = 1.0
        for name in ("colsample_bytree", "colsample_bylevel", "colsample_bynode"):
            columns *= float(given.get(name, 1.0))
        self.columns = columns
        # Without missing values one byte a cell by rows and one by columns; else rows hold four-byte entries. One column
        # with values in less than a fifth of the rows is kept as sparse, and then every entry of every column also has an
        # eight-byte row number: 7 bytes a cell became 15 on the flights, where one column is nearly empty.
        wide = 1.0 if self.bins <= 256 else 2.0
        present = 1.0 - shape.missing
        entry = 12.0 if shape.missing_most > SPARSE_COLUMN else 4.0
        self.cell_bytes = 2.0 * wide if shape.missing == 0 else entry * present + wide
        if self.sparse:
            self.cell_bytes = SPARSE_ENTRY
        self.histograms = self.row_bins * BIN_BYTES * min(leaves, CACHED_HISTOGRAMS)

    def batch(self, rows: int) -> float:
        """Cells of a batch."""
        return min(float(rows), self.rows) * self.width


def _time(size: _Size, shape: Shape, form: Form) -> dict[str, tuple[Term, ...]]:
    slower = 1.25 if form == "cache" else 1.0
    each = 5e-9 if shape.missing == 0 else 7e-9
    scanned = size.trees * size.cells * size.sampled * size.columns * size.levels / 6
    # Histograms that stay in the cache, as those of a small group do, cost a third: 1,007 fits of 260 rows took 25 ms each.
    bin_s = 4e-9 + 9e-9 * min(1.0, size.histograms / 2**24)
    least_s = 0.0 if size.sparse else 5e-10  # sparse columns may have two values, and as many bins
    iterations = [
        Term(name="leaves", amount=size.trees * size.leaves * size.row_bins * size.columns, prior=bin_s, floor=least_s),
        Term(name="cells", amount=scanned, prior=each * slower, floor=5e-10),
        Term(name="rows", amount=size.trees * size.rows, prior=3e-8 * slower, floor=2e-9),
    ]
    if shape.validation_rows:
        judged = size.trees * float(shape.validation_rows)
        iterations.append(Term(name="validation", amount=judged, prior=6e-8, floor=2e-9))
    return {
        # A matrix is binned from XGBoost's own copy of it, which takes two thirds of the time that batches do.
        "bin": (
            Term(name="cells", amount=size.cells, prior=2e-7 if form in ("bins", "cache") else 1.4e-7, floor=1e-8),
            Term(name="columns", amount=float(shape.features), prior=1e-4),
        ),
        "iterations": tuple(iterations),
        "score": (
            Term(name="trees", amount=size.trees * float(shape.holdout_rows) * size.levels / 6, prior=3e-8, floor=1e-9),
            Term(name="cells", amount=float(shape.holdout_rows) * size.width, prior=2e-9),
        ),
        "save": (Term(name="nodes", amount=size.trees * size.leaves * 2, prior=2e-7),),
    }


def _memory(size: _Size, shape: Shape, form: Form, batch_rows: int) -> tuple[Term, ...]:
    """The largest of three moments: while quantiles are found (or a matrix is copied), while bins are filled, while trees grow."""
    base = Term(name="base", amount=1.0, prior=WORKER_BYTES, floor=4e7)
    batch = size.batch(batch_rows)
    bins = Term(name="bins", amount=size.cells, prior=size.cell_bytes, floor=1.0)
    sketch = _sketch_bytes(size.rows * shape.density * (1.0 - shape.missing), size.bins)
    finding = [base, Term(name="sketch", amount=float(shape.features), prior=sketch)]
    filling = [base, Term(name="rows", amount=size.rows, prior=16.0)]
    growing = [
        base,
        Term(name="rows", amount=size.rows, prior=ROW_BYTES + 16.0 * (size.outputs - 1), floor=20.0),
        Term(name="histograms", amount=size.histograms, prior=1.0, floor=0.0 if size.sparse else 0.1),
    ]
    if form == "cache":
        page = min(float(batch_rows * PAGE_BATCHES), size.rows) * size.width
        # The batches are mapped by then, and the first pass, which decodes them, holds less a column than its quantiles.
        finding.append(Term(name="rows", amount=size.rows, prior=40.0))
        growing.append(Term(name="page", amount=page, prior=1.5 * size.cell_bytes))
    else:
        if form == "bins":
            held = Term(name="batch", amount=batch, prior=8.0)
            finding += [held]
            filling += [held, bins]
        else:
            # The feed fills the matrices of all views in one pass, and keeps that of the held-out rows for scoring. XGBoost
            # makes a copy of eight bytes a value that is there, which stays beside the bins.
            judged = float(shape.validation_rows + shape.holdout_rows) * size.width
            copy = Term(name="copy", amount=size.cells * (1.0 - shape.missing), prior=8.0, floor=4.0)
            holdout = Term(name="holdout", amount=float(shape.holdout_rows) * size.width, prior=size.held_bytes)
            finding += [Term(name="matrix", amount=size.cells + judged, prior=size.held_bytes, floor=4.0), copy]
            filling += [copy, holdout, bins]
            growing += [copy, holdout]
        growing += [bins]
    if shape.validation_rows:
        judged = float(shape.validation_rows) * size.width
        each = {"cache": 1.0, "bins": size.cell_bytes}.get(form, 8.0)
        growing.append(Term(name="validation", amount=judged, prior=each))
    growing.append(_model(size))
    moments = (finding, filling, growing)
    return tuple(max(moments, key=lambda terms: sum(term.amount * term.prior for term in terms)))


def _sketch_bytes(rows: float, bins: float) -> float:
    """Of one column while its quantiles are found: values that wait, the summaries of 2, 4, 8 … times as many, room to merge.

    As xgboost's ``WQuantileSketch`` lays them out. Measured 22, 70, 170, 290 and 760 kB with 500, 2,000, 8,000, 16,000 and
    30,000 rows: 16, 64, 190, 330 and 590 by this.
    """
    levels, limit = 1, 0.0
    while True:
        limit = min(rows, levels * SKETCH_FACTOR * bins + 1)
        if 2.0**levels * limit >= rows:
            break
        levels += 1
    if rows <= 2 * limit:  # never merged
        return QUEUE_BYTES * limit + ENTRY_BYTES * rows
    return min(SKETCH_MOST, (QUEUE_BYTES + ENTRY_BYTES * (2 + levels)) * limit)


def _late(size: _Size, form: Form, batch_rows: int) -> tuple[Term, ...]:
    """What is not there yet in the first rounds: the trees; out-of-core, pages that are read ahead and what they leave behind.

    4M × 28 held 345 MB after two rounds, 388 after five and 424 after 25.
    """
    pages = Term(name="pages", amount=size.batch(batch_rows), prior=PAGES_LATE * size.cell_bytes)
    return (_model(size), pages) if form == "cache" else (_model(size),)


def _model(size: _Size) -> Term:
    """The trees, twice their bytes when the model is written and read again, and the gaps that both leave on the heap.

    On 262,000 rows 300 rounds of depth 8 added 36 MB and 500 added 57: 220 to 235 bytes a node. On 20,000 rows it was 90.
    """
    return Term(name="nodes", amount=size.trees * size.leaves * 2, prior=200.0)


def _plain(shape: Shape) -> tuple[Term, ...]:
    """pyarrow → one float32 matrix → its two sides → DMatrix: measured 25 bytes a cell at 5M × 28, 26 at 3M, 30 at 5.9M × 29."""
    cells = float(shape.rows + shape.validation_rows + shape.holdout_rows) * shape.features * shape.density
    return (Term(name="base", amount=1.0, prior=1.3e8), Term(name="cells", amount=cells, prior=26.0, floor=8.0))


def _storage(size: _Size, shape: Shape, form: Form) -> tuple[Term, ...]:
    # 42 bytes a node, of trees of which later ones have half of the leaves, or nearly all.
    model = Term(name="nodes", amount=size.trees * size.leaves * 2, prior=34.0)
    if form not in ("bins", "cache"):
        return (model,)
    # The batches as they were encoded, with target, weight and row number, until the bins are made of them.
    spill = Term(name="spill", amount=size.cells * size.held_bytes + size.rows * 5.0, prior=1.0)
    if form == "bins":
        return (spill, model)
    # Measured 1.5 to 2.4 bytes a cell without missing values, 5.0 with a tenth missing, 5.4 with a fiftieth; 12 was seen.
    cells = size.cells + float(shape.validation_rows) * size.width
    each = 6.0 if shape.missing or size.sparse else 2.0
    return (spill, Term(name="cache", amount=cells, prior=each, floor=1.0), model)
