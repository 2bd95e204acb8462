"""Which rows a finished version is asked about: those of another place, or of where it was trained, as they are there now."""

from __future__ import annotations

from typing import Any, NamedTuple

from fitscale.models.opened import Run
from fitscale.records.workload import DataSpec
from fitscale.store import folder


class Asked(NamedTuple):
    """As the keys of ``data`` in a workload. Without a place it is the one that the workload named."""

    uri: str | None = None
    base: str = "."  # the folder that a relative uri starts from
    table: str | None = None
    query: str | None = None
    where: str | None = None

    def spec(self, run: Run) -> DataSpec:
        """Where the rows are, and what their columns mean."""
        from fitscale.data.choosing import source_class

        recipe = run.recipe
        columns: Any = {"target": recipe.target, "groups": recipe.groups, "time": recipe.time}
        if self.uri is not None:
            spec = DataSpec(
                uri=self.uri, base=self.base, table=self.table, query=self.query, where=self.where, **columns
            )  # fmt: skip
            # How its files are written, if that was said of those before.
            sections = getattr(source_class(spec), "takes", ())
            return (
                spec.but(**{section: getattr(_trained_on(run), section) for section in sections}) if sections else spec
            )
        before = _trained_on(run)
        if not (self.table or self.query):
            return before.but(where=self.where or before.where)
        return before.but(table=self.table, query=self.query, key=None, where=self.where)

    def named(self, run: Run) -> str:
        """What errors call it."""
        return self.uri or self.spec(run).uri


def _trained_on(run: Run) -> DataSpec:
    return folder.read_task(run.path, run.recipe.digest).data
