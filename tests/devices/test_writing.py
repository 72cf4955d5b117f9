"""Pulses that write a level: closed forms of the three models, and cells drawn one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from files import bundled_device
from scipy.special import ndtr

from pimsim.config.programming import CountedProgramming, RedrawnProgramming
from pimsim.devices.programming import program_levels
from pimsim.devices.writing import accepted, cycles_each, spread_after, stages
from pimsim.errors import ConfigError

WHY = {"source": "made up", "certainty": "assumed"}


def redrawn(**update):
    numbers = {"pulse": "1 us", "spread": 0.1, "tolerance": 0.05, "check_noise": 0.02}
    return RedrawnProgramming(model="redraw", **(numbers | update), **WHY)


def test_expected_pulses_are_the_inverse_of_the_share_that_passes():
    model = redrawn(check_noise=0.0)
    share = 2 * ndtr(0.5) - 1  # half a standard deviation on either side: 38.29 %
    assert accepted(model) == pytest.approx(share)
    assert share == pytest.approx(0.3829, abs=1e-4)
    (stage,) = stages(model, 4)
    assert stage.mean == pytest.approx([1 / share] * 4, rel=1e-6)
    assert stage.mean[0] == pytest.approx(2.6115, rel=1e-4)
    # 99 % of the cells: the first k with (1 - p)^k below 1 %
    assert stage.most()[0] == math.ceil(math.log(0.01) / math.log(1 - share))


def test_the_slowest_of_a_group_is_the_largest_of_independent_numbers():
    stage = stages(redrawn(), 2)[0]
    p = accepted(redrawn())
    two = 2 / p - 1 / (1 - (1 - p) ** 2)  # mean of the larger of two geometric numbers
    assert stage.slowest(np.array([1, 1])) == pytest.approx(two, rel=1e-6)
    assert stage.slowest(np.array([1, 0])) == pytest.approx(1 / p, rel=1e-6)


def test_noise_of_checks_costs_pulses_and_widens_what_passes():
    quiet, noisy = redrawn(check_noise=0.0), redrawn(check_noise=0.05)
    assert accepted(noisy) < accepted(quiet)
    assert spread_after(noisy) > spread_after(quiet)
    rng = np.random.default_rng(5)
    error, noise = rng.normal(0, 0.1, 200_000), rng.normal(0, 0.05, 200_000)
    passed = np.abs(error + noise) < 0.05
    n = passed.sum()
    assert passed.mean() == pytest.approx(accepted(noisy), abs=4 * 0.5 / math.sqrt(len(error)))
    assert error[passed].std() == pytest.approx(spread_after(noisy), rel=4 / math.sqrt(2 * n))


def test_a_counted_mean_is_kept_and_one_pulse_is_one():
    def counted(mean):
        return CountedProgramming(model="counted", pulse="1 us", mean_pulses=mean, **WHY)

    assert stages(counted(8.5), 3)[0].mean == pytest.approx([8.5] * 3, rel=1e-6)
    once = stages(counted(1), 3)[0]
    assert once.mean.tolist() == [1, 1, 1]
    assert once.slowest(np.array([100, 100, 100])) == 1
    assert cycles_each(counted(8.5), 8.5) == 8.5


def test_a_scheme_has_the_pulses_of_its_levels():
    model = bundled_device("cmos_mlc_4").programming
    own, solved = stages(model, 4), program_levels(model)
    # the deepest level, 0, passes through all thresholds, level 3 through the first alone
    for stage, level in zip(own, solved, strict=True):
        assert stage.pulse == level.pulse
        assert stage.mean[0] == pytest.approx(level.pulses, rel=1e-4)
        assert stage.most()[0] == level.max_pulses
    assert own[0].mean[3] == own[0].mean[0]
    assert own[1].mean[3] == 0
    assert sum(s.pulse * s.mean[0] for s in own) == pytest.approx(solved[-1].time, rel=1e-4)
    assert cycles_each(model, 200.0) == 1
    with pytest.raises(ConfigError, match="ends 4 levels, and 5 are asked for"):
        stages(model, 5)


def test_the_bundled_reram_keeps_the_spread_of_its_states():
    device = bundled_device("reram")
    states = [spread.value for spread in device.states.spread]
    assert min(states) < spread_after(device.programming) < max(states)
    assert spread_after(device.programming) == pytest.approx(0.030, abs=5e-4)


def test_a_tolerance_that_nothing_meets_is_refused():
    with pytest.raises(ValueError, match="would not end"):
        redrawn(tolerance=1e-5, spread=0.5)
