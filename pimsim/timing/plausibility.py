"""Whether a chip can be built: what its bit lines lose, carry and have time for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pimsim.chip import Chip, MatrixOnChip, Tile
from pimsim.circuits.bit_line import ir_drop
from pimsim.config import TechnologyConfig
from pimsim.errors import MappingError, Place
from pimsim.timing.parts import Part
from pimsim.timing.phases import integration_time, needed_time, read_pulse

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


def line_currents(
    chip: Chip, parts: list[Part], drawn: Mapping[str, int], inferences: int
) -> dict[str, float]:
    """Mean current of a bit line in a read, by tile [A], from what was really drawn.

    Parameters
    ----------
    drawn : mapping of matrix -> quanta
        Summed over both lines of all pairs and over all reads, as `ActionCounts.drawn`.
    """
    reads = {part.name: len(part.demand.operations) * inferences for part in parts}
    found = {}
    for tile in chip.tiles:
        if tile is not None:
            found[tile.name] = max(
                drawn.get(part.name, 0)
                * (part.cell.full_scale_current / part.read_out.full_scale_quanta)
                / (reads[tile.name] * pulses(chip) * lines(part, tile))
                for part in tile.matrices
            )
    return found


def pulses(chip: Chip) -> int:
    """How often the lines of a tile are read in an operation."""
    return chip.config.slicing.activation_bits if chip.config.has_converters else 1


def lines(part: MatrixOnChip, tile: Tile) -> int:
    """Bit lines of a matrix; arrays that are converted apart have lines of their own."""
    apart = 1 if part.read_out.conversion is None else tile.placement.n_stacked
    n_columns: int = part.columns.stop - part.columns.start
    return tile.placement.lines_each * n_columns * apart


def check_chip(
    chip: Chip,
    technology: TechnologyConfig,
    parts: list[Part],
    currents: Mapping[str, float] | None = None,
    place: Place | None = None,
) -> list[Check]:
    """Bounds of every tile, kept or not.

    Parameters
    ----------
    currents : mapping of tile -> A, or None
        Mean current of a bit line in a read (`line_currents`); None, before anything is run:
        every cell draws `limits.mean_current` of full scale.
    place : Place or None
        Of the chip file, for errors.

    Raises
    ------
    MappingError
        If a bit line loses more than its whole signal, or has less time than it needs.
    """
    checks = []
    of_name = {part.name: part for part in parts}
    for tile in chip.tiles:
        if tile is not None:
            current = _expected(chip, tile) if currents is None else currents[tile.name]
            checks += _tile_checks(chip, technology, tile, of_name[tile.name], current)
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
    cell = max(part.cell.full_scale_current for part in tile.matrices)
    rows = min(tile.placement.n_rows, tile.placement.rows_on_bit_line)
    return rows * cell * chip.config.limits.mean_current


def _tile_checks(
    chip: Chip, technology: TechnologyConfig, tile: Tile, part: Part, current: float
) -> list[Check]:
    config = chip.config
    lost = ir_drop(config.bit_line, tile.placement.rows_on_bit_line, current)
    # a line carries its current for the pulse alone, and wears by the mean
    busy = part.cycles / config.clock.frequency
    steady = current * min(1.0, pulses(chip) * read_pulse(tile, config) / busy)
    share = lost / config.input_range
    return [
        Check("IR drop", tile.name, share, config.limits.ir_drop, "of the input range"),
        Check("line current", tile.name, steady, technology.wire.current_limit, "A"),
        Check("integration", tile.name, needed_time(tile, config),
              integration_time(tile, config), "s"),
    ]  # fmt: skip
