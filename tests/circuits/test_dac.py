"""DACs: costs as published, levels that bend, energy of a line's steps."""

from __future__ import annotations

import numpy as np
import pytest
from files import bundled_chip, bundled_device, bundled_technology

from pimsim.circuits.dac import LEVEL_GRID, MEAN_BOW, dac_cost, levels, settling_error, step_energy
from pimsim.circuits.lines import Lines


def lines(device="reram") -> Lines:
    return Lines(bundled_chip("lstm_4b_16nm"), bundled_device(device), bundled_technology())


@pytest.mark.parametrize(
    ("bits", "microwatt", "um2"),
    [(1, 3.9, 0.166), (2, 7.8, 0.332), (4, 31.2, 1.328), (6, 124.8, 5.3)],
)
def test_the_cost_of_isaac_doubles_with_each_bit(bits, microwatt, um2):
    cost = dac_cost("isaac", bits, 100e-9, 0.8)
    assert cost.energy == pytest.approx(microwatt * 1e-6 * 100e-9, rel=1e-3)
    assert cost.area * 1e12 == pytest.approx(um2, rel=5e-3)
    # 0.39 pJ for ISAAC's own bit and cycle of 100 ns
    assert dac_cost("isaac", 1, 100e-9, 0.8).energy == pytest.approx(0.39e-12)


def test_the_capacitive_one_follows_bits_and_supply():
    cost = dac_cost("capacitive", 4, 10e-9, 0.8)
    assert cost.energy == pytest.approx(4 * 50e-15 * 0.64)
    assert cost.area * 1e12 == pytest.approx(200 / 2.3)
    assert dac_cost("capacitive", 4, 99e-9, 0.8) == cost


def test_levels_bend_between_exact_ends():
    meant = np.tile(np.arange(16), (3, 1))
    assert np.array_equal(levels(meant, 15, np.zeros(3)), meant)
    bent = levels(meant, 15, np.array([0.5, -0.5, -40.0]))
    assert bent[:, 0].tolist() == [0, 0, 0]
    assert bent[:2, 15].tolist() == [15, 15]
    assert (bent >= 0).all()
    assert np.array_equal(bent % LEVEL_GRID, np.zeros_like(bent))
    error = bent[0] - meant[0]
    assert error.max() == pytest.approx(0.5, abs=2 * LEVEL_GRID)
    assert np.argmax(error) in (7, 8)
    fine = levels(np.arange(256)[None], 255, np.array([1.0]))[0] - np.arange(256)
    assert np.sqrt((fine**2).mean()) == pytest.approx(MEAN_BOW, rel=1e-2)


def test_a_line_settles_to_half_a_step():
    assert settling_error(4) == 1 / 32


@pytest.mark.parametrize(("device", "swing"), [("reram", 0.2), ("ideal", 0.8)])
def test_a_line_is_charged_step_by_step(device, swing):
    own = lines(device)
    whole = step_energy(own, 512, 1)
    assert step_energy(own, 512, 15) == pytest.approx(whole / 15)
    # lines of resistors swing to their read voltage, gates to the word-line voltage
    per_cell = own.input_line_capacitance if device == "reram" else own.word_line_capacitance
    assert whole > 512 * per_cell * swing * 0.8
