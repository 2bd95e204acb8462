"""The class means as a table that a spreadsheet opens: one line for each class, one column for each column of the matrix.

fitscale export RUN --to sheet
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from fitscale.contracts import Exported
from fitscale.data.encoding import Encoding
from fitscale.errors import UsageError
from fitscale.records.run import Recipe
from fitscale.store import files, lookup
from fitscale.store.archive import Archive


class Sheet:
    """See `fitscale.contracts.Exporter`. One CSV file for each model; many in one archive."""

    name: ClassVar[str] = "sheet"
    needs: ClassVar[tuple[str, ...]] = ()
    extra: ClassVar[str] = ""

    def reason_not(self, recipe: Recipe) -> str | None:
        return None if recipe.framework == "centroids" else "it has no class means: a sheet holds those of Centroids"

    def check(self, recipe: Recipe, payload: bytes, encoding: Any, rows: pa.RecordBatch) -> None:
        """Every model of Centroids has means: there is nothing more to try."""

    def export(self, run: Path, version: int, to: Path, *, trust: bool = False) -> Exported:
        if to.exists():
            raise UsageError(f"{to}: is there already; name a folder that is not")
        index = lookup.Index(run, version)
        about = index.manifest
        encoding = Encoding.from_json((run / "encoding" / about.encoding / "encoding.json").read_bytes())

        def fill(folder: Path) -> None:
            models = index.each(pickles=False, trusted=False)  # JSON: nothing of a stranger's can run here
            if not about.groups:
                ((_, _, payload),) = models
                (folder / "means.csv").write_bytes(sheet(payload, encoding.names))
                return
            with Archive(folder / "means.zip") as archive:
                for row, _, payload in models:
                    archive.add(f"means-{row:06d}.csv", sheet(payload, encoding.names))

        files.folder_whole(to, fill)
        return Exported(tuple(sorted(to.iterdir())))


def sheet(payload: bytes, names: tuple[str, ...]) -> bytes:
    """A line for each class: its code, its share of the rows, and the mean of each column."""
    model, text = json.loads(payload), io.StringIO()
    lines = csv.writer(text)
    lines.writerow(["class", "prior", *names])
    for code, (prior, mean) in enumerate(zip(model["prior"], model["mean"], strict=True)):
        lines.writerow([code, prior, *mean])
    return text.getvalue().encode()
