"""The libraries: what is installed, held to the versions that fitscale's own metadata names, extra by extra."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from typing import TYPE_CHECKING

from fitscale.cli.checking.finding import Finding, State

if TYPE_CHECKING:
    from packaging.requirements import Requirement

# A distribution that another can stand in for: one with a GPU build.
INSTEAD = {"xgboost-cpu": "xgboost"}
NO_RUN = frozenset({"all", "dev", "docs"})  # extras that no run needs


def findings() -> Iterator[Finding]:
    """The core in one line, each extra in one, then the plug-ins that can be used with them."""
    try:
        asked = requirements()
    except PackageNotFoundError:
        yield Finding(
            what="fitscale", state="note", says="runs from source without being installed: versions are not looked at",
            next_step="pip install .",
        )  # fmt: skip
        asked = {}
    for extra, several in asked.items():
        yield _extra(extra, several)
    if clash := _both_builds():
        yield clash
    yield from _plugins()


def requirements() -> dict[str, list[Requirement]]:
    """What fitscale's metadata asks for: under '' the core, else by extra.

    Raises
    ------
    PackageNotFoundError
        If fitscale is not installed as a distribution.
    """
    from packaging.requirements import Requirement

    found: dict[str, list[Requirement]] = {"": []}
    for text in requires("fitscale") or ():
        one = Requirement(text)
        extra = _extra_of(one)
        if extra not in NO_RUN and one.name != "fitscale":
            found.setdefault(extra, []).append(one)
    return found


def _extra_of(one: Requirement) -> str:
    marker = str(one.marker or "")
    return marker.partition('extra == "')[2].partition('"')[0]


def _extra(extra: str, several: list[Requirement]) -> Finding:
    has: list[str] = []
    lacks: list[str] = []
    other: list[str] = []
    steps: list[str] = []
    for one in several:
        name, installed = _installed(one.name)
        if installed is None:
            lacks.append(one.name)
        elif not one.specifier.contains(installed, prereleases=True):
            other.append(f"{name} {installed}, where {one.specifier} is supported")
            steps.append(f"pip install '{name}{one.specifier}'")
        else:
            has.append(f"{name} {installed}")
    what = extra or "core"
    install = f"pip install 'fitscale[{extra}]'" if extra else "pip install --force-reinstall fitscale"
    if lacks:
        known = f" (there: {', '.join(has)})" if has else ""
        state: State = "missing" if extra else "wrong"
        return Finding(what=what, state=state, says=f"lacks {', '.join(lacks)}{known}", next_step=install)
    if other:
        state = "note" if extra else "wrong"
        return Finding(what=what, state=state, says="; ".join(other), next_step="; ".join(steps))
    return Finding(what=what, state="ok", says=", ".join(has))


def _installed(name: str) -> tuple[str, str | None]:
    """(distribution, version) of it, or of what can stand in for it."""
    for one in (name, INSTEAD.get(name)):
        if one is not None and (found := _version(one)) is not None:
            return one, found
    return name, None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _both_builds() -> Finding | None:
    for cpu, gpu in INSTEAD.items():
        if _version(cpu) is not None and _version(gpu) is not None:
            return Finding(
                what=gpu, state="wrong", says=f"{cpu} and {gpu} are both installed, and overwrite each other's files",
                next_step=f"pip uninstall {cpu} {gpu}, then install one of them",
            )  # fmt: skip
    return None


def _plugins() -> Iterator[Finding]:
    from fitscale import registry

    for family in ("frameworks", "engines", "sources", "exporters"):
        there: list[str] = []
        lacking: list[str] = []
        for name in registry.names(family):
            try:
                needs = getattr(registry.plugin(family, name), "needs", ())
            except Exception as error:  # a plug-in is anybody's code: one that cannot be loaded costs itself alone
                step = f"mend the package that brings it, or uninstall it (Python {sys.version.split()[0]})"
                told = f"plug-in '{name}' cannot be loaded: {type(error).__name__}: {error}"
                yield Finding(what=family, state="wrong", says=told, next_step=step)
                continue
            lacks = [library for library in needs if importlib.util.find_spec(library) is None]
            (lacking if lacks else there).append(name)
        told = f"; without their libraries: {', '.join(lacking)}" if lacking else ""
        yield Finding(what=family, state="ok", says=", ".join(there) + told)
