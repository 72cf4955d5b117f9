"""Logic behind the read-out: the state of a layer and its output.

A layer kind names its logic (`Layer.logic`), and a chip file the circuits that all logic is built
from (`logic.kind`): gates for bits, lookup tables for codes.
"""

from pimsim.chip.logic.base import Logic, LogicCircuits
from pimsim.chip.logic.gates import GateCircuits
from pimsim.chip.logic.gru import GruLogic
from pimsim.chip.logic.lstm import LstmLogic
from pimsim.chip.logic.register import RegisterLogic
from pimsim.chip.logic.reset_gru import ResetGruLogic
from pimsim.chip.logic.table import TableCircuits
from pimsim.config.chip import ChipConfig

# logic by the word of a layer kind
LOGIC: dict[str, type[Logic]] = {
    "register": RegisterLogic,
    "gru": GruLogic,
    "reset_gru": ResetGruLogic,
    "lstm": LstmLogic,
}
# circuits that logic is built from, by the `kind` that a chip file names
LOGIC_CIRCUITS: dict[str, type[LogicCircuits]] = {"gates": GateCircuits, "table": TableCircuits}


def logic_circuits(config: ChipConfig) -> LogicCircuits:
    """Circuits that the logic of a chip is built from."""
    return LOGIC_CIRCUITS[config.logic.kind](config)


__all__ = [
    "LOGIC",
    "LOGIC_CIRCUITS",
    "GruLogic",
    "Logic",
    "LogicCircuits",
    "LstmLogic",
    "RegisterLogic",
    "ResetGruLogic",
    "logic_circuits",
]
