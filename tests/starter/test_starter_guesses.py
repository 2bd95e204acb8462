"""What is guessed from the names and values of columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fitscale.data.starter import guessing
from fitscale.data.starter.seeing import Seen, seen

N = 400
RNG = np.random.default_rng(0)
AMOUNTS = RNG.normal(size=N)
FLAGS = np.arange(N) % 2 == 0
TEXTS = [("red", "green", "blue")[k % 3] for k in range(N)]
MOMENTS = pa.array(np.arange(N) * 3_600_000_000, pa.timestamp("us"))


def look(**columns: Any) -> tuple[Seen, ...]:
    table = pa.table({name.replace("__", " "): values for name, values in columns.items()})
    return tuple(seen(name, str(table.column(name).type), table.column(name)) for name in table.column_names)


@pytest.mark.parametrize(
    ("columns", "target"),
    [
        ({"target": FLAGS, "a": AMOUNTS, "b": FLAGS}, "target"),
        ({"a": AMOUNTS, "y": AMOUNTS, "price": AMOUNTS}, "y"),
        ({"churned": FLAGS, "a": AMOUNTS, "colour": TEXTS}, "churned"),
        ({"a": AMOUNTS, "is_late": FLAGS, "b": AMOUNTS}, "is_late"),
        ({"a": AMOUNTS, "b": AMOUNTS, "colour": TEXTS}, "colour"),
        ({"salePrice": AMOUNTS, "a": AMOUNTS, "b": AMOUNTS}, "salePrice"),
        ({"left_at": MOMENTS, "price_id": np.arange(N), "a": AMOUNTS}, "a"),
        ({"a": AMOUNTS, "has_dog": FLAGS, "b": AMOUNTS}, "has_dog"),
        ({"a": AMOUNTS, "b": AMOUNTS, "at": MOMENTS}, "b"),
        ({"a": AMOUNTS, "key": [f"k{k}" for k in range(N)]}, "a"),
    ],
)
def test_the_target_is_known_by_its_name_or_its_place(columns: dict[str, Any], target: str) -> None:
    """A name that says so comes first, then words of what is often predicted, then the last column that can be."""
    found = guessing.target(look(**columns), N)
    assert found is not None
    assert found.column == target, found.why


def test_where_nothing_can_be_predicted_nothing_is_guessed() -> None:
    """Constants, moments and lists are no targets."""
    columns = look(a=[1.0] * N, at=MOMENTS, lists=[[1]] * N, empty=pa.nulls(N))
    assert guessing.target(columns, N) is None
    assert [bool(guessing.problem_of_target(column)) for column in columns] == [True] * 4


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (FLAGS, "binary"),
        (FLAGS.astype(float), "binary"),
        (TEXTS, "multiclass"),
        (np.arange(N) % 7, "multiclass"),
        (np.arange(N) % 90, "regression"),
        (AMOUNTS, "regression"),
        (np.where(FLAGS, 0.5, 1.0), "regression"),
    ],
)
def test_few_whole_values_are_classes(values: Any, task: str) -> None:
    """And amounts are amounts."""
    assert guessing.task_of(look(t=values)[0]) == task


@pytest.mark.parametrize(
    ("columns", "time"),
    [
        ({"at": MOMENTS, "a": AMOUNTS}, "at"),
        ({"birth_date": MOMENTS, "a": AMOUNTS}, None),
        ({"valid_until": MOMENTS, "scheduled": MOMENTS}, "scheduled"),
        ({"one": MOMENTS, "two": MOMENTS}, None),
        ({"when": pa.array([None, *MOMENTS[1:].to_pylist()], MOMENTS.type)}, None),
        ({"time": np.arange(N)}, None),
    ],
)
def test_time_is_a_column_of_moments_that_every_row_has(columns: dict[str, Any], time: str | None) -> None:
    """When each row happened, and not when somebody was born."""
    found = guessing.time_column(look(**columns), set())
    assert (found and found.column) == time


def test_groups_are_ids_that_come_often() -> None:
    """One model each is proposed where each would have rows enough; a key and a colour are none."""
    columns = look(id=np.arange(N), store_id=np.arange(N) % 20, user_id=np.arange(N) // 2, colour=TEXTS, store=TEXTS)
    assert [(c.name, rows) for c, rows in guessing.group_columns(columns, set())] == [("store_id", 20), ("store", 133)]


@pytest.mark.parametrize(
    ("name", "values", "is_key"),
    [
        ("customer_id", np.arange(N) * 977, True),
        ("customerId", np.arange(N) * 977, True),
        ("number", np.arange(N) + 5, True),  # numbers the rows
        ("population", np.arange(N) * 977, False),
        ("customer_id", np.arange(N) // 4, False),
        ("text", [f"t{k}" for k in range(N)], True),
        ("amount", [f"{k}.5" for k in range(N)], False),  # numbers, stored as text
        ("x", AMOUNTS, False),
    ],
)
def test_a_key_has_a_value_of_its_own_in_each_row(name: str, values: Any, is_key: bool) -> None:
    """Whole numbers that all differ by chance are no keys, unless their name says so or they number the rows."""
    assert guessing.is_key(look(**{name: values})[0], N) is is_key


@pytest.mark.parametrize(
    ("texts", "hides"),
    [
        (["1.5", "-2", None, "3e4", "1,234.5"], "numbers"),
        (["12 %", "8%"], "numbers"),
        (["01234", "45678"], ""),  # postal codes
        (["1.5", "n/a"], ""),
        (["2026-01-31", "2026-02-01 12:30:00"], "dates"),
        (["31.12.2025", "1/2/26"], "dates"),
        (["", " "], ""),
        (["-", "+"], ""),
    ],
)
def test_texts_that_are_something_else_are_seen(texts: list[str | None], hides: str) -> None:
    """Numbers and dates in any of the usual ways; codes with leading zeros are texts."""
    assert look(t=texts)[0].hides == hides
