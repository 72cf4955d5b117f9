"""Checks of bit lines: voltages, currents and times of lines, cells and transistors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pimsim.chip.check import Check
from pimsim.chip.tile import MatrixOnChip, Tile
from pimsim.circuits.chain import Chain
from pimsim.circuits.lines import Lines
from pimsim.config.chip import ChipConfig


class LineRead(NamedTuple):
    """A read of the bit lines of a tile.

    Attributes
    ----------
    lines : Lines
    chains : list of (matrix, chain)
    busy : float
        Time for which lines carry their current, over that of an operation.
    needed, given : float
        Time until lines are read, as needed and as given [s].
    """

    lines: Lines
    chains: list[tuple[MatrixOnChip, Chain]]
    busy: float
    needed: float
    given: float


def line_checks(
    tile: Tile, read: LineRead, current: float | None, highest: Mapping[str, float]
) -> list[Check]:
    """Bounds of the bit lines of a tile.

    Parameters
    ----------
    current : float or None
        Mean current of a bit line in a read [A]; None: the one expected.
    highest : mapping of matrix -> A
        Largest current of a bit line in any read; the one expected where a matrix has none.
    """
    lines, chains = read.lines, read.chains
    config, cells = lines.config, lines.device.read
    most = {
        part.name: highest.get(part.name, chain.currents.highest * chain.drawn)
        for part, chain in chains
    }
    fullest, chain = max(chains, key=lambda of: most[of[0].name] * of[1].transimpedance)
    if current is None:
        current = max(chain.currents.mean * chain.drawn for _, chain in chains)
    rows = tile.placement.rows_on_bit_line
    lost = lines.drop(rows, current, _row_current(config, tile, current))
    found = []
    if cells.kind == "resistor":
        drop = _ir_drop(tile, lost, cells.voltage, config.limits.ir_drop)
        found += [drop, _access(lines, tile)]
        lost = 0.0
    else:
        found.append(_gate(lines, tile))
    if chain.is_compressed:
        found.append(
            Check(
                "compression", tile.name, chain.lost_gain, config.limits.compression, "of the gain"
            )
        )
    else:
        found.append(_headroom(tile, chain, most[fullest.name], lost))
    # a line carries its current for the pulse alone, and wears by the mean
    steady = current * min(1.0, read.busy)
    limit = lines.technology.wire.current_limit * lines.wire_width(lines.device.cell.pitch[0])
    found.append(Check("line current", tile.name, steady, limit, "A"))
    found.append(
        Check(
            "integration",
            tile.name,
            read.needed,
            read.given,
            "s",
            possible=read.given,
            message=f"gives lines of {tile.name} {read.given * 1e9:.3g} ns to settle, and they "
            f"need {read.needed * 1e9:.3g} ns",
            refusal="Remove bit_line.integration_time, or raise it or the settling_error",
        )
    )
    return found


def _row_current(config: ChipConfig, tile: Tile, line_current: float) -> float:
    """Current of a row that is fully on, on all lines [A], from the mean current of a line."""
    lines = min(tile.placement.n_lines * tile.placement.lines_each, config.array.columns)
    on = tile.placement.n_rows * tile.pulses.mean(config.limits.active_rows)
    return line_current * lines / on


def _ir_drop(tile: Tile, lost: float, read_voltage: float, limit: float) -> Check:
    return Check(
        "IR drop",
        tile.name,
        lost / read_voltage,
        limit,
        "of the read voltage",
        message=f"lets cells of {tile.name} lose {lost * 1e3:.3g} mV of their read voltage of "
        f"{read_voltage * 1e3:.3g} mV along bit and source lines",
        refusal="Lower the cells' current, or the rows that share a line, or widen its wire "
        "(bit_line.wire_share)",
    )


def _access(lines: Lines, tile: Tile) -> Check:
    read, config = lines.device.read, lines.config
    cell, access = read.voltage / read.top_current, lines.access_resistance
    voltage, threshold = config.word_line_driver.voltage, lines.technology.transistor.threshold
    return Check(
        "access transistor",
        tile.name,
        access / cell,
        config.limits.access,
        "of the cell's resistance",
        message=f"raises word lines of {tile.name} to {voltage:.3g} V, where access transistors "
        f"(threshold {threshold:.3g} V) have {access / 1e3:.3g} kohm in series with cells of "
        f"{cell / 1e3:.3g} kohm",
        refusal="Raise word_line_driver.voltage, or take a cell with more fins or less current",
    )


def _gate(lines: Lines, tile: Tile) -> Check:
    high = lines.config.word_line_driver.voltage
    gate = lines.word_line_voltage
    return Check(
        "gate voltage",
        tile.name,
        gate,
        high,
        "V",
        possible=high,
        message=f"has word-line drivers of {high:.3g} V, and the cells' currents hold at a gate "
        f"voltage of {gate:.3g} V",
        refusal="Raise word_line_driver.voltage, or take a device file whose currents hold there",
    )


def _headroom(tile: Tile, chain: Chain, highest: float, lost: float) -> Check:
    supply = chain.lines.config.bit_line.supply
    left = supply - highest * chain.transimpedance
    of_mean = supply - chain.drop(chain.currents.mean)
    needed = chain.needed_voltage + lost
    return Check(
        "headroom",
        tile.name,
        needed,
        left,
        "V",
        possible=of_mean,
        message=f"leaves {of_mean:.3g} V of a supply of {supply:.3g} V to cells and clamps of "
        f"{tile.name} at the mean current of their lines, and they need {needed:.3g} V",
        refusal="Lower load.resistance (or time, or input_range), or the cells' current, or raise "
        "bit_line.supply",
    )
