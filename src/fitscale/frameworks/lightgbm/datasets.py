"""The forms: a feed → LightGBM's Dataset. Both have the same bins as the bare library's, and so give the same trees.

Bins are made of a sample of the rows (``bin_construct_sample_cnt``), which the library draws by their number and the
seed. In memory the sample is taken from the matrix; quantised it is picked in a first pass over the batches. Then the
rows are binned, all at once or batch by batch, at one byte a cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from fitscale.contracts import Batch, Context, Feed, View
from fitscale.errors import DataError
from fitscale.frameworks.lightgbm import library

if TYPE_CHECKING:
    import lightgbm
    import numpy as np

ZERO = 1e-35  # what the library takes for nothing
_UNNAMEABLE = frozenset('",:[]{}')


class Rows(NamedTuple):
    """One view, binned."""

    dataset: lightgbm.Dataset
    n: int


class Datasets(NamedTuple):
    """The training rows, and the validation rows where early stopping looks at them."""

    train: Rows
    validation: Rows | None
    splittable: bool  # some column has two bins


def datasets_of(
    feed: Feed,
    context: Context,
    params: dict[str, Any],
    *,
    validate: bool,
    balanced: bool,
    before: lightgbm.Booster | None,
) -> Datasets:
    """Bin the feed in its form. ``before`` is the model to go on from: the rows begin with what it says of them.

    Raises
    ------
    DataError
        If a view that is needed has no rows.
    """
    if feed.count("train") == 0:
        raise DataError("there are no training rows")
    if validate and feed.count("validation") == 0:
        raise DataError("early stopping has no validation rows: raise evaluate.early_stopping.validation")
    coded = [str(j) for j, kind in enumerate(feed.kinds) if kind == "c"]
    text = library.params_text({**params, **({"categorical_column": ",".join(coded)} if coded else {})})
    train = _filled(feed, "train", context, text, None, balanced, before)
    if names := feature_names(feed.names):
        train.dataset.set_feature_name(names)
    validation = _filled(feed, "validation", context, text, train.dataset, False, before) if validate else None
    splittable = any(train.dataset.feature_num_bin(j) > 1 for j in range(len(feed.names)))
    return Datasets(train, validation, splittable)


def feature_names(names: tuple[str, ...]) -> list[str] | None:
    """The names as LightGBM takes them; None, so that columns go by position, where it would refuse or confuse some."""
    told = ["_".join(name.split()) for name in names]
    if len(set(told)) < len(told) or not all(told) or any(_UNNAMEABLE & set(name) for name in told):
        return None
    return told


def _filled(
    feed: Feed,
    view: View,
    context: Context,
    text: str,
    like: lightgbm.Dataset | None,
    balanced: bool,
    before: lightgbm.Booster | None,
) -> Rows:
    import numpy as np

    n = feed.count(view)
    whole = None if feed.form == "bins" else feed.matrix(view)
    if like is not None:
        dataset = library.dataset_like(like, n)
    else:
        batches = feed.batches(view) if whole is None else [whole]
        dataset = (_with_bins_of_sparse if feed.sparse else _with_bins)(batches, n, len(feed.names), text)
    said = _Said(n, before, context.threads)
    for batch in feed.batches(view) if whole is None else [whole]:
        (library.push if isinstance(batch.X, np.ndarray) else library.push_sparse)(dataset, batch.X, said.at)
        said.add(batch)
    del whole
    if release := getattr(feed, "release", None):
        release(view)
    weight = _balancing(said.label, said.weight) if balanced else said.weight
    dataset.set_field("label", said.label)
    if weight is not None:
        dataset.set_field("weight", weight)
    if said.raw is not None:
        dataset.set_field("init_score", said.raw.reshape(-1))  # by class
    return Rows(dataset, n)


class _Said:
    """What stands beside the features: labels, weights, and the sums of the model that goes on."""

    def __init__(self, n: int, before: lightgbm.Booster | None, threads: int) -> None:
        import numpy as np

        self.at = 0
        self.label = np.empty(n, np.float32)
        self.weight: np.ndarray | None = None
        self._before = before
        self._threads = threads
        self.raw = None if before is None else np.empty((before.num_model_per_iteration(), n), np.float64)

    def add(self, batch: Batch) -> None:
        import numpy as np

        rows = slice(self.at, self.at + len(batch.y))
        self.label[rows] = batch.y
        if batch.weight is not None:
            if self.weight is None:
                self.weight = np.empty_like(self.label)
            self.weight[rows] = batch.weight
        if self._before is not None and self.raw is not None:
            # Leaf by leaf in double precision, as the library sums them while it trains: the same to the bit.
            raw = self._before.predict(batch.X, raw_score=True, num_threads=self._threads)
            self.raw[:, rows] = np.asarray(raw).T
        self.at = rows.stop


def _with_bins(batches: Iterable[Batch], n: int, d: int, text: str) -> lightgbm.Dataset:
    """A Dataset without rows, whose bins are made of the sampled ones."""
    import numpy as np

    rows = library.sample_rows(n, text)
    m = len(rows)
    sample = np.empty((d, m), np.float64)
    at = 0
    for batch, wanted in _picked(batches, rows):
        sample[:, at : at + len(wanted)] = batch.X[wanted].T
        at += len(wanted)
    every = np.arange(m, dtype=np.int32)
    values: list[np.ndarray] = []
    places: list[np.ndarray] = []
    for column in sample:
        there = ~(np.abs(column) <= ZERO)  # missing ones are
        whole = there.all()
        values.append(column if whole else column[there])
        places.append(every if whole else every[there])
    return library.empty_dataset(values, places, m, n, text)


def _with_bins_of_sparse(batches: Iterable[Batch], n: int, d: int, text: str) -> lightgbm.Dataset:
    """The same of CSR matrices."""
    import numpy as np
    from scipy.sparse import csc_matrix, vstack

    rows = library.sample_rows(n, text)
    found = [batch.X[wanted] for batch, wanted in _picked(batches, rows)]
    sample = csc_matrix(vstack(found, format="csr"), dtype=np.float64)
    sample.data[np.abs(sample.data) <= ZERO] = 0.0
    sample.eliminate_zeros()
    bounds = sample.indptr[1:-1]
    values, places = np.split(sample.data, bounds), np.split(sample.indices.astype(np.int32), bounds)
    return library.empty_dataset(values, places, len(rows), n, text)


def _picked(batches: Iterable[Batch], rows: np.ndarray) -> Iterator[tuple[Batch, np.ndarray]]:
    """Batches with the places of their sampled rows."""
    import numpy as np

    first = 0
    for batch in batches:
        low, high = np.searchsorted(rows, [first, first + len(batch.y)])
        if high > low:
            yield batch, rows[low:high] - first
        first += len(batch.y)


def _balancing(label: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """Weights by which each class that is there has the same sum, as scikit-learn's 'balanced'."""
    import numpy as np

    _, code, count = np.unique(label, return_inverse=True, return_counts=True)
    each = (len(label) / (len(count) * count))[code]
    return (each if weight is None else weight * each).astype(np.float32)
