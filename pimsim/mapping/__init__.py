"""Network to chip: differential pairs, arrays and stacking."""

from pimsim.mapping.bit_slices import (
    Slices,
    differential_slices,
    n_slices,
    offset_slices,
    stored_bits,
)
from pimsim.mapping.differential_pair import CellLevels, always_on_rows, differential_pairs
from pimsim.mapping.placement import Placement, place_matrix, place_slices

__all__ = [
    "CellLevels",
    "Placement",
    "Slices",
    "always_on_rows",
    "differential_pairs",
    "differential_slices",
    "n_slices",
    "offset_slices",
    "place_matrix",
    "place_slices",
    "stored_bits",
]
