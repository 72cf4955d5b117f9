"""Decision tables of a tile with one-bit read-out."""

from __future__ import annotations

from collections.abc import Sequence

from pimsim.chip import Tile
from pimsim.kernels.decisions import ProbabilityTables, join_tables
from pimsim.streams import decision_table


def probability_tables(tile: Tile, steps: Sequence[int] | None = None) -> ProbabilityTables:
    """One table for each matrix of a tile, shared by its columns.

    Parameters
    ----------
    steps
        Quanta to a unit of sums, for each matrix; None for sums in quanta.
    """
    tables = [
        decision_table(part.read_out.sigma_quanta, part.read_out.widest) for part in tile.matrices
    ]
    return join_tables(tables, [part.matrix.n_columns for part in tile.matrices], steps)
