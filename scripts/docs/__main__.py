"""Writes the reference pages from the code, and the page of benchmarks from what was measured, or says which are stale.

python scripts/docs --check | --write
"""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path

import commands
import exits
import figures
import keeping
import plugins
import workload_file

from fitscale.workload import schema_text

FOLDER = Path(__file__).parents[2] / "docs"
PAGES = {
    "reference/commands.md": commands.page,
    "reference/workload.md": workload_file.page,
    "reference/exit-codes.md": exits.page,
    "reference/plugins.md": plugins.page,
    "reference/strategies.md": keeping.page,
    "reference/workload.schema.json": schema_text,
    "benchmarks.md": figures.page,
}
NOTE = "<!-- Written by scripts/docs from the code. Edit the code, then: python scripts/docs --write -->"


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/docs", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--check", action="store_true", help="end with 1 and the differences if a page is stale")
    what.add_argument("--write", action="store_true", help="write the pages")
    asked = parser.parse_args()
    stale = 0
    for name, page in PAGES.items():
        path = FOLDER / name
        note = f"{NOTE}\n\n" if path.suffix == ".md" else ""
        wanted = f"{note}{page().strip()}\n"
        there = path.read_text(encoding="utf-8") if path.exists() else ""
        if there == wanted:
            continue
        stale += 1
        if asked.write:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted, encoding="utf-8")
            print(f"wrote {path}")
        else:
            lines = difflib.unified_diff(
                there.splitlines(), wanted.splitlines(), str(path), "from the code", n=1, lineterm=""
            )
            print("\n".join(lines))
    if stale and asked.check:
        print(f"{stale} of {len(PAGES)} pages are stale: python scripts/docs --write", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
