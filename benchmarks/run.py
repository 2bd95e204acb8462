"""Run benchmarks by name, all by default; each row is kept as it comes, so that what was interrupted goes on."""

from __future__ import annotations

import importlib
import sys

from about import BENCHMARKS
from common import Failed

if __name__ == "__main__":
    if unknown := [name for name in sys.argv[1:] if name not in BENCHMARKS]:
        sys.exit(f"no benchmark {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}")
    wrong = []
    for name in sys.argv[1:] or BENCHMARKS:
        try:
            importlib.import_module(name).main()
        except (Failed, SystemExit) as error:  # the others are measured all the same
            print(f"{name}: {error}", file=sys.stderr)
            wrong.append(name)
    sys.exit(f"not whole: {', '.join(wrong)}" if wrong else 0)
