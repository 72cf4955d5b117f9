from __future__ import annotations

import numpy as np
import pytest
from files import bundled_device

from pimsim.config import NoiseConfig, bundled_names
from pimsim.config.cell_noise import (
    NoiseOverTime,
    TabulatedNoise,
    TabulatedTwoStateNoise,
    TwoStateNoise,
)
from pimsim.config.device import States
from pimsim.config.drift import LogarithmicDrift, TabulatedDrift
from pimsim.devices import cell_model, choose_levels, neighbour_errors
from pimsim.devices.drift import drift
from pimsim.devices.noise import lumped_sigma
from pimsim.errors import MappingError, Place

DAY = 86_400.0


def states(mean, spread=None, **entries) -> States:
    return States.model_validate(
        {
            "mean": [f"{m} %" for m in mean],
            "spread": [f"{s} %" for s in (spread or [1.0] * len(mean))],
            "source": "test",
            "certainty": "assumed",
            **entries,
        }
    )


def test_evenly_spaced_states_are_chosen_the_widest_set_first():
    choice = choose_levels(states([0, 10, 25, 50, 75, 100]), 3)
    assert choice.mean.tolist() == [0, 0.5, 1]
    assert "states 0, 3, 5 of 6, evenly spaced to within 0.00%" in choice.text


def test_cmos_mlc_uses_every_other_programmed_state():
    # hardware numbers 1a': 4.70, 34.87, 65.05, 95.24 uA, spreads 1.47 1.40 1.30 1.20
    choice = choose_levels(bundled_device("cmos_mlc_measured").states, 4)
    assert "states 0, 2, 4, 6 of 8" in choice.text
    assert np.allclose(choice.mean * 144.4, [4.70, 34.87, 65.05, 95.24])
    assert np.allclose(choice.sigma * 144.4, [1.47, 1.40, 1.30, 1.20])


def test_no_level_is_left_in_a_state_that_programming_is_not_aimed_at():
    # the fresh transistor of the CMOS cell varies by 5.7 uA
    for n_levels in (2, 3, 4, 7, 8):
        choice = choose_levels(bundled_device("cmos_mlc_measured").states, n_levels)
        assert choice.mean[-1] * 144.4 == pytest.approx(95.24)
    assert choice.sigma.max() * 144.4 < 1.48


def test_a_cell_that_can_be_aimed_is_retargeted_with_interpolated_spread():
    choice = choose_levels(bundled_device("reram").states, 4)
    # level 0 conducts a twentieth of the top level
    assert np.allclose(choice.mean, [0.05, 0.05 + 0.95 / 3, 0.05 + 1.9 / 3, 1])
    between = 2.888 + (100 * choice.mean[1] - 24.36) / (41.54 - 24.36) * (3.183 - 2.888)
    assert choice.sigma[1] == pytest.approx(between / 100)
    assert "evenly spaced targets" in choice.text


def test_a_cell_that_cannot_be_aimed_takes_its_least_uneven_states():
    choice = choose_levels(states([0, 20, 55, 100]), 3)
    assert choice.mean.tolist() == [0, 0.55, 1]
    assert choice.even.tolist() == [0, 0.5, 1]


def test_more_levels_than_the_cell_has_are_refused():
    with pytest.raises(MappingError, match="d.yaml:4: states holds 8 levels per cell, and the net"):
        choose_levels(bundled_device("reram").states, 9, Place("d.yaml", 4, "states"))


@pytest.mark.parametrize("name", bundled_names("device"))
@pytest.mark.parametrize("n_levels", [2, 3, 4, 8])
def test_parts_add_up_in_squares_and_switch_off_one_by_one(name, n_levels):
    device = bundled_device(name)
    if n_levels > len(device.states.mean):
        pytest.skip("fewer states")
    whole = cell_model(device, n_levels, NoiseConfig())
    total = sum(part**2 for part in whole.sigmas.values())
    assert np.allclose(whole.sigma**2, total)
    assert whole.ideal[-1] - whole.ideal[0] == pytest.approx(1)
    for part in whole.sigmas:
        alone = cell_model(device, n_levels, NoiseConfig().only(part))
        assert np.count_nonzero([p.any() for k, p in alone.sigmas.items() if k != part]) == 0
    ideal = cell_model(device, n_levels, NoiseConfig.ideal())
    assert not ideal.sigma.any()
    assert np.array_equal(ideal.mean, ideal.ideal)


def test_pcm_drift_by_hand():
    device = bundled_device("pcm")
    raw = device.drift.model_copy(update={"compensated": False})
    log_time = np.log(DAY / 20)
    moved = drift(raw, np.array([0.0, 1.0]), DAY, 1.0)
    # lognormal moments of (t / t0)^-nu at the top level, nu = 0.049 +- 0.008
    s = 0.008 * log_time
    assert moved.mean[1] == pytest.approx(np.exp(-0.049 * log_time + s**2 / 2))
    assert moved.sigma[1] == pytest.approx(moved.mean[1] * np.sqrt(np.exp(s**2) - 1))
    assert moved.mean[0] == moved.sigma[0] == 0
    kept = drift(device.drift, np.array([0.0, 1.0]), DAY, 1.0)
    assert kept.mean[1] == pytest.approx(1)
    assert kept.sigma[1] == pytest.approx(moved.sigma[1] / moved.mean[1])
    # a Monte-Carlo of the law itself
    nu = np.random.default_rng(0).normal(0.049, 0.008, 200_000)
    drawn = (DAY / 20) ** -nu
    assert drawn.mean() == pytest.approx(moved.mean[1], rel=2e-3)
    assert drawn.std() == pytest.approx(moved.sigma[1], rel=1e-2)


def test_before_the_reference_read_nothing_has_drifted():
    device = bundled_device("pcm")
    moved = drift(device.drift, np.array([0.0, 0.5, 1.0]), 1.0, 1.0)
    assert np.allclose(moved.mean, [0, 0.5, 1])
    assert not moved.sigma.any()


def test_cmos_mlc_loses_a_tenth_of_its_shift_in_ten_years():
    device = bundled_device("cmos_mlc_measured")
    mean = np.array([4.70, 95.24]) / 144.4
    ten_years = device.drift.loss_time
    moved = drift(device.drift, mean, ten_years, 144.4e-6)
    assert np.allclose(moved.mean - mean, 0.1 * (1 - mean))
    assert (drift(device.drift, mean, DAY, 144.4e-6).mean < moved.mean).all()


def test_pcm_read_noise_by_hand():
    device = bundled_device("pcm")
    growth = np.sqrt(np.log((DAY + 250e-9) / 500e-9))
    levels = np.array([0.0, 1 / 3, 1.0])
    found = lumped_sigma(device.read_noise, levels, levels, DAY)
    assert found[2] == pytest.approx(0.0088 * growth)
    assert found[1] == pytest.approx(0.0088 / (1 / 3) ** 0.65 / 3 * growth)
    assert found[0] == 0
    # hardware numbers 1a: 4.5 % of the level at g = 1 after a day
    assert found[2] == pytest.approx(0.045, abs=0.001)


def test_pcm_static_error_follows_the_models_own_monte_carlo():
    # aihwkit's law cell by cell: program, drift by a drawn exponent, add 1/f noise whose
    # relative size the programmed conductance sets
    device = bundled_device("pcm")
    raw = device.model_copy(
        update={"drift": device.drift.model_copy(update={"compensated": False})}
    )
    model = cell_model(raw, 4, NoiseConfig(), DAY)
    rng, n = np.random.default_rng(3), 400_000
    for level in (1, 2, 3):
        g = level / 3
        spread = (0.26348 + 1.9650 * g - 1.1731 * g**2) / 25
        programmed = g + spread * rng.standard_normal(n)
        drifted = programmed * (DAY / 20) ** -rng.normal(0.049, 0.008, n)
        relative = min(0.0088 / g**0.65, 0.2) * np.sqrt(np.log((DAY + 250e-9) / 500e-9))
        read = drifted * (1 + relative * rng.standard_normal(n))
        assert model.mean[level] == pytest.approx(read.mean(), rel=3e-3)
        assert model.sigma[level] == pytest.approx(read.std(), rel=2e-2)


def test_cmos_mlc_spread_shrinks_with_the_charge_that_is_lost():
    device = bundled_device("cmos_mlc_measured")
    old = cell_model(device, 4, NoiseConfig(), device.drift.loss_time)
    new = cell_model(device, 4, NoiseConfig(drift=False))
    assert np.allclose(old.sigmas["programming"], 0.9 * new.sigmas["programming"])
    assert np.allclose(np.diff(old.mean), 0.9 * np.diff(new.mean))


def test_clipped_moments_are_those_of_a_normal_cut_at_zero():
    # NeuRRAM's level 0 has no current in the mean
    model = cell_model(bundled_device("reram_neurram"), 4, NoiseConfig())
    assert model.mean[0] == 0
    mean, spread = model.clipped
    assert mean[0] == pytest.approx(model.sigma[0] / np.sqrt(2 * np.pi))
    assert spread[0] == pytest.approx(model.sigma[0] * np.sqrt(0.5 - 0.5 / np.pi))
    assert np.allclose(mean[1:], model.mean[1:], atol=1e-4)
    exact = cell_model(bundled_device("reram_neurram"), 4, NoiseConfig.ideal())
    assert np.array_equal(exact.clipped[0], exact.mean)
    assert not exact.clipped[1].any()


def test_older_cells_stray_more():
    device = bundled_device("pcm")
    spreads = [cell_model(device, 4, NoiseConfig(), age).sigma[-1] for age in (30, DAY, 3e8)]
    assert spreads == sorted(spreads)
    assert spreads[0] < spreads[2]


HERE = {"source": "test", "certainty": "assumed"}


def tabulated(**entries) -> TabulatedDrift:
    table = {
        "model": "tabulated", "times": ["1 s", "100 s"], "at": [0, 1],
        "shift": [[0, 0], [0.1, -0.2]], "added_spread": [[0, 0], [0.04, 0.02]],
    }  # fmt: skip
    return TabulatedDrift.model_validate(table | entries | HERE)


def test_tabulated_drift_is_straight_in_log_time_and_current_and_held_outside():
    model, mean = tabulated(), np.array([0.0, 0.5, 1.0])
    moved = drift(model, mean, 10.0, 1.0)
    assert np.allclose(moved.mean - mean, [0.05, -0.025, -0.1])
    assert np.allclose(moved.sigma, [0.02, 0.015, 0.01])
    for inside, outside in ((1.0, 1e-3), (100.0, 1e9)):
        assert np.array_equal(
            drift(model, mean, inside, 1.0).mean, drift(model, mean, outside, 1.0).mean
        )


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"shift": [[0, 0]]}, "needs shift of 2 rows with 2 values each"),
        ({"added_spread": [[0, 0], [0.1, 0.1, 0.1]]}, "needs added_spread of 2 rows with 2"),
        ({"times": ["100 s", "1 s"]}, "needs `times` in rising order"),
        ({"times": ["0 s", "1 s"]}, "has a time of 0 s"),
        ({"at": [1, 0]}, "needs `at` in rising order"),
        ({"added_spread": [[0, 0], [-0.1, 0]]}, "added_spread below zero"),
        ({"shift": [[0, 0], [3, 0]]}, "is a unit missing"),
        ({"error_factor": [[1, 1]]}, "needs error_factor of 2 rows with 2 values each"),
        ({"error_factor": [[1, 1], [1, 1.1]]}, "error_factor outside 0 to 1"),
    ],
)
def test_a_drift_table_that_makes_no_sense_is_refused(entries, message):
    with pytest.raises(ValueError, match=message):
        tabulated(**entries)


def test_errors_of_programming_shrink_by_the_factor_of_the_table():
    model, mean = tabulated(error_factor=[[1, 1], [0.5, 0.9]]), np.array([0.0, 0.5, 1.0])
    assert np.allclose(drift(model, mean, 10.0, 1.0).slope, [0.75, 0.85, 0.95])
    assert np.array_equal(drift(tabulated(), mean, 10.0, 1.0).slope, np.ones(3))


def logarithmic(**entries) -> LogarithmicDrift:
    table = {"model": "logarithmic", "t0": "10 s", "at": [0, 1], "loss_mean": [0.0, 0.02],
             "loss_spread": [0.0, 0.004]}  # fmt: skip
    return LogarithmicDrift.model_validate(table | entries | HERE)


def test_logarithmic_drift_by_hand():
    model, mean = logarithmic(), np.array([0.0, 0.5, 1.0])
    moved = drift(model, mean, 1e4, 1.0)
    decades = np.log(1e3)
    assert np.allclose(moved.mean, mean - decades * np.array([0, 0.01, 0.02]))
    assert np.allclose(moved.sigma, decades * np.array([0, 0.002, 0.004]))
    for early in (0.0, 1.0, 10.0):
        assert np.array_equal(drift(model, mean, early, 1.0).mean, mean)
    assert drift(model, mean, 1e40, 1.0).mean.min() == 0
    for wrong in ({"at": [1, 0]}, {"loss_mean": [0]}, {"loss_spread": [0, -1]},
                  {"loss_mean": [0, 2]}):  # fmt: skip
        with pytest.raises(ValueError):
            logarithmic(**wrong)


@pytest.mark.parametrize("name", bundled_names("device"))
def test_at_age_zero_every_device_is_as_programmed(name):
    device = bundled_device(name)
    fresh = cell_model(device, 2, NoiseConfig(), 0.0)
    assert not fresh.sigmas["drift"].any()
    assert np.array_equal(fresh.mean, cell_model(device, 2, NoiseConfig(drift=False)).mean)
    assert np.isfinite(fresh.sigma).all()


def test_noise_over_time_is_that_of_the_programmed_level():
    table = {"model": "tabulated_over_time", "times": ["1 s", "100 s"], "at": [0, 1],
             "spread": [[0.01, 0.03], [0.02, 0.05]]}  # fmt: skip
    model = NoiseOverTime.model_validate(table | HERE)
    levels = np.array([0.0, 0.5, 1.0])
    assert np.allclose(lumped_sigma(model, levels / 2, levels, 10.0), [0.015, 0.0275, 0.04])
    for age, row in ((0.0, [0.01, 0.02, 0.03]), (1e9, [0.02, 0.035, 0.05])):
        assert np.allclose(lumped_sigma(model, levels, levels, age), row)
    for wrong in ({"spread": [[0.01, 0.03]]}, {"at": [1, 0]}, {"times": ["0 s", "1 s"]},
                  {"times": ["9 s", "1 s"]}, {"spread": [[0.01, 3], [0, 0]]}):  # fmt: skip
        with pytest.raises(ValueError):
            NoiseOverTime.model_validate(table | wrong | HERE)


def test_telegraph_noise_by_current_is_that_of_each_level():
    table = {"model": "two_state_tabulated", "at": [0, 1], "share": [0.4, 0.1],
             "amplitude": [0.2, 0.05], "amplitude_spread": 0.3, "occupancy": 0.4,
             "switching_time": "1 s"}  # fmt: skip
    model = TabulatedTwoStateNoise.model_validate(table | HERE)
    levels = np.array([0.1, 0.5, 1.0])
    one = {key: value for key, value in table.items() if key not in ("model", "at")}
    for k, level in enumerate(levels):
        share, amplitude = 0.4 - 0.3 * level, 0.2 - 0.15 * level
        same = {"model": "two_state", "share": share, "amplitude": amplitude}
        flat = TwoStateNoise.model_validate(one | same | HERE)
        of_level = np.array([level])
        expected = lumped_sigma(flat, of_level, of_level, DAY)[0]
        assert lumped_sigma(model, levels, levels, DAY)[k] == pytest.approx(expected)
    for wrong in ({"share": [0.1]}, {"at": [1, 0]}, {"amplitude": [0.1, 1.2]}):
        with pytest.raises(ValueError):
            TabulatedTwoStateNoise.model_validate(table | wrong | HERE)


def test_tabulated_noise_is_that_of_the_table():
    table = {"model": "tabulated", "at": [0, 1], "spread": [0.01, 0.03]}
    model = TabulatedNoise.model_validate(table | HERE)
    levels = np.array([0.0, 0.5, 1.0])
    assert np.allclose(lumped_sigma(model, levels, levels, DAY), [0.01, 0.02, 0.03])
    for wrong in ({"spread": [0.01]}, {"at": [1, 0]}, {"spread": [0.01, 3]}):
        with pytest.raises(ValueError):
            TabulatedNoise.model_validate(table | wrong | HERE)


# hardware numbers 1a: spreads at 0, 1/3, 2/3, 1 in % of the range
@pytest.mark.parametrize(
    ("name", "stated", "of_range"),
    [
        ("pcm", [1.05, 3.15, 4.21, 4.22], 1.0),
        ("pcm_14nm", [1.5, 6.9, 9.2, 9.7], 1.0),
        ("reram_neurram", [0.9, 5.7, 4.2, 2.8], 1.0),
        ("reram_hfo2", [2.5, 2.2, 1.9, 1.6], 1.0),
        ("sonos", [0.0, 1.18, 1.24, 1.24], 1.0),
        ("cmos_mlc_4", [1.47, 1.40, 1.30, 1.20], 100 / (95.24 - 4.70)),
    ],
)
def test_programming_spreads_are_those_of_the_sources(name, stated, of_range):
    model = cell_model(bundled_device(name), 4, NoiseConfig().only("programming"))
    tolerance = 1.0 if name == "pcm_14nm" else 0.1  # between eleven states of a cubic
    assert np.allclose(100 * model.sigma, np.array(stated) * of_range, atol=tolerance)


def test_neurram_spreads_grow_as_its_source_says():
    # hardware numbers 1a: 1.8 9.9 8.9 6.6 % after a day, 2.0 9.8 9.0 6.7 % after two
    device = bundled_device("reram_neurram")
    noise = NoiseConfig(read_noise=False, rtn=False)
    for days, stated in ((1, [1.8, 9.9, 8.9, 6.6]), (2, [2.0, 9.8, 9.0, 6.7])):
        model = cell_model(device, 4, noise, days * DAY)
        assert np.allclose(100 * model.sigma, stated, atol=0.15)


def test_fefet_levels_are_wrong_as_often_as_measured():
    model = cell_model(bundled_device("fefet"), 4, NoiseConfig())
    assert 2 * neighbour_errors(model).sum() / 4 == pytest.approx(0.04, rel=1e-2)


def test_the_ideal_device_is_exact_with_everything_on():
    for n_levels in (2, 3, 4, 8, 16):
        assert cell_model(bundled_device("ideal"), n_levels, NoiseConfig()).is_exact


def test_two_state_noise_lumped_is_the_variance_of_drawn_traps():
    model = TwoStateNoise.model_validate(
        {"model": "two_state", "share": 0.3, "amplitude": 0.1, "amplitude_spread": 0.5,
         "occupancy": 0.2, "switching_time": "1 s"} | HERE
    )  # fmt: skip
    rng, n = np.random.default_rng(4), 400_000
    taken = (rng.random(n) < 0.3) * 0.1 * np.exp(0.5 * rng.standard_normal(n))
    current = 1 - taken * (rng.random(n) < 0.2) + taken * 0.2
    level = np.array([1.0])
    assert lumped_sigma(model, level, level, DAY)[0] == pytest.approx(current.std(), rel=2e-2)
