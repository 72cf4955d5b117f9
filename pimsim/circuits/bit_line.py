"""Bit lines: loads, clamps, and what they take in a read besides the cells' currents."""

from __future__ import annotations

from pimsim.circuits.bill import Bill, Part, Price
from pimsim.circuits.clamp import Clamp


def bill(
    where: str,
    n_lines: int,
    ends: int,
    load_area: float,
    clamp: Clamp,
    precharge: float,
    bias: float,
) -> Bill:
    """Loads and clamps of some bit lines.

    Parameters
    ----------
    ends : int
        Ends of a line that are held, each by a clamp of its own.
    load_area : float
        Area of the load of a line [m2].
    precharge, bias : float
        Energy of bringing a line to its read voltage, and of a clamp's bias, in a read [J].
    """
    of_clamp = ("chip.clamp", "chip.bit_line", "device.read", "device.cell", "technology.wire")
    parts = [Part("bit_line", where, n_lines, load_area, 0.0, ("chip.load",))]
    if clamp.area:
        blocks = ("chip.clamp",) if ends == 1 else ("chip.clamp", "chip.bit_line")
        parts.append(Part("clamp", where, ends * n_lines, clamp.area, 0.0, blocks))
    prices = []
    if clamp.holds:
        prices = [
            Price("bit_line", "precharges", precharge, of_clamp),
            Price("clamp", "biases", ends * bias, of_clamp, counted="reads"),
        ]
    return Bill(tuple(parts), tuple(prices))
