"""Fetches three million flights of 2001 between 3,399 pairs of airports: package vega-datasets of npm, from the US DOT.

    python routes.py [FOLDER]      writes FOLDER/flights.parquet (here, where nothing is said), 13 MB

It takes npm, and checks what came. A file that is there already is kept.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE = "vega-datasets@3.2.1"
INSIDE = "package/data/flights-3m.parquet"
SHA256 = "dbeb920c90f59b6ccaff823dcc3d08f25a97fa1ce128d93f40be4e931f5900b0"


def main() -> None:
    folder = Path(sys.argv[1] if sys.argv[1:] else ".")
    out = folder / "flights.parquet"
    if out.exists():
        print(f"{out} is there")
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        try:
            got = subprocess.run(
                ["npm", "pack", "--silent", "--pack-destination", scratch, PACKAGE], capture_output=True, text=True
            )
        except FileNotFoundError:
            sys.exit(f"npm is not installed: unpack {INSIDE} of {PACKAGE} as {out} by other means")
        if got.returncode:
            sys.exit(f"{PACKAGE} could not be fetched by npm ({got.stderr.strip() or 'no reason given'})")
        (archive,) = Path(scratch).glob("*.tgz")
        with tarfile.open(archive) as tar:
            member = tar.extractfile(INSIDE)
            assert member is not None
            with open(Path(scratch) / "flights", "wb") as file:
                shutil.copyfileobj(member, file)
        seen = hashlib.sha256((Path(scratch) / "flights").read_bytes()).hexdigest()
        if seen != SHA256:
            sys.exit(f"{INSIDE}: sha256 is {seen}, expected {SHA256}")
        shutil.move(Path(scratch) / "flights", out)
    print(f"{out}: 3,000,000 flights")


if __name__ == "__main__":
    main()
