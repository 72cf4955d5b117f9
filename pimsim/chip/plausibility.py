"""Checks whether a chip can be built: voltage drop, current and settling time of bit lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pimsim.chip.build import Chip
from pimsim.chip.graph import ArrayComponent, ChipGraph
from pimsim.chip.tile import MatrixOnChip, Tile
from pimsim.circuits.bit_line import ir_drop
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
    """

    name: str
    tile: str
    value: float
    limit: float
    unit: str

    @property
    def passes(self) -> bool:
        return self.value <= self.limit * (1 + ROUNDING)


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
    place: Place | None = None,
) -> list[Check]:
    """Check the bounds of every tile.

    Parameters
    ----------
    currents : mapping of tile -> A, or None
        Mean current of a bit line in a read (`line_currents`); None, before anything is run:
        every cell draws `limits.mean_current` of full scale.
    place : Place or None
        Place of the chip file, for errors.

    Raises
    ------
    MappingError
        If a bit line loses more than its whole signal, or has less time than it needs.
    """
    chip, checks = graph.chip, []
    for component in graph.tiles:
        tile = component.tile
        current = _expected(chip, tile) if currents is None else currents[tile.name]
        checks += _tile_checks(chip, technology, tile, component, current)
    for check in checks:
        if check.name == "IR drop" and check.value > 1:
            raise MappingError(
                f"lets bit lines of {check.tile} lose {check.value:.0%} of the input range along "
                "their wires; such a chip cannot be built",
                place=place,
                remedy="Lower the cells' current (read voltage), or the rows that share a line",
            )
        if check.name == "integration" and not check.passes:
            raise MappingError(
                f"gives lines of {check.tile} {check.limit * 1e9:.3g} ns to settle, and they need "
                f"{check.value * 1e9:.3g} ns",
                place=place,
                remedy="Remove bit_line.integration_time, or raise it or the settling_error",
            )
    return checks


def _expected(chip: Chip, tile: Tile) -> float:
    cell = max(matrix.cell.full_scale_current for matrix in tile.matrices)
    rows = min(tile.placement.n_rows, tile.placement.rows_on_bit_line)
    return rows * cell * chip.config.limits.mean_current


def _tile_checks(
    chip: Chip, technology: TechnologyConfig, tile: Tile, component: ArrayComponent, current: float
) -> list[Check]:
    config, layout = chip.config, chip.layout
    lost = ir_drop(config.bit_line, tile.placement.rows_on_bit_line, current)
    # a line carries its current for the pulse alone, and wears by the mean
    busy = component.cycles / config.clock.frequency
    steady = current * min(1.0, layout.drive.pulses * layout.read_out.pulse(tile) / busy)
    share = lost / config.read_out.input_range
    return [
        Check("IR drop", tile.name, share, config.limits.ir_drop, "of the input range"),
        Check("line current", tile.name, steady, technology.wire.current_limit, "A"),
        Check(
            "integration",
            tile.name,
            layout.read_out.needed_time(tile),
            layout.read_out.integration_time(tile),
            "s",
        ),
    ]
