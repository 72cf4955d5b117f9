"""Workload to chip: differential pairs, arrays and stacking."""

from pimsim.mapping.differential_pair import CellLevels, always_on_rows, differential_pairs
from pimsim.mapping.placement import Placement, place_matrix

__all__ = ["CellLevels", "Placement", "always_on_rows", "differential_pairs", "place_matrix"]
