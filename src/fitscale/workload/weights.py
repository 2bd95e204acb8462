"""What the eight measurements weigh: ``{time: 3, budget: 1}``, or shares of 100 %: ``{time: 75%, budget: 25%}``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, get_args

from fitscale.errors import UsageError, nearest
from fitscale.records.scorecard import Measure
from fitscale.workload import units
from fitscale.workload.kinds import Kind
from fitscale.workload.spot import Spot

MEASURES: tuple[str, ...] = get_args(Measure)
ALSO = {"cost": "budget", "skills": "people"}  # what else they are called
OFF = 0.05  # of 100 %: so much is lost where shares were rounded


def _read(value: Any, spot: Spot) -> dict[str, float]:
    if not isinstance(value, Mapping):
        raise spot.wrong(
            f"{units.shown(value)} is not a section; write '{spot.place.rpartition('.')[2]}: {{time: 3, budget: 1}}'"
        )
    found: dict[str, float] = {}
    shares = []
    for name, weight in value.items():
        own = ALSO.get(name, name) if isinstance(name, str) else name
        if own not in MEASURES:
            raise spot.wrong(
                f"no measurement '{name}'{nearest(str(name), (*MEASURES, *ALSO))}; there are: {', '.join(MEASURES)}"
            )
        if own in found:
            raise spot.at(str(name)).wrong(f"'{name}' is {own}, which has a weight already")
        try:
            found[own] = _weight(weight)
        except UsageError as error:
            raise spot.at(str(name)).wrong(str(error)) from None
        shares.append(isinstance(weight, str) and weight.rstrip().endswith("%"))
    if not found or not any(found.values()):
        raise spot.wrong("no weight is above 0; leave it out, and the scorecard only breaks ties")
    if any(shares):
        _check_sum(found, shares, spot)
    return found


def _weight(value: Any) -> float:
    """A number, or a share with its %."""
    text = value.strip().removesuffix("%").strip() if isinstance(value, str) and value.strip().endswith("%") else None
    try:
        number = float(text) if text is not None else units.bare(value)
    except ValueError:
        number = None
    if number is None or not math.isfinite(number):
        raise UsageError(f"{units.shown(value)} is not a weight; write a number, such as 3, or a share, such as 75%")
    if number < 0:
        raise UsageError(f"{units.shown(value)} must be at least 0; what is not to count is left out")
    return float(number)


def _check_sum(found: Mapping[str, float], shares: list[bool], spot: Spot) -> None:
    if not all(shares):
        raise spot.wrong("has numbers and shares of 100 % side by side; write all of one kind")
    total = sum(found.values())
    if abs(total - 100) > OFF:
        told = " + ".join(f"{value:g}" for value in found.values())
        raise spot.wrong(
            f"the shares sum to {total:g} % ({told}), not to 100 %; write numbers without % to have them taken as they are"
        )


_NUMBER = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^\s*[0-9.]+\s*%\s*$"}]}
WEIGHTS = Kind(
    _read,
    dict,
    {
        "type": "object",
        "propertyNames": {"enum": [*MEASURES, *ALSO]},
        "additionalProperties": _NUMBER,
        "minProperties": 1,
    },
)
