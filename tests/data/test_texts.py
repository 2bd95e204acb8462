"""Columns of text: their words in columns by hash, the same by batch as in one piece."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize

from fitscale.data.checks import check_columns
from fitscale.data.encoding import Encoding
from fitscale.data.learning import learn
from fitscale.data.profile import profile
from fitscale.data.reader import Reader, open_reader
from fitscale.data.texts import DENSE_COLUMNS, SPARSE_COLUMNS, vectors_of
from fitscale.errors import DataError, WorkloadError
from fitscale.records.data import Folds
from fitscale.records.run import Traits
from fitscale.records.workload import DataSpec, Features

TEXTS = [
    "The parcel came late, and the box was WET.", "late again; late_again, late!", "", None, "   ", "Größe XL, größe 42",
    "один два один", "a b a b c", "naïve cafe\u0301", "x" * 300,
]  # fmt: skip


def csr(texts: Any, width: int = 1 << 20, ngrams: int = 1) -> Any:
    return vectors_of(pa.array(texts, pa.string()), width, ngrams, "t").csr(width)


@pytest.mark.parametrize("ngrams", [1, 2, 3])
def test_rows_are_as_alike_as_their_words(ngrams):
    """Inner products are those of scikit-learn's counts of length 1, where no two words share a column."""
    plain = CountVectorizer(token_pattern=r"(?u)[^\W]+", ngram_range=(1, ngrams))
    texts = [text or "" for text in TEXTS if text != "naïve cafe\u0301"]  # marks are part of a word here
    wanted = normalize(plain.fit_transform(texts))
    found = csr(texts, ngrams=ngrams)
    np.testing.assert_allclose((found @ found.T).toarray(), (wanted @ wanted.T).toarray(), atol=1e-6)
    assert found.shape == (len(texts), 1 << 20)


def test_a_word_has_its_place_for_ever():
    """A model that was trained before finds it there."""
    found = csr(["late", "Late again"], 1_000, 2)
    assert [row.indices.tolist() for row in found] == [[GOLDEN[0]], sorted(GOLDEN)]
    np.testing.assert_allclose(found[1].data, 3**-0.5, rtol=1e-6)


GOLDEN = [439, 181, 265]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=30)), max_size=30), st.integers(1, 4), st.integers(1, 12))
def test_batches_give_what_the_whole_does(texts, ngrams, size):
    """To the bit; so do slices and dictionaries. Each row has length 1, or no words."""
    whole = csr(texts, 64, ngrams)
    for at in range(0, len(texts), size):
        assert (csr(texts[at : at + size], 64, ngrams) != whole[at : at + size]).nnz == 0
    column = pa.array(texts, pa.string())
    if len(texts) > 1:
        assert (vectors_of(column.slice(1), 64, ngrams, "t").csr(64) != whole[1:]).nnz == 0
    encoded = vectors_of(column.dictionary_encode(), 64, ngrams, "t").csr(64)
    assert (encoded != whole).nnz == 0
    lengths = np.sqrt(whole.multiply(whole).sum(axis=1)).A1 if len(texts) else np.ones(0)
    assert all(abs(length - 1) < 1e-5 or length == 0 for length in lengths)


def table(n: int = 600) -> pa.Table:
    random = np.random.default_rng(0)
    words = np.array([f"word{k}" for k in range(500)])
    text = [" ".join(words[random.integers(0, 500, 9)]) for _ in range(n)]
    y = np.array([("word1" in row.replace("word1 ", "word1 ").split()) or "word2 " in row for row in text], int)
    return pa.table({"a": random.normal(size=n), "note": text, "k": ["u", "v"] * (n // 2), "y": y})


def opened(folder: Path, **features: Any) -> tuple[Reader, DataSpec]:
    pq.write_table(table(), folder / "d.parquet")
    data = DataSpec(uri=str(folder / "d.parquet"), target="y", features=Features(**features))
    return open_reader(data), data


def traits(sparse: bool, input: Any = "codes", missing: Any = "ok") -> Traits:
    return Traits(target="classifier", can={}, input=input, missing=missing, progress="none", sparse=sparse)


def test_they_are_sparse_where_the_framework_takes_it(tmp_path):
    """With many columns; else dense with few. The workload may say how many."""
    reader, data = opened(tmp_path, text=("note",))
    sparse, dense = (learn(reader, data, Folds(seed=0), traits(takes)) for takes in (True, False))
    assert (sparse.sparse, sparse.width) == (True, SPARSE_COLUMNS + 2)
    assert (dense.sparse, dense.width) == (False, DENSE_COLUMNS + 2)
    assert sparse.names[:2] == ("a", "note.0")
    assert Encoding.from_json(sparse.to_json()) == sparse
    batch = table().to_batches()[0]
    one_hot = learn(reader, data, Folds(seed=0), traits(True, "one-hot", "impute"))
    for encoding in (sparse, one_hot):
        np.testing.assert_array_equal(encoding.apply(batch).toarray(), encoding.but(sparse=False).apply(batch))
    reader, data = opened(tmp_path, text=("note",), hash_columns=50, ngrams=2)
    assert learn(reader, data, Folds(seed=0), traits(True)).width == 52


def test_a_column_that_looks_like_text_gets_a_hint(tmp_path):
    """And none once it is named, nor for one of few values."""
    told = []
    for features in ({}, {"text": ("note",)}):
        reader, data = opened(tmp_path, **features)
        about = profile(reader, data, limit_bytes=1 << 30, limit_s=10)
        told.append([text for text in about.warnings if "looks like text" in text])
    assert told[0] == [
        "column 'note' looks like text (9 words a row, nearly all different): data.features.text hashes its words; as it is, "
        "whole values are categories"
    ]
    assert told[1] == []
    assert next(c for c in about.columns if c.name == "note").kind == "text"


def test_what_is_no_text_is_refused(tmp_path):
    """At its key; and new data of another type, with the column."""
    for text, more, words in (
        (("a",), {}, "column 'a' is of type double, no text"),
        (("note",), {"categorical": ("note",)}, "column 'note' is named in data.features.categorical too"),
        (("nota",), {}, "no column 'nota'; did you mean 'note'?"),
    ):
        reader, data = opened(tmp_path, text=text, **more)
        with pytest.raises(WorkloadError) as caught:
            check_columns(reader.snapshot, data)
        assert str(caught.value).startswith("data.features.text: ")
        assert words in str(caught.value)
    with pytest.raises(DataError, match="column 't' is of type int64, where the model was trained on texts"):
        vectors_of(pa.array([1, 2]), 8, 1, "t")
