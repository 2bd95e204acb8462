"""The libraries that a run takes, as they are installed here: by package metadata, without a network."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution, packages_distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from fitscale import metrics
from fitscale.data.choosing import source_class
from fitscale.records.workload import Workload
from fitscale.registry import plugin

OWN = "fitscale"
SPELT = {"sklearn": ("scikit-learn",), "adbc_driver_postgresql": ("adbc-driver-postgresql",)}


def installed(workload: Workload, framework: str, imported: Iterable[str] = ()) -> dict[str, Distribution]:
    """All that a run needs beside fitscale itself, by canonical name.

    Parameters
    ----------
    imported
        Top-level modules that code of the user's own imports.
    """
    extras, modules = _asked(workload, framework)
    found: dict[str, Distribution] = {}
    _gather(OWN, extras, found)
    for module in dict.fromkeys([*modules, *imported]):
        for name in _owners(module):
            _gather(name, (), found)
    found.pop(OWN, None)
    return found


def _owners(module: str) -> Sequence[str]:
    """The distributions that a top-level module is of. Looking through all that is installed takes long, and comes last."""
    for name in (module, f"{module}-cpu", *SPELT.get(module, ())):
        try:
            files = distribution(name).files or ()
        except PackageNotFoundError:
            continue
        if any(file.parts[0] in (module, f"{module}.py") for file in files):
            return (name,)
    if module == OWN or importlib.util.find_spec(module) is None:
        return ()
    return packages_distributions().get(module, ())


def _asked(workload: Workload, framework: str) -> tuple[tuple[str, ...], list[str]]:
    """fitscale's extras, and top-level modules, that framework, source, exporters and metric of the workload take."""
    plugins = [plugin("frameworks", framework), source_class(workload.data)]
    plugins += [plugin("exporters", name) for name in workload.needs.export]
    modules = [library for cls in plugins for library in cls.needs]
    modules += [cls.__module__.partition(".")[0] for cls in plugins]
    if workload.model.estimator:
        modules.append(workload.model.estimator.partition(".")[0])
    extras = [getattr(cls, "extra", "") for cls in plugins]
    if workload.evaluate.metric in metrics.foreign.KNOWN:
        extras.append("sklearn")
    if workload.model.search is not None:  # which is still to be done
        extras.append("search")
        modules.append("optuna")
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
