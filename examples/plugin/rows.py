"""``python rows.py rows.jsonl``: made-up purchases, one JSON object a line, for job.yaml and for the tests."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np


def write(path: Path, rows: int, seed: int = 0) -> None:
    """Who spends more buys more often, in some towns above all. Now and then a key is left out."""
    random = np.random.default_rng(seed)
    with open(path, "w") as file:
        for k in range(rows):
            spent, town = float(random.gamma(2)), int(random.integers(9))
            row = {
                "spent": round(spent, 3),
                "town": f"town {town}",
                "at": f"2026-0{1 + k % 9}-01T12:00:00",
                "visits": int(random.integers(40)),
                "bought": int(random.random() < 1 / (1 + np.exp(4 - spent - (town == 3)))),
            }
            if random.random() < 0.1:
                del row["spent"]
            file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]), 20_000)
