"""What is wrong with a text file: the file, the line and the next step; also far down, and in packed files."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from fitscale.data.choosing import open_source
from fitscale.data.sources.text import source as text_source
from fitscale.errors import DataError, WorkloadError
from fitscale.records.workload import Csv, DataSpec

MANY = 20_000
ROWS = "1,x,0\n" * MANY
HEAD = "a,b,y\n"


def told(tmp_path: Any, raw: str | bytes, name: str = "d.csv", **asked: Any) -> str:
    (tmp_path / name).write_bytes(raw.encode() if isinstance(raw, str) else raw)
    with pytest.raises((DataError, WorkloadError)) as caught:
        for _ in open_source(DataSpec(uri=str(tmp_path / name), target="y", csv=Csv(**asked))).stream():
            pass
    return str(caught.value)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_source, "BLOCK_BYTES", 20_000)


LATE = f"{MANY + 2:,}"
CASES = {
    "a field too many": (HEAD + ROWS + "1,x,0,9\n" + ROWS, f"line {LATE}: has 4 fields, and there are 3 columns: '1,x,0,9'"),
    "a field too few": (HEAD + ROWS + "1,x\n", f"line {LATE}: has 2 fields, and there are 3 columns: '1,x'; mend the line"),
    "after blank lines": (HEAD + "1,x,0\n\n\n1,x\n", "line 5: has 2 fields"),
    "after a field of lines": (HEAD + '1,"x\n\ny",0\n' + "1,x\n", "line 5: has 2 fields"),
    "an open quote": (HEAD + ROWS + '1,"x,0\n' + ROWS, f"line {LATE}: the quote that opens here does not close before the end"),
    "a quote that closes late": (
        HEAD + '1,"x,0\n' + "1,x,0\n" * 3 + '1,"x",0\n', "line 2: the quote that opens here closes on a later line",
    ),
    "the header again": (HEAD + ROWS + HEAD + ROWS, f"line {LATE}: is the header again"),
    "two encodings": (
        (HEAD + ROWS + "1,é,0\n").encode() + "2,ü,1\n".encode("cp1252"),
        f"is in two encodings: line {LATE} is UTF-8 ('é'), line {MANY + 3:,} is not (byte 0xFC); convert it to one",
    ),
    "either comma": ("a\ty\n1,234\t0\n", "column 'a' has numbers such as 1,234, with a comma that is decimal or between"),
    "no header": ("1,x,0\n2,y,1\n", "line 1: '1,x,0' is like the rows below it, and no header; say data.csv.header"),
    "two names": ("a,a,y\n1,2,0\n", "has two columns named 'a': rename one of them"),
    "no name": ("a,,y\n1,2,0\n", "column 2 of 3 has no name"),
    "empty": ("", "is empty: 0 bytes"),
    "blank": ("\n\n", "has no names of columns"),
    "a spreadsheet": (b"PK\x03\x04" + b"x" * 50, "a spreadsheet: save the sheet as CSV"),
    "Parquet": (b"PAR1" + b"x" * 50, "is Parquet: let its name end in .parquet"),
    "no text": (b"a,b\n\x00\x00\x01,2\n" * 9, "is no text: it has bytes of 0"),
    "old line ends": (b"a,y\r1,0\r2,1\r", "ends its lines with CR alone"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_says_where(tmp_path, name):
    """The place, what is there, what to do."""
    raw, words = CASES[name]
    said = told(tmp_path, raw)
    assert said.startswith("data.uri: ")
    assert "d.csv" in said or "column 'a'" in said
    assert words in said


def test_packed_files_that_are_cut_off_say_so(tmp_path):
    """Never a shorter table; the last line that can be read is said."""
    import random

    rows = "".join(f"{random.Random(k).random()},x,0\n" for k in range(3 * MANY))
    packed = gzip.compress((HEAD + rows).encode())
    said = told(tmp_path, packed[: len(packed) // 2], "d.csv.gz")
    assert "d.csv.gz is cut off: its gzip data ends after line " in said
    assert said.endswith("copy it again")
    damaged = packed[: len(packed) // 2] + b"\xff" * 200 + packed[len(packed) // 2 + 200 :]
    assert "d.csv.gz is damaged" in told(tmp_path, damaged, "d.csv.gz")
    import pyarrow as pa

    packed = pa.compress((HEAD + rows).encode(), codec="zstd", asbytes=True)
    assert "d.csv.zst is cut off" in told(tmp_path, packed[:-20], "d.csv.zst")


def test_an_open_quote_does_not_swallow_the_memory(tmp_path, monkeypatch):
    """Reading stops long before the end of a large file."""
    monkeypatch.setattr("fitscale.data.sources.text.records.LONGEST", 1 << 20)
    assert "line 2: the quote that opens here does not close within 1 MB" in told(
        tmp_path, HEAD + '1,"x,0\n' + ROWS * 30
    )


def test_files_without_a_column_of_the_others_are_named(tmp_path):
    """Both, with the column and the nearest."""
    (tmp_path / "a.csv").write_text("income,y\n1,0\n")
    (tmp_path / "b.csv").write_text("incom,y\n1,0\n")
    with pytest.raises(DataError, match=r"b\.csv has no column 'income'; did you mean 'incom'"):
        open_source(DataSpec(uri=str(tmp_path), target="y"))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"encoding": "utf-8"}, "line 2: is not in utf-8 (byte 0xFC); say data.csv.encoding"),
        ({"encoding": "klingon"}, "data.csv.encoding: 'klingon' is no encoding"),
        ({"header": ("a", "b", "c")}, "data.csv.header: names 3 columns, and line 1 of"),
    ],
)
def test_what_the_workload_says_wrongly_is_told(tmp_path, asked, words):
    """At its key, or at the line that is not as it says."""
    assert words in told(tmp_path, "a,y\nü,0\n".encode("cp1252"), **asked)


def test_what_is_said_of_another_kind_of_data_is_refused(tmp_path):
    """Never passed over."""
    with pytest.raises(WorkloadError, match=r"data\.csv: synthetic://.* is no delimited text: leave it out"):
        open_source(DataSpec(uri="synthetic://?rows=5", target="y", csv=Csv(delimiter=";")))
