"""Counts, money, shares and layout."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitscale.cli.listing import listed_lines
from fitscale.cli.shown import clipped, columns, count, dagger, data_size, plural, share, tagged, usd, wrapped
from fitscale.records.base import Figure


@pytest.mark.parametrize(
    ("n", "text"), [(0, "0"), (327_346, "327,346"), (412_345_678, "412M"), (9.07e9, "9.1G"), (2.5e12, "2.5T")]
)
def test_counts(n: float, text: str) -> None:
    """Exact below a million, two digits that count above."""
    assert count(n) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(1.2e9, 60e9, "1.2 of 60 GB"), (880e3, 880e3, "all 880 kB"), (0, 3e6, "0 B of 3 MB"), (5e6, 2e12, "5 MB of 2 TB")],
)
def test_parts_of_the_data(part: float, whole: float, text: str) -> None:
    """A part is given in the unit of the whole."""
    assert data_size(part, whole) == text


@pytest.mark.parametrize(("amount", "text"), [(None, "–"), (0.004, "<0.01"), (0.89, "0.89"), (1234.5, "1,234.50")])
def test_money(amount: float | None, text: str) -> None:
    """Where a price is not known there is a dash, not a zero."""
    assert usd(None if amount is None else Figure.exact(amount)) == text


def test_words() -> None:
    """Numbers agree with their nouns."""
    assert (plural(1, "group"), plural(1141, "group"), share(0.423)) == ("1 group", "1,141 groups", "42 %")
    assert (dagger(Figure.exact(1, "modelled")), dagger(Figure.exact(1))) == ("†", "")


@given(
    rows=st.lists(st.lists(st.text("ab é†", max_size=9), min_size=3, max_size=3), min_size=1, max_size=6),
    right=st.sampled_from(["", "0", "12"]),
)
def test_columns_stand_under_each_other(rows: list[list[str]], right: str) -> None:
    """Each cell of a column begins (or ends) where the others do."""
    lines = columns(rows, ("one", "two", "three"), right)
    widths = [max(len(row[i]) for row in [["one", "two", "three"], *rows]) for i in range(3)]
    starts = [0, widths[0] + 2, widths[0] + widths[1] + 4]
    for line, row in zip(lines[1:], rows, strict=True):
        for i in range(3):
            cell = line.ljust(200)[starts[i] : starts[i] + widths[i]]
            assert (cell.rstrip() if str(i) not in right else cell).strip() == row[i].strip()


@given(
    text=st.text("abc def", max_size=400),
    width=st.integers(60, 120),
    head=st.sampled_from(["", "Flips", "A long heading:"]),
)
def test_wrapping_loses_no_word(text: str, width: int, head: str) -> None:
    """All words are there in their order, beside the heading, within the width."""
    lines = wrapped(head, text, width)
    assert all(len(line) <= max(width, len(head) + 1) for line in lines)
    if all(len(word) < width - 20 for word in text.split()):
        assert " ".join(lines).split() == [*head.split(), *text.split()]


def test_a_tag_keeps_its_place_when_the_text_is_long() -> None:
    """The text goes on below, the tag stays in the first line."""
    lines = tagged("word " * 30, "measured", 80)
    assert lines[0].endswith("[measured]")
    assert len(lines) > 1
    assert all(len(line) <= 80 for line in lines)


@pytest.mark.parametrize("width", range(30, 60))
def test_a_number_is_not_parted_from_its_unit(width: int) -> None:
    """Wherever a line ends."""
    text = "faster (quantised 1.1 ×, out-of-core 2 ×); 24 s (22–27) of 25 GB, 12 % of 3 rows, 0.89 USD a run"
    for lines in (wrapped("Head", text, width), tagged(text, "measured", width + 12)):
        for line in lines:
            assert not line.strip().startswith(("×", "s ", "GB", "%", "USD")), lines
        assert " ".join(" ".join(lines).split()).replace(" [measured]", "").endswith("0.89 USD a run")


def test_a_long_reason_goes_on_under_its_own_column() -> None:
    """On a terminal that is narrower; where the columns leave no room for it, on lines of its own."""
    why = "column 'pressure' is infinite in 405 rows (the first is row 267); make these values missing, or drop it"
    table = pa.table({"dest": ["DTW", "ABQ"], "status": ["failed", "unfit"], "why": [why, "one training row"]})
    run: Any = SimpleNamespace(manifest=SimpleNamespace(groups=("dest",), metric="roc_auc"))
    assert len(listed_lines(table, run)) == 3
    head, first, second, *_, last = listed_lines(table, run, 60)
    start = head.index("why")
    assert first[:start] == "DTW   failed  "
    assert second[:start].strip() == ""
    assert last.endswith("one training row")
    narrow = listed_lines(table, run, 36)
    assert max(map(len, [*narrow, head, first, second, last])) <= 60
    assert narrow[1:3] == ["DTW   failed", "    column 'pressure' is infinite in"]


def test_what_is_clipped_says_so() -> None:
    """And stays in one line."""
    assert clipped("a" * 50, 10) == "a" * 9 + "…"
    assert clipped("a\nb", 10) == "a\\nb"
