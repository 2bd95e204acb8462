"""The smallest exporter, and the reference: each model in its library's own format, loadable without fitscale."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from fitscale.contracts import Exported
from fitscale.errors import UsageError
from fitscale.records.run import Manifest, Recipe
from fitscale.store import files, lookup
from fitscale.store.archive import Archive

if TYPE_CHECKING:
    import pyarrow as pa


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
        suffix = _suffix(index.manifest)

        def fill(folder: Path) -> None:
            if not index.manifest.groups:
                for name, data in _contents(run, index, suffix):
                    (folder / name).write_bytes(data)
                return
            with Archive(folder / "models.zip") as archive:
                for name, data in _contents(run, index, suffix):
                    archive.add(name, data)

        files.folder_whole(to, fill)
        return Exported(tuple(sorted(to.iterdir())))


def _contents(run: Path, index: lookup.Index, suffix: str) -> Iterator[tuple[str, bytes]]:
    """Each file's name and bytes, one after the other."""
    named = []
    for row in range(len(index)):
        entry = index.entry(row)
        if entry.status != "fitted":
            continue
        # Bytes are copied, not loaded: nothing of a stranger's can run here.
        name = f"model-{row:06d}{suffix}" if entry.key else f"model{suffix}"
        named.append({"key": list(entry.key), "file": name})
        yield name, index.payload(entry, pickles=False, trusted=False)
    yield "index.json", json.dumps(named, default=str, indent=1).encode()
    yield "encoding.json", (run / "encoding" / index.manifest.encoding / "encoding.json").read_bytes()


def _suffix(manifest: Manifest) -> str:
    framework = next(iter(manifest.recipes.values())).framework
    return {"xgboost": ".ubj", "lightgbm": ".txt", "sklearn": ".pkl", "baseline": ".json"}.get(framework, ".bin")
