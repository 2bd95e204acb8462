"""What a parameter may be while it is tuned: ``[3, 12]``, ``{low: 0.01, high: 0.3, log: true}``, ``{choices: [gini, entropy]}``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fitscale.errors import UsageError
from fitscale.records.workload import Range
from fitscale.workload.kinds import Key, Kind, flag, leaf, section
from fitscale.workload.spot import Spot
from fitscale.workload.units import shown

FORMS = "[3, 12], {low: 0.01, high: 0.3, log: true} or {choices: [a, b]}"


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UsageError(f"{shown(value)} is not a number")
    return value


def _choices(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) < 2:
        raise UsageError(f"{shown(value)} is not a list of two values or more to choose from")
    for item in value:
        if item is not None and not isinstance(item, bool | int | float | str):
            raise UsageError(f"{shown(item)} cannot be chosen: numbers, texts, true, false and null can")
    if len({repr(item) for item in value}) < len(value):
        raise UsageError(f"{shown(list(value))} has a value twice")
    return tuple(value)


def _made(
    low: float | None = None, high: float | None = None, log: bool = False, choices: tuple[Any, ...] = ()
) -> Range:
    if choices:
        if low is not None or high is not None or log:
            raise UsageError("has 'choices' and a range; keep one of them")
        return Range(choices=choices)
    if low is None or high is None:
        raise UsageError(f"has no '{'low' if low is None else 'high'}': give {FORMS}")
    if low >= high:
        raise UsageError(f"low ({low:g}) must lie below high ({high:g})")
    if log and low <= 0:
        raise UsageError(f"low ({low:g}) has no logarithm: take one above 0, or leave 'log' out")
    return Range(low=low, high=high, log=log, whole=isinstance(low, int) and isinstance(high, int))


_NUMBER = leaf(_number, lambda value: value, type="number")
_CHOICES = leaf(_choices, list, type="array")
_RANGE = section(
    Range,
    (
        Key("low", _NUMBER, "the least"),
        Key("high", _NUMBER, "the most"),
        Key("log", flag(), "drawn by its logarithm"),
        Key("choices", _CHOICES, "one of these, in place of a range"),
    ),
    _made,
)


def _read(value: Any, spot: Spot) -> Range:
    if isinstance(value, Mapping):
        found: Range = _RANGE.read(value, spot)
        return found
    if isinstance(value, Sequence) and not isinstance(value, str):
        if len(value) == 2:
            ends = [_NUMBER.read(item, spot.item(k)) for k, item in enumerate(value)]
            try:
                return _made(*ends)
            except UsageError as error:
                raise spot.wrong(str(error)) from None
        raise spot.wrong(f"{shown(list(value))} has no two ends; values to choose from are written {{choices: [a, b]}}")
    raise spot.wrong(f"{shown(value)} is no range; give {FORMS}")


def _write(one: Range) -> Any:
    if one.choices:
        return {"choices": list(one.choices)}
    ends = [int(end) if one.whole and end is not None else end for end in (one.low, one.high)]
    return {"low": ends[0], "high": ends[1], "log": True} if one.log else ends


def _read_space(value: Any, spot: Spot) -> dict[str, Range]:
    if not isinstance(value, Mapping) or not value:
        raise spot.wrong(f"{shown(value)} names no parameter; write one a line, such as 'max_depth: [3, 12]'")
    for name in value:
        if not isinstance(name, str):
            raise spot.wrong(f"the name {shown(name)} is not text: write it in quotes")
    return {name: _read(item, spot.at(name)) for name, item in value.items()}


RANGE = Kind(_read, _write, {"anyOf": [{"type": "array", "items": {"type": "number"}, "minItems": 2}, _RANGE.schema]})
SPACE = Kind(
    _read_space,
    lambda space: {name: _write(one) for name, one in space.items()},
    {"type": "object", "additionalProperties": RANGE.schema},
)


def space_of(table: Mapping[str, Any]) -> dict[str, Range]:
    """A space from plain values, as a workload file would have it: for the tables of the frameworks."""
    return _read_space(table, Spot("space"))
