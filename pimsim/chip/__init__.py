"""What exists in silicon: tiles with their read-out, and chips drawn from them."""

from pimsim.chip.build import Chip, MatrixOnChip, ReadOut, Tile, build_chip
from pimsim.chip.program import ProgrammedTile, program_tile

__all__ = [
    "Chip",
    "MatrixOnChip",
    "ProgrammedTile",
    "ReadOut",
    "Tile",
    "build_chip",
    "program_tile",
]
