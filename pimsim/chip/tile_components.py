"""Components of a tile: their bills and the actions that they count."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from pimsim.chip.build import Chip
from pimsim.chip.tile import Tile
from pimsim.circuits import spare_lines
from pimsim.circuits.bill import Action, Bill
from pimsim.circuits.logic import LogicCosts


class Work(NamedTuple):
    """Work of a tile, in numbers or in arrays with one number for each operation.

    Attributes
    ----------
    reads : int
        Operations.
    driven : int
        Number of times that the drive paid for rows (`Drive.counted`): those that were on in an
        operation or pulse, or those that changed.
    flips : int
        Bits of the layer's state that changed.
    """

    reads: int
    driven: int
    flips: int


class TileComponent(Protocol):
    """A component of every tile."""

    def bill(self, chip: Chip, tile: Tile, costs: LogicCosts) -> Bill:
        """Parts and prices in a tile."""
        ...

    def actions(self, chip: Chip, tile: Tile, work: Work) -> list[Action]:
        """Actions for some work."""
        ...


class _Arrays:
    """Cells; the currents that they draw are counted from the programmed cells."""

    def bill(self, chip: Chip, tile: Tile, costs: LogicCosts) -> Bill:
        energies = tile.read_out.pulse_energies(tile)
        return chip.layout.cells.bill(tile, energies, costs)

    def actions(self, chip: Chip, tile: Tile, work: Work) -> list[Action]:
        return []


class _ProgrammingPeriphery:
    """What writes the cells, and rests while they are read."""

    def bill(self, chip: Chip, tile: Tile, costs: LogicCosts) -> Bill:
        return chip.layout.cells.programming_bill(tile)

    def actions(self, chip: Chip, tile: Tile, work: Work) -> list[Action]:
        return []


class _Drive:
    """Drivers of word lines or input lines."""

    def bill(self, chip: Chip, tile: Tile, costs: LogicCosts) -> Bill:
        return chip.layout.drive.bill(tile, costs)

    def actions(self, chip: Chip, tile: Tile, work: Work) -> list[Action]:
        return chip.layout.drive.actions(tile, work.reads, work.driven)


class _ReadOut:
    """Read-out, with the loads and clamps of its bit lines."""

    def bill(self, chip: Chip, tile: Tile, costs: LogicCosts) -> Bill:
        alike = [other for other in chip.tiles if other.read_out is tile.read_out]
        return tile.read_out.bill(tile, alike, costs)

    def actions(self, chip: Chip, tile: Tile, work: Work) -> list[Action]:
        read_out, pulses = tile.read_out, chip.layout.drive.pulses_for(tile)
        found = read_out.actions(tile, work.reads, pulses)
        return [*found, *read_out.driven_actions(tile, work.driven)]


class _SparePairs:
    """Pairs beside the arrays that may take the place of others, on chips with faults."""

    def bill(self, chip: Chip, tile: Tile, costs: LogicCosts) -> Bill:
        if tile.faults is None or tile.faults.spares == 0:
            return Bill()
        placed, cell = tile.placement, chip.device.cell
        return spare_lines.bill(
            chip.config,
            cell,
            tile.name,
            placed.n_arrays,
            placed.n_read_outs,
            tile.faults.spares,
            costs,
        )

    def actions(self, chip: Chip, tile: Tile, work: Work) -> list[Action]:
        return []


class _Logic:
    """The logic behind the read-out."""

    def bill(self, chip: Chip, tile: Tile, costs: LogicCosts) -> Bill:
        circuits = chip.layout.circuits
        own = chip.layout.logic(tile).bill(tile, circuits, costs)
        shared = circuits.bill(tile, costs)
        return Bill((*shared.parts, *own.parts), (*shared.prices, *own.prices))

    def actions(self, chip: Chip, tile: Tile, work: Work) -> list[Action]:
        circuits = chip.layout.circuits
        own = chip.layout.logic(tile).actions(tile, circuits, work.reads, work.flips)
        return [*circuits.actions(tile, work.reads), *own]


# components of every tile, in the order in which a floorplan draws them from the arrays down
TILE_COMPONENTS: dict[str, TileComponent] = {
    "arrays": _Arrays(),
    "programming_periphery": _ProgrammingPeriphery(),
    "drive": _Drive(),
    "read_out": _ReadOut(),
    "spare_pairs": _SparePairs(),
    "logic": _Logic(),
}
