"""Names → classes, on first use. Built-in plug-ins stand here; others are found by their entry points."""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from fitscale.errors import MissingLibrary, UsageError, nearest

BUILTIN: dict[str, dict[str, str]] = {
    "sources": {
        "files": "fitscale.data.sources.files:Files",
        "text": "fitscale.data.sources.text:Text",
        "arrow": "fitscale.data.sources.arrow:ArrowFiles",
        "postgres": "fitscale.data.sources.postgres:Postgres",
        "svmlight": "fitscale.data.sources.svmlight:SvmLight",
        "synthetic": "fitscale.data.sources.synthetic:Synthetic",
    },
    "frameworks": {
        "baseline": "fitscale.frameworks.baseline:Baseline",
        "series": "fitscale.frameworks.series:Series",
        "statsforecast": "fitscale.frameworks.statsforecast:StatsForecast",
        "batched": "fitscale.frameworks.batched:Batched",
        "xgboost": "fitscale.frameworks.xgboost:XGBoost",
        "lightgbm": "fitscale.frameworks.lightgbm:LightGBM",
        "sklearn": "fitscale.frameworks.sklearn:ScikitLearn",
    },
    "engines": {
        "inline": "fitscale.engines.inline:Inline",
        "process": "fitscale.engines.process:Process",
    },
    "exporters": {"native": "fitscale.exporters.native:Native", "onnx": "fitscale.exporters.onnx:Onnx"},
    "metrics": {},  # by scikit-learn's names: see metrics.metric
}

# What draws an object for a notebook, looked for by the objects themselves, which stand far below.
VIEWS = {"plan": "fitscale.notebook.views:plan_html", "run": "fitscale.notebook.views:run_html"}


@cache
def _entry_points(family: str) -> dict[str, EntryPoint]:
    return {ep.name: ep for ep in entry_points(group=f"fitscale.{family}")}


def names(family: str) -> tuple[str, ...]:
    """All plug-ins of a family, built-in first."""
    return tuple(dict.fromkeys([*BUILTIN[family], *_entry_points(family)]))


@cache
def plugin(family: str, name: str) -> Any:
    """The class of a plug-in.

    Raises
    ------
    UsageError
        If there is none of that name.
    """
    if target := BUILTIN[family].get(name):
        return _loaded(target)
    if name in _entry_points(family):
        return _entry_points(family)[name].load()
    known = names(family)
    raise UsageError(f"no {family[:-1]} '{name}'{nearest(name, known)}; there are: {', '.join(known)}")


def html_of(name: str, shown: Any) -> str | None:
    """The HTML of a plan or a run; None where it cannot be drawn any more."""
    html: str | None = _loaded(VIEWS[name])(shown)
    return html


def _loaded(target: str) -> Any:
    module, _, attribute = target.partition(":")
    return getattr(importlib.import_module(module), attribute)


def framework_of(path: str) -> Any:
    """The framework class that handles an estimator's import path: the longest prefix wins.

    Raises
    ------
    UsageError
        If none does.
    """
    best: tuple[int, Any] = (-1, None)
    for name in names("frameworks"):
        cls = plugin("frameworks", name)
        for prefix in cls.handles:
            if (prefix == "" or path == prefix or path.startswith(prefix + ".")) and len(prefix) > best[0]:
                best = (len(prefix), cls)
    if best[1] is None:
        raise UsageError(f"no framework handles '{path}'; there are: {', '.join(names('frameworks'))}")
    return best[1]


def source_of(scheme: str) -> Any:
    """The source class for a uri's scheme ('' is a path)."""
    for name in names("sources"):
        cls = plugin("sources", name)
        if scheme in cls.schemes:
            return cls
    known = sorted({s or "a path" for n in names("sources") for s in plugin("sources", n).schemes})
    raise UsageError(f"no source reads '{scheme}://'{nearest(scheme, known)}; there are: {', '.join(known)}")


def require(who: str, library: str, extra: str) -> None:
    """Raise MissingLibrary unless the library can be imported; imports nothing."""
    if importlib.util.find_spec(library) is None:
        raise MissingLibrary(who, library, extra)
