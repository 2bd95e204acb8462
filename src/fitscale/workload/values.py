"""The kinds of values of a workload file, beyond plain text and numbers. The tables in `keys` are made of them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from fitscale import registry
from fitscale.errors import UsageError, nearest
from fitscale.records.workload import Deadline, Enough, Place
from fitscale.workload import units
from fitscale.workload.cron import frequency
from fitscale.workload.environment import literal_secret
from fitscale.workload.kinds import Key, Kind, leaf, many, one_of, same, section, text, whole, word
from fitscale.workload.moments import is_moment, moment
from fitscale.workload.spot import Spot
from fitscale.workload.units import shown

EXPORTS = ("native", "onnx", "pmml", "edge")
FUNCTIONS = ("distributed_training", "automl", "collaboration", "visual_modelling", "virtual_training")
PLACES = {"ray": "ray://head:10001", "spark": "spark://master:7077", "catalogue": "aws/us-east-1"}

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
_DOTTED = r"[^\W\d]\w*(?:\.[^\W\d]\w*)"


def _matching(shape: str, what: str, **schema: Any) -> Kind:
    compiled = re.compile(shape)

    def read(value: Any) -> str:
        if isinstance(value, str) and compiled.fullmatch(value):
            return value
        raise UsageError(f"{shown(value)} is not {what}")

    return leaf(read, same, type="string", minLength=1, **schema)


def _measure(read: Callable[[Any], Any], write: Callable[[Any], Any]) -> Kind:
    """A quantity, as text with its unit or as a bare number."""
    return leaf(read, write, type=["string", "number"])


def _uri(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{shown(value)} is not a path or an address")
    if literal_secret(value):
        raise UsageError("holds a password, which would be stored: write ${PGPASSWORD} there, and set that variable")
    return value


def _open_share(value: Any) -> float:
    fraction = units.share(value)
    if 0 < fraction < 1:
        return fraction
    raise UsageError(f"{shown(value)} must lie between 0 and 1, both excluded: '20%' or 0.2")


def _use(value: Any) -> str | float | Enough:
    if value == "all":
        return "all"
    if value == "enough":
        return Enough()
    if isinstance(value, str) and value[:1].isalpha():
        raise UsageError(
            f"{shown(value)} is not all, enough or a share such as '20%'{nearest(value, ('all', 'enough'))}"
        )
    fraction = units.share(value)
    if fraction == 0:
        raise UsageError(f"{shown(value)} leaves no rows")
    return "all" if fraction == 1 else fraction


def _max_failed(value: Any) -> float:
    count = units.bare(value)
    if count is not None and count >= 1:
        if not count.is_integer():
            raise UsageError(f"{shown(value)} is neither a share below 1 nor a whole number of groups")
        return count
    fraction = units.share(value)
    if fraction == 1:
        raise UsageError(f"{shown(value)} would let every group fail: give a share below 100%, or a number of groups")
    return fraction


def _export(value: Any) -> str:
    return one_of(value, tuple(dict.fromkeys((*EXPORTS, *registry.names("exporters")))))  # plug-ins bring more


def _want(value: Any) -> float:
    if is_moment(value):
        raise UsageError(f"{shown(value)}: 'want' takes a duration such as '1h'; a time of day is for 'must'")
    return units.duration_s(value)


def _must(value: Any) -> float | str:
    return moment(value) if is_moment(value) else units.duration_s(value)


def _deadline(want: float | None = None, must: float | str | None = None) -> Deadline:
    if want is None and must is None:
        raise UsageError("has neither 'want' nor 'must'")
    if isinstance(must, str):
        return Deadline(want_s=want, at=must)
    if want is not None and must is not None and want > must:
        raise UsageError(f"'want' ({units.duration_text(want)}) is later than 'must' ({units.duration_text(must)})")
    return Deadline(want_s=want, must_s=must)


NAME = _matching(
    _NAME,
    "a name for a folder: letters, digits, '.', '_' and '-', beginning with a letter or digit",
    pattern=f"^{_NAME}$",
)
COLUMN = text("a column's name")
COLUMNS = many(COLUMN)
IMPORT = _matching(_DOTTED + "+", "an import path such as sklearn.linear_model.LogisticRegression")
FUNCTION = _matching(_DOTTED + r"*:[^\W\d]\w*", "a function such as pkg.train:fit")
URI = leaf(_uri, same, type="string", minLength=1)
SHARE = _measure(_open_share, units.share_text)
DURATION = _measure(units.duration_s, units.duration_text)
SIZE = _measure(units.size_bytes, units.size_text)
USD = _measure(units.usd, units.usd_text)
MAX_FAILED = _measure(_max_failed, lambda failed: units.share_text(failed) if failed < 1 else int(failed))
FREQUENCY = leaf(frequency, same, type="string")
EXPORT = leaf(_export, same, type="string", examples=list(EXPORTS))


def _tolerance(value: Any) -> float:
    number = units.bare(value)
    if number is None:
        raise UsageError(
            f"{shown(value)} is not a number: the loss that may be, in the metric's own units, such as 0.002"
        )
    if not 0 < number < math.inf:
        raise UsageError(f"{shown(value)} must be above 0: with fewer rows something is always lost")
    return number


_SHARE_USED = _measure(_use, lambda used: used if isinstance(used, str) else units.share_text(used))
_ENOUGH = section(
    Enough,
    (
        Key(
            "enough",
            leaf(_tolerance, same, type="number"),
            "the smallest share that surely loses no more than this, in the metric's own units",
            "within",
            required=True,
        ),
    ),
)


def _read_use(value: Any, spot: Spot) -> Any:
    return (_ENOUGH if isinstance(value, Mapping) else _SHARE_USED).read(value, spot)


def _write_use(used: Any) -> Any:
    if not isinstance(used, Enough):
        return _SHARE_USED.write(used)
    return "enough" if used.within is None else _ENOUGH.write(used)


USE = Kind(_read_use, _write_use, {"anyOf": [_SHARE_USED.schema, _ENOUGH.schema]})

_WANT = _measure(_want, units.duration_text)
_MUST = _measure(_must, lambda must: must if isinstance(must, str) else units.duration_text(must))
_TWO = section(
    Deadline,
    (
        Key("want", _WANT, "the time that would be good: a duration"),
        Key("must", _MUST, "the time that must not be passed: a duration or a time of day"),
    ),
    _deadline,
)


def _read_deadline(value: Any, spot: Spot) -> Deadline:
    if isinstance(value, Mapping):
        return _TWO.read(value, spot)  # type: ignore[no-any-return]
    return _deadline(must=_MUST.read(value, spot))


def _write_deadline(deadline: Deadline) -> Any:
    must = deadline.at or deadline.must_s
    if deadline.want_s is None:
        return _MUST.write(must)
    return {"want": _WANT.write(deadline.want_s), **({"must": _MUST.write(must)} if must else {})}


DEADLINE = Kind(_read_deadline, _write_deadline, {"anyOf": [_MUST.schema, _TWO.schema]})

_LOCAL = section(
    Place,
    (
        Key("memory", SIZE, "at most so much memory", "memory_bytes"),
        Key("cores", whole(1), "at most so many cores"),
    ),
    lambda **limits: Place(kind="local", **limits),
)
_ADDRESS = text("an address")
_KINDS = word("local", *PLACES)


def _read_place(value: Any, spot: Spot) -> Place:
    pair = {value: None} if isinstance(value, str) else value
    if not isinstance(pair, Mapping) or len(pair) != 1:
        raise spot.wrong(f"{shown(value)} is not one place; write '- local', or '- ray: {PLACES['ray']}'")
    ((kind, more),) = pair.items()
    name = _KINDS.read(kind, spot)
    inner = spot.at(name)
    if name == "local":
        return _LOCAL.read(more or {}, inner)  # type: ignore[no-any-return]
    if more is None:
        raise inner.wrong(f"has no address; write '- {name}: {PLACES[name]}'")
    return Place(kind=name, address=_ADDRESS.read(more, inner))


def _write_place(place: Place) -> Any:
    if place.kind != "local":
        return {place.kind: place.address}
    return {"local": limits} if (limits := _LOCAL.write(place)) else "local"


_PLACE_SCHEMA = {
    "anyOf": [
        {"const": "local"},
        *(
            {"type": "object", "properties": {kind: schema}, "required": [kind], "additionalProperties": False}
            for kind, schema in {"local": _LOCAL.schema, **dict.fromkeys(PLACES, _ADDRESS.schema)}.items()
        ),
    ]
}
WHERE = many(Kind(_read_place, _write_place, _PLACE_SCHEMA))
