"""What `doctor` looks at: the machine, the libraries, and what a workload needs, each really tried."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from fitscale.cli.shown import count, plural, size
from fitscale.errors import FitscaleError
from fitscale.records.base import Record

LEAST_FREE = 2_000_000_000  # of disk, below which a run may end with a full one
LEAST_MEMORY = 1_000_000_000
# What is installed with fitscale, and what an extra brings: import name → (distribution, extra).
CORE = ("numpy", "pyarrow", "pydantic", "typer", "rich", "psutil", "jinja2", "matplotlib", "sqlglot")
EXTRAS = {
    "sklearn": ("scikit-learn", "sklearn"),
    "pandas": ("pandas", "sklearn"),
    "cloudpickle": ("cloudpickle", "sklearn"),
    "xgboost": ("xgboost-cpu", "xgboost"),
    "lightgbm": ("lightgbm", "lightgbm"),
    "onnx": ("onnx", "onnx"),
    "onnxruntime": ("onnxruntime", "onnx"),
    "skl2onnx": ("skl2onnx", "onnx"),
    "adbc_driver_postgresql": ("adbc-driver-postgresql", "postgres"),
}


class Finding(Record):
    """One line: ``wrong`` is needed and does not work, ``missing`` may be needed one day."""

    what: str
    state: Literal["ok", "missing", "wrong"]
    says: str
    next_step: str = ""


def findings_of(file: Path | None) -> Iterator[Finding]:
    """Everything, as it is found out."""
    yield from _machine()
    yield from _libraries()
    yield from _plugins()
    if file is not None:
        yield from _workload(file)


def _machine() -> Iterator[Finding]:
    from fitscale.machines.cgroup import allowance
    from fitscale.machines.here import detect

    here = detect()
    yield Finding(what="python", state="ok", says=f"{sys.version.split()[0]} at {sys.executable}")
    yield Finding(what="cores", state="ok", says=f"{plural(here.cores, 'core')}: {here.cpu}")
    low = here.memory_bytes < LEAST_MEMORY
    yield Finding(
        what="memory",
        state="wrong" if low else "ok",
        says=f"{size(here.memory_bytes)} to be used" + "".join(f"; {n}" for n in here.notes if n.startswith("memory")),
        next_step="end what else is running here, or raise the limit of the container" if low else "",
    )
    free = here.disk_free_bytes or 0
    yield Finding(
        what="disk",
        state="wrong" if free < LEAST_FREE else "ok",
        says=f"{size(free)} free in the current folder",
        next_step="make room, or keep runs elsewhere with FITSCALE_RUNS" if free < LEAST_FREE else "",
    )
    group = allowance()
    limits = [f"memory {size(group.memory_bytes)}"] if group.memory_bytes else []
    limits += [f"{group.cpus:g} cores"] if group.cpus else []
    yield Finding(what="control group", state="ok", says=", ".join(limits) or "sets no limit")


def _libraries() -> Iterator[Finding]:
    for name in CORE:
        there = importlib.util.find_spec(name) is not None
        step = "" if there else "pip install --force-reinstall fitscale"
        yield Finding(what=name, state="ok" if there else "wrong", says=_version(name), next_step=step)
    for name, (distribution, extra) in EXTRAS.items():
        there = importlib.util.find_spec(name) is not None
        found = next((v for d in (distribution, name) if (v := _version(d)) != "not installed"), "not installed")
        step = "" if there else f"pip install 'fitscale[{extra}]'"
        yield Finding(what=name, state="ok" if there else "missing", says=found, next_step=step)


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"


def _plugins() -> Iterator[Finding]:
    from fitscale import registry

    for family in ("frameworks", "engines", "sources", "exporters"):
        there: list[str] = []
        lacking: list[str] = []
        for name in registry.names(family):
            needs = getattr(registry.plugin(family, name), "needs", ())
            lacks = [library for library in needs if importlib.util.find_spec(library) is None]
            (lacking if lacks else there).append(name)
        told = f"; without their libraries: {', '.join(lacking)}" if lacking else ""
        yield Finding(what=family, state="ok", says=", ".join(there) + told)


def _workload(file: Path) -> Iterator[Finding]:
    from fitscale.workload import load

    workload, finding = _try("workload", lambda: load(file), lambda w: f"{file}: {w.name}, predicts {w.data.target}")
    yield finding
    if workload is None:
        return
    from fitscale.data.checks import check_columns
    from fitscale.data.choosing import open_source
    from fitscale.data.reader import Reader
    from fitscale.data.staging import outline_of

    source, finding = _try(
        "source", lambda: open_source(workload.data), lambda s: f"{workload.data.uri}, by source {s.name}"
    )
    if source is None:
        yield finding
    elif source.stable:
        reader, finding = _try(
            "data",
            lambda: Reader(source, source.snapshot()),
            lambda r: f"{workload.data.uri}: {count(r.rows)} rows, {plural(len(r.snapshot.columns), 'column')}",
        )
        yield finding
        if reader is not None:
            yield _columns(lambda: check_columns(reader.snapshot, workload.data))

            def first_row() -> int:
                return int(next(iter(reader.batches([workload.data.target], batch_rows=1)))[1].num_rows)

            yield _try("reading", first_row, lambda _: "a row was read")[1]
    else:
        volume = source.volume() if hasattr(source, "volume") else ""
        outline, finding = _try(
            "data",
            lambda: outline_of(source),
            lambda s: (
                f"{workload.data.uri}: {volume or size(s.bytes)}, {plural(len(s.columns), 'column')}; it is staged to "
                "Parquet once"
            ),
        )
        yield finding
        if outline is not None:
            yield _columns(lambda: check_columns(outline, workload.data, counted=False))
    from fitscale.records.run import Estimator
    from fitscale.work.describe import describe

    model = workload.model
    estimator = Estimator(path=model.estimator or "", params=model.params)
    yield _try(
        "estimator",
        lambda: describe(estimator, workload.folder, model.framework),
        lambda d: f"{model.estimator}: a {d[1].target}, by framework {d[0]} ({', '.join(d[1].can)})",
    )[1]


def _columns(check: Callable[[], None]) -> Finding:
    return _try("columns", check, lambda _: "all that are named are there")[1]


def _try(what: str, action: Callable[[], Any], told: Callable[[Any], str]) -> tuple[Any, Finding]:
    """What an action gives, and the finding that it makes: our errors name their next step themselves."""
    try:
        made = action()
    except FitscaleError as error:
        return None, Finding(what=what, state="wrong", says=str(error))
    return made, Finding(what=what, state="ok", says=told(made))
