"""Descent by scikit-learn: a fit of all rows tells of its epochs, and keeps none of them.

There is no way to go on from the middle of such a fit: ``partial_fit`` begins a new count of steps, and knows no ``tol``.
"""

from __future__ import annotations

from typing import Any

from fitscale.contracts import Context
from fitscale.frameworks.sklearn.families import epochs_said
from fitscale.frameworks.sklearn.forests import Rows
from fitscale.frameworks.sklearn.printing import heard_by

# What is printed as an epoch begins, and as one ends.
BEGINS, ENDS = "-- Epoch ", "Iteration "


def tells(made: Any) -> bool:
    return type(made).__module__.startswith("sklearn.") and epochs_said(type(made).__name__, made.get_params()) > 0


def fit(made: Any, rows: Rows, columns: int, context: Context) -> int:
    """Fit; how many epochs it took. ``columns`` are the score columns, each of which has epochs of its own."""
    said, of = made.verbose, epochs_said(type(made).__name__, made.get_params())
    columns = 1 if type(made).__name__.startswith("MLP") else columns
    begun = ended = told = 0

    def heard(text: str) -> None:
        nonlocal begun, ended, told
        begun += text.startswith(BEGINS)
        ended += text.startswith(ENDS)
        done = ended or max(0, begun - 1) // columns
        if told < done < of:
            told = done
            context.report(done, of=of, kept=False)

    with context.phase("iterations"), heard_by(heard, silent=not said, all_threads=columns > 1):
        made.set_params(verbose=1).fit(rows.X, rows.y, **rows.weight)
    made.set_params(verbose=said)
    epochs = max(told + 1, min(int(made.n_iter_), of))
    context.report(epochs, of=epochs)
    return epochs
