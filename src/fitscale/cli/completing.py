"""What a shell is offered for a word that is begun: names of files, runs, strategies, machines. Imports nothing but the
standard library: a Tab must not wait. Where nothing fits, the shell completes paths by itself.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path

MOST = 200
STRATEGIES = (
    "in-memory",
    "quantised",
    "out-of-core",
    "many-models",
    "batched-models",
    "batched-models",
    "parts-and-merge",
    "data-parallel",
    "cluster-native",
)
WORKLOADS = (".yaml", ".yml")
DATA = (
    ".parquet",
    ".pq",
    ".parq",
    ".arrow",
    ".feather",
    ".ipc",
    ".csv",
    ".tsv",
    ".tab",
    ".svm",
    ".svmlight",
    ".libsvm",
    ".gz",
    ".zst",
)


def workload_files(incomplete: str) -> list[str]:
    """Workload files here and one folder below."""
    return _few(_files(incomplete, WORKLOADS))


def runs_and_workloads(incomplete: str) -> list[str]:
    """Workload files, and run folders: what a command that concerns a run takes."""
    return _few([*_files(incomplete, WORKLOADS), *_runs(incomplete)])


def run_folders(incomplete: str) -> list[str]:
    """Folders with a run in them."""
    return _few(_runs(incomplete))


def data_files(incomplete: str) -> list[str]:
    """Files that a source reads."""
    return _few(_files(incomplete, DATA))


def strategies(incomplete: str) -> list[str]:
    """Names of candidates that ``--choose`` and ``--explain`` take."""
    return [name for name in STRATEGIES if name.startswith(incomplete)]


def catalogues(incomplete: str) -> list[str]:
    """Providers and regions of the machines that can be rented."""
    table = files("fitscale.machines") / "tables" / "machines.csv"
    rows = [(row["provider"], row["region"]) for row in csv.DictReader(table.read_text(encoding="utf-8").splitlines())]
    names = dict.fromkeys([*(provider for provider, _ in rows), *(f"{p}/{r}" for p, r in rows if r)])
    return [name for name in names if name.startswith(incomplete)]


def machines(incomplete: str) -> list[str]:
    """Names of the machines that can be rented."""
    table = files("fitscale.machines") / "tables" / "machines.csv"
    names = [row["machine"] for row in csv.DictReader(table.read_text(encoding="utf-8").splitlines())]
    return _few(name for name in names if name.startswith(incomplete))


def formats(incomplete: str) -> list[str]:
    """Formats that a version is exported to."""
    from fitscale import registry

    return [name for name in registry.names("exporters") if name.startswith(incomplete)]


def _few(found: Iterable[str]) -> list[str]:
    return sorted(dict.fromkeys(found))[:MOST]


def _files(incomplete: str, endings: tuple[str, ...]) -> Iterator[str]:
    folder, begun = _apart(incomplete)
    here = _inside(folder)
    for path in (*here, *(inner for one in here if one.is_dir() for inner in _inside(one))):
        name = str(path)
        if name.endswith(endings) and path.is_file() and name.startswith(str(folder / begun) if begun else ""):
            yield _as_typed(name, incomplete)


def _runs(incomplete: str) -> Iterator[str]:
    folder, begun = _apart(incomplete)
    for pattern in ("*/run.json", "runs/*/run.json", "*/runs/*/run.json"):
        for path in folder.glob(pattern):
            name = str(path.parent)
            if name.startswith(str(folder / begun) if begun else ""):
                yield _as_typed(name, incomplete)


def _apart(incomplete: str) -> tuple[Path, str]:
    """The folder of a path that is begun, and what is begun in it."""
    folder, slash, begun = incomplete.rpartition("/")
    return Path(folder + slash if slash else "."), begun


def _as_typed(name: str, incomplete: str) -> str:
    return f"./{name}" if incomplete.startswith("./") and not name.startswith("./") else name


def _inside(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if not path.name.startswith(".")][: 10 * MOST]
    except OSError:
        return []
