"""Network to chip: weight codings, arrays and stacking, floorplan."""

from pimsim.mapping.placement import Placement, fits_a_stack, place_rows
from pimsim.mapping.row_order import row_places
from pimsim.mapping.weights import CellPlan, WeightCoding, weight_coding

__all__ = [
    "CellPlan", "Placement", "WeightCoding", "fits_a_stack", "place_rows", "row_places",
    "weight_coding",
]  # fmt: skip
