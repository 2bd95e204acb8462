"""Columns of text by hashing: each row becomes the counts of its words, in columns that a hash of the word names.

Nothing is learnt, so that a batch gives what the whole does, and words that no training row had have their place too.
Words are runs of letters, digits, marks and underscores, in lower case; ``ngrams`` 2 counts neighbouring pairs as well. A
row is scaled to length 1. The hash is that of `hashing`, which never changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fitscale.data.hashing import hashed, words_of
from fitscale.data.vectors import Vectors
from fitscale.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.records.workload import Features

SPARSE_COLUMNS, DENSE_COLUMNS = 16_384, 256
WORD_BYTES = 6.0  # of a text for each word, its blank included
USUAL_WORDS = 64.0  # that a row is taken to have, where nobody has counted


def columns_of(features: Features, sparse: bool) -> int:
    """How many columns of the matrix a text becomes; fewer where zeros are held too."""
    return features.hash_columns or (SPARSE_COLUMNS if sparse else DENSE_COLUMNS)


def vectors_of(column: pa.Array, width: int, ngrams: int, name: str) -> Vectors:
    """The rows of a column; a missing text has no words.

    Raises
    ------
    DataError
        If the column does not hold texts.
    """
    from scipy.sparse import csr_matrix

    n = len(column)
    row, words = _words_of(column, name)
    places = [hashed(words, 1)]
    rows, chain = [row], words
    for order in range(2, ngrams + 1):
        together = row[order - 1 :] == row[: len(row) - order + 1]
        chain = hashed(chain[: len(chain) - 1], order) + words[order - 1 :]
        places.append(hashed(chain[together], order))
        rows.append(row[order - 1 :][together])
    where = (np.concatenate(places) % np.uint64(width)).astype(np.int32)
    counts = csr_matrix((np.ones(len(where), np.float32), (np.concatenate(rows), where)), shape=(n, width))
    counts.sum_duplicates()
    each = np.repeat(np.arange(n), np.diff(counts.indptr))
    length = np.sqrt(np.bincount(each, weights=counts.data.astype(np.float64) ** 2, minlength=n))
    values = (counts.data / length[each]).astype(np.float32)
    return Vectors(counts.indptr.astype(np.int64), counts.indices.astype(np.int32), values)


def _words_of(column: pa.Array, name: str) -> tuple[np.ndarray, np.ndarray]:
    """(row of each word, its 64-bit hash), in the order of the texts."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as t

    if t.is_dictionary(column.type):
        column = column.dictionary_decode()
    if t.is_null(column.type):
        return np.empty(0, np.int64), np.empty(0, np.uint64)
    if not (t.is_string(column.type) or t.is_large_string(column.type)):
        raise DataError(f"column '{name}' is of type {column.type}, where the model was trained on texts")
    plain = pc.replace_substring_regex(pc.utf8_lower(column.cast(pa.large_string())), r"[^\pL\pN\pM_]+", " ")
    lists = pc.split_pattern(pc.fill_null(plain, ""), " ")
    words = lists.flatten()
    row = np.repeat(np.arange(len(column)), np.diff(lists.offsets.to_numpy()))
    there = pc.not_equal(words, "").to_numpy(zero_copy_only=False)
    words, row = words.filter(pa.array(there)), row[there]
    return row, words_of(words) if len(words) else np.empty(0, np.uint64)
