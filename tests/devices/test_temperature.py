"""Cells at another temperature: Arrhenius by hand, currents by level, and the bundled numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from files import bundled_device

from pimsim.config import NoiseConfig
from pimsim.config.temperature import ActivatedCurrents, LinearCurrents
from pimsim.devices import cell_model
from pimsim.devices.temperature import acceleration, pace_of_drift, warming
from pimsim.devices.weak_inversion import Transistor, warmed

EV = 1.602176634e-19
HOT = 358.15
WHY = {"source": "made up", "certainty": "assumed"}
TABLE = {"at": [0, 1], "energy": ["0.1 eV", "0 eV"]}


def test_arrhenius_factor_by_hand():
    # 1 eV from 25 to 85 C: 1 / 8.617333e-5 x (1 / 298.15 - 1 / 358.15) = 6.52049
    assert acceleration(EV, 298.15, HOT) == pytest.approx(math.exp(6.52049), rel=1e-4)
    assert acceleration(EV, HOT, 298.15) == pytest.approx(math.exp(-6.52049), rel=1e-4)
    assert acceleration(0.0, 300, HOT) == 1


def test_currents_follow_their_activation_energy():
    model = ActivatedCurrents(model="arrhenius", **TABLE, **WHY)
    levels = np.array([0.0, 0.5, 1.0])
    factor = warming(model, levels, 298.15, HOT)
    assert np.log(factor) == pytest.approx([0.652049, 0.326025, 0], rel=1e-4)
    restored = ActivatedCurrents(model="arrhenius", **TABLE, compensated=True, **WHY)
    held = warming(restored, levels, 298.15, HOT) * levels
    assert held[-1] - held[0] == pytest.approx(1)
    assert held[1] == pytest.approx(0.5 * math.exp(0.326025), rel=1e-4)


def test_linear_coefficients_are_shares_for_a_kelvin_and_no_current_is_negative():
    model = LinearCurrents(model="linear", at=[0, 1], coefficient=[0.01, -0.02], **WHY)
    levels = np.array([0.0, 1.0])
    assert warming(model, levels, 300, 310) == pytest.approx([1.1, 0.8])
    assert warming(model, levels, 300, 400)[1] == 0


def test_nothing_moves_at_the_temperature_of_the_file_or_without_numbers():
    device = bundled_device("pcm")
    usual = cell_model(device, 4, NoiseConfig())
    same = cell_model(device, 4, NoiseConfig(), temperature=300.0)
    assert np.array_equal(usual.mean, same.mean)
    assert same.warming is None
    off = cell_model(device, 4, NoiseConfig(temperature=False), temperature=HOT)
    assert np.array_equal(usual.mean, off.mean)
    assert np.array_equal(usual.sigma, off.sigma)
    unknown = device.model_copy(update={"temperature_dependence": None})
    assert np.array_equal(cell_model(unknown, 4, NoiseConfig(), temperature=HOT).mean, usual.mean)


def test_errors_of_a_level_go_with_its_current():
    device = bundled_device("reram")
    cold = cell_model(device, 4, NoiseConfig())
    hot = cell_model(device, 4, NoiseConfig(), temperature=HOT)
    assert hot.warming is not None
    assert hot.warming[0] > hot.warming[-1] == 1
    assert hot.mean == pytest.approx(cold.mean * hot.warming)
    assert hot.sigma == pytest.approx(cold.sigma * hot.warming)
    assert np.array_equal(hot.ideal, cold.ideal)  # what the chip was designed for


def test_drift_runs_at_the_pace_of_its_activation_energy():
    device = bundled_device("cmos_mlc_4")
    assert pace_of_drift(device.drift, 300.0) == 1
    known = device.drift.model_copy(update={"activation_energy": 0.5 * EV})
    device = device.model_copy(update={"drift": known, "temperature_dependence": None})
    pace = acceleration(0.5 * EV, 398.15, 300.0)
    assert pace == pytest.approx(math.exp(-0.5 / 8.617333e-5 * (1 / 300 - 1 / 398.15)), rel=1e-6)
    day = 86_400.0
    cold = cell_model(device, 4, NoiseConfig(), day, temperature=300.0)
    lost = 0.1 * np.log1p(day * pace) / np.log1p(known.loss_time)
    span = device.states.mean[-1].value - device.states.mean[0].value
    fresh = known.fresh_current.value
    expected = [m.value + lost * (fresh - m.value) for m in device.states.mean]
    assert cold.mean * span == pytest.approx(expected, rel=1e-9)
    as_measured = cell_model(device, 4, NoiseConfig(), day, temperature=398.15)
    assert np.array_equal(as_measured.mean, cell_model(device, 4, NoiseConfig(), day).mean)


@pytest.mark.parametrize("name", ["cmos_mlc", "cmos_mlc_measured", "cmos_mlc_4"])
def test_transistor_files_hold_what_the_model_gives(name):
    device = bundled_device(name)
    cell, block = Transistor(144.4e-6, 0.8, 0.25, 1.15), device.temperature_dependence
    currents = np.array(block.at) * device.read.top_current
    if device.states.mean[-1].unit == "ampere":
        currents = np.array(block.at) * device.states.mean[-1].value
    hot = warmed(cell, device.read.gate_voltage, currents, HOT)
    energy = 1.380649e-23 * np.log(hot / currents) / (1 / 300 - 1 / HOT)
    assert block.energy == pytest.approx(energy, rel=1e-2, abs=2e-4 * EV)
    # the law is Arrhenius' to within 2 % halfway, too
    half = warmed(cell, device.read.gate_voltage, currents, 330.0)
    factor = np.exp(energy / 1.380649e-23 * (1 / 300 - 1 / 330))
    assert half == pytest.approx(currents * factor, rel=2e-2)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("energy", ["1 eV"], "energy"),
        ("energy", ["1 eV", "9 eV"], "beyond 3 eV"),
        ("at", [1, 0], "rising"),
    ],
)
def test_impossible_tables_are_refused(key, value, message):
    with pytest.raises(ValueError, match=message):
        ActivatedCurrents(model="arrhenius", **(TABLE | {key: value}), **WHY)
    with pytest.raises(ValueError, match="beyond"):
        LinearCurrents(model="linear", at=[0, 1], coefficient=[0.5, 0], **WHY)
