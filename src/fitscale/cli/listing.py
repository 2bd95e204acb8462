"""Tables of models: which are listed, what one of them is, how two versions differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fitscale.cli.shown import columns, plural, value, wrapped
from fitscale.errors import UsageError, WorkloadError, nearest
from fitscale.records.base import Record
from fitscale.records.run import Recipe
from fitscale.store.chunks import STATUS

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.models.comparing import Comparison
    from fitscale.models.opened import Run

LEAST_ROOM = 24  # of a line, below which a reason stands on lines of its own
SHOWN = ("status", "n_train", "n_holdout", "units", "score", "why")


class About(Record):
    """What ``fitscale models show --json`` prints."""

    format: int = 1
    run: str
    version: int
    key: dict[str, str | int | float | bool | None]
    status: str
    kind: str = ""
    why: str = ""
    n_train: int
    n_holdout: int
    units: int
    bytes: int
    metric: str
    score: float | None
    recipe: Recipe


def picked(table: pa.Table, *, status: str | None, failed: bool, where: str | None) -> pa.Table:
    """The rows that are asked for.

    Raises
    ------
    UsageError
        What ``--status`` or ``--where`` cannot mean.
    """
    import pyarrow.compute as pc

    if status is not None and status not in STATUS:
        raise UsageError(f"--status {status}: no such status{nearest(status, STATUS)}; there are: {', '.join(STATUS)}")
    if status is not None:
        table = table.filter(pc.equal(table.column("status"), status))
    if failed:
        table = table.filter(pc.not_equal(table.column("status"), "fitted"))
        # Failures first: an unfit group is as its data are.
        table = table.take(pc.sort_indices(table, [("status", "ascending")])) if table.num_rows else table
    return _where(table, where) if where else table


def _where(table: pa.Table, text: str) -> pa.Table:
    from fitscale.data.sources.matching import rows_that_match

    try:
        return rows_that_match(table, text)
    except WorkloadError as error:
        raise UsageError(f"--where: {error.problem}") from None


def listed(table: pa.Table) -> list[dict[str, Any]]:
    """The rows as JSON takes them."""
    return [{name: _plain(item) for name, item in row.items()} for row in table.to_pylist()]


def listed_lines(table: pa.Table, run: Run, width: int | None = None) -> list[str]:
    """The rows under a header; what is longer than ``width`` goes on under the beginning of its last cell."""
    groups = run.manifest.groups
    shown = [*groups, *(name for name in SHOWN if name in table.column_names)]
    if not table.num_rows:
        return ["no such models"]
    names = {"n_train": "rows", "n_holdout": "held out", "score": run.manifest.metric}
    flush = "".join(
        str(i) for i, name in enumerate(shown) if name in ("n_train", "n_holdout", "units", "score") and i < 10
    )
    rows = [[value(item) for item in row.values()] for row in table.select(shown).to_pylist()]
    lines = columns(rows, [names.get(name, name) for name in shown], flush)
    if width is None or max(map(len, lines)) <= width or shown[-1] != "why":
        return lines
    start = lines[0].index("why")
    room = start if width - start >= LEAST_ROOM else 4
    folded: list[str] = []
    for line in lines:
        if len(line) <= width:
            folded.append(line)
        elif room == start:
            folded += wrapped(line[:start].rstrip(), line[start:], width, start)
        else:
            folded += [line[:start].rstrip(), *wrapped("", line[start:], width, room)]
    return folded


def about(run: Run, key: tuple[str, ...]) -> About:
    """One model by its key, given as text.

    Raises
    ------
    UsageError
        If there is no such group, or the key has another number of parts; it names the nearest.
    """
    groups = run.manifest.groups
    if len(key) != len(groups):
        takes = f"a key of {', '.join(groups)}" if groups else "no key: the run has one model"
        raise UsageError(f"{run.path}: takes {takes}; got {' '.join(key) or 'none'}")
    table = run._index.table
    texts = [tuple(map(str, each)) for each in zip(*(table.column(name).to_pylist() for name in groups), strict=True)]
    if groups and key not in texts:
        joined = {" ".join(text): None for text in texts}
        raise UsageError(
            f"{run.path}: version {run.version} has no group {' '.join(key)}{nearest(' '.join(key), joined)}"
        )
    row = table.slice(texts.index(key) if groups else 0, 1).to_pylist()[0]
    recipes = run.manifest.recipes
    return About(
        run=str(run.path),
        version=run.version,
        key={name: _plain(row[name]) for name in groups},
        status=row["status"],
        kind=row["kind"] or "",
        why=row["why"] or "",
        n_train=row["n_train"],
        n_holdout=row["n_holdout"],
        units=row["units"],
        bytes=row["length"],
        metric=run.manifest.metric,
        score=_plain(row["score"]),
        recipe=recipes.get("final") or recipes.get("fit") or list(recipes.values())[-1],
    )


def about_lines(found: About, width: int) -> list[str]:
    """The lines that a person reads."""
    from fitscale.cli.shown import size

    recipe = found.recipe
    key = ", ".join(f"{name} {item}" for name, item in found.key.items()) or "the one model"
    lines = wrapped("Model", f"{key}, version {found.version} of {found.run}", width)
    lines += wrapped(
        "Status", found.status + (f": {found.why or found.kind}" if found.why or found.kind else ""), width
    )
    lines += wrapped("Rows", f"{found.n_train:,} trained on, {found.n_holdout:,} held out", width)
    if found.status == "fitted":
        lines += wrapped("Score", f"{found.metric} {value(found.score)}", width)
        lines += wrapped("Size", f"{size(found.bytes)}, {plural(found.units, 'unit')}", width)
    params = ", ".join(f"{name}: {item}" for name, item in sorted(recipe.estimator.params.items()))
    lines += wrapped("Estimator", f"{recipe.estimator.path}" + (f" ({params})" if params else ""), width)
    libraries = ", ".join(f"{name} {version}" for name, version in sorted(recipe.versions.items()))
    made = f"{recipe.digest}, seed {recipe.seed}, {plural(recipe.threads, 'thread')}, {libraries}"
    return [*lines, *wrapped("Recipe", made, width)]


def compared_lines(found: Comparison) -> list[str]:
    """The lines that a person reads."""
    lines = [
        f"Version {found.before} → {found.after}: {found.metric} {value(found.score_before)} → {value(found.score_after)}"
        f" ({'greater' if found.greater else 'less'} is better)",
        f"{found.better:,} better, {found.worse:,} worse, {found.equal:,} equal; {found.new:,} new, {found.gone:,} gone; "
        f"{found.gained:,} have a model now, {found.lost:,} lost theirs",
    ]
    if found.changes:
        rows = [
            [" ".join(map(str, c.key)) or "the one model", value(c.before), value(c.after), _by(c.before, c.after)]
            for c in found.changes
        ]
        lines += ["", *columns(rows, ["largest changes", "before", "after", "by"], "123")]
    return lines


def _by(before: float | None, after: float | None) -> str:
    return f"{(after or 0.0) - (before or 0.0):+.4f}".replace("-", "−")


def _plain(item: Any) -> Any:
    return item if item is None or isinstance(item, str | int | float | bool) else str(item)
