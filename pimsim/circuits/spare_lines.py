"""Spare bit lines beside the arrays, which take the place of lines that fail."""

from __future__ import annotations

from pimsim.circuits.bill import Bill, Part
from pimsim.circuits.clamp import CLAMPS
from pimsim.circuits.logic import LogicCosts
from pimsim.config.chip import ChipConfig
from pimsim.config.device import Cell
from pimsim.config.read_out import SenseAmplifier


def bill(
    config: ChipConfig,
    cell: Cell,
    where: str,
    n_arrays: int,
    n_read_outs: int,
    spares: int,
    costs: LogicCosts,
) -> Bill:
    """Spare pairs of a tile, with all that stands along an array's own pairs.

    Parameters
    ----------
    spares : int
        Spare pairs beside each array.

    Notes
    -----
    Their cells, drivers for programming, loads, clamps and sense amplifiers have the areas of the
    array's own. Reads are as many as without, so that spare pairs have no prices; those that no
    line has taken leak, as all amplifiers do.
    """
    amplifier = config.read_out
    assert isinstance(amplifier, SenseAmplifier)
    clamp = CLAMPS[config.clamp.kind](config.clamp)
    # a clamp for each end that is held
    ends = 2 if config.bit_line.held_at == "both_ends" else 1
    of_lines = config.load.area + ends * clamp.area
    amplifiers = -(-spares // amplifier.columns_per_amplifier)

    def part(
        count: int, area: float, blocks: tuple[str, ...], strip: str, leakage: float = 0.0
    ) -> Part:
        return Part("spare_pairs", where, count, area, leakage, (*blocks, "chip.array"), strip)

    of_programming = config.programming_periphery.area_per_column
    lines = 2 * spares
    return Bill(
        (
            part(lines * n_arrays * config.array.rows, cell.area, ("device.cell",), "drivers"),
            part(lines * n_arrays, of_programming, ("chip.programming_periphery",), "drivers"),
            part(lines * n_read_outs, of_lines, ("chip.load", "chip.clamp"), "below"),
            part(
                amplifiers * n_read_outs,
                amplifier.area,
                ("chip.read_out",),
                "below",
                costs.leakage_of(amplifier.area),
            ),
        )
    )
