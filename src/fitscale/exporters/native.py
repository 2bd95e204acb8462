"""The smallest exporter, and the reference: each model in its library's own format, loadable without fitscale."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

from fitscale.errors import UsageError
from fitscale.records.run import Manifest, Recipe
from fitscale.store import files, lookup


class Native:
    """See `contracts.Exporter`. One file for each model, and index.json from key to file."""

    name: ClassVar[str] = "native"
    needs: ClassVar[tuple[str, ...]] = ()

    def reason_not(self, recipe: Recipe) -> str | None:
        return None

    def export(self, run: Path, version: int, to: Path) -> tuple[Path, ...]:
        if to.exists():
            raise UsageError(f"{to}: is there already; name a folder that is not")
        index = lookup.Index(run, version)
        suffix = _suffix(index.manifest)

        def fill(folder: Path) -> None:
            names = []
            for row in range(len(index)):
                entry = index.entry(row)
                if entry.status != "fitted":
                    continue
                # Bytes are copied, not loaded: nothing of a stranger's can run here.
                payload = index.payload(entry, pickles=False, trusted=False)
                name = f"model-{row:06d}{suffix}" if entry.key else f"model{suffix}"
                (folder / name).write_bytes(payload)
                names.append({"key": list(entry.key), "file": name})
            (folder / "index.json").write_text(json.dumps(names, default=str, indent=1))
            encoding = run / "encoding" / index.manifest.encoding / "encoding.json"
            (folder / "encoding.json").write_bytes(encoding.read_bytes())

        files.folder_whole(to, fill)
        return tuple(sorted(to.iterdir()))


def _suffix(manifest: Manifest) -> str:
    framework = next(iter(manifest.recipes.values())).framework
    return {"xgboost": ".ubj", "lightgbm": ".txt", "sklearn": ".pkl", "baseline": ".json"}.get(framework, ".bin")
