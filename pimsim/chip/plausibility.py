"""Checks whether a chip can work: voltages and times of its lines, cells and transistors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pimsim.chip.build import Chip
from pimsim.chip.graph import ArrayComponent, ChipGraph
from pimsim.chip.tile import MatrixOnChip, Tile
from pimsim.circuits.chain import Chain
from pimsim.config.technology import TechnologyConfig
from pimsim.errors import MappingError, Place

# settling that lasts just as long as it is given
ROUNDING = 1e-9


@dataclass(frozen=True)
class Check:
    """One bound of one tile; beyond its limit a chip is doubtful.

    Attributes
    ----------
    name, tile : str
    value, limit : float
        In `unit`.
    unit : str
    possible : float or None
        Largest value with which a chip can work at all; None: 1, for a share.
    message, refusal : str
        What is wrong beyond it, and the remedy; no refusal where a chip is doubtful at worst.
    """

    name: str
    tile: str
    value: float
    limit: float
    unit: str
    possible: float | None = None
    message: str = ""
    refusal: str = ""

    @property
    def passes(self) -> bool:
        return self.value <= self.limit * (1 + ROUNDING)

    @property
    def is_possible(self) -> bool:
        """Whether a chip can work with this value."""
        return self.value <= (1.0 if self.possible is None else self.possible) * (1 + ROUNDING)


def line_currents(graph: ChipGraph, drawn: Mapping[str, int], inferences: int) -> dict[str, float]:
    """Mean current of a bit line in a read, by tile [A], from the counted currents.

    Parameters
    ----------
    drawn : mapping of matrix -> quanta
        Summed over both lines of all pairs and over all reads, as `ActionCounts.drawn`.
    """
    pulses, found = graph.chip.layout.drive.pulses, {}
    for component in graph.tiles:
        tile, reads = component.tile, component.demand.n_operations * inferences
        found[tile.name] = max(
            drawn.get(matrix.name, 0)
            * matrix.quantum_ampere
            * matrix.read_out.chain.drawn
            / (reads * pulses * _lines(matrix, tile))
            for matrix in tile.matrices
        )
    return found


def _lines(matrix: MatrixOnChip, tile: Tile) -> int:
    """Number of bit lines of a matrix; arrays with their own read-out have their own lines."""
    return tile.placement.lines_each * matrix.n_lines * tile.placement.read_outs_each


def check_chip(
    graph: ChipGraph,
    technology: TechnologyConfig,
    currents: Mapping[str, float] | None = None,
    highest: Mapping[str, float] | None = None,
    place: Place | None = None,
) -> list[Check]:
    """Check the bounds of every tile.

    Parameters
    ----------
    currents : mapping of tile -> A, or None
        Mean current of a bit line in a read (`line_currents`); None, before anything is run: the
        one expected with the share of rows that `limits.active_rows` takes for active.
    highest : mapping of matrix -> A, or None
        Largest current of a bit line in any read; None: the one expected.
    place : Place or None
        Place of the chip file, for errors.

    Raises
    ------
    MappingError
        If the chip cannot work: cells without a voltage, transistors that are off, lines without
        the time that they need.
    """
    checks = []
    for component in graph.tiles:
        current = None if currents is None else currents[component.name]
        checks += _tile_checks(graph.chip, technology, component, current, highest or {})
    for check in checks:
        if (remedy := check.refusal) and not check.is_possible:
            raise MappingError(
                f"{check.message}; such a chip cannot work", place=place, remedy=remedy
            )
    return checks


def _tile_checks(
    chip: Chip,
    technology: TechnologyConfig,
    component: ArrayComponent,
    current: float | None,
    highest: Mapping[str, float],
) -> list[Check]:
    tile, config, layout = component.tile, chip.config, chip.layout
    lines, read = layout.lines, chip.device.read
    chains = layout.read_out.chains(tile)
    most = {
        part.name: highest.get(part.name, chain.currents.highest * chain.drawn)
        for part, chain in zip(tile.matrices, chains, strict=True)
    }
    name, chain = max(
        zip(most, chains, strict=True), key=lambda of: most[of[0]] * of[1].transimpedance
    )
    if current is None:
        current = max(chain.currents.mean * chain.drawn for chain in chains)
    rows = tile.placement.rows_on_bit_line
    lost = lines.drop(rows, current, _row_current(chip, tile, current))
    found = []
    if read.kind == "resistor":
        found += [_ir_drop(tile, lost, read.voltage, config.limits.ir_drop), _access(chip, tile)]
        lost = 0.0
    else:
        found.append(_gate(chip, tile))
    if chain.is_compressed:
        found.append(
            Check(
                "compression", tile.name, chain.lost_gain, config.limits.compression, "of the gain"
            )
        )
    else:
        found.append(_headroom(tile, chain, most[name], lost))
    # a line carries its current for the pulse alone, and wears by the mean
    busy = component.cycles / config.clock.frequency
    steady = current * min(1.0, layout.drive.pulses * layout.read_out.pulse(tile) / busy)
    width = lines.wire_width(chip.device.cell.pitch[0])
    found.append(
        Check("line current", tile.name, steady, technology.wire.current_limit * width, "A")
    )
    needed, given = layout.read_out.needed_time(tile), layout.read_out.integration_time(tile)
    found.append(
        Check(
            "integration",
            tile.name,
            needed,
            given,
            "s",
            possible=given,
            message=f"gives lines of {tile.name} {given * 1e9:.3g} ns to settle, and they need "
            f"{needed * 1e9:.3g} ns",
            refusal="Remove bit_line.integration_time, or raise it or the settling_error",
        )
    )
    return found


def _row_current(chip: Chip, tile: Tile, line_current: float) -> float:
    """Current of a row that is on, on all lines [A], from the mean current of a line."""
    lines = min(tile.placement.n_lines * tile.placement.lines_each, chip.config.array.columns)
    return line_current * lines / (tile.placement.n_rows * chip.config.limits.active_rows)


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


def _access(chip: Chip, tile: Tile) -> Check:
    read, lines = chip.device.read, chip.layout.lines
    cell, access = read.voltage / read.top_current, lines.access_resistance
    voltage, threshold = chip.config.word_line_driver.voltage, lines.technology.transistor.threshold
    return Check(
        "access transistor",
        tile.name,
        access / cell,
        chip.config.limits.access,
        "of the cell's resistance",
        message=f"raises word lines of {tile.name} to {voltage:.3g} V, where access transistors "
        f"(threshold {threshold:.3g} V) have {access / 1e3:.3g} kohm in series with cells of "
        f"{cell / 1e3:.3g} kohm",
        refusal="Raise word_line_driver.voltage, or take a cell with more fins or less current",
    )


def _gate(chip: Chip, tile: Tile) -> Check:
    high = chip.config.word_line_driver.voltage
    gate = chip.layout.lines.word_line_voltage
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
