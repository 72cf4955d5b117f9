"""Network to chip: weight codings, arrays and stacking, floorplan."""

from pimsim.mapping.placement import Placement, place_rows
from pimsim.mapping.weights import CellPlan, WeightCoding, weight_coding

__all__ = ["CellPlan", "Placement", "WeightCoding", "place_rows", "weight_coding"]
