"""The models of parents, for groups that are too small: each takes the nearest that there is.

Parents are fitted as groups are, and stand after them (see `data.parents`); in the tables of chunks their kind tells them apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fitscale.store.chunks import PARENT

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

OF = f"{PARENT} of "  # and in how many columns of the key its groups are alike
TAKEN = ("file", "offset", "length")  # of the index: where a model is


def mark_parents(kinds: list[str], start: int, groups: int, alike: tuple[int, ...]) -> None:
    """Set the kinds of those of a chunk that begins with group ``start``; the last of all ``groups`` are parents."""
    first = groups - len(alike)
    for k in range(max(0, first - start), len(kinds)):
        kinds[k] = f"{OF}{alike[start + k - first]}"


def are_parents(index: pa.Table) -> np.ndarray:
    """(n,) bool."""
    import pyarrow.compute as pc

    found: np.ndarray = pc.starts_with(index.column("kind"), OF).to_numpy(zero_copy_only=False)
    return found


def with_parents(index: pa.Table, groups: tuple[str, ...]) -> pa.Table:
    """The index without the parents, the last rows, whose models its unfit groups have now: told by kind and reason."""
    import numpy as np
    import pyarrow as pa

    parents = are_parents(index)
    fitted: dict[tuple[Any, ...], dict[str, Any]] = {}
    for parent in index.filter(pa.array(parents)).to_pylist():
        if parent["status"] == "fitted":
            fitted[tuple(parent[name] for name in groups[: int(parent["kind"].removeprefix(OF))])] = parent
    index = index.filter(pa.array(~parents))
    columns: dict[str, list[Any]] = {name: index.column(name).to_pylist() for name in ("status", "kind", "why", *TAKEN)}
    keys = list(zip(*(index.column(name).to_pylist() for name in groups), strict=True))
    for row in np.flatnonzero(np.array(columns["status"], object) == "unfit").tolist():
        nearest = next((keys[row][:n] for n in range(len(groups) - 1, -1, -1) if keys[row][:n] in fitted), None)
        if nearest is None:
            continue
        named = ", ".join(f"{name}={value}" for name, value in zip(groups, nearest, strict=False))
        columns["status"][row], columns["kind"][row] = "fitted", PARENT
        columns["why"][row] += f": has the model of {named or 'all groups'}"
        for name in TAKEN:
            columns[name][row] = fitted[nearest][name]
    for name, values in columns.items():
        at = index.column_names.index(name)
        index = index.set_column(at, name, pa.array(values, index.schema.field(name).type))
    return index
