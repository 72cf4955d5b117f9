"""What the kernels of chips with converters read: a tile of one drawn chip as plain arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from pimsim.chip import Conversion, MatrixOnChip, ProgrammedTile, Tile
from pimsim.kernels.converters import HALVES, Converters, Lines, Neurons, Streams
from pimsim.simulate.operands import row_currents
from pimsim.streams import Purpose, key_words, normals, tag
from pimsim.workload.neurons import Activation


class ConverterTile:
    """One tile of one drawn chip, as the kernels take it.

    Parameters
    ----------
    tile : Tile
    programmed : ProgrammedTile
    activation : Activation
    block_rows : int
        Rows of an array: sums of different arrays are converted apart, and added as numbers.
    columns_per_adc : int
    seed, chip_index : int

    Attributes
    ----------
    lines, converters, neurons
        As `pimsim.kernels.converters` takes them.
    row_currents : dict of matrix name -> (n_rows,) int64
        Current that a row draws while it is on [quanta].
    """

    def __init__(
        self,
        tile: Tile,
        programmed: ProgrammedTile,
        activation: Activation,
        block_rows: int,
        columns_per_adc: int,
        seed: int,
        chip_index: int,
    ) -> None:
        conversion = tile.matrices[0].read_out.conversion
        assert conversion is not None
        self.tile, self.conversion = tile, conversion
        self.row_currents = {
            part.name: row_currents(programmed, part.columns) for part in tile.matrices
        }
        self.lines = _lines(tile, programmed.cells, block_rows, conversion.standing)
        self.converters = _converters(conversion, tile, columns_per_adc, seed, chip_index)
        self.neurons = _neurons(conversion, tile, activation)
        self._seed, self._chip_index = seed, chip_index

    def operands(self, samples: NDArray[np.int64]) -> tuple[Lines, Converters, Neurons, Streams]:
        """Of sequences with these indices (n,)."""
        return self.lines, self.converters, self.neurons, self._streams(samples)

    def _streams(self, samples: NDArray[np.int64]) -> Streams:
        low, high = key_words(self._seed)
        purpose = tag(Purpose.CONVERSION, self.tile.index)
        return Streams(
            np.uint64(low),
            np.uint64(high),
            np.uint64(purpose),
            np.uint64(self._chip_index),
            np.ascontiguousarray(samples),
        )


def _lines(tile: Tile, cells: NDArray[np.int32], block_rows: int, standing: float) -> Lines:
    n_rows, n_lines = cells.shape
    block_rows = min(block_rows, n_rows)
    n_blocks = -(-n_rows // block_rows)
    blocks = np.pad(cells, ((0, n_blocks * block_rows - n_rows), (0, 0)))
    blocks = np.pad(blocks.reshape(n_blocks, block_rows, n_lines), ((0, 0), (0, 1), (0, 0)))
    slices = [part.slices for part in tile.matrices if part.slices is not None]
    owners, units, first = [], [], 0
    for index, part in enumerate(tile.matrices):
        lines, n_columns = part.columns.stop - part.columns.start, part.matrix.n_columns
        owners.append(first + np.arange(lines) // (lines // n_columns))
        units.append(np.full(n_columns, -1))
        if part.levels.minus is None:
            owners[-1][-1] = units[-1][:] = tile.n_outputs + index
        first += n_columns
    return Lines(
        cells=blocks.astype(np.float32),
        worth=np.hstack([s.worth for s in slices]),
        owner=np.concatenate(owners).astype(np.int64),
        per_active=np.hstack([per_active(part, standing) for part in tile.matrices]),
        unit=np.concatenate(units).astype(np.int64),
    )


def per_active(part: MatrixOnChip, standing: float) -> NDArray[np.float64]:
    """What a code of the unit column is worth in each sum (n_blocks, n_columns).

    Whole numbers, but where level 0 draws a current: that of all lines of a column comes off too,
    and the unit column's own cells draw more than one level.
    """
    assert part.slices is not None
    of_lines = part.slices.worth_of_weights.sum(axis=2)
    return np.asarray((part.slices.per_active - standing * of_lines) / (1 + standing))


def _converters(
    conversion: Conversion, tile: Tile, columns_per_adc: int, seed: int, chip_index: int
) -> Converters:
    """Static errors of the tile's converters, drawn for this chip, and its table of noise."""
    n_lines = tile.placement.n_pairs
    n_adcs = -(-n_lines // columns_per_adc)
    draws = normals(seed, Purpose.CONVERTER, chip_index, tile.index, (3, 1, n_adcs))[:, 0]
    spread = np.array([conversion.offset, conversion.gain, conversion.bow])
    errors = (draws * spread[:, None]).repeat(columns_per_adc, axis=1)[:, :n_lines]
    offset, gain, bow = np.ascontiguousarray(errors)
    table = np.empty(0)
    if conversion.sigma > 0:
        table = ndtri((np.arange(HALVES) + 0.5) / HALVES) * conversion.sigma
        # below the last bits in which two machines may differ
        table = np.round(table * 2.0**20) / 2.0**20
    return Converters(
        code_quanta=float(conversion.code_quanta),
        low=float(-conversion.top if conversion.signed else 0),
        top=float(conversion.top),
        noise=table,
        offset=offset,
        gain=gain,
        bow=bow,
        is_plain=not spread.any(),
    )


def _neurons(conversion: Conversion, tile: Tile, activation: Activation) -> Neurons:
    """Limits of whole sums where every code is a level, of pre-activations otherwise."""
    limits, scales = [], []
    for part in tile.matrices:
        unit, n_columns = activation.unit(part.matrix), part.matrix.n_columns
        if conversion.step == 1 and not conversion.standing:
            of_matrix, scale = activation.integer_limits(unit).astype(np.float64), 1.0
        else:
            of_matrix, scale = activation.value_limits(), conversion.step * unit
        limits.append(np.tile(of_matrix, (n_columns, 1)))
        scales.append(np.full(n_columns, scale))
    return Neurons(conversion.input_bits, np.concatenate(scales), np.concatenate(limits))
