"""Some groups of a finished version, to be trained again on the data as it is now; the others stay as they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fitscale.errors import UsageError
from fitscale.records.base import digest_of
from fitscale.records.run import Recipe, Some
from fitscale.store import chunks, files, lookup, versions

if TYPE_CHECKING:
    import pyarrow as pa


def some_of(run: Path, only: str) -> Some:
    """The groups that ``only`` names: ``drifted``, ``failed``, or one key, its columns with commas between.

    Their keys are written down in the run, where those who cut the rows find them.

    Raises
    ------
    UsageError
        If there is no finished version of many models, no drift was looked for, or no group is meant.
    """
    served = need_version(run, only)
    index = lookup.Index(run, served)
    about = index.manifest
    if not about.groups:
        raise UsageError(f"--only {only}: version {served} is one model; leave it out")
    keys = _keys(run, index, only).select(list(about.groups))
    if not keys.num_rows:
        raise UsageError(f"--only {only}: no group of version {served} is meant")
    content = chunks.parquet_bytes(keys)
    name = f"some-{digest_of(content)}"
    files.replace(run / "data" / f"{name}.parquet", content)
    return Some(base=served, keys=name, encoding=about.encoding, groups=keys.num_rows)


def need_version(run: Path, only: str) -> int:
    """The version that is served.

    Raises
    ------
    UsageError
        If there is none.
    """
    served = versions.current(run)
    if served is None:
        raise UsageError(f"--only {only}: {run} has no finished version yet; train all groups first")
    return served


def check_same_kind(run: Path, some: Some, recipe: Recipe) -> None:
    """Raise UsageError unless models of this recipe can stand beside those of the version that they are for."""
    before = list(versions.manifest(run, some.base).recipes.values())[-1]
    for place in ("framework", "estimator", "target", "weight", "groups", "time", "step"):
        if getattr(before, place) != getattr(recipe, place):
            raise UsageError(
                f"--only: the workload has another {place} than version {some.base}, whose other models would stay: leave --only "
                "out, and train all groups"
            )


def _keys(run: Path, index: lookup.Index, only: str) -> pa.Table:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    if only == "failed":
        return index.table.filter(pc.equal(index.table.column("status"), "failed"))
    if only == "drifted":
        path = run / "drift" / f"{index.version}.parquet"
        if not path.exists():
            raise UsageError(
                f"--only drifted: look for drift of version {index.version} first, with 'fitscale drift --data NEW'"
            )
        table = pq.read_table(path, use_threads=False)
        return table.filter(table.column("drifted")).sort_by([(name, "ascending") for name in index.manifest.groups])
    row = next((row for key, row in index.rows().items() if [str(part) for part in key] == only.split(",")), None)
    if row is None:
        names = ",".join(index.manifest.groups)
        raise UsageError(
            f"--only {only}: version {index.version} knows no such group; give drifted, failed, or {names}"
        )
    return index.table.slice(row, 1)
