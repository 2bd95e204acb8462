"""Run benchmarks by name, all by default."""

from __future__ import annotations

import importlib
import sys

NAMES = ("overhead", "many", "forecast", "wide", "kills", "staging", "postgres")

if __name__ == "__main__":
    for name in sys.argv[1:] or NAMES:
        if name not in NAMES:
            sys.exit(f"no benchmark '{name}'; there are: {', '.join(NAMES)}")
        importlib.import_module(name).main()
