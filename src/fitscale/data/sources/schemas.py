"""What the schemas of files have in common, and the columns that their paths name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fitscale.data.sources.listing import NULL, PLACE
from fitscale.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa


def plain(type: pa.DataType) -> pa.DataType:
    """The type that batches have: one kind of text, and no dictionaries (each batch would bring its own)."""
    import pyarrow as pa

    if pa.types.is_dictionary(type):
        return plain(type.value_type)
    if pa.types.is_large_string(type) or pa.types.is_string_view(type):
        return pa.string()
    if pa.types.is_large_binary(type) or pa.types.is_binary_view(type):
        return pa.binary()
    return type


def schema_of(schema: pa.Schema, path: Path, keys: dict[str, pa.DataType]) -> pa.Schema:
    import pyarrow as pa

    if twice := [name for name, n in Counter(schema.names).items() if n > 1]:
        raise DataError(f"{PLACE}: {path} has two columns named '{twice[0]}': rename one of them")
    own = [pa.field(field.name, plain(field.type)) for field in schema if field.name not in keys]
    return pa.schema([*own, *(pa.field(key, type) for key, type in keys.items())])


def difference(first: pa.Schema, other: pa.Schema) -> str | None:
    """The first column in which two schemas differ; their order may."""
    mine, theirs = ({field.name: field.type for field in schema} for schema in (first, other))
    for name, type in mine.items():
        if name not in theirs:
            return f"the second has no column '{name}' ({type})"
        if type != theirs[name]:
            return f"column '{name}' is {type} in the first and {theirs[name]} in the second"
    extra = next((name for name in theirs if name not in mine), None)
    return None if extra is None else f"the first has no column '{extra}' ({theirs[extra]})"


class Keys(NamedTuple):
    """The columns that a file's path names, as values of their types."""

    values: Mapping[str, int | str | None]
    types: Mapping[str, pa.DataType]

    @classmethod
    def of(cls, values: Mapping[str, str], whole: Callable[[str], bool]) -> Keys:
        """``whole`` says which columns are int64."""
        import pyarrow as pa

        types = {key: pa.int64() if whole(key) else pa.string() for key in values}
        known = {key: None if v == NULL else int(v) if whole(key) else v for key, v in values.items()}
        return cls(known, types)

    def repeated(self, key: str, rows: int) -> pa.Array:
        import pyarrow as pa

        return pa.repeat(pa.scalar(self.values[key], self.types[key]), rows)


NO_KEYS = Keys({}, {})


def line_of(error: BaseException) -> str:
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__
