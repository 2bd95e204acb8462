"""What a workload needs: its file, its source (really opened, a batch really read), its columns, its estimator."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitscale.cli.checking.finding import Finding, tried
from fitscale.cli.shown import clipped, count, plural, size

if TYPE_CHECKING:
    from fitscale.records.data import Snapshot
    from fitscale.records.run import Traits
    from fitscale.records.workload import Workload

ROWS = 1_000  # that are read


def findings(file: Path) -> Iterator[Finding]:
    """Stops at the file alone where that cannot be read; all else is tried whatever came before."""
    from fitscale.workload import load

    workload, finding = tried("workload", lambda: load(file), lambda w: f"{file}: {w.name}, predicts {w.data.target}")
    yield finding
    if workload is None:
        return
    yield from _data(workload)
    yield from _estimators(workload)
    yield from _exports(workload)
    yield from _stood_up(workload)


def _data(workload: Workload) -> Iterator[Finding]:
    from fitscale.data.checks import check_columns
    from fitscale.data.choosing import open_source
    from fitscale.data.starter.looking import glance, look

    data = workload.data
    shown = clipped(data.uri, 60)
    source, finding = tried("source", lambda: open_source(data), lambda s: f"{shown}, by source {s.name}")
    yield finding
    if source is None:
        return
    about, finding = tried("data", lambda: glance(source), lambda s: f"{shown}: {_described(source, s)}")
    yield finding
    if about is None:
        return
    _, finding = tried(
        "columns", lambda: check_columns(about, data, counted=False), lambda _: "all that are named are there"
    )
    yield finding
    _, finding = tried(
        "reading",
        lambda: look(data, rows=ROWS),
        lambda found: (
            f"{plural(found.table.num_rows, 'row')} read in {found.seconds:.2f} s"
            + "".join(f"; read {'' if text.startswith('column') else 'with '}{text}" for text in found.assumed[:3])
        ),
    )
    yield finding


def _described(source: Any, about: Snapshot) -> str:
    columns = plural(len(about.columns), "column")
    files = f" in {plural(len(about.pieces), 'file')}" if len(about.pieces) > 1 else ""
    if source.stable:
        kept = f" before data.where ({about.where})" if about.where else ""
        return f"{count(about.rows)} rows{files}, {columns}{kept}"
    volume = source.volume() if hasattr(source, "volume") else f"{size(about.bytes)}{files}"
    return f"{volume}, {columns}; it is staged to Parquet once"


def _estimators(workload: Workload) -> Iterator[Finding]:
    """Each that is named, and what it is tuned with."""
    from fitscale.planning.trials.spaces import check_search, entries_of
    from fitscale.records.run import Estimator
    from fitscale.work.describe import describe

    for model in entries_of(workload.model):
        estimator = Estimator(path=model.estimator or "", params=model.params)
        found, finding = tried(
            "estimator",
            partial(describe, estimator, workload.folder, model.framework),
            partial(_described_as, model.estimator or ""),
        )
        yield finding
        if model.search is not None and found is not None:
            one = workload.but(model=model)
            yield tried("search", partial(check_search, one, estimator, found[1]), lambda _: "can be tuned, by optuna")[
                1
            ]


def _described_as(estimator: str, found: tuple[str, Traits]) -> str:
    framework, traits = found
    return f"{estimator}: a {traits.target}, by framework {framework} ({', '.join(traits.can)})"


def _exports(workload: Workload) -> Iterator[Finding]:
    from fitscale.models.exporting import exporter_of

    for name in workload.needs.export:
        yield tried(f"export {name}", partial(exporter_of, name), lambda _: "its libraries are there")[1]


def _stood_up(workload: Workload) -> Iterator[Finding]:
    """What must be there around a run, counted as the scorecard counts it; what of it could be tried was tried above."""
    import shutil

    from fitscale.machines.catalogue import catalogue
    from fitscale.planning.scoring.surroundings import stood_up

    things = list(stood_up(workload.data.uri))
    told = (
        f"{len(things)}: {', '.join(things)}; reading above has tried it"
        if things
        else "nothing but this machine and its files"
    )
    yield Finding(what="to stand up", state="ok", says=told)
    places = [place.address for place in workload.where if place.kind == "catalogue"]
    for address in places:
        yield tried(
            f"catalogue {address}",
            partial(catalogue, address, Path(workload.folder)),
            lambda found: f"{plural(len(found), 'machine')}, none of them asked: prices are of its table",
        )[1]
    if places:
        sky = shutil.which("sky")
        says = (
            f"{sky}; its clouds: sky check"
            if sky
            else "no command 'sky' here: 'fitscale deploy' writes its task all the same"
        )
        step = "" if sky else "pip install skypilot where you start machines from, and give it your account"
        yield Finding(what="skypilot", state="ok" if sky else "note", says=says, next_step=step)
