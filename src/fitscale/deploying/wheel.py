"""fitscale itself as a wheel, made from what is installed: the run is done there by the very code that planned it here."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

from fitscale.store.archive import Archive

NAME = "fitscale"
WHEEL = "Wheel-Version: 1.0\nGenerator: fitscale deploy\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def write_wheel(folder: Path) -> str:
    """Write the wheel into the folder; its name. The same code gives the same bytes."""
    about = distribution(NAME)
    info = f"{NAME}-{about.version}.dist-info"
    files = {
        **dict(_package()),
        f"{info}/METADATA": (about.read_text("METADATA") or "").encode(),
        f"{info}/WHEEL": WHEEL.encode(),
        f"{info}/entry_points.txt": (about.read_text("entry_points.txt") or "").encode(),
    }
    name = f"{NAME}-{about.version}-py3-none-any.whl"
    with Archive(folder / name) as archive:
        for inside, data in files.items():
            archive.add(inside, data)
        archive.add(f"{info}/RECORD", _record(files, f"{info}/RECORD").encode())
    return name


def _package() -> Iterator[tuple[str, bytes]]:
    root = Path(__file__).parents[1]
    for path in sorted(root.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield f"{NAME}/{path.relative_to(root).as_posix()}", path.read_bytes()


def _record(files: dict[str, bytes], own: str) -> str:
    lines = []
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(data)}\n")
    return "".join([*lines, f"{own},,\n"])
