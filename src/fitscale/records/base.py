"""What all records share: frozen, strict about unknown fields, JSON both ways, hashed canonically."""

from __future__ import annotations

import hashlib
import json
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

Origin = Literal["measured", "forecast", "calibrated", "modelled", "stated", "looked up", "assumed", "estimated"]


class Record(BaseModel):
    """A value that flows between stages. Objects stay home, records travel."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=False)

    def to_json(self) -> str:
        """The canonical text: sorted keys, no spaces, floats as Python writes them."""
        return canonical_json(self.model_dump(mode="json"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The record that `to_json` wrote.

        Raises
        ------
        pydantic.ValidationError
            If the text is not such a record.
        """
        return cls.model_validate_json(text)

    def but(self, **changes: Any) -> Self:
        """The same record with some fields changed (validated again)."""
        return type(self).model_validate({**dict(self), **changes})

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that name this value."""
        return digest_of(self.to_json())


class Grown(Record):
    """A record whose digest names something, and which got fields later: left out where they have their defaults.

    So what was named before keeps its name.
    """

    LATER: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _as_before(self, dumped: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        return {k: v for k, v in dumped(self).items() if k not in self.LATER or v != fields[k].default}


class Figure(Record):
    """A number with its 90 % interval and where it came from."""

    value: float
    low: float
    high: float
    origin: Origin

    @classmethod
    def exact(cls, value: float, origin: Origin = "measured") -> Figure:
        return cls(value=value, low=value, high=value, origin=origin)

    @classmethod
    def around(cls, value: float, relative: float, origin: Origin) -> Figure:
        """``value`` with a multiplicative interval: 0.1 means from value / 1.1 to 1.1 * value."""
        return cls(value=value, low=value / (1 + relative), high=value * (1 + relative), origin=origin)


def canonical_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest_of(*parts: str | bytes) -> str:
    """16 hexadecimal digits over the parts, each with its length, so that borders count."""
    h = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        h.update(len(data).to_bytes(8, "little"))
        h.update(data)
    return h.hexdigest()[:16]
