"""eNVM cells: level currents, programming spread, drift, RTN, read noise."""

from pimsim.devices.cell import PARTS, CellModel, cell_model
from pimsim.devices.levels import LevelChoice, choose_levels

__all__ = ["PARTS", "CellModel", "LevelChoice", "cell_model", "choose_levels"]
