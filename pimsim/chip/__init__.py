"""What exists in silicon: tiles with their read-out, and chips drawn from them."""

from pimsim.chip.build import Chip, MatrixOnChip, Tile, build_chip
from pimsim.chip.program import ProgrammedTile, program_tile
from pimsim.chip.read_out import Conversion, ReadOut

__all__ = [
    "Chip",
    "Conversion",
    "MatrixOnChip",
    "ProgrammedTile",
    "ReadOut",
    "Tile",
    "build_chip",
    "program_tile",
]
