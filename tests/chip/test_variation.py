"""What cells have in common: variance, variogram and gradients by their closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from files import bundled_chip, bundled_device
from networks import random_features, random_gru

from pimsim.chip import build_chip, program_tile
from pimsim.chip.variation import (
    OF_CHIP,
    chip_gain,
    common_deviates,
    correlation,
    deviates,
    gains,
    variogram,
)
from pimsim.config import NoiseConfig
from pimsim.config.variation import Variation
from pimsim.simulate import encode_inputs, run_chips
from pimsim.streams import Purpose, normals

NETWORK = random_gru(seed=8, hidden=96, bits=64)
QUIET = NoiseConfig(mismatch=False, offset=False, dynamic=False)
N_CHIPS = 12


def chip_of(variation: Variation | None, noise: NoiseConfig = QUIET, device: str = "reram"):
    of = bundled_device(device).model_copy(update={"variation": variation})
    return build_chip(NETWORK, bundled_chip(), of, noise)


@pytest.fixture(scope="module")
def tile():
    return chip_of(Variation()).tiles[0]


@pytest.fixture(scope="module")
def fields(tile):
    """Common deviates of some chips, as bit lines lie: (n_chips, n_rows, n_bit_lines)."""
    near = Variation(neighbours=0.5, neighbour_length=4)
    drawn = [common_deviates(tile, near, 3, chip) for chip in range(N_CHIPS)]
    return np.array([np.moveaxis(d, 0, 2).reshape(d.shape[1], -1) for d in drawn])


def test_the_common_field_has_unit_variance_everywhere(fields):
    n_rows = fields.shape[1]
    for half in (slice(0, n_rows // 2), slice(n_rows // 2, None)):
        values = fields[:, half]
        # a cell is correlated with those within about (2 x 4)^2 of it
        independent = values.size / 64
        assert values.var() == pytest.approx(1, abs=4 * math.sqrt(2 / independent))
        assert abs(values.mean()) < 4 / math.sqrt(independent)


@pytest.mark.parametrize("axis", [0, 1])
def test_the_variogram_is_that_of_an_exponential(fields, axis):
    lags = np.array([1, 2, 4, 8])
    found = np.mean([variogram(field, lags, axis) for field in fields], axis=0)
    r = correlation(Variation(neighbour_length=4))
    assert r == pytest.approx(math.exp(-0.25), abs=1e-7)
    assert found == pytest.approx(1 - r**lags, abs=0.05)


def test_a_variogram_by_hand():
    plane = np.array([[0.0, 1.0, 3.0], [0.0, np.nan, 3.0]])
    assert variogram(plane, np.array([1, 2]), 1) == pytest.approx([0.5 * 5 / 2, 0.5 * 9])
    assert variogram(plane, np.array([1]), 0) == pytest.approx([0.0])


def test_cells_keep_their_own_variance_and_share_a_part_of_it(tile):
    near = Variation(neighbours=0.4, neighbour_length=50)
    shape = (2, tile.placement.n_rows, tile.placement.n_lines)
    pairs, squares = [], []
    for chip in range(N_CHIPS):
        own = normals(3, Purpose.CELL, chip, tile.index, shape)
        mixed = deviates(tile, near, own, 3, chip)
        pairs.append((mixed[0] * mixed[1]).mean())  # cells of a pair are neighbours
        squares.append((mixed**2).mean())
    assert np.mean(squares) == pytest.approx(1, abs=0.1)
    assert np.mean(pairs) == pytest.approx(0.4 * math.exp(-1 / 50), abs=0.1)


def test_gradients_are_planes_with_the_stated_deviation(tile):
    planes = [gains(tile, Variation(gradient=0.05), 3, chip) for chip in range(60)]
    rows = tile.read_out.config.array.rows - 1
    along = []
    for plane in planes:
        steps = np.diff(plane[0], axis=0)
        assert np.ptp(steps) < 1e-6  # a straight line, the same on every column and side
        assert np.array_equal(plane[0], plane[1])
        along.append(steps[0, 0] * rows)
    assert np.std(along) == pytest.approx(0.05, rel=3.5 / math.sqrt(2 * len(along)))


def test_chips_of_a_wafer_have_the_variance_of_bow_and_tilt():
    bowed, tilted = Variation(wafer_bow=0.1), Variation(wafer_tilt=0.1)
    n = 2000
    bow = np.array([chip_gain(bowed, 3, chip) for chip in range(n)])
    tilt = np.array([chip_gain(tilted, 3, chip) for chip in range(n)])
    # rho^2 is uniform, of variance 1/12; x over a disc has 1/4
    assert bow.var() == pytest.approx(0.01 / 12, rel=0.1)
    assert tilt.var() == pytest.approx(0.01 / 16, rel=0.1)
    assert abs(bow.mean() - 1) < 4 * bow.std() / math.sqrt(n)
    assert bow.min() >= 0.95
    assert bow.max() <= 1.05
    assert OF_CHIP == 255  # no node has this index


def test_no_variation_moves_no_current_and_another_does():
    none, off = chip_of(None).tiles[0], chip_of(Variation()).tiles[0]
    switched = chip_of(Variation(gradient=0.1), NoiseConfig(variation=False, mismatch=False))
    drawn = [program_tile(t, 5, 0) for t in (none, off, switched.tiles[0])]
    assert all(np.array_equal(drawn[0].plus, other.plus) for other in drawn[1:])
    for variation in (Variation(neighbours=0.5), Variation(gradient=0.05), Variation(wafer_bow=1)):
        other = program_tile(chip_of(variation).tiles[0], 5, 0)
        assert not np.array_equal(drawn[0].plus, other.plus)
        assert other.largest_sum > 0


def test_a_chip_with_gradients_alone_is_not_the_exact_one():
    ideal = NoiseConfig.ideal()
    assert chip_of(Variation(gradient=0.1), ideal).is_exact
    graded = chip_of(Variation(gradient=0.1), ideal.model_copy(update={"variation": True}))
    assert not graded.is_exact
    tile = graded.tiles[0]
    drawn, plane = program_tile(tile, 5, 0), gains(tile, Variation(gradient=0.1), 5, 0)
    part = tile.matrices[0]
    ideal_currents = part.cell.ideal[part.cells.plus] * part.read_out.full_scale_quanta
    expected = ideal_currents * plane[0][:, part.columns]
    assert np.abs(drawn.plus[:, part.columns] - expected).max() <= 0.5 + 1e-6


def test_bits_are_the_same_on_any_backend_and_threads():
    chip = chip_of(Variation(neighbours=0.5, gradient=0.05, wafer_bow=0.1), NoiseConfig())
    encoded = encode_inputs(chip, random_features(NETWORK, 3))
    runs = [
        run_chips(chip, encoded, range(2), 1, keep_bits=True, threads=threads, kernel=kernel)
        for threads, kernel in ((1, None), (2, "portable"))
    ]
    for name in runs[0].bits:
        assert np.array_equal(runs[0].bits[name], runs[1].bits[name])
