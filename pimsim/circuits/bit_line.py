"""Bit line: joins the currents of its rows and loads the sense amplifier."""

from __future__ import annotations

from pimsim.config.chip import BitLine


def bit_line_capacitance(bit_line: BitLine, n_rows: int) -> float:
    """C_BL [F] of a line with `n_rows` cells hanging on it, driven or not."""
    return bit_line.capacitance_per_row * n_rows
