"""docs/decision-tree.md, from the shipped tree and the grid's own values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import grid
from workloads import KINDS

from fitscale.planning.tree.measures import FAR, MEASURES
from fitscale.planning.tree.tree import SAID, Tree

NOTE = "<!-- Written by scripts/tree. Edit the code, then: python scripts/tree --write -->"
ASKED = {
    "models": "how many models, one for each group",
    "several": "whether `needs.functions` asks for `distributed_training`",
    "here": (
        "of the way that is strained least, the larger of two shares: memory at P99 of what its processes may hold, and time "
        "of the deadline"
    ),
    "quantised ahead": "by how many twentieths quantised is faster than in-memory; among equals a smaller one is ahead",
    "out-of-core ahead": "the same of out-of-core, against in-memory and quantised",
    "parts ahead": "the same of parts-and-merge, against one process",
    "arrays ahead": "the same of batched-models, against a pool of processes",
    "rented": "the same over every rented machine; below a tenth it counts as a tenth",
    "price": "a month's core-hours here at the catalogue's least price of one, over the budget",
}


def page(tree: Tree) -> str:
    told, grids = tree.outside, sum(tree.grid.values())
    return f"""{NOTE}

# The decision tree

The planner decides by forecasts and gates, candidate by candidate. This tree is what its decisions look like from a distance: it
was fitted to what the planner chose for {grids:,} workloads, and it stands for the planner in {_percent(told.all)} of
{told.workloads:,} others. It decides nothing itself. `fitscale plan` shows the path of your own workload through it, with
your value and the threshold in each node; `--explain CANDIDATE` goes node by node, and says where that candidate's branch
leaves the path; the report draws all of it with the path lit. Where a plan chooses otherwise than the tree, it says so and why.

Version {tree.version}, of {tree.made}, digest of the grid `{tree.drawn_from}`, {tree.leaves} leaves.

## The tree

In brackets stands the threshold, behind it how many workloads of the grid come there.

```text
{chr(10).join(_drawn(tree))}
```

A leaf is what is recommended: an architecture on this machine, where one passes all gates; a *rented machine*, where none here
does and one of the catalogue does; *nothing*, where neither does. What runs here, and would be notably faster elsewhere, counts as
here, as `train` would take it.

| asked | what it is |
|---|---|
{chr(10).join(f"| {MEASURES[name].question} | {ASKED[name]} |" for name in _used(tree))}

Times, memory and prices are the planner's own figures: from priors in the grid, from whatever was measured in your plan. "P99" is
the bound by which memory is admitted, and {FAR:.0f} twentieths stand for a way that has no rival, or cannot be.

## How well it agrees

On {told.workloads:,} workloads outside the grid: values between those of the grid, other estimators, other parameters, drawn by
seed {grid.SEED_OUTSIDE}, and forecast from priors as those of the grid are.

| the planner's choice | in the grid | | outside | the tree agrees |
|---|---:|---:|---:|---:|
{chr(10).join(_agreement(tree))}
| all | {grids:,} | | {told.workloads:,} | {_percent(told.all)} |

{_met(tree)}

### Where it does not

{_departures(tree)}

The tree has no word for what a plan learns beyond forecasts: a probe that failed, an attempt that passed its memory, one that is
under way, `--choose`, a format that no model converts to, a disk that is full. Then the plan names it.

## The grid

{grid.GRID:,} workloads, drawn by seed {grid.SEED_GRID} from the values below, and never otherwise: `scripts/tree/grid.py`.
All of them with what was chosen stand in `scripts/tree/grid.csv`, those outside in `scripts/tree/outside.csv`. No data is
needed, and nothing is fitted: a workload of the grid is a shape, a profile, a machine and needs; what its estimator can do
says the real framework; and the planner's own functions choose (`planning.loop`, with nothing to probe).

| factor | values |
|---|---|
| models | 1 in {_percent(1 - grid.MANY)} of them, else {_listed(grid.MODELS)} |
| rows of a model | of one model {_listed(grid.ROWS_ONE)}; of many {_listed(grid.ROWS_MANY)} |
| largest group | {_listed(sorted(set(grid.SKEW)))} times the mean's rows |
| features | of one model {_listed(grid.FEATURES_ONE)}; of many {_listed(grid.FEATURES_MANY)} |
| machine | {_listed(grid.CORES)} cores, {_listed(grid.MEMORY_GB)} GB; every machine of the shipped catalogue as the better place |
| deadline | none in {_none(grid.MUST_H)}, else {_listed(grid.MUST_H)} h |
| budget | none in {_none(grid.USD_MONTH)}, else {_listed(grid.USD_MONTH)} USD a month |
| frequency | {", ".join(grid.FREQUENCY)} |
| functions | distributed training asked for in {_percent(grid.SEVERAL)} |
| left out | more than {grid.MOST_CELLS:g} cells in all |

| estimator | parameters | cells that are not zero |
|---|---|---:|
{chr(10).join(_kinds((*grid.ONE_KINDS, *grid.MANY_KINDS)))}

Outside of the grid:

| estimator | parameters | cells that are not zero |
|---|---|---:|
{chr(10).join(_kinds((*grid.ONE_OUTSIDE, *grid.MANY_OUTSIDE)))}

No class is to be more than two fifths of the grid, or a tree that always said the same would look wise. So many models and one are
about as frequent, the rows of one model go far beyond what these machines hold, and most workloads have a deadline or a budget. The
largest class, {SAID[_largest(tree)]}, has {_percent(max(tree.grid.values()) / grids)}.

## Making it again

    python scripts/tree --choose     # what the planner chooses: some minutes
    python scripts/tree --write      # the tree, and this page
    python scripts/tree --check 50   # both as the tables give them, and 50 workloads of each chosen for again
"""


def _drawn(tree: Tree) -> Iterator[str]:
    def below(at: int, head: str, inner: str) -> Iterator[str]:
        node = tree.nodes[at]
        if node.leaf is not None:
            yield f"{head}→ {SAID[node.leaf]}   {node.count:,}"
            return
        measure = MEASURES[node.ask]
        yield f"{head}{measure.question} ({measure.limit(node.at)})   {node.count:,}"
        yield from below(node.yes, f"{inner}├─ yes: ", f"{inner}│  ")
        yield from below(node.no, f"{inner}└─ no: ", f"{inner}   ")

    return below(0, "", "")


def _used(tree: Tree) -> list[str]:
    used = {node.ask for node in tree.nodes}
    return [name for name in MEASURES if name in used]


def _agreement(tree: Tree) -> Iterator[str]:
    grids = sum(tree.grid.values())
    for own, there in tree.outside.confusion.items():
        many = tree.grid.get(own, 0)
        yield (
            f"| {SAID[own]} | {many:,} | {_percent(many / grids)} | {sum(there.values()):,} | {_percent(tree.outside.each[own])} |"
        )


def _met(tree: Tree) -> str:
    """What was promised, against what was reached."""
    least = min(tree.outside.each.values())
    largest = max(tree.grid.values()) / sum(tree.grid.values())
    parts = (
        (f"{tree.leaves} leaves of at most 15", tree.leaves <= 15),
        (f"no class over {_percent(largest)} of the grid, where 40 % are allowed", largest <= 0.4),
        (f"{_percent(tree.outside.all)} agreement, where 95 % were promised", tree.outside.all >= 0.95),
        (f"at least {_percent(least)} in each class, where 85 % were promised", least >= 0.85),
    )
    return "Promised and reached: " + "; ".join(text + ("" if met else ", **missed**") for text, met in parts) + "."


def _departures(tree: Tree) -> str:
    if not tree.departures:
        return "Nowhere outside of the grid."
    lines = [
        "| the planner's choice | the tree's leaf | workloads | the rule that the tree does not have |",
        "|---|---|---:|---|",
    ]
    lines += [f"| {SAID[d.chosen]} | {SAID[d.leaf]} | {d.count} | {d.rule} |" for d in tree.departures]
    return "\n".join(lines)


def _kinds(names: Sequence[str]) -> Iterator[str]:
    for name in dict.fromkeys(names):
        kind = KINDS[name]
        params = ", ".join(f"{key} {value}" for key, value in kind.params.items()) or "–"
        yield f"| `{kind.path}` | {params} | {'one a row' if kind.series else _percent(kind.density)} |"


def _largest(tree: Tree) -> str:
    return max(tree.grid, key=lambda leaf: tree.grid[leaf])


def _listed(values: Sequence[float | None]) -> str:
    return ", ".join(f"{value:,}" for value in values if value is not None)


def _none(values: Sequence[float | None]) -> str:
    return _percent(values.count(None) / len(values))


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
