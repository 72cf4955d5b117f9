"""A chip for one network: tiles, their cells and their read-out, noise included."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pimsim.chip.converters import converter_read_out
from pimsim.chip.quantum import full_scale_quanta, smallest_noise, worst_column
from pimsim.chip.read_out import ReadOut
from pimsim.circuits.bit_line import bit_line_capacitance
from pimsim.circuits.sense_amplifier import offset_spread, sampled_noise
from pimsim.config.chip import ChipConfig
from pimsim.config.device import DeviceConfig
from pimsim.config.run import NoiseConfig
from pimsim.devices import CellModel, cell_model
from pimsim.errors import MappingError, Place
from pimsim.mapping import (
    CellLevels,
    Placement,
    Slices,
    always_on_rows,
    differential_pairs,
    differential_slices,
    offset_slices,
    place_matrix,
    place_slices,
)
from pimsim.streams import MAX_COLUMNS
from pimsim.workload.graph import Network
from pimsim.workload.matrix import LevelMatrix

MAX_LAYERS = 255


@dataclass(frozen=True)
class MatrixOnChip:
    """One weight matrix in its cells, with its columns' place within the tile.

    `slices` tells how weights come out of the codes of a chip with converters.
    """

    name: str
    matrix: LevelMatrix
    levels: CellLevels
    cell: CellModel
    read_out: ReadOut
    columns: slice
    slices: Slices | None = None


@dataclass(frozen=True)
class Tile:
    """Arrays and sense amplifiers of one layer; a GRU's gate and candidate share word lines.

    `index` is the layer's, and keys its random numbers.
    """

    name: str
    index: int
    matrices: tuple[MatrixOnChip, ...]
    placement: Placement

    @property
    def n_outputs(self) -> int:
        """Neurons that are decided or looked up in an operation."""
        return sum(part.matrix.n_columns for part in self.matrices)

    @property
    def is_shared(self) -> bool:
        """Whether all drawn chips hold the same currents, in whole level steps."""
        return all(p.cell.is_even and p.read_out.offset_units == 0 for p in self.matrices)


@dataclass(frozen=True)
class Chip:
    """A network on a chip, before any device is drawn. `tiles` has None for pooling layers."""

    network: Network
    config: ChipConfig
    device: DeviceConfig
    noise: NoiseConfig
    tiles: tuple[Tile | None, ...]

    @property
    def matrices(self) -> list[MatrixOnChip]:
        """Every matrix in its cells, in order."""
        return [part for tile in self.tiles if tile is not None for part in tile.matrices]

    @property
    def is_exact(self) -> bool:
        """Whether every drawn chip is the same one, which decides as the integer network does."""
        return all(part.cell.is_exact and part.read_out.is_exact for part in self.matrices)


def build_chip(
    network: Network,
    config: ChipConfig,
    device: DeviceConfig,
    noise: NoiseConfig,
    age: float | None = None,
    chip_place: Place | None = None,
    device_place: Place | None = None,
    read_times: tuple[float, ...] = (),
) -> Chip:
    """Put a network on a chip.

    Parameters
    ----------
    noise
        Which non-idealities are on.
    age
        Time since programming [s]; the device file's where None.
    chip_place, device_place
        Where to point when the network does not fit.
    read_times
        Times of the reads so far [s], for telegraph noise as a process (`cell_model`).

    Raises
    ------
    MappingError
        If a matrix has more rows than arrays can be stacked, or more levels than a cell.
    """
    if len(network.nodes) > MAX_LAYERS:
        raise MappingError(f"the network has {len(network.nodes)} layers; {MAX_LAYERS} at most")
    tiles: list[Tile | None] = []
    cell_models: dict[int, CellModel] = {}
    for index, node in enumerate(network.nodes):
        name, named = node.name, node.matrices()
        if not named:
            tiles.append(None)
            continue
        if config.has_converters:
            tiles.append(
                _converter_tile(
                    name, index, named, config, device, noise, age, device_place, read_times
                )
            )
            continue
        n_pairs = sum(matrix.n_columns for _, matrix in named)
        if n_pairs > MAX_COLUMNS:
            raise MappingError(f"layer {name} has {n_pairs} columns; {MAX_COLUMNS} at most")
        n_rows = named[0][1].n_rows + max(always_on_rows(matrix) for _, matrix in named)
        placement = place_matrix(name, n_rows, n_pairs, config.array, chip_place)
        matrices = []
        first = 0
        for part_name, matrix in named:
            n_levels = matrix.top_level + 1
            if n_levels not in cell_models:
                cell_models[n_levels] = cell_model(
                    device, n_levels, noise, age, device_place, read_times
                )
            cell = cell_models[n_levels]
            columns = slice(first, first + matrix.n_columns)
            first = columns.stop
            cells = differential_pairs(matrix)
            read_out = _read_out(matrix, cells, cell, config, noise, placement)
            matrices.append(MatrixOnChip(part_name, matrix, cells, cell, read_out, columns))
        tiles.append(Tile(name, index, tuple(matrices), placement))
    return Chip(network, config, device, noise, tuple(tiles))


def _converter_tile(
    name: str,
    index: int,
    named: list[tuple[str, LevelMatrix]],
    config: ChipConfig,
    device: DeviceConfig,
    noise: NoiseConfig,
    age: float | None,
    place: Place | None,
    read_times: tuple[float, ...],
) -> Tile:
    """Bit-sliced weights behind converters; every slice is a pair or line of its own."""
    cell_bits, n_rows = config.slicing.cell_bits, named[0][1].n_rows
    cell = cell_model(device, 2**cell_bits, noise, age, place, read_times)
    slice_weights = offset_slices if config.has_offset else differential_slices
    matrices, first = [], 0
    for part, matrix in named:
        slices = slice_weights(matrix, cell_bits, config.array.rows)
        read_out = converter_read_out(matrix, slices, cell, config, noise)
        columns = slice(first, first + slices.cells.plus.shape[1])
        first = columns.stop
        matrices.append(MatrixOnChip(part, matrix, slices.cells, cell, read_out, columns, slices))
    if first > MAX_COLUMNS:
        raise MappingError(f"layer {name} has {first} columns; {MAX_COLUMNS} at most")
    lines_each = 1 if config.has_offset else 2
    placement = place_slices(name, n_rows, first, config.array, lines_each)
    return Tile(name, index, tuple(matrices), placement)


def _read_out(
    matrix: LevelMatrix,
    levels: CellLevels,
    cell: CellModel,
    config: ChipConfig,
    noise: NoiseConfig,
    placement: Placement,
) -> ReadOut:
    amplifier = config.amplifier
    volts_per_unit = amplifier.input_range / matrix.preactivation_range
    capacitance = amplifier.input_capacitance + bit_line_capacitance(
        config.bit_line, placement.rows_on_bit_line
    )
    sigma_volts = sampled_noise(capacitance, config.temperature, config.thermal_noise.excess)
    offset_volts = offset_spread(amplifier)
    dynamic = sigma_volts / volts_per_unit if noise.dynamic else 0.0
    sigma_units = math.hypot(dynamic, noise.sigma_eval)
    offset_units = offset_volts / volts_per_unit if noise.offset else 0.0
    # alpha is the weight that a cell's full scale stands for
    decision = np.array([sigma_units, offset_units]) / matrix.alpha
    noise_floor = smallest_noise(cell, decision)
    highest = placement.n_rows * cell.highest
    worst = worst_column(levels, cell, offset_units / matrix.alpha)
    full_scale = full_scale_quanta(matrix.top_level, worst, highest, cell, decision)
    return ReadOut(
        volts_per_unit=volts_per_unit,
        capacitance=capacitance,
        sigma_volts=sigma_volts,
        offset_volts=offset_volts,
        sigma_units=sigma_units,
        offset_units=offset_units,
        full_scale_quanta=full_scale,
        quanta_per_unit=full_scale / matrix.alpha,
        quantum_to_noise=0.0 if math.isinf(noise_floor) else 1 / (full_scale * noise_floor),
        widest=math.ceil((highest + 7 * offset_units / matrix.alpha) * full_scale),
    )
