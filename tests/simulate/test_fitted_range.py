"""Ranges of ADCs that are fitted to each matrix: larger loads where sums are small."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from code_networks import coded_cnn, coded_depthwise, features_of
from files import bundled_chip, bundled_device

from pimsim.chip import build_chip
from pimsim.config import NoiseConfig
from pimsim.errors import ConfigError
from pimsim.simulate import encode_inputs, run_chips
from pimsim.studies.prepare import prepare
from pimsim.workload import run_reference

IDEAL = NoiseConfig.ideal()


def chip_of(network, reach, noise, **changes):
    config = bundled_chip("adc_pim_16nm")
    block = config.read_out.model_copy(update={"range": reach} | changes)
    config = config.model_copy(update={"read_out": block})
    return build_chip(network, config, bundled_device("reram"), noise=noise)


def numbers(chip):
    return {part.name: part.read_out for part in chip.matrices}


def test_a_level_is_a_power_of_two_of_codes_that_its_range_leaves_room_for():
    network = coded_depthwise(bits=4)
    before, after = (numbers(chip_of(network, r, NoiseConfig())) for r in ("calibrated", "fitted"))
    found = set()
    for name, own in after.items():
        each = next(2**k for k in range(8) if 127 // 2**k == own.top)
        found.add(each)
        assert (own.step, before[name].step, before[name].top) == (1, 1, 127)
        # the same volts at the end of the ADC's codes, so as much more for each level
        assert own.volts_per_unit == pytest.approx(before[name].volts_per_unit * 127 / own.top)
        # errors of the ADC's own codes are as much smaller
        assert own.bow / own.code_quanta == pytest.approx(
            before[name].bow / before[name].code_quanta / each
        )
        assert own.sigma / own.code_quanta < before[name].sigma / before[name].code_quanta / (
            0.5 * each
        )
        # and a range that is still what the lines reach
        assert own.top >= 4
    assert max(found) >= 4


def test_a_matrix_that_needs_all_codes_stays_as_it_is():
    network = coded_cnn()
    noise, few = NoiseConfig(), {"bits": 5}
    before = numbers(chip_of(network, "calibrated", noise, **few))
    after = numbers(chip_of(network, "fitted", noise, **few))
    assert any(own.step > 1 for own in before.values())
    for name, own in before.items():
        if own.step > 1:
            assert dataclasses.asdict(own) == dataclasses.asdict(after[name])


@pytest.mark.parametrize("make", [coded_depthwise, coded_cnn])
def test_without_errors_sums_are_whole_and_codes_exact(make):
    network, features = make(), features_of(make(), 3)
    rounding = IDEAL.model_copy(update={"fixed_point": True})
    chip = chip_of(network, "fitted", rounding)
    found = run_chips(chip, encode_inputs(chip, features), range(1), 0, keep_bits=True)
    exact = run_reference(network, features)
    clipped = sum(found.counts.clipped.values()) if hasattr(found.counts, "clipped") else 0
    for name, expected in exact.codes.items():
        same = (found.bits[name][0] == expected).mean()
        assert same == 1 or clipped, name


def test_depthwise_sums_err_less_with_a_fitted_range():
    """The errors that the read-out's noise makes, without those of cells."""
    network, features = coded_depthwise(bits=4), features_of(coded_depthwise(bits=4), 6)
    only = IDEAL.model_copy(update={"dynamic": True, "fixed_point": True})
    wrong = {}
    for reach in ("calibrated", "fitted"):
        chip = chip_of(network, reach, only)
        found = run_chips(chip, encode_inputs(chip, features), range(1), 0, keep_bits=True)
        depthwise = next(t.name for t in chip.tiles if t.groups > 1)
        exact = run_reference(network, features).codes[depthwise].astype(int)
        wrong[reach] = np.abs(found.bits[depthwise][0] - exact).mean()
    assert wrong["fitted"] < 0.3 * wrong["calibrated"]


def test_codes_that_are_not_rounded_again_have_no_fitted_range(tmp_path):
    with pytest.raises(ConfigError, match="fitted range, whose codes are rounded again"):
        prepare(
            coded_cnn(), {"chip": "adc_pim_16nm", "data": "mnist-1000"},
            ("chip.adc.range=fitted", "chip.adc.noise_point=after"),
        )  # fmt: skip
