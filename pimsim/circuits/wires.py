"""Wires of a column: bit and source line as a ladder between the cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pimsim.circuits.clamp import CLAMPS
from pimsim.circuits.lines import Lines
from pimsim.errors import MappingError, Place


@dataclass(frozen=True)
class Wires:
    """Bit and source line of one column of cells.

    The bit line is held at the read voltage at its near end, where the read-out is, and the source
    line at 0.  Place 0 is nearest to it, one piece of wire away; what is not used of the lines lies
    beyond the last row.

    Attributes
    ----------
    form : "first_order" or "exact"
        How the voltage lost along them is computed.
    bit, source : float
        Resistance of a piece between two cells [ohm].
    length : int
        Cells along the lines, used or not.
    bit_twice, source_twice : bool
        Whether bit and source line are held so beyond the last cell, too.
    voltage : float
        Read voltage of the cells [V].
    """

    form: Literal["first_order", "exact"]
    bit: float
    source: float
    length: int
    bit_twice: bool
    source_twice: bool
    voltage: float


def column_wires(
    lines: Lines, name: str, n_rows: int, form: Literal["first_order", "exact"]
) -> Wires:
    """Wires of the columns of a layer, with `n_rows` cells along each.

    Source lines are as `Lines.drop` has them: as wide as bit lines, fed beside the read-out and, as
    a mesh, at the far end too.  Straps of a mesh carry nothing where columns carry equal currents,
    and are left out.

    Raises
    ------
    MappingError
        If a column is no ladder of its own: currents return along rows, or no clamp holds the line.
    """
    config = lines.config
    if lines.has_input_lines or config.array.source_line == "row":
        raise MappingError(
            f"returns currents of {name} along rows, whose drop depends on all columns: no column "
            "is a ladder of its own",
            place=Place("chip.array.source_line"),
            remedy="Set noise.ir_drop=none, or array.source_line to column or mesh",
        )
    if lines.device.read.kind == "resistor" and not CLAMPS[config.clamp.kind].holds:
        raise MappingError(
            f"has no clamp that holds the bit lines of {name}: their ends move with the current, "
            "which no ladder of wires alone has",
            place=Place("chip.clamp"),
            remedy="Set noise.ir_drop=none, or take a clamp (cascode, regulated)",
        )
    return Wires(
        form=form,
        bit=lines.bit_line_resistance,
        source=lines.bit_line_resistance,
        length=n_rows,
        bit_twice=config.bit_line.held_at == "both_ends",
        source_twice=config.array.source_line == "mesh",
        voltage=lines.device.read.voltage,
    )
