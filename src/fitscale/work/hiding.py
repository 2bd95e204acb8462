"""Libraries that a process of ours does without, although they are installed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path


def hide(libraries: Sequence[str]) -> None:
    """Let imports of these fail from now on, if this process is a worker or the command line: nobody else's code is in it.

    Libraries import others where they find them, for conveniences that no fit needs. With XGBoost come scikit-learn and
    pandas, with Arrow's conversions pandas: a second of time and up to 70 MB in every process.
    """
    if libraries and _is_ours():
        sys.meta_path.insert(0, _Hidden(frozenset(libraries)))


def _is_ours() -> bool:
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return str(spec.name).startswith("fitscale.")
    return Path(getattr(main, "__file__", None) or "").name == "fitscale"


class _Hidden:
    def __init__(self, libraries: frozenset[str]) -> None:
        self._libraries = libraries

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name.partition(".")[0] in self._libraries:
            raise ModuleNotFoundError(f"{name} is hidden in this process", name=name)
        return None
