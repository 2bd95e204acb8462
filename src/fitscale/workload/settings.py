"""Settings that are no part of a workload: where runs go, how much is logged.

Precedence: flag > ``FITSCALE_*`` > project > user > default. The project's stand under ``[tool.fitscale]`` in the
nearest ``pyproject.toml`` that has it, from the workload's folder upwards; the user's in
``~/.config/fitscale/config.toml``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field

from fitscale.errors import UsageError, nearest
from fitscale.records import Record
from fitscale.workload import units
from fitscale.workload.kinds import one_of

LOG_LEVELS = ("debug", "info", "warning", "error")
PREFIX = "FITSCALE_"


class Settings(Record):
    """What holds for this command. ``origins`` says where each came from: a flag, a variable, a file, or default."""

    runs: str  # the folder in which each workload has its run folder
    cache: str
    ledger: str  # the file in which past runs of this user stand: see `store.ledger`
    log_level: str = "warning"
    probe_s: float | None = None  # None: the larger of 5 s and 2 % of the leader's forecast
    checkpoint_s: float = 10.0  # at least so long between two checkpoints
    group_s: float | None = None  # CPU seconds that the fit of one group may take; None: by what its size lets expect
    trust: bool = False  # may code from elsewhere run?
    origins: dict[str, str] = Field(default_factory=dict)


class _Layer(NamedTuple):
    """One place that settings come from. Relative paths in it start from ``folder``."""

    origin: Callable[[str], str]
    values: Mapping[str, Any]
    folder: Path


def settings(flags: Mapping[str, Any], environ: Mapping[str, str], workload_folder: Path) -> Settings:
    """The settings, from all places by their precedence. A flag that is None was not given.

    Raises
    ------
    UsageError
        If a file or a variable holds an unknown name or a wrong value; it names the place and the value.
    """
    here, home = Path.cwd(), Path(environ.get("HOME") or Path.home())
    cache_home = Path(environ.get("XDG_CACHE_HOME") or home / ".cache")
    state_home = Path(environ.get("XDG_STATE_HOME") or home / ".local" / "state")
    found: dict[str, Any] = {
        "runs": str(workload_folder.absolute() / "runs"),
        "cache": str(cache_home / "fitscale"),
        "ledger": str(state_home / "fitscale" / "ledger.jsonl"),
    }
    origins = dict.fromkeys(READERS, "default")
    for layer in reversed(list(_layers(flags, environ, workload_folder, here, home))):
        for name, value in layer.values.items():
            try:
                read = READERS[name](value)
            except UsageError as error:
                raise UsageError(f"{layer.origin(name)}: {error}") from None
            if name in ("runs", "cache", "ledger"):
                read = str(layer.folder / _home(read, home))
            found[name], origins[name] = read, layer.origin(name)
    return Settings(**found, origins=origins)


def _layers(
    flags: Mapping[str, Any], environ: Mapping[str, str], workload_folder: Path, here: Path, home: Path
) -> Iterator[_Layer]:
    """The places, the strongest first."""
    given = {name: value for name, value in flags.items() if value is not None}
    _known(given, "flags")
    yield _Layer(lambda name: "--" + name.replace("_", "-"), given, here)
    # an unknown FITSCALE_ variable may belong to a plug-in
    variables = {name: environ[PREFIX + name.upper()] for name in READERS if environ.get(PREFIX + name.upper())}
    yield _Layer(lambda name: PREFIX + name.upper(), variables, here)
    folder = workload_folder.absolute()
    for parent in (folder, *folder.parents):
        file = parent / "pyproject.toml"
        tool = _toml(file).get("tool", {})
        if isinstance(tool, Mapping) and "fitscale" in tool:
            values = _known(tool["fitscale"], f"{file}: [tool.fitscale]")
            if "trust" in values:
                # a project comes from elsewhere along with its code: it must not vouch for itself
                raise UsageError(f"{file}: tool.fitscale.trust: a project cannot trust itself; use --trust")
            if "ledger" in values:
                # nor may it write into a file of the user's, or bring past runs that say what a machine of his holds
                raise UsageError(
                    f"{file}: tool.fitscale.ledger: it is the user's, not a project's; use FITSCALE_LEDGER"
                )
            yield _Layer(f"{file}: tool.fitscale.{{}}".format, values, parent)
            break
    user = _user(home, environ)
    yield _Layer(lambda name: f"{user}: {name}", _known(_toml(user), str(user)), user.parent)


def _user(home: Path, environ: Mapping[str, str]) -> Path:
    return Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "fitscale" / "config.toml"


def _toml(file: Path) -> Mapping[str, Any]:
    if not file.is_file():
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # what is not TOML or not UTF-8 is a ValueError
        raise UsageError(f"{file}: cannot be read: {error}") from None


def _known(values: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(values, Mapping):
        raise UsageError(f"{place}: {units.shown(values)} is not a table of settings")
    for name in values:
        if name not in READERS:
            known = f"{nearest(name, READERS)}; there are: {', '.join(READERS)}"
            raise UsageError(f"{place}: unknown setting '{name}'{known}")
    return values


def _home(path: str, home: Path) -> Path:
    return home / path[2:] if path.startswith("~/") else Path(path)


def _path(value: Any) -> str:
    if isinstance(value, str | Path) and str(value).strip():
        return str(value)
    raise UsageError(f"{units.shown(value)} is not a path")


def _level(value: Any) -> str:
    return one_of(value.lower() if isinstance(value, str) else value, LOG_LEVELS)


def _flag(value: Any) -> bool:
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise UsageError(f"{units.shown(value)} is neither true nor false")


def _interval(value: Any) -> float:
    return 0.0 if units.bare(value) == 0 else units.duration_s(value)  # 0: at every place where one may be


READERS: dict[str, Callable[[Any], Any]] = {
    "runs": _path,
    "cache": _path,
    "ledger": _path,
    "log_level": _level,
    "probe_s": units.duration_s,
    "checkpoint_s": _interval,
    "group_s": units.duration_s,
    "trust": _flag,
}
