"""How training rows lie is kept in as few bytes as its largest count needs, and read as it was written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from fitscale.data.bins import Binned, Bins
from fitscale.errors import UsageError
from fitscale.store import reference

BINS = Bins(columns=(Binned(name="x", type="", edges=(1.0,)),))


@given(arrays(np.int64, array_shapes(min_dims=2, max_dims=2), elements=st.integers(0, 70_000)), st.data())
def test_what_is_packed_is_unpacked(counts: np.ndarray, data: st.DataObject) -> None:
    """In one, two or four bytes; of those that are not known nothing."""
    n, width = counts.shape
    known = data.draw(arrays(bool, n))
    column = pa.chunked_array([reference.packed(counts, known)])
    size = 1 if counts.max() < 256 else 2 if counts.max() < 65_536 else 4
    assert column.type.byte_width == size * width
    found, there = reference.unpacked(column.slice(data.draw(st.integers(0, n))), width)
    assert np.array_equal(there, known[n - len(there) :])
    assert np.array_equal(found, np.where(known[:, None], counts, 0)[n - len(there) :])


def test_tables_of_chunks_stand_below_each_other() -> None:
    """Whatever sizes their counts have; one that was made before there were counts has none."""
    parts = [np.array([[1, 2, 3]]), np.array([[300, 0, 0], [0, 0, 70_000]]), None]
    tables = []
    for part in parts:
        own = {} if part is None else {reference.COLUMN: reference.packed(part)}
        tables.append(pa.table({"key": [0] * (1 if part is None else len(part)), **own}))
    whole = pa.concat_tables(reference.aligned(tables, 3))
    counts, known = reference.unpacked(whole.column(reference.COLUMN), 3)
    assert known.tolist() == [True, True, True, False]
    assert counts.tolist() == [[1, 2, 3], [300, 0, 0], [0, 0, 70_000], [0, 0, 0]]
    assert reference.aligned(tables[2:], 3) == tables[2:]


def test_one_that_is_damaged_says_where(tmp_path: Path) -> None:
    """Cut off, or of other bins."""
    folder = tmp_path / "versions" / "1"
    folder.mkdir(parents=True)
    assert reference.read(tmp_path, 1) is None
    column = pa.chunked_array([reference.packed(np.array([[1, 2, 3]]))])
    reference.write(folder, BINS, column)
    found = reference.read(tmp_path, 1)
    assert found is not None
    assert (found.bins, found.counts.tolist()) == (BINS, [[1, 2, 3]])
    assert reference.column_of(tmp_path, 1, BINS.but(left_out=1)) is None
    (folder / "reference.json").write_text(BINS.but(columns=()).to_json())
    with pytest.raises(UsageError, match=r"reference\.parquet: cannot be read \(its counts are not of these bins\)"):
        reference.read(tmp_path, 1)
    many = BINS.to_json().replace("[1.0]", f"{[float(k) for k in range(30)]}")
    for text in ("{", BINS.to_json().replace('"type":""', '"type":"none"'), many):
        (folder / "reference.json").write_text(text)
        with pytest.raises(UsageError, match=r"reference\.json: cannot be read"):
            reference.read(tmp_path, 1)
