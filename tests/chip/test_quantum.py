"""The quantum: the finest whose sums fit 16 bits, unless noise needs a finer one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from files import bundled_chip, bundled_device
from networks import random_matrix, random_mlp

from pimsim.chip import build_chip, program_tile
from pimsim.chip.quantum import (
    MISMATCH_RESOLUTION,
    QUANTUM_TO_NOISE,
    SUM_16_BITS,
    worst_column,
)
from pimsim.config import NoiseConfig, bundled_names
from pimsim.mapping.weights import DifferentialPair
from pimsim.workload import Dense, DenseEncoder, Output, chain

TALL = bundled_chip().model_copy(
    update={"array": bundled_chip().array.model_copy(update={"rows": 1100})}
)


def tile_of(device: str, matrix, noise: NoiseConfig):
    """The only tile of a network of one dense layer."""
    n_rows, n_columns = matrix.levels.shape
    network = dataclasses.replace(
        random_mlp(),
        encoder=DenseEncoder(np.zeros((784, n_rows), np.float32), np.zeros(n_rows, np.float32)),
        nodes=chain((Dense(matrix),)),
        output=Output(np.zeros((n_columns, 10), np.float32), np.zeros(10, np.float32)),
    )
    return build_chip(network, TALL, bundled_device(device), noise).tiles[0]


def matrix_of(n_rows: int, level: int | None = None, n_columns: int = 6):
    """Random levels, or one for all."""
    matrix = random_matrix(np.random.default_rng(n_rows), n_rows, n_columns)
    if level is None:
        return matrix
    return dataclasses.replace(matrix, levels=np.full_like(matrix.levels, level))


@pytest.mark.parametrize("level", [None, -3, 0])
@pytest.mark.parametrize("n_rows", [1, 256, 1100])
@pytest.mark.parametrize("device", bundled_names("device"))
def test_sums_fit_16_bits_unless_that_is_too_coarse(device, n_rows, level):
    tile = tile_of(device, matrix_of(n_rows, level), NoiseConfig())
    drawn = [program_tile(tile, 3, chip) for chip in range(2)]
    fits = all(programmed.fits_16_bits for programmed in drawn)
    for part in tile.matrices:
        read_out = part.read_out
        power = np.log2(read_out.full_scale_quanta / part.matrix.top_level)
        assert power == round(power)
        assert read_out.quantum_to_noise <= QUANTUM_TO_NOISE
        offset = read_out.offset_units / part.matrix.alpha
        widest = worst_column(part.cells, part.cell, offset, read_out.mismatch)
        widest *= read_out.full_scale_quanta
        # a power more would not do: too wide for 16 bits, or finer than the noise asks for
        if widest <= SUM_16_BITS:
            assert fits
            assert 2 * widest > SUM_16_BITS
        else:
            coarsest = MISMATCH_RESOLUTION * read_out.mismatch / part.matrix.top_level
            by_mismatch = not part.cell.varies and 2 / read_out.full_scale_quanta > coarsest
            assert 2 * read_out.quantum_to_noise > QUANTUM_TO_NOISE or by_mismatch
        for programmed in drawn:
            cells = programmed.cells[:, part.columns].astype(np.int64)
            sums = np.maximum(cells, 0).sum(axis=0), np.minimum(cells, 0).sum(axis=0)
            assert np.abs(np.add(sums, programmed.start[part.columns])).max() <= widest


def test_an_exact_chip_has_the_finest_quantum_of_16_bits():
    tile = tile_of("reram", matrix_of(256, 3), NoiseConfig.ideal())
    for part in tile.matrices:
        assert part.read_out.full_scale_quanta == 3 * 2**5  # 256 x 96 fit, 256 x 192 do not
        assert part.read_out.quantum_to_noise == 0
    programmed = program_tile(tile, 1, 0)
    assert programmed.largest_sum == 256 * 96
    assert (programmed.cells == 96).all()


def test_the_bound_holds_for_chips_that_are_drawn():
    matrix = matrix_of(300, n_columns=40)
    tile = tile_of("pcm", matrix, NoiseConfig())
    part = tile.matrices[0]
    offset = part.read_out.offset_units / matrix.alpha
    bound = worst_column(
        DifferentialPair(bundled_chip().weight_coding).plan(matrix, 2**16),
        part.cell,
        offset,
        part.read_out.mismatch,
    )
    quanta = bound * part.read_out.full_scale_quanta
    for chip in range(10):
        largest = program_tile(tile, 8, chip).largest_sum
        assert 0.7 * quanta < largest < quanta
