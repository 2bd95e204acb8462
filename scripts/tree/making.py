"""The shipped record: the tree, its date and version, its agreement, and the rules by which the planner departs from it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from choosing import Choice, reason_of
from fitting import agreement, fitted, led_to

from fitscale.planning.tree.tree import FORMAT, LEAVES, Departure, Tree
from fitscale.records.base import digest_of


class Dated(NamedTuple):
    version: int
    made: str
    drawn_from: str  # digest of the choices
    before: str  # the text that had this date


def kept(text: str, today: str) -> Dated:
    """What the file there says of itself; version 0 where there is none."""
    if not text:
        return Dated(0, today, "", "")
    there = json.loads(text)
    return Dated(there["version"], today or there["made"], there["drawn_from"], text)


def tree_of(choices: Sequence[Choice], others: Sequence[Choice], dated: Dated) -> Tree:
    """Other choices make another version, of this day; the same keep theirs."""
    nodes = fitted(choices)
    drawn_from = digest_of(*(repr(choice) for choice in choices))
    counts = Counter(choice.chosen for choice in choices)
    tree = Tree(
        format=FORMAT,
        version=dated.version,
        made=dated.made,
        grid={leaf: counts[leaf] for leaf in LEAVES if counts[leaf]},
        drawn_from=drawn_from,
        outside=agreement(nodes, others),
        nodes=nodes,
    )
    departures = Counter(
        (choice.chosen, leaf, reason_of(choice.point, leaf))
        for choice in others
        if (leaf := led_to(nodes, choice)) != choice.chosen
    )
    tree = tree.but(
        departures=tuple(
            Departure(chosen=chosen, leaf=leaf, rule=rule, count=count)
            for (chosen, leaf, rule), count in sorted(departures.items(), key=lambda item: (-item[1], item[0]))
        )
    )
    if dated.before and text_of(tree.but(made=json.loads(dated.before)["made"])) == dated.before:
        return tree.but(made=json.loads(dated.before)["made"])
    return tree.but(version=dated.version + 1)


def text_of(tree: Tree) -> str:
    return json.dumps(tree.model_dump(mode="json", exclude_defaults=True), indent=1, ensure_ascii=False) + "\n"
