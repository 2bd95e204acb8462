"""Which rows a finished version is asked about: those of another place, or of where it was trained, as they are there now."""

from __future__ import annotations

from typing import NamedTuple

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

        trained_on = folder.read_task(run.path, run.recipe.digest).data
        if self.uri is None and not (self.table or self.query):
            return trained_on.but(where=self.where or trained_on.where)
        place = {"uri": trained_on.uri, "base": trained_on.base}
        if self.uri is not None:
            place = {"uri": self.uri, "base": self.base}
        columns = {name: getattr(trained_on, name) for name in ("target", "groups", "time", "step_s", "horizon")}
        spec = DataSpec(**place, **columns, table=self.table, query=self.query, where=self.where)
        # How its files are written, if that was said of those before.
        return spec.but(
            **{section: getattr(trained_on, section) for section in getattr(source_class(spec), "takes", ())}
        )

    def named(self, run: Run) -> str:
        """What errors call it."""
        return self.uri or self.spec(run).uri
