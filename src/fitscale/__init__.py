"""fitscale: on what, and with what, should this model be trained?

    import fitscale

    plan = fitscale.plan("job.yaml")                    # what would run, how long, in how much memory, and why
    run = fitscale.train("job.yaml")                    # the finished version, opened
    run.model("SEA", 7).predict(frame)                  # one of its models, on raw columns
    fitscale.predict(run, "new.parquet", "out.parquet") # all of them, by key

The same four as ``fitscale plan``, ``train`` and ``predict`` on the command line. They are loaded on first use: importing
this package loads no other library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fitscale.api import open_run, plan, predict, train

__all__ = ["open_run", "plan", "predict", "train"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from fitscale import api

        return getattr(api, name)
    raise AttributeError(f"module 'fitscale' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
