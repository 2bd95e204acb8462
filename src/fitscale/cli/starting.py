"""What ``fitscale init`` does: look at the data, ask where that is wanted, write the file."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitscale.cli.asking import asked
from fitscale.cli.drafted import draft_lines, looked_lines
from fitscale.data.starter.choices import choose, see
from fitscale.data.starter.drafting import SCHEMA_FILE, Draft, draft
from fitscale.data.starter.looking import look
from fitscale.errors import UsageError, nearest
from fitscale.store import files
from fitscale.workload import keys, parse, read_value, schema_text
from fitscale.workload.spec import slug

if TYPE_CHECKING:
    from fitscale.cli.saying import Out


def set_of(values: list[str], said: Mapping[str, Any]) -> dict[str, Any]:
    """What ``--set KEY=VALUE`` says.

    Raises
    ------
    UsageError
        If it is no pair, its key is none of the file's, or it was said by another flag too.
    """
    flags = {
        "data.uri": "DATA", "data.target": "--target", "data.time": "--time", "data.groups": "--groups",
        "data.table": "--table", "data.query": "--query", "data.key": "--key", "model.estimator": "--estimator",
        "needs.deadline": "--deadline", "name": "--out",
    }  # fmt: skip
    found: dict[str, Any] = {}
    for text in values:
        place, is_pair, value = text.partition("=")
        place = place.strip()
        if not is_pair:
            raise UsageError(f"--set {text}: write it like evaluate.cv=5")
        if place in flags:
            raise UsageError(f"--set {text}: that is what {flags[place]} is for")
        known = [name for name in keys() if name not in flags]
        if place not in known and not place.startswith("model.params."):
            raise UsageError(
                f"--set {text}: no key '{place}'{nearest(place, known)}; docs/reference/workload.md has all"
            )
        found[place] = read_value(value)
    return found


def start(screen: Out, data: str, out: Path | None, said: Mapping[str, Any], *, asks: bool, force: bool) -> Draft:
    """Look, ask where that is wanted, write, and say what was done.

    Raises
    ------
    UsageError
        What is wrong with the data or what was said, or a file that is there; nothing was written.
    """
    path = out or Path(f"{slug(name_of(data, said))}.yaml")
    refuse_existing(path, force)
    said = {"data.uri": seen_from(data, path.parent), **said}
    found = look(spec_of(said, path.parent))
    columns = see(found)
    screen.lines(looked_lines(found, data, screen.width))
    if asks:
        said = asked(screen, columns, found, said)
    choices = choose(columns, found, said)
    given = f"fitscale init {data}"
    made = draft(found, columns, choices, said, name=slug(path.stem), folder=path.parent, given=given)
    write(path, made.text, force)
    screen.lines(draft_lines(made, choices, path, screen.width, asks=asks))
    return made


def name_of(data: str, said: Mapping[str, Any]) -> str:
    """What the data is called: a table, or a file or folder without its ending."""
    if table := said.get("data.table"):
        return str(table).rpartition(".")[2].strip('"')
    if "://" in data and not data.startswith("file://"):
        return "synthetic" if data.startswith("synthetic:") else data.partition("?")[0].rpartition("/")[2] or "workload"
    parts = [part for part in Path(data).absolute().parts if not re.search(r"[*?\[]", part)]
    return parts[-1].partition(".")[0] or "workload" if parts else "workload"


def seen_from(data: str, folder: Path) -> str:
    """A path as it stands in a file of that folder; an address, and what lies far away, as it is."""
    if "://" in data or data.startswith("~") or Path(data).is_absolute():
        return data
    relative = os.path.relpath(data, folder)
    return os.path.abspath(data) if relative.startswith("../../..") else relative


def spec_of(said: Mapping[str, Any], folder: Path) -> Any:
    """The data alone, as a workload file would say it.

    Raises
    ------
    WorkloadError
        What is wrong in it.
    """
    section: dict[str, Any] = {"target": "?"}
    for place, value in said.items():
        name, _, inner = place.partition(".")[2].partition(".")
        if place.startswith("data.csv."):
            section.setdefault("csv", {})[inner] = value
        elif place in ("data.csv", "data.uri", "data.table", "data.query", "data.key", "data.where"):
            section[name] = value
    document = {"name": "job", "data": section, "model": {"estimator": "baseline.Classifier"}}
    return parse(document, file=None, folder=folder).data


def refuse_existing(path: Path, force: bool) -> None:
    """Raise UsageError where the file cannot be written, before anything is looked at."""
    if path.is_dir():
        raise UsageError(f"{path}: is a folder; name a file in it with --out {path}/job.yaml")
    if path.exists() and not force:
        raise UsageError(f"{path}: is there already; --force writes over it, --out names another file")
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}: make it first")


def write(path: Path, text: str, force: bool) -> None:
    """The file, and the schema that its first line names beside it.

    Raises
    ------
    UsageError
        If it cannot be written.
    """
    try:
        refuse_existing(path, force)  # it may have come while the questions were answered
        files.replace(path, text)
        schema = path.parent / SCHEMA_FILE
        if not schema.exists() or schema.read_text(encoding="utf-8") != schema_text():
            files.replace(schema, schema_text())
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}); name another file with --out") from None
