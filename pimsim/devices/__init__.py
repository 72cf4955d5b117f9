"""eNVM cells: level currents, programming errors, drift, telegraph noise, read noise."""

from pimsim.devices.cell import SOURCES, CellModel, LevelStatistics, cell_model
from pimsim.devices.levels import LevelChoice, choose_levels
from pimsim.devices.overlap import neighbour_errors

__all__ = [
    "SOURCES",
    "CellModel",
    "LevelChoice",
    "LevelStatistics",
    "cell_model",
    "choose_levels",
    "neighbour_errors",
]
