"""What a key of the file takes: how its value is read, written back, and described to an editor.

A `Kind` is data; `section` puts keys together to a mapping that becomes a record. The tables made of them (`keys`,
`team`) are the single description of the file's format: reading, writing and the JSON Schema all come from there.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from fitscale.errors import UsageError, WorkloadError, nearest
from fitscale.records import Record
from fitscale.workload.spot import Spot
from fitscale.workload.units import shown

DEEPEST = 32


class Kind(NamedTuple):
    """``read`` checks a value and makes the record's of it, ``write`` goes back, ``schema`` is JSON Schema."""

    read: Callable[[Any, Spot], Any]
    write: Callable[[Any], Any]
    schema: Mapping[str, Any]


class Key(NamedTuple):
    """One key of a section. ``field`` is its name in the record; a key with ``hidden`` may not stand in a file."""

    name: str
    kind: Kind
    about: str
    field: str = ""
    required: bool = False
    hidden: bool = False

    @property
    def home(self) -> str:
        return self.field or self.name


def leaf(read: Callable[[Any], Any], write: Callable[[Any], Any], **schema: Any) -> Kind:
    """A kind of plain values. ``read`` raises UsageError, which gets its place here."""

    def placed(value: Any, spot: Spot) -> Any:
        try:
            return read(value)
        except WorkloadError:
            raise
        except UsageError as error:
            raise spot.wrong(str(error)) from None

    return Kind(placed, write, schema)


def same(value: Any) -> Any:
    return value


def text(about: str = "text") -> Kind:
    """Text that is not empty. YAML takes ``no``, ``on`` and ``12`` for other things: the error says to quote them."""

    def read(value: Any) -> str:
        if isinstance(value, str) and value.strip():
            return value
        if isinstance(value, bool):
            raise UsageError(f"yes, no, on and off are read as {str(value).lower()}: write {about} in quotes")
        if isinstance(value, int | float):
            raise UsageError(f"{shown(value)} is a number: write {about} in quotes")
        raise UsageError(f"{shown(value)} is not {about}")

    return leaf(read, same, type="string", minLength=1)


def flag() -> Kind:
    def read(value: Any) -> bool:
        if isinstance(value, bool):
            return value
        raise UsageError(f"{shown(value)} is neither true nor false")

    return leaf(read, same, type="boolean")


def whole(least: int, most: int = 2**63 - 1) -> Kind:
    """A whole number from ``least`` to ``most``."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, numbers.Integral):
            raise UsageError(f"{shown(value)} is not a whole number")
        number = int(value)
        if not least <= number <= most:
            raise UsageError(f"{shown(value)} " + (f"must be at least {least}" if number < least else "is too large"))
        return number

    return leaf(read, same, type="integer", minimum=least)


def one_of(value: Any, known: Sequence[str]) -> str:
    """The value, if it is one of the known words.

    Raises
    ------
    UsageError
        If it is not, with the nearest.
    """
    if isinstance(value, str) and value in known:
        return value
    close = nearest(value, known) if isinstance(value, str) else ""
    raise UsageError(f"{shown(value)} is not one of {', '.join(known)}{close}")


def word(*known: str) -> Kind:
    """One of the known words."""
    return leaf(lambda value: one_of(value, known), same, enum=list(known))


def words() -> Kind:
    """Text that may be empty."""

    def read(value: Any) -> str:
        if isinstance(value, str):
            return value
        raise UsageError(f"{shown(value)} is not text: write it in quotes")

    return leaf(read, same, type="string")


def character() -> Kind:
    """One character of ASCII."""

    def read(value: Any) -> str:
        if isinstance(value, str) and len(value) == 1 and value.isascii() and value not in '"\r\n':
            return value
        raise UsageError(f"{shown(value)} is not one character such as ';' (a tab is \"\\t\")")

    return leaf(read, same, type="string", minLength=1, maxLength=1)


def either(switch: Kind, other: Kind) -> Kind:
    """True or false, or what ``other`` takes."""

    def read(value: Any, spot: Spot) -> Any:
        return (switch if isinstance(value, bool) else other).read(value, spot)

    def write(value: Any) -> Any:
        return (switch if isinstance(value, bool) else other).write(value)

    return Kind(read, write, {"anyOf": [switch.schema, other.schema]})


def many(kind: Kind) -> Kind:
    """A list without repetitions; a single value stands for a list of one. A tuple in the record."""

    def read(value: Any, spot: Spot) -> tuple[Any, ...]:
        if isinstance(value, str | Mapping) or not isinstance(value, Sequence):
            return (kind.read(value, spot),)
        items: list[Any] = []
        for index, item in enumerate(value):
            done = kind.read(item, spot.item(index))
            if done in items:
                raise spot.item(index).wrong(f"{shown(item)} is there twice")
            items.append(done)
        return tuple(items)

    def write(value: Sequence[Any]) -> list[Any]:
        return [kind.write(item) for item in value]

    return Kind(read, write, {"anyOf": [kind.schema, {"type": "array", "items": kind.schema}]})


def mapping() -> Kind:
    """Names to plain values: null, true or false, numbers, text, and lists and mappings of them."""

    def read(value: Any, spot: Spot) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise spot.wrong(f"{shown(value)} is not a mapping of names to values")
        return _plain(value, spot, 0)  # type: ignore[no-any-return]  # a mapping stays one

    return Kind(read, same, {"type": "object"})


def _plain(value: Any, spot: Spot, depth: int) -> Any:
    if depth > DEEPEST:
        raise spot.wrong(f"is nested deeper than {DEEPEST} levels")
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        if not math.isfinite(value):
            raise spot.wrong(f"{shown(value)} is not a finite number; leave it out to have the library's own default")
        return float(value)
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise spot.wrong(f"the name {shown(key)} is not text: write it in quotes")
        return {key: _plain(item, spot.at(key), depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, spot.item(index), depth + 1) for index, item in enumerate(value)]
    raise spot.wrong(f"a {type(value).__name__} is not plain: null, true, false, a number, text, a list or a mapping")


def section(record: type[Record], keys: Sequence[Key], make: Callable[..., Record] | None = None) -> Kind:
    """A mapping with known keys that becomes a record. ``make`` builds it where the record's own defaults do not do.

    A key without a value (``key:``) counts as left out.
    """
    known = {key.name: key for key in keys}

    def read(value: Any, spot: Spot) -> Record:
        if not isinstance(value, Mapping):
            raise spot.wrong(f"{shown(value)} is not a section; it has keys such as '{keys[0].name}: …'")
        for name in value:
            if name not in known or (known[name].hidden and spot.file):
                raise spot.unknown(name, [key.name for key in keys if not key.hidden])
        given = {name: item for name, item in value.items() if item is not None}
        for key in keys:
            if key.required and key.name not in given:
                raise spot.at(key.name).wrong(f"is missing: {key.about}")
        fields = {known[name].home: known[name].kind.read(item, spot.at(name)) for name, item in given.items()}
        try:
            return (make or record)(**fields)
        except WorkloadError:
            raise
        except UsageError as error:
            raise spot.wrong(str(error)) from None

    def write(value: Any) -> dict[str, Any]:
        written = {}
        for key in keys:
            now, default = getattr(value, key.home), record.model_fields[key.home].get_default()
            if key.required or (now is not None and now != default):
                written[key.name] = key.kind.write(now)
        return written

    shown_keys = [key for key in keys if not key.hidden]
    schema = {
        "type": "object",
        "properties": {key.name: {**key.kind.schema, "description": key.about} for key in shown_keys},
        "required": [key.name for key in shown_keys if key.required],
        "additionalProperties": False,
    }
    return Kind(read, write, schema)
