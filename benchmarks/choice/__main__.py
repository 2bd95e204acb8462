"""python benchmarks/choice design | calibrate [NAME …] | judge | measure | seed"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

COMMANDS = {
    "design": ("design", "show"),
    "calibrate": ("calibrate", "main"),
    "judge": ("measure", "show"),
    "measure": ("measure", "main"),
    "seed": ("seed", "main"),
}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    sys.path[0] = str(Path(__file__).parents[1])  # where the other benchmarks are, whose parts these share
    module, name = COMMANDS[sys.argv[1]]
    getattr(importlib.import_module(f"choice.{module}"), name)()
