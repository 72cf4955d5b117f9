"""eNVM cells: level currents, programming spread, drift, RTN, read noise."""

from pimsim.devices.cell import PARTS, CellModel, cell_model
from pimsim.devices.levels import LevelChoice, choose_levels
from pimsim.devices.overlap import neighbour_errors

__all__ = [
    "PARTS",
    "CellModel",
    "LevelChoice",
    "cell_model",
    "choose_levels",
    "neighbour_errors",
]
