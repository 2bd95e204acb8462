"""What feeding costs, whatever the framework: starting a process, reading cells, encoding them."""

from __future__ import annotations

from fitscale.records.base import Figure, Record
from fitscale.records.data import Profile, Shape, Snapshot

START_S = 0.8  # a worker and its imports: 0.4 s with XGBoost, 1.3 with scikit-learn
CELL_S = 1e-8  # decode or encode one cell
# Encode one where missing values are filled in: means are learnt first, and each column of a block is looked at apart.
FILLED_CELL_S = 3e-8
DISK_BYTES_PER_S = 400e6  # a cold buffered read
LEAST_READ_S = 0.02  # shorter readings say nothing


class Rates(Record):
    """Seconds of one thread. Cells that are read are those of the files' columns, encoded ones those of the matrix."""

    columns: int  # of the files
    start_s: Figure
    read_s_per_cell: Figure
    encode_s_per_cell: Figure
    row_bytes: float = 0.0  # of the files
    learns: bool = False  # the encoding is learnt in a pass over the columns
    staged_bytes: int = 0  # kept in the run folder, because the source cannot be read again identically
    staged_there: bool = False  # they are there already


def rates_of(
    profile: Profile,
    snapshot: Snapshot,
    shape: Shape,
    *,
    staged_bytes: int = 0,
    staged_there: bool = False,
    imputes: bool = False,
) -> Rates:
    """Reading as the profile measured it, by bytes (a part of a file is decoded from its beginning); else by prior."""
    columns = max(1, len(snapshot.columns))
    cells = max(1, snapshot.rows * columns)
    size = max(1, sum(size for piece in snapshot.pieces for _, size in piece.parts) or snapshot.bytes)
    read = Figure.around(CELL_S + size / cells / DISK_BYTES_PER_S, 2.0, "assumed")
    if profile.read_s >= LEAST_READ_S and profile.read_rows > 0 and profile.read_bytes > 0:
        by_rows = profile.read_s / (profile.read_rows * columns)
        by_bytes = profile.read_s / profile.read_bytes * size / cells
        # It was also counted and looked at meanwhile, which a feed does not do: an upper bound, rather.
        read = Figure.around(min(by_rows, by_bytes), 0.6, "measured")
    return Rates(
        columns=columns,
        start_s=Figure.around(START_S, 1.0, "assumed"),
        read_s_per_cell=read,
        encode_s_per_cell=Figure.around(FILLED_CELL_S if imputes and shape.density == 1 else CELL_S, 1.5, "assumed"),
        row_bytes=shape.source_bytes / max(1, shape.rows + shape.holdout_rows + shape.validation_rows),
        learns=bool(shape.categories) or imputes or shape.density < 1,
        staged_bytes=staged_bytes,
        staged_there=staged_there,
    )
