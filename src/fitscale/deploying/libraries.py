"""The libraries of a run, each in the version that is installed here: from package metadata, nothing is asked of the network."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution, packages_distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from fitscale import metrics
from fitscale.data.choosing import source_class
from fitscale.errors import UsageError
from fitscale.records.workload import Workload
from fitscale.registry import plugin

OWN = "fitscale"


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
    extras, modules = _asked(workload, framework)
    found: dict[str, Distribution] = {}
    _gather(OWN, extras, found)
    known = packages_distributions()
    for module in dict.fromkeys([*modules, *imported]):
        for name in known.get(module, ()):
            _gather(name, (), found)
    found.pop(OWN, None)
    for name, one in found.items():
        if (place := _local(one)) is not None:
            raise UsageError(
                f"{name} was installed from {place}, which another machine does not have: install it from an index, or from the "
                "address of a wheel"
            )
    return tuple(f"{name}=={found[name].version}" for name in sorted(found))


def _asked(workload: Workload, framework: str) -> tuple[tuple[str, ...], list[str]]:
    """fitscale's extras, and top-level modules, that framework, source, exporters and metric of the workload take."""
    plugins = [plugin("frameworks", framework), source_class(workload.data)]
    plugins += [plugin("exporters", name) for name in workload.needs.export]
    modules = [library for cls in plugins for library in cls.needs]
    modules += [cls.__module__.partition(".")[0] for cls in plugins]
    modules.append((workload.model.estimator or "").partition(".")[0])
    extras = [getattr(cls, "extra", "") for cls in plugins]
    if workload.evaluate.metric in metrics.foreign.KNOWN:
        extras.append("sklearn")
    if "adbc_driver_postgresql" in modules:
        extras.append("postgres")
    return tuple(dict.fromkeys(extra for extra in extras if extra)), modules


def _gather(name: str, extras: tuple[str, ...], found: dict[str, Distribution]) -> None:
    """The distribution and what it requires, and so on; what is not installed was not needed here."""
    name = canonicalize_name(name)
    try:
        one = distribution(name)
    except PackageNotFoundError:
        return
    if name in found and not extras:
        return
    found[name] = one
    for required in _required(one, extras):
        if canonicalize_name(required.name) not in found or required.extras:
            _gather(required.name, tuple(sorted(required.extras)), found)


def _required(one: Distribution, extras: tuple[str, ...]) -> Iterator[Requirement]:
    for line in one.requires or ():
        required = Requirement(line)
        if required.marker is None or any(required.marker.evaluate({"extra": extra}) for extra in extras or ("",)):
            yield required


def _local(one: Distribution) -> str | None:
    """The folder or file of this machine that it was installed from."""
    told = json.loads(one.read_text("direct_url.json") or "{}").get("url", "")
    return told if told.startswith("file:") else None
