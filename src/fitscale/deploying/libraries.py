"""The libraries of a run, each in the version that is installed here: from package metadata, nothing is asked of the network."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.metadata import Distribution

from fitscale.errors import UsageError
from fitscale.planning.scoring.installed import installed
from fitscale.records.workload import Workload


def pinned(workload: Workload, framework: str, imported: Iterable[str] = ()) -> tuple[str, ...]:
    """``name==version`` of all that the run needs beside fitscale itself, in the order of names.

    Parameters
    ----------
    imported
        Top-level modules that code of the user's own imports.

    Raises
    ------
    UsageError
        If one was installed from a folder of this machine, and has no version that another could install.
    """
    found = installed(workload, framework, imported)
    for name, one in found.items():
        if (place := _local(one)) is not None:
            raise UsageError(
                f"{name} was installed from {place}, which another machine does not have: install it from an index, or from the "
                "address of a wheel"
            )
    return tuple(f"{name}=={found[name].version}" for name in sorted(found))


def _local(one: Distribution) -> str | None:
    """The folder or file of this machine that it was installed from."""
    told = json.loads(one.read_text("direct_url.json") or "{}").get("url", "")
    return told if told.startswith("file:") else None
