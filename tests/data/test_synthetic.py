"""The synthetic source: the suite, and that what it plants can be found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fitscale.data.reader import open_reader
from fitscale.errors import SourceChanged, WorkloadError
from fitscale.records.workload import DataSpec
from fitscale.testing.sources import SourceSuite


def spec(query: str) -> DataSpec:
    return DataSpec(uri=f"synthetic://?{query}", target="y")


def column(query: str, name: str) -> list:
    reader = open_reader(spec(query))
    return [value for _, batch in reader.batches([name]) for value in batch.column(0).to_pylist()]


class TestSynthetic(SourceSuite):
    def make(self, folder: Path) -> DataSpec:
        return spec("rows=270000&columns=2&categorical=1&dates=1&groups=9&strings=1&weight=1&missing=0.1&seed=3")


def test_one_unit_of_billions_of_rows_is_made_alone():
    """The last rows of ten billion are there at once."""
    reader = open_reader(spec("rows=10000000000&columns=3"))
    (_, batch), *_ = reader.batches(["x2", "y"], start=reader.rows - 5)
    assert batch.num_rows == 5
    assert reader.rows == 10_000_000_000


def test_the_signal_is_planted():
    """Classes follow x0 to x3; without a signal they do not."""
    for signal, least, most in ((2, 0.1, 1.0), (0, 0.0, 0.03)):
        x = np.array([column(f"rows=20000&columns=4&signal={signal}", f"x{i}") for i in range(4)])
        y = np.array(column(f"rows=20000&columns=4&signal={signal}", "y"))
        assert least <= np.abs(np.corrcoef(np.vstack([x, y]))[-1, :-1]).max() <= most


@pytest.mark.parametrize("classes", [0, 2, 5])
def test_the_target_has_as_many_classes_as_asked(classes):
    """0 means numbers."""
    values = set(column(f"rows=5000&columns=3&classes={classes}", "y"))
    assert len(values) == (5000 if classes == 0 else classes)


def test_shares_are_kept():
    """Missing values in x and c, zeros in x, none in the target."""
    query = "rows=20000&columns=2&missing=0.2&sparsity=0.5"
    x, c = column(query, "x1"), column(query, "c0")
    assert x.count(None) / 20_000 == pytest.approx(0.2, abs=0.02)
    assert c.count(None) / 20_000 == pytest.approx(0.2, abs=0.02)
    assert x.count(0.0) / 20_000 == pytest.approx(0.4, abs=0.02)
    assert None not in column(query, "y")


def test_group_sizes_are_skewed():
    """The largest group has many times the rows of the smallest."""
    keys = column("rows=50000&groups=50", "group")
    sizes = np.bincount(keys, minlength=50)
    assert sizes.min() > 0
    assert sizes.max() > 5 * sizes.min()
    assert column("rows=100&groups=50&strings=1", "group") == [str(k) for k in column("rows=100&groups=50", "group")]


def test_a_column_does_not_depend_on_how_many_there_are():
    """x1 is the same beside 2 and beside 4 columns."""
    assert column("rows=100&columns=2", "x1") == column("rows=100&columns=4", "x1")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("row=5", "no 'row'; did you mean 'rows'"),
        ("rows=many", "rows=many"),
        ("rows=0", "rows=0"),
        ("rows=", "rows="),
        ("missing=1.5", "missing=1.5"),
        ("classes=1", "classes"),
        ("columns=0&categorical=0", "needs a feature"),
    ],
)
def test_a_bad_parameter_is_named(query, words):
    """The error names data.uri, the parameter and what it takes."""
    with pytest.raises(WorkloadError, match=r"^data\.uri: ") as caught:
        open_reader(spec(query))
    assert words in str(caught.value)


def test_other_data_under_the_same_snapshot_is_refused():
    """A run that goes on with another seed is told so."""
    reader = open_reader(spec("rows=100&seed=1"), open_reader(spec("rows=100&seed=0")).snapshot)
    with pytest.raises(SourceChanged, match="--fresh"):
        list(reader.batches(["y"]))
