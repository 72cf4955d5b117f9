"""Arrays of cells."""

from __future__ import annotations

from collections.abc import Sequence

from pimsim.circuits.bill import Bill, Part, Price
from pimsim.config.array import Array
from pimsim.config.device import Cell


def drawn_energy(current: float, pulse: float, supply: float) -> float:
    """Energy that a supply gives to a current through cells, I t V [J]."""
    return current * pulse * supply


def bill(
    array: Array, cell: Cell, where: str, n_arrays: int, matrices: Sequence[tuple[str, float]]
) -> Bill:
    """Cells of some arrays, and the energy of the charge that they draw.

    Parameters
    ----------
    matrices : sequence of (name, energy)
        Energy of one quantum of current, flowing for a read pulse, in each matrix [J].

    Notes
    -----
    Cells do not leak: their word lines are down.
    """
    cells = Part(
        "array",
        where,
        n_arrays * array.rows * array.columns,
        cell.area,
        0.0,
        ("device.cell", "chip.array"),
        "cells",
    )
    rests_on = (
        "device.read",
        "device.states",
        "chip.word_line_driver",
        "chip.bit_line",
        "chip.load",
        "chip.clamp",
        "technology.wire",
        "chip.read_out",
    )
    prices = tuple(Price("array", name, each, rests_on) for name, each in matrices)
    return Bill((cells,), prices)
