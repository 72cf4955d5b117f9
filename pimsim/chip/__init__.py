"""The hardware: tiles with drive, read-out and logic, and chips drawn from them."""

from pimsim.chip.build import Chip, Layout, build_chip, lay_out
from pimsim.chip.characteristic import Characteristic, Quantiser
from pimsim.chip.program import ProgrammedTile, program_tile
from pimsim.chip.tile import MatrixOnChip, Tile, TileLayout

__all__ = [
    "Characteristic",
    "Chip",
    "Layout",
    "MatrixOnChip",
    "ProgrammedTile",
    "Quantiser",
    "Tile",
    "TileLayout",
    "build_chip",
    "lay_out",
    "program_tile",
]
