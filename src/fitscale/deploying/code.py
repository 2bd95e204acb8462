"""Code of the user's own, which the workload's estimator is imported from: it goes along."""

from __future__ import annotations

import ast
from pathlib import Path

from fitscale.errors import WorkloadError
from fitscale.records.workload import Workload


def own_code(workload: Workload, source: str) -> dict[str, Path]:
    """Relative path → file: the estimator's module or package, and the modules beside the workload file.

    Parameters
    ----------
    source
        The digest of the estimator's module, empty where an installed library has it (`Traits.source`).

    Raises
    ------
    WorkloadError
        At model.estimator, if its module does not lie beside the workload file.
    """
    if not source:
        return {}
    folder = Path(workload.folder)
    estimator = workload.model.estimator or ""
    top = estimator.partition(".")[0]
    found = {path.name: path for path in sorted(folder.glob("*.py")) if path.stem.isidentifier()}
    inside = sorted((folder / top).rglob("*.py")) if top.isidentifier() else []
    found |= {path.relative_to(folder).as_posix(): path for path in inside if path.is_file()}
    if not inside and f"{top}.py" not in found:
        raise WorkloadError(
            "model.estimator", f"'{estimator}' is no installed library's, and {top}.py is not in {folder}: put it there, so "
            "that it can go along"
        )  # fmt: skip
    return found


def imports_of(files: dict[str, Path]) -> tuple[str, ...]:
    """The top-level modules that the files import; the files are parsed, not run."""
    names: set[str] = set()
    for path in files.values():
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return tuple(sorted(names))
