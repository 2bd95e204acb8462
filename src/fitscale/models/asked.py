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
        here = self.uri is None
        spec = DataSpec(
            uri=trained_on.uri if here else str(self.uri), base=trained_on.base if here else self.base,
            table=self.table, query=self.query, where=self.where, target=trained_on.target, groups=trained_on.groups,
            time=trained_on.time, step_s=trained_on.step_s, horizon=trained_on.horizon,
        )  # fmt: skip
        # How its files are written, if that was said of those before.
        return spec.but(
            **{section: getattr(trained_on, section) for section in getattr(source_class(spec), "takes", ())}
        )

    def named(self, run: Run) -> str:
        """What errors call it."""
        return self.uri or self.spec(run).uri
