"""Logic behind the read-out: the state of a layer and its output.

A layer kind names its logic (`Layer.logic`), and a chip file the cells that all logic is built
from (`logic.kind`): gates for bits, lookup tables for codes.
"""

from pimsim.chip.logic.base import Cells, Logic
from pimsim.chip.logic.gates import GateCells
from pimsim.chip.logic.gru import GruLogic
from pimsim.chip.logic.register import RegisterLogic
from pimsim.chip.logic.table import TableCells
from pimsim.config.chip import ChipConfig

# logic by the word of a layer kind
LOGIC: dict[str, type[Logic]] = {"register": RegisterLogic, "gru": GruLogic}
# circuits that logic is built from, by the `kind` that a chip file names
CELLS: dict[str, type[Cells]] = {"gates": GateCells, "table": TableCells}


def logic_cells(config: ChipConfig) -> Cells:
    """Circuits that the logic of a chip is built from."""
    return CELLS[config.logic.kind](config)


__all__ = ["CELLS", "LOGIC", "Cells", "GruLogic", "Logic", "RegisterLogic", "logic_cells"]
