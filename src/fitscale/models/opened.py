"""Open a run, and reach its models."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitscale.errors import UsageError, WorkloadError
from fitscale.records.plan import Plan
from fitscale.records.run import Recipe
from fitscale.registry import html_of, plugin
from fitscale.store import chunks, folder, lookup, versions
from fitscale.work.model import Model

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

KEPT_MODELS = 4096


class Run:
    """A run folder with at least one finished version.

    Attributes
    ----------
    path, name, version
        Where it is, what it is called, and which version is looked at (the served one by default).
    manifest
        What the version holds.
    """

    def __init__(self, path: str | Path, version: int | None = None, *, trust: bool = False) -> None:
        self.path = Path(path)
        self.name = folder.check(self.path)
        served = version if version is not None else versions.current(self.path)
        if served is None:
            raise UsageError(f"{self.path}: has no finished version yet; 'fitscale train' goes on with it")
        self.version = served
        self._index = lookup.Index(self.path, served)
        self.manifest = self._index.manifest
        self._trust = trust
        self._models: OrderedDict[tuple[Any, ...], Model] = OrderedDict()
        last = list(self.manifest.recipes.values())[-1]
        self._recipe = next((r for n, r in self.manifest.recipes.items() if n in ("final", "fit")), last)
        self._pickles = bool(plugin("frameworks", self._recipe.framework).pickles)
        self._encoding: Any = None

    def __repr__(self) -> str:
        about = self.manifest
        return f"<run {self.name!r} version {self.version}: {about.models} models, {about.metric} {self.score}>"

    def _repr_html_(self) -> str | None:
        """What a notebook shows of it."""
        return html_of("run", self)

    @property
    def score(self) -> float | None:
        """The metric over all held-out rows."""
        return self.manifest.scores.get(self.manifest.metric)

    @property
    def recipe(self) -> Recipe:
        """What fixed the bits of its models."""
        return self._recipe

    @property
    def estimator(self) -> str:
        """The import path of what was fitted."""
        return self._recipe.estimator.path

    @property
    def plan(self) -> Plan:
        """The last plan of the run."""
        return folder.read_plan(self.path)

    @property
    def encoding(self) -> Any:
        """What turns raw columns into what the models take."""
        if self._encoding is None:
            from fitscale.data.encoding import Encoding

            path = self.path / "encoding" / self.manifest.encoding / "encoding.json"
            self._encoding = Encoding.from_json(path.read_bytes())
        return self._encoding

    def model(self, *key: Any) -> Model:
        """The model, or that of a group: ``run.model()``, ``run.model("SEA", 7)`` or ``run.model(("SEA", 7))``.

        Raises
        ------
        UsageError
            If there is no such group, or it has no model.
        Untrusted
            If loading it could run code that somebody else wrote.
        """
        wanted = tuple(key[0]) if len(key) == 1 and isinstance(key[0], (tuple, list)) else key
        if len(wanted) != len(self.manifest.groups):
            names = ", ".join(self.manifest.groups) or "no key: it has one model"
            raise UsageError(f"{self.path}: a model is asked for by {names}, not by {wanted!r}")
        return self._load(self._index.find(wanted))

    def models(self, where: str | None = None) -> pa.Table:
        """One row for each group: key, status, why, rows, score; ``where`` picks some, such as ``"db = 'x' and score < 0.5"``.

        Raises
        ------
        UsageError
            A condition that says nothing of these columns.
        """
        inner = {"file", "offset", "length", *chunks.ERRORS}
        table = self._index.table.select([name for name in self._index.table.column_names if name not in inner])
        if where is None:
            return table
        from fitscale.data.sources.matching import rows_that_match

        try:
            return rows_that_match(table, where)
        except WorkloadError as error:
            raise UsageError(f"where: {error.problem}") from None

    def fitted(self) -> tuple[pa.Table, list[bytes]]:
        """The keys of all groups that have a model, in key order, and the models' bytes.

        Raises
        ------
        Untrusted
            If loading them could run code that somebody else wrote.
        """
        found = [(row, payload) for row, _, payload in self._index.each(pickles=self._pickles, trusted=self._trust)]
        keys = self._index.table.select(list(self.manifest.groups)).take([row for row, _ in found])
        return keys, [payload for _, payload in found]

    def payloads(self) -> dict[tuple[Any, ...], bytes]:
        """From the key of each group that has a model to the model's bytes. Raises as `fitted`."""
        return {key: payload for _, key, payload in self._index.each(pickles=self._pickles, trusted=self._trust)}

    def statuses(self) -> dict[tuple[Any, ...], str]:
        """From the key of each group to its status."""
        status = self._index.table.column("status").to_pylist()
        return {key: status[row] for key, row in self._index.rows().items()}

    def places(self) -> dict[tuple[Any, ...], int]:
        """From the key of each group to its row in `models`."""
        return self._index.rows()

    def errors(self) -> dict[str, np.ndarray]:
        """What the errors on held-out rows were, by name of `chunks.ERRORS` (models,), in the order of `models`.

        Raises
        ------
        UsageError
            If nothing was held out.
        """
        table = self._index.table
        if chunks.ERRORS[0] not in table.column_names:
            raise UsageError(
                f"{self.path}: version {self.version} knows no errors on held-out rows, which new ones could be held against; train"
                " with evaluate.holdout"
            )
        return {name: table.column(name).to_numpy() for name in chunks.ERRORS}

    def ahead(self, steps: int, *, interval: float = 0.9) -> pa.Table:
        """The next steps of every series: see `models.ahead`."""
        from fitscale.models.ahead import ahead

        return ahead(self, steps, interval=interval)

    def entry(self, key: tuple[Any, ...]) -> lookup.Entry | None:
        """The index entry of a key, or None where the version knows no such group."""
        row = self._index.rows().get(key)
        return self._index.entry(row) if row is not None else None

    def load(self, entry: lookup.Entry) -> Model:
        return self._load(entry)

    def _load(self, entry: lookup.Entry) -> Model:
        if entry.key in self._models:
            self._models.move_to_end(entry.key)
            return self._models[entry.key]
        payload = self._index.payload(entry, pickles=self._pickles, trusted=self._trust)
        model = Model(payload, self.encoding, self._recipe, self.manifest.gives)
        self._models[entry.key] = model
        if len(self._models) > KEPT_MODELS:
            self._models.popitem(last=False)
        return model
