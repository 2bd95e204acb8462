"""Draws the planner's decision tree from its own choices.

python scripts/tree --choose           what the planner chooses for the grid and outside of it: about five minutes of two cores
python scripts/tree --write            from these tables the shipped tree, and docs/decision-tree.md
python scripts/tree --check [N]        whether both are what the tables give, and N workloads of each are chosen for as written
python scripts/tree --fresh N SEED     the share of N workloads that no table has which the shipped tree leads to their choice
"""

from __future__ import annotations

import difflib
import random
import sys
from datetime import UTC, datetime
from multiprocessing import Pool
from pathlib import Path

import making
import page
import tables
from choosing import Choice, choice_of
from fitting import agreement
from grid import grid, outside
from workloads import KINDS, Point, traits_of

from fitscale.planning.tree.tree import read

ROOT = Path(__file__).parents[2]
TREE = ROOT / "src" / "fitscale" / "planning" / "tree" / "tables" / "tree.json"
PAGE = ROOT / "docs" / "decision-tree.md"


def main() -> int:
    asked = sys.argv[1:]
    if asked == ["--choose"]:
        for kind in KINDS:
            traits_of(kind)  # once, and not in each process
        for path, points in ((tables.OUTSIDE, outside()), (tables.GRID, grid())):
            with Pool(2) as pool:
                tables.write(path, pool.map(choice_of, points, chunksize=10))
            print(f"wrote {path}")
        return 0
    if asked == ["--write"]:
        today = datetime.now(UTC).strftime("%Y-%m-%d")
        before = TREE.read_text(encoding="utf-8") if TREE.exists() else ""
        for path, text in made(making.kept(before, today)).items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path}")
        return 0
    if asked[:1] == ["--fresh"] and len(asked) == 3:
        found = agreement(
            read(TREE.read_text(encoding="utf-8")).nodes, [choice_of(p) for p in outside(*map(int, asked[1:]))]
        )
        print(found.to_json())
        return 0
    if asked[:1] == ["--check"] and len(asked) <= 2:
        return checked(int(asked[1]) if len(asked) == 2 else 0)
    print(__doc__, file=sys.stderr)
    return 2


def made(dated: making.Dated) -> dict[Path, str]:
    """The files, from the tables."""
    tree = making.tree_of(tables.read(tables.GRID), tables.read(tables.OUTSIDE), dated)
    return {TREE: making.text_of(tree), PAGE: page.page(tree)}


def checked(number: int) -> int:
    """1, with the differences, where a file is not what it would be made, or a choice not what it would be."""
    wrong = 0
    for path, wanted in made(making.kept(TREE.read_text(encoding="utf-8"), "")).items():
        there = path.read_text(encoding="utf-8")
        if there != wanted:
            wrong += 1
            print(
                "\n".join(
                    difflib.unified_diff(there.splitlines(), wanted.splitlines(), str(path), "made", n=1, lineterm="")
                )
            )
    for path, points in ((tables.GRID, grid()), (tables.OUTSIDE, outside())):
        wrong += _chosen_otherwise(path, tables.read(path), points, number)
    if wrong:
        print("stale: python scripts/tree --choose, then --write", file=sys.stderr)
    return min(wrong, 1)


def _chosen_otherwise(path: Path, there: list[Choice], points: list[Point], number: int) -> int:
    if [choice.point for choice in there] != points:
        print(f"{path}: its workloads are not those that grid.py draws")
        return 1
    wrong = 0
    for choice in random.Random(number).sample(there, number):
        now = choice_of(choice.point)
        if now != choice:
            wrong += 1
            print(f"{path}: {choice.point}: {choice.chosen} {choice.measures}, and now {now.chosen} {now.measures}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
