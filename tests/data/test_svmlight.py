"""svmlight files: the suite over them, the rows that scikit-learn reads, and what is wrong with a line, with its number."""

from __future__ import annotations

import gzip
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.sparse import csr_matrix, random_array
from sklearn.datasets import dump_svmlight_file, load_svmlight_file

from fitscale.data.choosing import open_source
from fitscale.data.encoding import Encoding
from fitscale.data.feed import TableFeed, make_feed
from fitscale.data.learning import learn
from fitscale.data.profile import profile
from fitscale.data.reader import open_reader
from fitscale.data.sources.svmlight import parsing, source
from fitscale.data.staging import staged
from fitscale.data.vectors import Vectors, is_vector, vector_type
from fitscale.errors import DataError, UsageError, WorkloadError
from fitscale.records.data import Folds
from fitscale.records.run import Traits
from fitscale.records.workload import DataSpec, Features, SvmLightFiles
from fitscale.testing.sources import SourceSuite

FOLDS = Folds(seed=0, holdout=0.2)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "BLOCK_BYTES", 20_000)


def spec(uri: object, **more: Any) -> DataSpec:
    return DataSpec(**{"uri": str(uri), "target": "label", **more})


def matrix(rows: int = 4_000, columns: int = 60, seed: int = 0) -> tuple[Any, np.ndarray]:
    random = np.random.default_rng(seed)
    X = csr_matrix(random_array((rows, columns), density=0.1, rng=random, dtype=np.float64))
    return X, np.where(X[:, 3].toarray().ravel() + random.random(rows) > 0.6, 1, -1)


def text(X: Any, y: Any, **more: Any) -> bytes:
    out = BytesIO()
    dump_svmlight_file(X, y, out, **more)
    return out.getvalue()


class TestOneFile(SourceSuite):
    def make(self, folder: Path) -> DataSpec:
        if not (folder / "data.svm").exists():
            (folder / "data.svm").write_bytes(text(*matrix(12_000, 20), comment="made up"))
        return spec("data.svm", base=str(folder))


class TestPackedFolderWithKeys(SourceSuite):
    def make(self, folder: Path) -> DataSpec:
        for k, year in enumerate((2024, 2025)):
            path = folder / f"d/year={year}/a.libsvm.gz"
            if not path.exists():
                path.parent.mkdir(parents=True)
                path.write_bytes(gzip.compress(text(*matrix(5_000, 20, k)), mtime=0))
        return spec("d", base=str(folder))


def read(path: Path, **more: Any) -> tuple[Any, np.ndarray]:
    """All rows as a CSR matrix, and the labels."""
    table = pa.Table.from_batches(open_source(spec(path, **more)).stream())
    vectors = Vectors.of(table.column("x").combine_chunks(), "x")
    return vectors.csr(int(vectors.indices.max()) + 1), table.column("label").to_numpy()


@pytest.mark.parametrize("zero_based", [True, False])
@pytest.mark.parametrize("block", [700, 4 << 20])
def test_rows_are_those_that_scikit_learn_reads(tmp_path, monkeypatch, zero_based, block):
    """Values, indices as they are written, labels; wherever blocks end, with comments and qid beside them."""
    monkeypatch.setattr(source, "BLOCK_BYTES", block)
    X, y = matrix()
    raw = text(X, y, zero_based=zero_based, comment="a comment", query_id=np.arange(len(y)))
    (tmp_path / "d.svmlight").write_bytes(raw)
    wanted, labels = load_svmlight_file(BytesIO(raw), zero_based=True)
    found, label = read(tmp_path / "d.svmlight")
    assert (found != wanted.astype(np.float32)).nnz == 0
    np.testing.assert_array_equal(label, labels)
    assert label.dtype == np.int64


LINES = {
    "signs and exponents": (b"+1 1:+0.5 2:-1e-3 4:1e+2\n-1 2:3\n", [1, -1], [[0, 0.5, -1e-3, 0, 100], [0, 0, 3, 0, 0]]),
    "blanks and tabs": (b"1  0:1\t 2:2 \r\n 0 1:5\r\n\r\n", [1, 0], [[1, 0, 2], [0, 5, 0]]),
    "comments": (b"# head: 1 2:3\n1 0:1 # 5:9\n#\n0 2:1#x\n", [1, 0], [[1, 0, 0], [0, 0, 1]]),
    "no pairs": (b"1\n0 1:1\n1\n", [1, 0, 1], [[0, 0], [0, 1], [0, 0]]),
    "no last line end": (b"1 0:1\n2 1:1", [1, 2], [[1, 0], [0, 1]]),
    "zeros that are written": (b"1 0:0 1:1\n", [1], [[0, 1]]),
    "fractions": (b"1 0:1\n2.5 1:1\n", [1.0, 2.5], [[1, 0], [0, 1]]),
}  # fmt: skip


@pytest.mark.parametrize("name", LINES)
def test_lines_as_people_write_them(name):
    """At once and one by one they give the same."""
    raw, label, rows = LINES[name]
    both = [parsing.parsed(raw), parsing._one_by_one(raw, 0)]
    for found in both:
        np.testing.assert_array_equal(found.label, label)
        X = csr_matrix((found.values, found.indices, found.starts)).toarray()
        np.testing.assert_array_equal(X, np.array(rows, np.float32)[:, : X.shape[1]])
    assert len(both[0].values) == len(both[1].values)


GOOD = b"1 1:0.5 4:2\n" * 3_000
BAD = {
    "negative": (b"1 -3:1\n", "the index of '-3:1' is negative; indices begin at 0 here"),
    "the mark of labels": (b"1 -9:1\n", "the index of '-9:1' is negative"),
    "2³¹": (b"1 2147483648:1\n", "the index of '2147483648:1' is larger than 2,147,483,646"),
    "beyond any integer": (b"1 99999999999999999999:1\n", "is larger than 2,147,483,646"),
    "twice": (b"1 4:1 4:2\n", "the index of '4:2' does not rise: 4 stands before it; sort the pairs of the line"),
    "falling": (b"1 4:1 2:2\n", "the index of '2:2' does not rise"),
    "no number": (b"1 4:x\n", "the value of '4:x' is no number; mend the line"),
    "a decimal comma": (b"1 4:0,5\n", "the value of '4:0,5' is no number"),
    "nothing": (b"1 4:\n", "the value of '4:' is no number"),
    "nan": (b"1 4:nan\n", "the value of '4:nan' is not finite (or beyond 3.4e38); leave the pair out"),
    "too large": (b"1 4:1e39\n", "the value of '4:1e39' is not finite"),
    "no pair": (b"1 4\n", "'4' is no pair of an index and a value, such as 3:0.5"),
    "a fraction": (b"1 4.5:1\n", "the index of '4.5:1' is no whole number"),
    "no label": (b"3:1 4:1\n", "it begins with '3:1' and has no label"),
    "several labels": (b"1,2 4:1\n", "the label '1,2' is no number: several labels of one row are not offered"),
    "a word": (b"yes 4:1\n", "the label 'yes' is no number; write classes as whole numbers"),
    "a missing label": (b"nan 4:1\n", "the label 'nan' is no number"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_says_where(tmp_path, name):
    """File, line, value and the next step; far down, and in a packed file."""
    raw, words = BAD[name]
    for path, pack in ((tmp_path / "d.svm", bytes), (tmp_path / "d.svm.gz", gzip.compress)):
        path.write_bytes(pack(GOOD + raw + GOOD))
        with pytest.raises(DataError) as caught:
            list(open_source(spec(path)).stream())
        assert str(caught.value).startswith(f"data.uri: {path}, line 3,001: ")
        assert words in str(caught.value)


def test_an_index_of_0_is_an_error_where_indices_begin_at_1(tmp_path):
    """If the workload says so; else it is column 0, and the plan says where indices begin."""
    path = tmp_path / "d.svm"
    path.write_bytes(GOOD + b"1 0:1\n")
    with pytest.raises(
        DataError, match=r"line 3,001: the index of '0:1' is 0, and data\.svmlight\.zero_based is false"
    ):
        list(open_source(spec(path, svmlight=SvmLightFiles(zero_based=False))).stream())
    either = open_source(spec(path))
    assert sum(batch.num_rows for batch in either.stream()) == 3_001
    assert either.assumed == ()
    path.write_bytes(GOOD)
    (tmp_path / "e.svm").write_bytes(b"1 0:1 qid:3\n1 qid:3 0:1\n")
    one, both = open_source(spec(path)), open_source(spec(tmp_path))
    assert (len(list(one.stream())), len(list(both.stream()))) == (2, 3)
    assert one.assumed == ("indices as they are written: no row has index 0, as where they begin at 1",)
    assert both.assumed == (
        "indices as they are written: some files have index 0, d.svm has none", "qid passed over, as ranking is not offered",
    )  # fmt: skip


def test_a_packed_file_that_is_cut_off_says_so(tmp_path):
    """Never fewer rows."""
    X, y = matrix()
    packed = gzip.compress(text(X, y))
    (tmp_path / "d.svm.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(DataError, match=r"d\.svm\.gz is cut off: its gzip data ends after line .*; copy it again"):
        list(open_source(spec(tmp_path / "d.svm.gz")).stream())


def test_what_is_said_of_other_files_is_refused(tmp_path):
    """Never passed over; and what vectors cannot be."""
    (tmp_path / "d.csv").write_text("a,label\n1,2\n")
    with pytest.raises(WorkloadError, match=r"data\.svmlight: .* is no svmlight file: leave it out"):
        open_source(spec(tmp_path / "d.csv", svmlight=SvmLightFiles(zero_based=True)))
    (tmp_path / "d.svm").write_bytes(GOOD)
    for more, words in (
        ({"features": Features(scale=True)}, "data.features.scale: 'x' is a column of sparse vectors"),
        ({"target": "x"}, "data.target: column 'x' is of type list<"),
        ({"target": "y"}, "no column 'y'; columns: label, x"),
        ({"weight": "x"}, "a weight is a number"),
    ):
        data = spec(tmp_path / "d.svm", **more)
        with pytest.raises(UsageError) as caught:
            staged(open_source(data), data, tmp_path / "data")
        assert words in str(caught.value)


# What becomes of them.


def traits(sparse: bool, input: Any = "codes", missing: Any = "ok") -> Traits:
    return Traits(target="classifier", can={}, input=input, missing=missing, progress="none", sparse=sparse)


def feed(path: Path, folder: Path, how: Traits, **more: Any) -> tuple[TableFeed, Encoding]:
    data = spec(path)
    reader, _ = staged(open_source(data), data, folder)
    encoding = learn(reader, data, FOLDS, how)
    return make_feed(reader, data, encoding, FOLDS, **more), encoding


def test_a_sparse_feed_has_the_rows_of_the_file(tmp_path):
    """Whole and in batches; no cell is stored that the file does not have; the dense feed holds the same."""
    X, y = matrix()
    (tmp_path / "d.svm").write_bytes(text(X, y))
    sparse, encoding = feed(tmp_path / "d.svm", tmp_path / "data", traits(True))
    assert encoding.sparse
    assert encoding.names[:2] == ("x.0", "x.1")
    assert Encoding.from_json(encoding.to_json()) == encoding
    whole = sparse.matrix("train")
    assert (X.astype(np.float32)[whole.row] != whole.X).nnz == 0
    assert whole.X.nnz == X[whole.row].nnz
    parts = list(make_feed(sparse._rows.reader, sparse._rows.data, encoding, FOLDS).batches("train", 333))
    assert {part.X.shape[0] for part in parts[:-1]} == {333}
    for part in parts:
        assert (whole.X[np.searchsorted(whole.row, part.row)] != part.X).nnz == 0
    dense, _ = feed(tmp_path / "d.svm", tmp_path / "data", traits(False))
    np.testing.assert_array_equal(dense.matrix("train").X, whole.X.toarray())


def test_columns_beside_vectors_keep_their_places(tmp_path):
    """A Parquet file may have several, among numbers, categories and dates; sparse and dense agree, slices too."""
    X, y = matrix(500, 8)
    pairs = pa.StructArray.from_arrays(
        [pa.array(X.indices.astype(np.int32)), pa.array(X.data.astype(np.float32))],
        fields=list(vector_type().value_type),
    )
    vectors = pa.ListArray.from_arrays(pa.array(X.indptr.astype(np.int32)), pairs, type=vector_type())
    holes = pa.array([None if k % 50 == 0 else row for k, row in enumerate(vectors.to_pylist())], vector_type())
    table = pa.table(
        {
            "a": np.arange(500.0), "x": vectors, "k": pa.array(["u", "v"] * 250), "z": holes,
            "d": pa.array(np.arange(500).astype("M8[D]")), "label": y,
        }
    )  # fmt: skip
    pq.write_table(table, tmp_path / "d.parquet")
    reader = open_reader(spec(tmp_path / "d.parquet"))
    assert is_vector(dict(reader.snapshot.columns)["x"])
    for how in (traits(True), traits(True, "one-hot", "impute")):
        sparse = learn(reader, spec(tmp_path / "d.parquet"), FOLDS, how)
        dense = sparse.but(sparse=False)
        batch = table.combine_chunks().to_batches()[0]
        for part in (batch, batch.slice(37, 101)):
            np.testing.assert_array_equal(sparse.apply(part).toarray(), dense.apply(part))
        assert sparse.apply(batch).shape[1] == len(sparse.names) == len(set(sparse.names))


def test_an_index_beyond_those_of_the_training_rows_is_passed_over(tmp_path):
    """A new row may have more columns than the model knows."""
    (tmp_path / "d.svm").write_bytes(GOOD + b"0 0:3\n" * 3_000)
    _, encoding = feed(tmp_path / "d.svm", tmp_path / "data", traits(True))
    (tmp_path / "new.svm").write_bytes(b"1 0:1 4:2 77:5\n0 9:1\n")
    (batch,) = open_source(spec(tmp_path / "new.svm")).stream()
    np.testing.assert_array_equal(encoding.apply(batch).toarray(), [[1, 0, 0, 0, 2], [0, 0, 0, 0, 0]])


def test_the_profile_knows_width_and_density(tmp_path):
    """From which the forecast's cells come."""
    X, y = matrix()
    (tmp_path / "d.svm").write_bytes(text(X, y))
    data = spec(tmp_path / "d.svm")
    reader, about = staged(open_source(data), data, tmp_path / "data")
    found = next(c for c in profile(reader, data, limit_bytes=1 << 30, limit_s=10).columns if c.name == "x")
    assert (found.kind, found.width, round(found.filled * 4_000)) == ("vector", 60, X.nnz)
    assert about.rows == 4_000


def test_row_groups_of_long_vectors_have_fewer_rows(tmp_path):
    """So that one is decoded in bounded memory; and they do not hang on how the source cuts its batches."""
    (tmp_path / "d.svm").write_bytes((b"1 " + b" ".join(b"%d:1" % k for k in range(2_500)) + b"\n") * 9_000)
    contents = set()
    for block in (200_000, 4 << 20):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(source, "BLOCK_BYTES", block)
            data = spec(tmp_path / "d.svm")
            reader, about = staged(open_source(data), data, tmp_path / f"data-{block}")
            contents.add(about.content)
            assert max(stop - start for start, stop, _ in reader.units) < 8_000
    assert len(contents) == 1
