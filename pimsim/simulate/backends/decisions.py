"""Decision tables of a tile with one-bit read-out."""

from __future__ import annotations

from collections.abc import Sequence

from pimsim.chip import Tile
from pimsim.errors import MappingError
from pimsim.kernels.decisions import ProbabilityTables, join_tables
from pimsim.streams import decision_table, table_limit

# noise as wide as the largest full scale, 2^17 quanta, takes half of it; a table has 8 bytes for
# each quantum on both sides
MAX_LIMIT = 1 << 21


def probability_tables(tile: Tile, steps: Sequence[int] | None = None) -> ProbabilityTables:
    """One table for each matrix of a tile, shared by its columns.

    Parameters
    ----------
    steps
        Quanta to a unit of sums, for each matrix; None for sums in quanta.

    Raises
    ------
    MappingError
        If the noise of a decision is so wide that its table would fill the memory.
    """
    for part in tile.matrices:
        limit = table_limit(part.read_out.sigma_quanta, part.read_out.widest)
        if limit > MAX_LIMIT:
            raise MappingError(
                f"noise of {part.name} reaches over {limit:,} quanta of its sums; "
                f"{MAX_LIMIT:,} are the most",
                remedy="Check the matrix's preactivation_range and the noise of the read-out",
            )
    tables = [
        decision_table(part.read_out.sigma_quanta, part.read_out.widest) for part in tile.matrices
    ]
    return join_tables(tables, [part.matrix.n_columns for part in tile.matrices], steps)
