"""What is noticed of the columns, and what of it is left out at first."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fitscale.data.starter import guessing, leaks
from fitscale.data.starter.noticing import Notice, notices
from fitscale.data.starter.seeing import Seen, seen

N = 2_000
RNG = np.random.default_rng(1)
X = RNG.normal(size=N)
Y = (X + RNG.normal(size=N)) > 0


def noticed(target: str = "y", roles: set[str] | None = None, **columns: Any) -> dict[tuple[str, str], Notice]:
    """By column and kind."""
    table = pa.table({"y": Y, "x": X, **columns})
    looked = {name: seen(name, str(table.column(name).type), table.column(name)) for name in table.column_names}
    task = guessing.task_of(looked[target])
    found = notices(list(looked.values()), table, looked[target], {target, *(roles or ())}, task, N)
    return {(notice.column, notice.what): notice for notice in found}


def column(values: Any) -> Seen:
    array = pa.chunked_array([pa.array(values)])
    return seen("c", str(array.type), array)


@pytest.mark.parametrize(
    ("values", "measure"),
    [
        (np.where(Y, X + 9, X), "AUC"),  # one threshold tells
        (np.where(Y, "after", "before"), "AUC"),
        (np.where(Y, X, np.nan), "AUC"),  # where it is missing tells
        ([f"{100 * y + k % 50}.5" for k, y in enumerate(Y)], "AUC"),  # numbers, stored as text
        (Y.astype(int) * 2 - 1, "AUC"),
    ],
)
def test_a_column_that_says_the_target_is_left_out_with_its_figure(values: Any, measure: str) -> None:
    """Whatever its kind, if it alone has an area of at least 0.98 on rows that it was not learnt from."""
    found = noticed(leak=values)
    leak = found["leak", "leak"]
    assert leak.dropped
    assert leak.figure is not None
    assert leak.figure >= leaks.LEAK
    assert f"{measure} {leak.figure:.2f} alone" in leak.says
    assert set(found) == {("leak", "leak")}


def test_a_leak_of_an_amount_is_found_in_any_unit() -> None:
    """By ranks: neither an outlier nor a curve hides it; a feature that is only good is none."""
    amount = np.exp(3 * X)
    amount[7] = 1e12
    found = noticed("amount", amount=amount, euros=np.log(amount) * 1.17 + 3, good=X + 0.5 * RNG.normal(size=N))
    assert ("euros", "leak") in found
    assert ("x", "leak") in found  # it was made of x
    assert ("good", "leak") not in found
    assert "R² of ranks 1.00 alone" in found["euros", "leak"].says


def test_a_class_among_many_is_told_apart_too() -> None:
    """The mean over the classes, each against the rest."""
    kind = RNG.integers(0, 5, N)
    found = noticed("kind", kind=kind, code=[f"c{k}" for k in kind], half=kind % 2)
    assert ("code", "leak") in found
    assert ("half", "leak") not in found


def test_what_holds_by_chance_in_one_half_is_no_leak() -> None:
    """Hundreds of columns of noise, and texts of which none comes twice, say nothing."""
    noise = {f"n{k}": RNG.normal(size=N) for k in range(200)}
    found = noticed(**noise, words=[f"w{k // 2}" for k in range(N)])
    assert not [what for _, what in found if what == "leak"]


def test_with_too_few_rows_it_says_that_it_has_not_looked() -> None:
    """A figure of twenty rows is none."""
    table = pa.table({"y": Y[:20], "leak": Y[:20]})
    looked = [seen(name, "bool", table.column(name)) for name in table.column_names]
    found = notices(looked, table, looked[0], {"y"}, "binary", 20)
    assert [(n.what, n.dropped) for n in found] == [("unlooked", False)]


def test_what_teaches_nothing_is_left_out() -> None:
    """Keys, constants, copies, what has no value or no place in a matrix; each with why."""
    found = noticed(
        customer_id=np.arange(N), one=["EUR"] * N, empty=pa.nulls(N, pa.float64()), lists=[[1]] * N, again=X,
        half_empty=pa.array([1.0 if k % 3 else None for k in range(N)]),
    )  # fmt: skip
    assert {(name, n.what) for (name, _), n in found.items() if n.dropped} == {
        ("customer_id", "key"), ("one", "constant"), ("empty", "empty"), ("lists", "type"), ("again", "copy"),
    }  # fmt: skip
    assert found["again", "copy"].says == "has the same values as x"
    assert found["one", "constant"].says == "is EUR in all 2,000 rows"


def test_what_is_only_worth_a_look_stays_a_feature() -> None:
    """Dates and numbers in texts, and texts of very many values."""
    found = noticed(
        day=[f"2026-01-{k % 28 + 1:02}" for k in range(N)], price=[f"{k % 90},50" for k in range(N)],
        words=[f"w{k // 1.6:.0f}" for k in range(N)],
    )  # fmt: skip
    assert set(found) == {("day", "dates"), ("price", "numbers"), ("words", "categories")}
    assert not any(notice.dropped for notice in found.values())


def test_a_target_that_is_rare_or_missing_is_said() -> None:
    """With what the file does about it."""
    rare = np.zeros(N, int)
    rare[:15] = 1
    found = noticed("rare", rare=rare)
    assert found["rare", "rare"].says == "is 1 in 15 of 2,000 rows (0.75 %)"
    gone = noticed("gone", gone=pa.array([None if k < 3 else k % 2 for k in range(N)]))
    assert gone["gone", "missing target"].says == "is missing in 3 of 2,000 rows"


def test_a_role_is_no_feature_and_is_not_looked_at() -> None:
    """The time says the target where it is sorted by it, and is no leak: it is no feature."""
    assert noticed(roles={"at"}, at=np.arange(N)) == {}


def test_something_is_left_to_learn_from() -> None:
    """Where all features would go, what is only doubtful stays and says so."""
    table = pa.table({"y": Y, "customer_id": np.arange(N)})
    looked = [seen(name, str(table.column(name).type), table.column(name)) for name in table.column_names]
    (found,) = notices(looked, table, looked[0], {"y"}, "binary", N)
    assert (found.what, found.dropped, found.step) == ("key", False, "it stays, as there is no other feature")


def test_the_figure_of_a_column_is_that_of_a_perfect_and_of_a_useless_one() -> None:
    """1 and 1/2 for classes; 1 and 0 for amounts."""
    classes, amounts = leaks.goal(column(Y), "binary"), leaks.goal(column(X), "regression")
    assert classes is not None
    assert amounts is not None
    noise = RNG.normal(size=N)
    assert leaks.alone(Y.astype(float), False, classes) == 1.0
    assert leaks.alone(noise, False, classes) == pytest.approx(0.5, abs=0.06)
    assert leaks.alone(X**3, False, amounts) == pytest.approx(1.0, abs=0.01)
    assert abs(leaks.alone(noise, False, amounts)) < 0.2
