"""Workload to chip: differential pairs, arrays and stacking."""

from pimsim.mapping.bit_slices import bit_slices, n_slices
from pimsim.mapping.differential_pair import CellLevels, always_on_rows, differential_pairs
from pimsim.mapping.placement import Placement, place_matrix, place_slices

__all__ = [
    "CellLevels",
    "Placement",
    "always_on_rows",
    "bit_slices",
    "differential_pairs",
    "n_slices",
    "place_matrix",
    "place_slices",
]
