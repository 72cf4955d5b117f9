"""Logic after the read-out: circuits that compute a layer's outputs from bits or codes."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, SerializeAsAny

from pimsim.config.kinds import OneOf
from pimsim.config.schema import Area, Block, Count, Energy, Signal, Sourced


class LogicBlock(Block, Sourced):
    """Digital circuit after the read-out."""

    takes: ClassVar[Signal]
    gives: ClassVar[Signal]


class Gates(LogicBlock):
    """A 2:1 multiplexer and a register for each hidden bit."""

    takes = gives = "bits"
    kind: Literal["gates"]
    multiplexer_gates: Count = Field(description="gates of one multiplexer")
    gates_in_path: Count = Field(description="gates from a decision to the register's input")


class Table(LogicBlock):
    """Looks up the activation of each sum and mixes hidden states, after shift-and-add."""

    takes = gives = "codes"
    kind: Literal["table"]
    units: Count = Field(description="lookups per cycle in each tile")
    energy_per_activation: Energy = Field(ge=0, description="energy of one lookup")
    area: Area = Field(gt=0, description="area of one unit")


LOGIC_BLOCKS: dict[str, type[LogicBlock]] = {
    "gates": Gates,
    "table": Table,
}
AnyLogic = Annotated[SerializeAsAny[LogicBlock], OneOf(LOGIC_BLOCKS)]
