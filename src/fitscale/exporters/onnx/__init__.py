"""ONNX: each model with its encoding inside, so that it takes the raw columns. Compared with the run's own on real rows.

One model is TO/model.onnx. Many are TO/models.zip, with index.json from key to file: written one after the other, with
constant times, so that the same version gives the same bytes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from fitscale.contracts import Exported
from fitscale.errors import UsageError
from fitscale.records.run import Recipe
from fitscale.store import files, lookup
from fitscale.store.archive import Archive

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.data.encoding import Encoding

COMPARED_ROWS = 4_096


class Onnx:
    """See `contracts.Exporter`."""

    name: ClassVar[str] = "onnx"
    needs: ClassVar[tuple[str, ...]] = ("onnx", "onnxruntime", "skl2onnx")
    extra: ClassVar[str] = "onnx"

    def reason_not(self, recipe: Recipe) -> str | None:
        from fitscale.exporters.onnx.models import reason_not

        return reason_not(recipe)

    def check(self, recipe: Recipe, payload: bytes, encoding: Encoding, rows: pa.RecordBatch) -> None:
        from fitscale.exporters.onnx.comparing import compare
        from fitscale.exporters.onnx.models import convert, native_of

        native = native_of(payload, recipe)
        model, inputs = convert(native, encoding, recipe)
        compare(model.SerializeToString(deterministic=True), inputs, native, encoding, recipe, rows)

    def export(self, run: Path, version: int, to: Path, *, trust: bool = False) -> Exported:
        if to.exists():
            raise UsageError(f"{to}: is there already; name a folder that is not")
        index = lookup.Index(run, version)
        job = _Job(run, index, trust)

        def fill(folder: Path) -> None:
            if not index.manifest.groups:
                (folder / "model.onnx").write_bytes(job.model(index.entry(0)))
                return
            with Archive(folder / "models.zip") as archive:
                named = []
                for row in range(len(index)):
                    entry = index.entry(row)
                    if entry.status == "fitted":
                        name = f"{row:06d}.onnx"
                        archive.add(name, job.model(entry))
                        named.append({"key": list(entry.key), "file": name})
                archive.add("index.json", json.dumps(named, default=str, indent=1).encode())

        files.folder_whole(to, fill)
        return Exported(tuple(sorted(to.iterdir())), job.compared())


class _Job:
    """The models of one version, converted one after the other; those with rows among the compared ones are compared."""

    def __init__(self, run: Path, index: lookup.Index, trust: bool) -> None:
        from fitscale.data.encoding import Encoding
        from fitscale.errors import NotExportable
        from fitscale.exporters.onnx.rows import held_out

        self._index = index
        self._trust = trust
        about = index.manifest
        self._recipe = list(about.recipes.values())[-1]
        if why := Onnx().reason_not(self._recipe):
            raise NotExportable(f"{run}: {why}")
        path = run / "encoding" / about.encoding / "encoding.json"
        self._encoding = Encoding.from_json(path.read_bytes())
        self._seen: list[Any] = []
        rows = held_out(run, about, self._encoding, COMPARED_ROWS)
        keys = list(zip(*(rows.column(name).to_pylist() for name in about.groups), strict=True)) or [()] * rows.num_rows
        self._rows = rows.to_batches()[0] if rows.num_rows else None
        self._at: dict[tuple[Any, ...], list[int]] = {}
        for row, key in enumerate(keys):
            self._at.setdefault(key, []).append(row)

    def model(self, entry: lookup.Entry) -> bytes:
        from fitscale.exporters.onnx.comparing import compare
        from fitscale.exporters.onnx.models import convert, native_of
        from fitscale.registry import plugin

        pickles = bool(plugin("frameworks", self._recipe.framework).pickles)
        native = native_of(self._index.payload(entry, pickles=pickles, trusted=self._trust), self._recipe)
        made, inputs = convert(native, self._encoding, self._recipe)
        model: bytes = made.SerializeToString(deterministic=True)
        at = self._at.get(entry.key)
        if at and self._rows is not None:
            self._seen.append(compare(model, inputs, native, self._encoding, self._recipe, self._rows.take(at)))
        return model

    def compared(self) -> Any:
        from fitscale.exporters.onnx.comparing import summed

        return summed(self._seen, self._encoding.n_classes)
