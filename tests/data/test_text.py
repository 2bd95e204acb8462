"""CSV and TSV files: the suite over them, and what their columns turn out to be over all rows."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitscale.data.choosing import open_source
from fitscale.data.reader import open_reader
from fitscale.data.sources.text import files as text_files
from fitscale.data.sources.text import source as text_source
from fitscale.data.sources.text.kinds import KNOWN, SEPARATED, join
from fitscale.data.sources.text.parsing import MISSING
from fitscale.data.sources.text.records import Misquoted, _walked, last_end
from fitscale.data.staging import sampled, staged
from fitscale.errors import SourceChanged
from fitscale.records.workload import Csv, DataSpec
from fitscale.testing.sources import SourceSuite


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_source, "BLOCK_BYTES", 20_000)


def spec(uri: object, **more: Any) -> DataSpec:
    return DataSpec(uri=str(uri), target="y", **more)


def lines(start: int, rows: int, delimiter: str = ",") -> str:
    head = delimiter.join(("i", "x", "s", "d", "y"))
    body = (
        delimiter.join(
            (str(k), "" if k % 7 == 0 else f"{k / 3:.4f}", f'"v;{k % 13}"', f"2026-01-{k % 28 + 1:02}", str(k % 2))
        )
        for k in range(start, start + rows)
    )
    return "\n".join([head, *body]) + "\n"


class TestOneFile(SourceSuite):
    def make(self, folder: Path) -> DataSpec:
        if not (folder / "data.csv").exists():
            (folder / "data.csv").write_text(lines(0, 11_500))
        return spec("data.csv", base=str(folder))


class TestPackedFolderWithKeys(SourceSuite):
    def make(self, folder: Path) -> DataSpec:
        if not (folder / "d").exists():
            for k, year in enumerate((2024, 2025)):
                (folder / f"d/year={year}").mkdir(parents=True)
                text = lines(5_000 * k, 5_000, "\t").encode()
                (folder / f"d/year={year}/a.tsv.gz").write_bytes(gzip.compress(text))
                (folder / f"d/year={year}/b.tsv.zst").write_bytes(pa.compress(text, codec="zstd", asbytes=True))
        return spec(folder / "d", where="s in ('v;1', 'v;2', 'v;5') and year > 2000")


def read(path: Path, **asked: Any) -> tuple[pa.Table, tuple[str, ...]]:
    """All rows as they are staged, and what was assumed."""
    source = open_source(spec(path, csv=Csv(**asked)))
    from fitscale.data.staging import parquet_of

    reader = parquet_of(source, path.parent / f"staged-{len(list(path.parent.iterdir()))}")
    names = [name for name, _ in reader.snapshot.columns]
    return pa.Table.from_batches([b for _, b in reader.batches(names)]), source.assumed


def taken(folder: Path, text: str | bytes, name: str = "d.csv", **asked: Any) -> tuple[pa.Table, tuple[str, ...]]:
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return read(folder / name, **asked)


MANY = 30_000  # rows before the one that is otherwise: many blocks, and beyond all that a look at the beginning sees


@pytest.mark.parametrize(
    ("before", "late", "after", "type"),
    [
        ("1", "2.5", "3", "double"),
        ("", "7", "", "int64"),
        ("1.5", "-inf", "", "double"),
        ("2026-01-31", "2026-01-31 10:00:00", "2026-02-01", "timestamp[ms]"),
        ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00.25Z", "2026-01-31T10:00:00+02:00", "timestamp[ns, tz=UTC]"),
        ("true", "no", "false", "string"),
        ("007", "x", "008", "string"),
        ("1", '"1,234.50"', "3.5", "double"),
        ("0x1F", "0.5", "3", "string"),
        ("10:00", "2026-01-01", "", "string"),
    ],
)
def test_types_are_settled_over_all_rows(tmp_path, before, late, after, type):
    """One value far down decides; what stood before it is as it was written."""
    text = "a,y\n" + f"{before},0\n" * MANY + f"{late},1\n" + f"{after},0\n" * 5
    table, _ = taken(tmp_path, text)
    assert str(table.schema.field("a").type) == type
    assert table.num_rows == MANY + 6
    column = table.column("a")
    if type == "string":
        assert column[0].as_py() == (before or None)
        assert column[MANY].as_py() == late
    elif late == '"1,234.50"':
        assert column[MANY].as_py() == 1234.5
    else:
        assert column.slice(MANY, 1).null_count == 0


def test_a_text_column_of_numbers_says_where_the_other_value_is(tmp_path):
    """With its line; so does one whose numbers contradict each other."""
    _, assumed = taken(tmp_path, "a,y\n" + "1,0\n" * MANY + "unknown,1\n")
    assert assumed == (f"column 'a' as text: line {MANY + 2:,} of d.csv has 'unknown'",)
    _, assumed = taken(tmp_path, "a;y\n1,5;0\n" + "2.5;0\n" * 5)
    assert "column 'a' as text: line 3 of d.csv has '2.5'" in assumed


@pytest.mark.parametrize(
    ("text", "values", "assumed"),
    [
        ("a;b;y\n1,5;x;0\n2,25;y;1\n", [1.5, 2.25], ["semicolons between fields", "decimal commas in 'a'"]),
        ("a;b;y\n1.234,5;x;0\n+2,25;y;1\n", [1234.5, 2.25], ["semicolons between fields", "decimal commas in 'a'"]),
        ('a,b,y\n"1,234",x,0\n-2.5,y,1\n', [1234, -2.5], ["commas between thousands in 'a'"]),
        ("a|b|y\n1|x|0\n2|y|1\n", [1, 2], ["bars between fields"]),
        ("sep=;\na;b;y\n1;x;0\n2;y;1\n", [1, 2], []),
        ("a\ty\n1\t0\n2\t1\n", [1, 2], ["tabs between fields"]),
        ("\n\na,y\r\n1,0\r\n\r\n2,1", [1, 2], []),
        (' a , y \n1," x, ""1"" "\n2,1\n', [1, 2], []),
    ],
)
def test_what_a_file_is_written_with_is_seen(tmp_path, text, values, assumed):
    """Delimiters, decimal commas, thousands, line ends: what is not the usual is said."""
    table, said = taken(tmp_path, text)
    assert table.column("a").to_pylist() == values
    assert list(said) == assumed


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"])
@pytest.mark.parametrize("at", [5, MANY])
def test_encodings_are_seen_wherever_they_show(tmp_path, encoding, at):
    """The first letter with an accent may come late; what is not UTF-8 is said."""
    late = "café \x81" if encoding == "latin-1" else "café – naïve"
    table, assumed = taken(tmp_path, ("s,y\n" + "x,0\n" * at + f"{late},1\n").encode(encoding))
    assert table.column("s")[at].as_py() == late
    spoken = {
        "cp1252": ["the encoding Windows-1252, as it is not UTF-8"],
        "latin-1": ["the encoding Latin-1, as it is not UTF-8"],
    }
    assert list(assumed) == spoken.get(encoding, [])


def test_what_is_said_of_a_file_is_not_guessed(tmp_path):
    """Delimiter, decimal, encoding, names and words for missing values from the workload."""
    raw = "7:x:1,234:0\n8:y?:1,5:1\n9:–:2,5:1\n".encode("cp1252")
    table, assumed = taken(
        tmp_path, raw, delimiter=":", decimal=",", encoding="cp1252", header=("a", "b", "c", "y"), missing=("y?", "9")
    )
    assert table.to_pydict() == {"a": [7, 8, None], "b": ["x", None, "–"], "c": [1.234, 1.5, 2.5], "y": [0, 1, 1]}
    assert assumed == ()
    table, _ = taken(tmp_path, "k,2019,2020\nFR,1,2\nDE,3,4\n", header=True)
    assert table.column_names == ["k", "2019", "2020"]


def test_files_of_a_folder_are_one_table(tmp_path):
    """Columns by name, in any order, each file in its own dialect; types over all of them."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d/1.csv").write_text("a,b,y\n1,x,0\n")
    (tmp_path / "d/2.csv").write_text("b;y;a\nz;1;2.5\n")
    reader = open_reader(spec(tmp_path / "d"))
    assert reader.snapshot.columns == (("a", "double"), ("b", "string"), ("y", "int64"))
    table = pa.Table.from_batches([b for _, b in reader.batches(["a", "b", "y"])])
    assert table.to_pydict() == {"a": [1.0, 2.5], "b": ["x", "z"], "y": [0, 1]}


def test_a_file_that_changed_is_noticed(tmp_path):
    """As any pinned file."""
    (tmp_path / "d.csv").write_text("a,y\n1,0\n2,1\n")
    reader = open_reader(spec(tmp_path / "d.csv"))
    (tmp_path / "d.csv").write_text("a,y\n1,0\n3,1\n")
    with pytest.raises(SourceChanged, match="it changed since the run began"):
        list(reader.batches(["a"]))


def test_a_model_knows_what_its_columns_were(tmp_path):
    """Texts that happen to be numbers this time stay texts, where the model was trained on texts."""
    (tmp_path / "d.csv").write_text("zip,d,y\n0123,,0\n0456,,1\n")
    source = open_source(spec(tmp_path / "d.csv"))
    source.expects = {"zip": "string", "d": "date32[day]"}
    batch = next(source.stream())
    assert batch.column("zip").to_pylist() == ["0123", "0456"]
    assert str(batch.column("d").type) == "date32[day]"


# What parses and schedules, over arbitrary texts.

CELL = st.lists(st.sampled_from([*"ab1,;\"'\n\t |é\\.", "\r\n", '""']), max_size=6).map("".join)


@settings(max_examples=80, deadline=None)
@given(
    rows=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=12),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    size=st.integers(1, 60),
)
def test_any_table_comes_back_as_it_was_written(tmp_path_factory, rows, delimiter, quoting, size):
    """Quotes, line ends and delimiters within fields, cut into blocks anywhere."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator="\n")
    writer.writerow(["é-one", "two", "y"])
    writer.writerows([[*row, "word"] for row in rows])
    path = tmp_path_factory.mktemp("csv") / "d.csv"
    path.write_bytes(out.getvalue().encode())
    asked = Csv(delimiter=delimiter, header=True, missing=("\x00",), decimal=".")
    source = open_source(spec(path, csv=asked))
    source.expects = {"é-one": "string", "two": "string", "y": "string"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_source, "BLOCK_BYTES", size)
        got = pa.Table.from_batches(list(source.stream()))
    assert list(zip(got["é-one"].to_pylist(), got["two"].to_pylist(), strict=True)) == rows


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(
        st.sampled_from(["1", "-2", "3.5", "1e3", "", "NA", "x", "true", "2026-01-01", "2026-01-01 10:00:00", "1,234", "2,5"]),
        min_size=1, max_size=30,
    ),
    sizes=st.tuples(st.integers(1, 80), st.integers(1, 80)),
)  # fmt: skip
def test_types_do_not_depend_on_where_blocks_end(tmp_path_factory, values, sizes):
    """The same types and values, however the file was cut."""
    path = tmp_path_factory.mktemp("csv") / "d.csv"
    path.write_text("a;y\n" + "".join(f"{value};word\n" for value in values))
    found = []
    for size in sizes:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(text_source, "BLOCK_BYTES", size)
            reader = open_reader(spec(path))
            batches = [b for _, b in reader.batches(["a", "y"])]
        found.append((reader.snapshot.columns, pa.Table.from_batches(batches)["a"].to_pylist()))
    assert found[0] == found[1]
    assert [value is None for value in found[0][1]] == [value in MISSING for value in values]


@given(st.lists(st.sampled_from(sorted({*KNOWN, *SEPARATED})), min_size=3, max_size=3))
def test_the_join_of_kinds_has_no_order(kinds):
    """However blocks are joined, the kind is the same."""
    a, b, c = kinds
    assert join(a, b) == join(b, a)
    assert join(join(a, b), c) == join(a, join(b, c))
    assert join(a, a) == a


@settings(max_examples=300)
@given(st.text(st.sampled_from(list('a,"\n')), max_size=40).map(str.encode))
def test_blocks_end_where_records_end(text):
    """The fast way and the exact one agree, whatever stands in unquoted fields."""

    def of(way: Any) -> int | str:
        try:
            return int(way(text, b","))
        except Misquoted as flaw:
            return f"misquoted at {flaw.at}"

    assert of(last_end) == of(_walked)


def test_a_large_file_is_sampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stretches of it stand for all rows, of the types that they show; a packed one cannot be entered, and is staged."""
    monkeypatch.setattr(text_source, "SAMPLE_WORTH", 1_000_000)
    monkeypatch.setattr(text_files, "SPOT", 4_000)
    (tmp_path / "d.csv").write_text(lines(0, 60_000))
    data = spec(tmp_path / "d.csv", where="x is not null")
    notes: list[str] = []
    found = sampled(open_source(data), data, tmp_path / "data", notes.append)
    assert found is not None
    reader, stage = found
    assert notes == ["sampling parts of 0.0 GB of text in 1 files"]
    assert 500 < reader.rows == stage.sampled < 5_000
    kept = 60_000 * 6 / 7
    assert stage.rows.low <= kept <= stage.rows.high
    whole, _ = staged(open_source(data), data, tmp_path / "whole")
    assert reader.snapshot.columns == whole.snapshot.columns
    (tmp_path / "d.csv.gz").write_bytes(gzip.compress(random_text(3_000_000)))
    packed = spec(tmp_path / "d.csv.gz")
    assert sampled(open_source(packed), packed, tmp_path / "packed") is None


def random_text(size: int) -> bytes:
    import random

    draw = random.Random(0)
    return b"y\n" + b"".join(b"%x\n" % draw.getrandbits(64) for _ in range(size // 17))
