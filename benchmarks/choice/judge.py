"""From the rows to the tables, by title: pure functions, of which each kind has a file. Only the test half counts.

Runs of the other half are earlier runs of the machine, where some are supposed to be known.
"""

from __future__ import annotations

from collections.abc import Sequence

from choice.coverage import coverage
from choice.errors import errors, ranges
from choice.known import Row, known
from choice.regret import regrets
from choice.spending import crowding, memory, probing


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """All tables, by title. Those of nothing yet are left out."""
    main = known(row for row in rows if row["half"] == "test" and not row["ranged"])
    every = known(row for row in rows if not row["ranged"])
    ranged = known(row for row in rows if row["half"] == "test" and row["ranged"])
    found = {
        "Error": errors(main, every),
        "Where the number of iterations is open": ranges(ranged),
        "Coverage and width of the 90 % intervals": coverage(main, every),
        "Memory": memory(main),
        "Probing that is not refunded": probing(main),
        "Regret": regrets(main),
        "Others on the machine": crowding(main),
    }
    return {title: lines for title, lines in found.items() if lines}
