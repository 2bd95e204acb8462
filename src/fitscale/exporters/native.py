"""The smallest exporter, and the reference: each model in its library's own format, loadable without fitscale."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from fitscale.contracts import Exported
from fitscale.errors import UsageError
from fitscale.records.run import Manifest, Recipe
from fitscale.store import files, lookup
from fitscale.store.archive import Archive

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES = {
    "xgboost": ".ubj",
    "lightgbm": ".txt",
    "sklearn": ".pkl",
    "baseline": ".json",
    "series": ".fser",
    "statsforecast": ".fssf",
}


class Native:
    """See `contracts.Exporter`. One file for each model, and index.json from key to file; many in one archive."""

    name: ClassVar[str] = "native"
    needs: ClassVar[tuple[str, ...]] = ()
    extra: ClassVar[str] = ""

    def reason_not(self, recipe: Recipe) -> str | None:
        return None

    def check(self, recipe: Recipe, payload: bytes, encoding: Any, rows: pa.RecordBatch) -> None:
        """Bytes are copied: there is nothing to try."""

    def export(self, run: Path, version: int, to: Path, *, trust: bool = False) -> Exported:
        if to.exists():
            raise UsageError(f"{to}: is there already; name a folder that is not")
        index = lookup.Index(run, version)

        def fill(folder: Path) -> None:
            encoding = encoding_of(run, index)
            models = named(index)
            if not index.manifest.groups:
                for name, data in contents(models, encoding):
                    (folder / name).write_bytes(data)
                return
            with Archive(folder / "models.zip") as archive:
                for name, data in contents(models, encoding):
                    archive.add(name, data)

        files.folder_whole(to, fill)
        return Exported(tuple(sorted(to.iterdir())))


def named(index: lookup.Index) -> Iterator[tuple[tuple[Any, ...], str, bytes]]:
    """(key, file name, bytes) of each model. Bytes are copied, not loaded: nothing of a stranger's can run here."""
    suffix = _suffix(index.manifest)
    for row, key, payload in index.each(pickles=False, trusted=False):
        yield key, f"model-{row:06d}{suffix}" if key else f"model{suffix}", payload


def contents(models: Iterable[tuple[tuple[Any, ...], str, bytes]], encoding: bytes) -> Iterator[tuple[str, bytes]]:
    """Each file's name and bytes, one after the other: the models, and what leads to them."""
    known = []
    for key, name, payload in models:
        known.append({"key": list(key), "file": name})
        yield name, payload
    yield "index.json", json.dumps(known, default=str, indent=1).encode()
    yield "encoding.json", encoding


def encoding_of(run: Path, index: lookup.Index) -> bytes:
    return (run / "encoding" / index.manifest.encoding / "encoding.json").read_bytes()


def _suffix(manifest: Manifest) -> str:
    framework = next(iter(manifest.recipes.values())).framework
    return SUFFIXES.get(framework, ".bin")
