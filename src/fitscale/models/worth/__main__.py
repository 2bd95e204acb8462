"""``python -P -m fitscale.models.worth RUN VERSION SECONDS TRUST FILE FOLDER``: look at a version, write what was found."""

from __future__ import annotations

import sys
from pathlib import Path

from fitscale.errors import FitscaleError
from fitscale.metrics import metric
from fitscale.metrics.blocks import Blockwise
from fitscale.models.worth.looking import look
from fitscale.registry import plugin
from fitscale.store import files, versions
from fitscale.work.hiding import hide


def main(argv: list[str]) -> int:
    run, version, limit_s, trust, to = Path(argv[0]), int(argv[1]), float(argv[2]), argv[3] == "1", Path(argv[4])
    if argv[5]:
        sys.path.append(argv[5])  # last: it must not shadow a library
    try:
        about = versions.manifest(run, version)
        recipe = next(iter(about.recipes.values()))
        if isinstance(metric(about.metric), Blockwise):  # others are scikit-learn's, or whoever's
            hide(getattr(plugin("frameworks", recipe.framework), "hides", ()))
        files.replace(to, look(run, version, limit_s=limit_s, trust=trust).to_json())
    except FitscaleError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
