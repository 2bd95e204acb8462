"""``python -P -m fitscale.work.describe``: the traits of an estimator, found out in a process of its own.

The command stays light (no machine learning library is loaded in it), and user code is imported elsewhere than where the
run is decided. What a library's own class can do is remembered, until another version of the library is installed.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import subprocess
import sys
import sysconfig
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from fitscale.errors import FitscaleError, UsageError, WorkloadError
from fitscale.records.base import digest_of
from fitscale.records.run import Estimator, Traits
from fitscale.registry import framework_of, plugin, require
from fitscale.store import files

FORMAT = "3"  # of what is remembered


def describe(estimator: Estimator, folder: str, framework: str | None = None) -> tuple[str, Traits]:
    """(name of the framework, traits). ``folder`` is where user code is imported from.

    Raises
    ------
    WorkloadError
        At model.estimator or model.params.
    MissingLibrary
        If the framework's library is not installed.
    """
    cls = plugin("frameworks", framework) if framework else framework_of(estimator.path)
    for library in cls.needs:
        require(f"framework '{cls.name}'", library, cls.extra)
    if all(library in sys.modules for library in cls.needs):
        if folder not in sys.path:
            sys.path.append(folder)
        return cls.name, _traits(cls, estimator)
    known = _remembered(cls.name, cls.needs, estimator)
    if known is not None and known.exists():
        return cls.name, Traits.from_json(known.read_bytes())
    traits = _in_a_child(cls.name, estimator, folder)
    if known is not None and not traits.source:
        files.replace(known, traits.to_json())
    return cls.name, traits


def _in_a_child(framework: str, estimator: Estimator, folder: str) -> Traits:
    request = json.dumps({"framework": framework, "estimator": estimator.model_dump(), "folder": folder})
    done = subprocess.run(
        [sys.executable, "-P", "-m", "fitscale.work.describe"],
        input=request,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    try:
        answer = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        raise UsageError(
            f"model.estimator: looking at '{estimator.path}' ended its process ({done.returncode}): "
            f"{done.stderr.strip()[-500:]}"
        ) from None
    if "place" in answer:
        raise WorkloadError(answer["place"], answer["problem"])
    if "error" in answer:
        raise UsageError(answer["error"])
    return Traits.model_validate(answer)


def _remembered(framework: str, needs: tuple[str, ...], estimator: Estimator) -> Path | None:
    """Where the traits of a library's own class would be; None for what an installed library does not pin."""
    if estimator.live or estimator.path.partition(".")[0] not in needs:
        return None
    # Parameters may name classes of the user's own: only plain values are pinned by their text.
    if any(isinstance(value, (dict, list)) for value in estimator.params.values()):
        return None
    installed = [_stamp(library) for library in needs]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    name = digest_of(FORMAT, version("fitscale"), framework, estimator.to_json(), *installed)
    return cache / "fitscale" / "traits" / f"{name}.json"


def _stamp(library: str) -> str:
    """What changes when another version is installed. The versions that metadata tell take 0.3 s to find."""
    spec = find_spec(library)
    if spec is None or spec.origin is None:
        return library
    about = os.stat(spec.origin)
    return f"{spec.origin} {about.st_size} {about.st_mtime_ns}"


def _traits(cls: type, estimator: Estimator) -> Traits:
    found: Traits = cls().traits(estimator)
    return found.but(source=_source_of(estimator))


def _source_of(estimator: Estimator) -> str:
    """A digest of the module that defines the estimator, where it is no installed library's; empty where it is."""
    module = sys.modules.get(estimator.path.rpartition(".")[0])
    if module is None or estimator.live:
        return ""
    try:
        path = Path(inspect.getfile(module)).resolve()
    except TypeError:
        return ""
    libraries = {Path(sysconfig.get_path(kind)).resolve() for kind in ("stdlib", "platstdlib", "purelib", "platlib")}
    if any(path.is_relative_to(folder) for folder in libraries):
        return ""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def main() -> None:
    request = json.loads(sys.stdin.read())
    sys.path.append(request["folder"])
    answer: dict[str, object]
    try:
        cls = plugin("frameworks", request["framework"])
        answer = _traits(cls, Estimator.model_validate(request["estimator"])).model_dump()
    except WorkloadError as error:
        answer = {"place": error.place, "problem": error.problem}
    except FitscaleError as error:
        answer = {"error": str(error)}
    sys.stdout.write("\n" + json.dumps(answer) + "\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
