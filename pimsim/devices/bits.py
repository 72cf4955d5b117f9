"""Cells that hold a bit: exact, and no current is read from them."""

from __future__ import annotations

import numpy as np

from pimsim.devices.cell import SOURCES, CellModel, LevelStatistics
from pimsim.devices.levels import LevelChoice


def bit_model(text: str) -> CellModel:
    """Cell model of a bit, which has no error, no age and no current.

    Parameters
    ----------
    text
        Description of the cells, for terminal and report.
    """
    levels, none = np.array([0.0, 1.0]), np.zeros(2)
    return CellModel(
        ideal=levels,
        statistics=LevelStatistics(levels, dict.fromkeys(SOURCES, none)),
        full_scale_current=0.0,
        choice=LevelChoice(levels, none, text),
        age=0.0,
    )
