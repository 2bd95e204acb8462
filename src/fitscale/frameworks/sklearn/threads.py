"""What ``n_jobs`` of an estimator gives way to: the attempt's threads, whatever it says."""

from __future__ import annotations

from typing import Any


def hold(made: Any, threads: int) -> dict[str, Any]:
    """Let every ``n_jobs``, at any depth, give way to ``threads``. What they said is returned, for ``set_params`` to put back.

    scikit-learn's own ask joblib where it is left open, and joblib is told by its configuration. Classes of others know nothing
    of that: LightGBM's take all cores of the machine, whatever OMP_NUM_THREADS says, and many at once wait for each other.
    """
    said = {}
    for name, value, is_sklearns in _jobs_of(made):
        given = None if is_sklearns else threads
        if value != given:
            said[name] = value
            made.set_params(**{name: given})
    return said


def starts_threads(made: Any) -> bool:
    """Whether there is anything to `hold`."""
    return any(value is not None or not is_sklearns for _, value, is_sklearns in _jobs_of(made))


def _jobs_of(made: Any) -> list[tuple[str, Any, bool]]:
    """(name, value, whether the estimator that has it is scikit-learn's) of every ``n_jobs``."""
    params = made.get_params(deep=True) if hasattr(made, "get_params") else {}
    found = []
    for name, value in params.items():
        owner, _, word = name.rpartition("__")
        if word == "n_jobs":
            of = type(params[owner] if owner else made)
            found.append((name, value, of.__module__.partition(".")[0] == "sklearn"))
    return found
