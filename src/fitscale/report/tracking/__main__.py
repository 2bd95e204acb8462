"""``python -P -m fitscale.report.tracking``: log the version that standard input names; the answer is the last line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from fitscale.report.tracking.client import log
from fitscale.report.tracking.logged import logged_of


def main() -> None:
    request = json.loads(sys.stdin.read())
    answer: dict[str, object]
    try:
        run = Path(request["run"])
        answer = log(request["uri"], run, request["version"], logged_of(run, request["version"]))
    except Exception as error:  # whatever the library and its databases raise
        said = " ".join(str(error).split())[:400]
        answer = {"error": f"{type(error).__name__}: {said}" if said else type(error).__name__}
    sys.stdout.write("\n" + json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
