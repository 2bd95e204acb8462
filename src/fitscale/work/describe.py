"""``python -P -m fitscale.work.describe``: the traits of an estimator, found out in a process of its own.

The command stays light (no machine learning library is loaded in it), and user code is imported elsewhere than where the
run is decided.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from fitscale.errors import FitscaleError, UsageError, WorkloadError
from fitscale.records.run import Estimator, Traits
from fitscale.registry import framework_of, plugin, require


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
        return cls.name, cls().traits(estimator)
    request = json.dumps({"framework": cls.name, "estimator": estimator.model_dump(), "folder": folder})
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
    return cls.name, Traits.model_validate(answer)


def main() -> None:
    request = json.loads(sys.stdin.read())
    sys.path.append(request["folder"])
    answer: dict[str, object]
    try:
        cls = plugin("frameworks", request["framework"])
        answer = cls().traits(Estimator.model_validate(request["estimator"])).model_dump()
    except WorkloadError as error:
        answer = {"place": error.place, "problem": error.problem}
    except FitscaleError as error:
        answer = {"error": str(error)}
    sys.stdout.write("\n" + json.dumps(answer) + "\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
