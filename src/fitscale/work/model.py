"""A finished model: the library's own object with the encoding that turns raw columns into what it takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from fitscale.contracts import Batch
from fitscale.records.run import Recipe
from fitscale.registry import plugin

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from fitscale.data.encoding import Encoding


class Prediction(NamedTuple):
    """What a model says of n rows."""

    value: Any  # (n,) Arrow array: class labels, or values
    proba: np.ndarray | None  # (n, k) in the order of the classes


class Model:
    """Predicts on raw columns.

    Attributes
    ----------
    native
        The library's own object; it knows class codes (positions in ``classes``), not labels.
    classes
        The labels in the order of their codes; None for a regressor.
    """

    def __init__(
        self,
        payload: bytes,
        encoding: Encoding,
        recipe: Recipe,
        gives: Literal["probabilities", "margins", "labels"] = "probabilities",
    ) -> None:
        self.recipe = recipe
        self.encoding = encoding
        self.gives = gives
        self._framework = plugin("frameworks", recipe.framework)()
        self.native = self._framework.load(payload)
        self.classes = encoding.labels()

    def predict(self, data: Any) -> np.ndarray:
        """(n,) labels or values. ``data``: a pandas frame, an Arrow table, or a mapping of columns."""
        import numpy as np

        return np.asarray(self.predictions(as_table(data)).value.to_numpy(zero_copy_only=False))

    def predict_proba(self, data: Any) -> np.ndarray:
        """(n, k) probabilities, in the order of ``classes``.

        Raises
        ------
        AttributeError
            If the model has none.
        """
        proba = self.predictions(as_table(data)).proba
        if self.classes is None:
            raise AttributeError(f"{self.recipe.estimator.path} is a regressor: it has no probabilities")
        if proba is None:
            raise AttributeError(no_probabilities(self.recipe.estimator.path, self.gives))
        return proba

    def predictions(self, table: pa.Table | pa.RecordBatch) -> Prediction:
        """Values or labels, and probabilities where the model gives them."""
        value, proba = self.scored(table)
        return Prediction(self.encoding.decode(value), proba)

    def scored(self, table: pa.Table | pa.RecordBatch) -> tuple[np.ndarray, np.ndarray | None]:
        """Class codes or values (n,), and probabilities (n, k): what the labels are decoded from."""
        import pyarrow as pa

        batches = [table] if isinstance(table, pa.RecordBatch) else table.to_batches(max_chunksize=65_536)
        return self.scored_encoded(self.encoding.apply(batch) for batch in batches if batch.num_rows)

    def scored_encoded(self, parts: Iterable[Any]) -> tuple[np.ndarray, np.ndarray | None]:
        """The same of rows that were encoded already, part by part."""
        import numpy as np

        found = list(self._framework.score(self.native, _batches(parts)))
        if not found:
            return np.empty(0), None
        # Of margins there are shares in the same order, for metrics: they are no probabilities.
        proba = [s.proba for s in found if s.proba is not None and self.gives == "probabilities"]
        return np.concatenate([s.value for s in found]), np.concatenate(proba) if proba else None


def _batches(parts: Iterable[Any]) -> Iterator[Batch]:
    import numpy as np

    for X in parts:
        n = X.num_rows if hasattr(X, "num_rows") else X.shape[0]
        yield Batch(X, np.empty(0), None, np.arange(n))


def no_probabilities(estimator: str, gives: str) -> str:
    """The sentence for those who ask for them all the same."""
    if gives == "margins":
        return (
            f"{estimator} gives margins, which are no probabilities; inside sklearn.calibration.CalibratedClassifierCV it"
            " has some"
        )
    return f"{estimator} gives labels alone, no probabilities"


def as_table(data: Any) -> pa.Table | pa.RecordBatch:
    """A pandas frame, an Arrow table or batch, or a mapping of columns, as Arrow."""
    import pyarrow as pa

    if isinstance(data, (pa.Table, pa.RecordBatch)):
        return data
    if isinstance(data, dict):
        return pa.table(data)
    return pa.Table.from_pandas(data, preserve_index=False)
