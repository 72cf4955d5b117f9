"""Circuits that write the cells of an array: high-voltage drivers, verifying read-out, decoders."""

from __future__ import annotations

from pimsim.circuits.bill import Bill, Part
from pimsim.config.array import Array
from pimsim.config.programming import ProgrammingPeriphery


def bill(block: ProgrammingPeriphery, array: Array, where: str, n_arrays: int) -> Bill:
    """Programming periphery of some arrays.

    Notes
    -----
    It has no supply while cells are read, so it does not leak; what programming takes is in
    `pimsim.cost.programming`.
    """

    def part(area: float, count: int) -> Part:
        rests_on = ("chip.programming_periphery", "chip.array")
        return Part("programming_periphery", where, n_arrays * count, area, 0.0, rests_on, "beside")

    return Bill(
        (
            part(block.area_per_row, array.rows),
            part(block.area_per_column, array.columns),
            part(block.area_per_array, 1),
        )
    )
