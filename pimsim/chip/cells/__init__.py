"""Cells that hold the weights: those of a device file, or SRAM; one file each, same verbs.

A weight coding names its cells (`WeightCodingBlock.cells`).
"""

from pimsim.chip.cells.base import Cells
from pimsim.chip.cells.device import DeviceCells
from pimsim.chip.cells.sram import SramCells
from pimsim.circuits.lines import Lines

# cells by the word of a weight coding's block
CELLS: dict[str, type[Cells]] = {"device": DeviceCells, "sram": SramCells}


def cells(lines: Lines) -> Cells:
    """Cells of a chip, on the lines of its arrays."""
    return CELLS[lines.config.weight_coding.cells](lines)


__all__ = ["CELLS", "Cells", "DeviceCells", "SramCells", "cells"]
