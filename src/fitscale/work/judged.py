"""What a metric takes of the predictions for held-out rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fitscale.errors import WorkloadError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


def taken(table: pa.Table, takes: str, n_classes: int, name: str) -> np.ndarray:
    """What of the predictions the metric takes."""
    import numpy as np

    if takes != "proba":
        return np.asarray(table.column("value").to_numpy())
    if "p1" not in table.column_names:
        told = f"'{name}' needs probabilities, and the estimator gives none; take accuracy"
        raise WorkloadError("evaluate.metric", told)
    if n_classes == 2:
        return np.asarray(table.column("p1").to_numpy())
    return np.asarray(probabilities_of(table, n_classes))


def probabilities_of(table: pa.Table, n_classes: int) -> np.ndarray | None:
    """(n, classes), or None for a target of values."""
    import numpy as np

    if not n_classes:
        return None
    if n_classes == 2:
        second = table.column("p1").to_numpy()
        return np.column_stack([1.0 - second, second])
    return np.column_stack([table.column(f"p{k}").to_numpy() for k in range(n_classes)])
