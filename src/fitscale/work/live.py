"""Live estimators: pickled into the run by the Python API, loaded by workers only with the signature of who put them there."""

from __future__ import annotations

from pathlib import Path

from fitscale.records.run import Order, Recipe, Task
from fitscale.store import trust


def signature_name(address: str) -> str:
    """Under which name a live object is signed: ``live/DIGEST.pkl`` → ``live-DIGEST``."""
    return "live-" + Path(address).stem


def recipe_to_fit(run: Path, task: Task, order: Order) -> Recipe:
    """The task's recipe, with the address of a live estimator made absolute once its signature was checked.

    Raises
    ------
    Untrusted
        If somebody else pickled it.
    """
    recipe = task.recipe
    if recipe.estimator.live is None:
        return recipe
    path = run / recipe.estimator.live
    trust.check(run, signature_name(recipe.estimator.live), path.read_bytes(), trust=order.trust)
    return recipe.but(estimator=recipe.estimator.but(live=str(path)))
