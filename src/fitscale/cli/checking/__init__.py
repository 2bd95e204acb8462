"""What `doctor` looks at, each really tried: the machine, the libraries, the sources and the run folder of a workload."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fitscale.cli.checking.finding import Finding

__all__ = ["Finding", "findings_of"]


def findings_of(file: Path | None, run: Path | None = None) -> Iterator[Finding]:
    """Everything, as it is found out; with a workload file what that needs, too."""
    from fitscale.cli.checking import ledger, libraries, machine, workload
    from fitscale.cli.checking.folder import folder_of, run_folder

    kept, wrong = folder_of(file, run)
    yield from machine.findings(kept.parent)
    yield from libraries.findings()
    if wrong is not None:
        yield wrong
    yield from ledger.findings(Path(".") if file is None else file.parent)
    if file is not None:
        yield from workload.findings(file)
    if file is not None or run is not None:
        yield from run_folder(kept)
