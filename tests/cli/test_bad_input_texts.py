"""Texts that cannot be trained on, from the command: file, line, value and next step, for `plan` and `train` alike."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from bad_jobs import job, refuse, there
from commands import fitscale

from fitscale.store import folder

HEAD, ROWS = "a,k,y\n", "1.5,x,0\n2.5,z,1\n" * 200
LINES = "1 1:0.5 4:2\n0 2:1\n" * 200
PACKED = gzip.compress("".join(f"{k * 7919 % 1009}.{k},x,{k % 2}\n" for k in range(20_000)).encode())


class Bad(NamedTuple):
    name: str
    raw: bytes
    says: tuple[str, ...]
    said: dict[str, object] = {}  # beside uri and target


BAD = {
    "ragged rows": Bad(
        "d.csv",
        (HEAD + ROWS + "1,x\n").encode(),
        ("d.csv, line 402: has 2 fields, and there are 3 columns: '1,x'", "mend the line"),
    ),
    "an open quote": Bad(
        "d.csv",
        (HEAD + ROWS + '1,"x,0\n').encode(),
        ("d.csv, line 402: the quote that opens here does not close", "close it"),
    ),
    "two encodings": Bad(
        "d.csv",
        (HEAD + "1,é,0\n").encode() + "2,ü,1\n".encode("cp1252"),
        ("is in two encodings: line 2 is UTF-8", "convert it to one"),
    ),
    "the header again": Bad(
        "d.csv", (HEAD + ROWS + HEAD + ROWS).encode(), ("d.csv, line 402: is the header again", "take the line out")
    ),
    "either comma": Bad(
        "d.tsv",
        b"a\tk\ty\n" + b"1,234\tx\t0\n2,345\tz\t1\n" * 9,
        ("column 'a' has numbers such as 1,234", 'data.csv.decimal: ","'),
    ),
    "a gz that is cut off": Bad(
        "d.csv.gz",
        PACKED[: len(PACKED) // 2],
        ("d.csv.gz is cut off: its gzip data ends after line ", "copy it again"),
        {"csv": {"header": ["a", "k", "y"]}},
    ),
    "svmlight: an index of 0": Bad(
        "d.svm",
        (LINES + "1 0:1\n").encode(),
        ("d.svm, line 401: the index of '0:1' is 0", "mend the line"),
        {"svmlight": {"zero_based": False}},
    ),
    "svmlight: an index of 2³¹": Bad(
        "d.svm",
        (LINES + "1 2147483648:1\n").encode(),
        ("d.svm, line 401: the index of '2147483648:1' is larger than", "number the columns anew"),
    ),
    "svmlight: not rising": Bad(
        "d.svm",
        (LINES + "1 4:1 3:1\n").encode(),
        ("d.svm, line 401: the index of '3:1' does not rise", "sort the pairs"),
    ),
    "svmlight: no number": Bad(
        "d.svm", (LINES + "1 4:x\n").encode(), ("d.svm, line 401: the value of '4:x' is no number", "mend the line")
    ),
    "svmlight: cut off": Bad("d.svm.gz", gzip.compress(LINES.encode())[:-12], ("d.svm.gz is cut off", "copy it again")),
    "svmlight: of another kind": Bad("d.svm", b"PAR1" + b"x" * 40, ("d.svm is Parquet: let its name end in .parquet",)),
}


@pytest.mark.parametrize("command", ["plan", "train"])
@pytest.mark.parametrize("name", BAD)
def test_a_text_that_is_wrong_begins_no_run(tmp_path: Path, name: str, command: str) -> None:
    """Exit code 2; the folder is as it was."""
    bad = BAD[name]
    (tmp_path / bad.name).write_bytes(bad.raw)
    target = "label" if ".svm" in bad.name else "y"
    path = job(tmp_path, data={"uri": bad.name, "target": target, **bad.said})
    before = there(tmp_path)
    refuse(fitscale(command, path), *bad.says)
    assert there(tmp_path) == before


@pytest.mark.parametrize(("late", "type"), [("0.5", "double"), ("many", "string")])
def test_a_type_that_changes_after_a_million_rows(tmp_path: Path, late: str, type: str) -> None:
    """All rows are of the type that holds them all, and the plan names the line that made text of it."""
    (tmp_path / "d.csv").write_text("a,y\n" + "1,0\n3,1\n" * 500_000 + f"{late},1\n")
    said = fitscale("plan", job(tmp_path, data={"uri": "d.csv"}))
    assert said.code == 0, said.err
    staging = folder.read_plan(tmp_path / "runs" / "job").staging
    assert staging is not None
    assert staging.rows == 1_000_001
    assert dict(staging.origin.columns)["a"] == type
    told = "Read column 'a' as text: line 1,000,002 of d.csv has 'many'"
    assert (told in " ".join(said.out.split())) == (type == "string")
