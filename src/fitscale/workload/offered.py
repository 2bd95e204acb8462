"""What the file's format knows and this version does not do yet: each has its sentence, none is ignored.

A gap that hangs on a plug-in (an engine, an exporter, a source) closes by itself when the plug-in is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from fitscale import registry
from fitscale.errors import NotOffered
from fitscale.records.workload import Enough, Workload
from fitscale.workload.spot import Spot

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
BUILTIN_SCHEMES = ("", "file", "synthetic", "postgresql", "postgres")


class Gap(NamedTuple):
    """``find`` returns what is asked for and not there yet, or nothing; ``what`` may show it as ``{found}``."""

    place: str
    find: Callable[[Workload], Any]
    what: str
    instead: str


def _foreign_scheme(workload: Workload) -> str | None:
    match = _SCHEME.match(workload.data.uri)
    scheme = match[1].lower() if match else ""
    extra = [name for name in registry.names("sources") if name not in registry.BUILTIN["sources"]]
    reads = scheme in BUILTIN_SCHEMES or any(scheme in registry.plugin("sources", name).schemes for name in extra)
    return None if reads else scheme


def _unknown_formats(workload: Workload) -> str:
    return ", ".join(name for name in workload.needs.export if name not in registry.names("exporters"))


def _place(kind: str) -> Callable[[Workload], Any]:
    return lambda w: any(p.kind == kind for p in w.where) and kind not in registry.names("engines")


def _several(workload: Workload) -> str:
    """What is no single fit, and has no trials."""
    return "a series" if workload.data.is_series else "many models" if workload.data.groups else ""


ONE = "name one as 'estimator'"
FIXED = "leave it out, and fix the parameters in 'params'"
BY_PATH = "give 'estimator' as an import path with 'params'"
PARQUET = "export the rows to Parquet, and give that path"
GAPS = (
    Gap("data.uri", _foreign_scheme, "reading from {found}://", PARQUET),
    Gap(
        "data.use",
        lambda w: (
            isinstance(w.data.use, Enough) and ("many models" if w.data.groups else w.data.is_series and "series")
        ),
        "the learning curve of {found}",
        "give all, or fewer rows by data.where",
    ),
    Gap("model.any_of", lambda w: w.model.any_of and _several(w), "choosing among estimators for {found}", ONE),
    Gap("model.function", lambda w: w.model.function, "a training function", "name an 'estimator' by its import path"),
    Gap("model.search", lambda w: w.model.search and _several(w), "tuning for {found}", FIXED),
    Gap("model.search", lambda w: w.model.search and w.model.live, "tuning an object of this session", BY_PATH),
    Gap("needs.export", _unknown_formats, "exporting to {found}", "leave it out, or name native or onnx"),
    Gap("needs.deploy", lambda w: w.needs.deploy, "deploying", "leave it out, and copy the finished version yourself"),
    Gap("where", _place("ray"), "running on ray", "name local, or catalogue to compare machines"),
    Gap("where", _place("spark"), "running on spark", "name local, or catalogue to compare machines"),
)


def offers(function: str, workload: Workload) -> str:
    """What gives a function of ``needs.functions``; empty where nothing does: it counts as unmatched then, and is no error."""
    if function == "automl" and not _several(workload):
        return "model.any_of and model.search"
    return "a strategy of several processes" if function == "distributed_training" else ""


def refuse_gaps(workload: Workload, root: Spot) -> None:
    """Raise NotOffered, with its place and sentence, for the first thing asked for that is not there yet."""
    for gap in GAPS:
        if found := gap.find(workload):
            sentence = f"{gap.what.format(found=found)} is not offered yet: {gap.instead}"
            raise NotOffered(gap.place, sentence, file=Spot(gap.place, root.file, root.lines).at_line)
