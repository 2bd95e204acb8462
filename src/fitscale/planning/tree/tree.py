"""The decision tree: fitted to the planner's choices over a grid of workloads by ``scripts/tree``, shipped as a table."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal, get_args

from pydantic import ValidationError

from fitscale.planning.tree.measures import MEASURES
from fitscale.records.base import Record

FORMAT = 1
FILE = "tables/tree.json"

Leaf = Literal[
    "in-memory", "quantised", "out-of-core", "many-models", "batched-models", "parts-and-merge", "data-parallel",
    "rented", "nothing",
]  # fmt: skip
LEAVES: tuple[Leaf, ...] = get_args(Leaf)
SAID: dict[str, str] = {
    "in-memory": "here, in memory",
    "quantised": "here, quantised",
    "out-of-core": "here, out-of-core",
    "many-models": "here, many models in a pool",
    "batched-models": "here, many models as arrays",
    "parts-and-merge": "here, parts of one model, merged",
    "data-parallel": "here, data-parallel processes",
    "rented": "a rented machine",
    "nothing": "nothing: a must, the budget or the data has to give",
}


class Damaged(Exception):
    """The shipped tree is no tree: a fault of the package, which costs a plan nothing but its path."""


class Node(Record):
    """Either a question, with the nodes that yes and no lead to, or a leaf. ``count``: workloads of the grid that come here."""

    ask: str = ""
    at: float = 0.0  # at most this: yes
    yes: int = 0
    no: int = 0
    leaf: Leaf | None = None
    count: int


class Agreement(Record):
    """How often the tree says what the planner chose, on workloads that it was not fitted to.

    ``confusion``: how many workloads of each choice (first key) the tree leads where (second key).
    """

    workloads: int
    all: float
    each: dict[str, float]
    confusion: dict[str, dict[str, int]]


class Departure(Record):
    """Workloads of one choice that the tree leads elsewhere, by the rule of the planner that it does not have."""

    chosen: Leaf
    leaf: Leaf
    rule: str
    count: int


class Tree(Record):
    format: int
    version: int
    made: str  # the day
    grid: dict[str, int]  # workloads of each class
    drawn_from: str  # digest of the grid's choices
    outside: Agreement
    departures: tuple[Departure, ...] = ()
    nodes: tuple[Node, ...]  # the first is the root

    @property
    def name(self) -> str:
        """What tells whether a plan's path is of this tree."""
        return f"{self.version} {self.drawn_from}"

    @property
    def leaves(self) -> int:
        return sum(node.leaf is not None for node in self.nodes)

    def below(self, at: int) -> set[str]:
        """The leaves that can be reached from a node."""
        node = self.nodes[at]
        return {node.leaf} if node.leaf else self.below(node.yes) | self.below(node.no)


@cache
def shipped() -> Tree:
    """The tree of this installation.

    Raises
    ------
    Damaged
        If its file cannot be read, or is no such tree.
    """
    try:
        text = (files("fitscale.planning.tree") / FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Damaged(f"planning/tree/{FILE}: {error}") from None
    return read(text)


def read(text: str) -> Tree:
    """The tree of a file's text.

    Raises
    ------
    Damaged
        It names what is wrong.
    """
    try:
        tree = Tree.from_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Damaged(f"planning/tree/{FILE}: {f'{place}: ' if place else ''}{first['msg']}") from None
    if tree.format != FORMAT:
        raise Damaged(f"planning/tree/{FILE}: format {tree.format}, where this version of fitscale reads {FORMAT}")
    if not tree.nodes:
        raise Damaged(f"planning/tree/{FILE}: it has no nodes")
    for at, node in enumerate(tree.nodes):
        if node.leaf is not None:
            continue
        if node.ask not in MEASURES:
            raise Damaged(f"planning/tree/{FILE}: nodes.{at}: nothing is known of '{node.ask}'")
        # Each leads further down, so that every walk ends.
        if not (at < node.yes < len(tree.nodes) and at < node.no < len(tree.nodes)):
            raise Damaged(
                f"planning/tree/{FILE}: nodes.{at}: leads to {node.yes} and {node.no}, of {len(tree.nodes)} nodes"
            )
    return tree
