"""Energy and time of writing a network into a chip, from the pulses that its cells take."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pimsim.chip import Chip
from pimsim.chip.tile import Tile
from pimsim.config.device import DeviceConfig
from pimsim.devices.writing import Stage, cycles_each, stages
from pimsim.errors import ConfigError

Values = NDArray[np.float64]


@dataclass(frozen=True)
class TileWriting:
    """One write of all cells of a tile.

    Attributes
    ----------
    name : str
    n_cells : int
        Cells with a weight or a threshold; others of its arrays are left as they are.
    n_levels : int
    pulses : float
        Of all cells, means; each is followed by a check.
    most : int
        Pulses that suffice for 99 % of the cells of its slowest level.
    pulse_energy, check_energy : float
        [J]
    time : float
        Until its last row is written [s].
    """

    name: str
    n_cells: int
    n_levels: int
    pulses: float
    most: int
    pulse_energy: float
    check_energy: float
    time: float

    @property
    def energy(self) -> float:
        """Energy of pulses and checks [J]."""
        return self.pulse_energy + self.check_energy

    @property
    def bits(self) -> float:
        """Bits that its cells hold."""
        return self.n_cells * math.log2(self.n_levels)


@dataclass(frozen=True)
class Writing:
    """One write of a network into a chip; tiles follow one another."""

    tiles: tuple[TileWriting, ...]
    cycles: float

    def total(self, name: str) -> float:
        """Sum of an attribute over the tiles."""
        return float(sum(getattr(tile, name) for tile in self.tiles))


def missing_blocks(chip: Chip) -> str:
    """Sentence on what a device file lacks for `writing`; empty if nothing."""
    if chip.layout.cells.without_device:
        return "weights are loaded into SRAM, from a copy that is not part of the chip"
    if chip.config.programming_periphery is None:
        return "the chip file has no programming_periphery"
    needed = ("programming", "pulse")
    absent = [name for name in needed if getattr(chip.device, name) is None]
    return f"the device file has no {' and no '.join(absent)}" if absent else ""


def writing(chip: Chip) -> Writing:
    """Write the levels of a network once.

    Raises
    ------
    ConfigError
        If the device's programming has fewer levels than the network needs.

    Notes
    -----
    Rows are written in groups of cells. A pulse is for all cells of a group that still wait, so a
    group takes as many as its slowest cell; checks follow one after the other. A group has the
    levels in the proportion of the whole tile.
    """
    device = chip.device
    tiles = tuple(_tile(chip, tile) for tile in chip.tiles)
    most = max((tile.most for tile in tiles), default=1)
    return Writing(tiles, cycles_each(device.programming, float(most)))


def _tile(chip: Chip, tile: Tile) -> TileWriting:
    device, block = chip.device, chip.config.programming_periphery
    assert device.pulse is not None
    n_levels = max(len(part.cell.mean) for part in tile.matrices)
    own = stages(device.programming, n_levels)
    cells = _cells(tile, n_levels)
    n_cells = float(cells.sum())
    energy = pulse_energy(device, own) / block.efficiency
    pulses = sum((stage.mean for stage in own), start=np.zeros(n_levels))
    current = _currents(tile, n_levels)
    check = current * device.read.voltage * device.pulse.check_time + block.check_energy
    groups = sum(
        math.ceil(n_lines * tile.placement.lines_each / block.cells_at_once)
        for n_lines in _lines_of_arrays(tile)
    )
    at_once = min(block.rows_at_once, tile.placement.n_arrays)
    in_group = cells / (tile.placement.n_rows * groups)
    time = sum(stage.pulse * stage.slowest(in_group) for stage in own)
    time += float(in_group @ pulses) * device.pulse.check_time
    return TileWriting(
        name=tile.name,
        n_cells=round(n_cells),
        n_levels=n_levels,
        pulses=float(cells @ pulses),
        most=max(int(sum(stage.most()[level] for stage in own)) for level in range(n_levels)),
        pulse_energy=float(cells @ energy),
        check_energy=float(cells @ (pulses * check)),
        time=time * groups * tile.placement.n_rows / at_once,
    )


def pulse_energy(device: DeviceConfig, own: Iterable[Stage]) -> Values:
    """Mean energy of the pulses of a cell of each level, at the cell (n_levels,) [J]."""
    if device.pulse is None:
        raise ConfigError("has no pulse")
    power = device.pulse.voltage * device.pulse.current
    return np.asarray(sum(power * stage.pulse * stage.mean for stage in own))


def _cells(tile: Tile, n_levels: int) -> Values:
    """Cells of each level, (n_levels,); those of fewer levels have the ones of the same current."""
    found = np.zeros(n_levels)
    for part in tile.matrices:
        own = len(part.cell.mean)
        place = np.round(np.linspace(0, n_levels - 1, own)).astype(int)
        for side in part.cells.sides:
            found[place] += np.bincount(np.asarray(side, np.int64).ravel(), minlength=own)
    return found


def _currents(tile: Tile, n_levels: int) -> Values:
    """Current of each level [A]."""
    for part in tile.matrices:
        if len(part.cell.mean) == n_levels:
            return np.asarray(part.cell.mean * part.cell.full_scale_current)
    raise AssertionError


def _lines_of_arrays(tile: Tile) -> list[int]:
    """Lines used in each of the arrays side by side."""
    placed = tile.placement
    left = placed.n_lines - placed.lines_of_array * np.arange(placed.n_side_by_side)
    return [int(n) for n in np.clip(left, 0, placed.lines_of_array)]
