"""A transistor cell at another gate voltage: closed forms, and the numbers of cmos_mlc.yaml."""

from __future__ import annotations

import numpy as np
import pytest
from files import bundled_device

from pimsim.devices.weak_inversion import Transistor, after_loss, sigma_at

CELL = Transistor(144.4e-6, 0.8, 0.25, 1.15)
THERMAL = 1.380649e-23 * 300 / 1.602176634e-19


def test_far_below_the_threshold_the_current_is_exponential():
    low, high = CELL.current(0.0, np.array([0.40, 0.40 - 1.15 * THERMAL]))
    assert high / low == pytest.approx(np.e, rel=2e-3)
    gm = CELL.transconductance(0.0, np.array([0.40]))[0]
    assert gm / low == pytest.approx(1 / (1.15 * THERMAL), rel=2e-3)


def test_far_above_the_threshold_the_current_is_a_square():
    one, two = CELL.current(2.25, np.array([0.25, 1.25]))
    assert one / two == pytest.approx(4, rel=1e-6)


def test_threshold_gate_and_slope_undo_the_current():
    thresholds = np.array([0.2, 0.35, 0.6])
    assert CELL.threshold(0.5, CELL.current(0.5, thresholds)) == pytest.approx(thresholds)
    assert CELL.current(CELL.gate_for(2e-6, 0.3), np.array(0.3)) == pytest.approx(2e-6)
    step = 1e-6
    slope = (CELL.current(0.5, thresholds - step) - CELL.current(0.5, thresholds + step)) / 2
    assert CELL.transconductance(0.5, thresholds) == pytest.approx(slope / step, rel=1e-6)


def test_the_bundled_file_holds_what_the_model_gives():
    measured, device = bundled_device("cmos_mlc_measured"), bundled_device("cmos_mlc")
    # without the fresh state, which is none of the levels
    means = np.array([c.value for c in measured.states.mean])[:-1]
    spreads = np.array([c.value for c in measured.states.spread])[:-1]
    gate, top = device.read.gate_voltage, device.read.top_current
    thresholds = CELL.threshold(0.8, means)
    assert CELL.current(gate, thresholds[-1]) == pytest.approx(top, rel=1e-3)
    at = np.array([c.value for c in device.states.mean])
    assert at[0] * top == pytest.approx(CELL.current(gate, thresholds[0]), rel=1e-3)
    spread = sigma_at(CELL, means, spreads, gate, at * top) / top
    assert [c.value for c in device.states.spread] == pytest.approx(spread, rel=2e-3)
    # several times the share of full scale that they are at the measured currents
    assert 3 < spread[-1] / (spreads[-1] / (means[-1] - means[0])) < 6
    for time, row in zip(device.drift.times, device.drift.shift, strict=True):
        lost = 0.1 * np.log1p(time) / np.log1p(3652.5 * 86400)
        shift = after_loss(CELL, gate, at * top, lost) / top - at
        assert row == pytest.approx(shift, rel=2e-3, abs=1e-6)
