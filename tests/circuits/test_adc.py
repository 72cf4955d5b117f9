"""ADCs: costs as published, codes as theory says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri

from pimsim.circuits.adc import MODELS, adc_cost, bill, full_resolution, step_of, top_code
from pimsim.circuits.logic import logic_of
from pimsim.config import find_config, read_yaml, validate
from pimsim.config.chip import ChipConfig
from pimsim.config.technology import TechnologyConfig
from pimsim.errors import MappingError, Place
from pimsim.kernels.conversions import HALVES, Adcs, add_noise, convert, convert_plain


@pytest.mark.parametrize(
    ("model", "bits", "picojoule", "um2"),
    [("isaac", 8, 1.67, 1200), ("isaac", 5, 0.99, 477), ("survey", 8, 0.465, 1339),
     ("survey", 4, 0.251, 1114), ("survey", 5, 0.254, 1119), ("survey", 6, 0.289, 1163),
     ("cim_28nm", 8, 0.554, 2085), ("cim_28nm", 4, 0.256, 183),
     ("neurosim", 8, 0.076, 141), ("flash", 3, 7 * 0.0417, 280)],
)  # fmt: skip
def test_costs_are_the_published_ones(model, bits, picojoule, um2):
    cost = adc_cost(model, bits, 1e8)
    assert cost.energy * 1e12 == pytest.approx(picojoule, rel=0.01)
    assert cost.area * 1e12 == pytest.approx(um2, rel=0.01)


def test_published_accounts_span_a_wide_range_and_grow_with_the_bits():
    energies = [adc_cost(model, 8, 1e9).energy for model in MODELS]
    assert max(energies) / min(energies) > 6
    for model in MODELS:
        for bits in range(4, 8):
            assert adc_cost(model, bits, 1e9).energy < adc_cost(model, bits + 1, 1e9).energy
    with pytest.raises(MappingError, match="10 bits is not known to 'isaac'.*cim_28nm"):
        adc_cost("isaac", 10, 1e9)
    assert adc_cost("cim_28nm", 10, 1e9).energy > adc_cost("cim_28nm", 8, 1e9).energy


def test_only_the_area_of_the_survey_follows_the_rate():
    for model in MODELS:
        slow, fast = adc_cost(model, 8, 1e8), adc_cost(model, 8, 1e9)
        assert fast.energy == slow.energy
        assert fast.area / slow.area == pytest.approx(10**0.1807 if model == "survey" else 1, 1e-3)
    assert adc_cost("survey", 8, 1e9).area * 1e12 == pytest.approx(2031, rel=1e-3)


def test_a_sample_of_every_bit_line_takes_the_area_of_its_capacitor():
    config = validate(read_yaml(find_config("adc_pim_16nm", "chip", Place(""))), ChipConfig)
    path = find_config("16nm", "technology", Place(""))
    costs = logic_of(validate(read_yaml(path), TechnologyConfig))
    held = bill(config.read_out, "gru0", 2, 1024, costs, 1e-9).parts[1]
    assert (held.component, held.count) == ("sample_and_hold", 1024)
    # 10 fF at 2.3 fF/um2
    assert held.area * 1e12 == pytest.approx(10 / 2.3)


def adcs(code_quanta, top, n_lines, low=None, **errors) -> Adcs:
    zero = np.zeros((1, n_lines))
    found = {name: np.atleast_2d(errors.get(name, zero)) for name in ("offset", "gain", "bow")}
    return Adcs(
        np.full(n_lines, float(code_quanta)), float(-top if low is None else low), float(top),
        np.empty(0), np.ones(n_lines), np.empty(0), np.ones(n_lines), np.uint64(0),
        found["offset"], found["gain"], found["bow"], not errors,
    )  # fmt: skip


def codes_of(values, unit: Adcs):
    """Codes of values (n, n_lines)."""
    return converted(values, unit)[0]


def converted(values, unit: Adcs):
    """Codes of values (n, n_lines), and how many of each line are clipped."""
    out = np.array(values, np.float64)
    clipped = np.zeros(out.shape[1], np.int64)
    for row in out:
        if unit.is_plain:
            convert_plain(row, unit, clipped)
        else:
            convert(row, unit, unit.offset[0], unit.gain[0], unit.bow[0], clipped)
    return out.astype(np.int64), clipped


@pytest.mark.parametrize("largest", [3, 48, 768, 1000])
def test_full_resolution_loses_nothing(largest):
    bits = full_resolution(largest)
    assert step_of(bits, largest, 1.0) == 1
    assert step_of(bits - 1, largest, 1.0) > 1
    values = np.arange(-largest, largest + 1).reshape(-1, 1)
    assert (codes_of(values, adcs(1, top_code(bits), 1)) == values).all()
    # sums that are never negative need no sign
    alone = full_resolution(largest, signed=False)
    assert alone == bits - 1
    assert step_of(alone, largest, 1.0, signed=False) == 1
    unit = adcs(1, top_code(alone, signed=False), 1, low=0)
    assert (codes_of(values, unit) == np.maximum(values, 0)).all()


@pytest.mark.parametrize("signed", [True, False])
def test_every_bit_less_quadruples_the_error(signed):
    quanta, largest = 1024, 768
    least = -largest * quanta * signed
    values = np.random.default_rng(0).integers(least, largest * quanta, (4000, 8))
    # float32 holds these to a fraction of a quantum
    values = values // 8 * 8
    found = []
    for bits in (5, 6, 7, 8) if not signed else (6, 7, 8, 9):
        code = round(step_of(bits, largest, 1.0, signed=signed) * quanta)
        codes = codes_of(values, adcs(code, top_code(bits, signed=signed), 8))
        error = codes * code - values
        assert np.abs(error).max() <= code / 2 + 8
        found.append(float((error.astype(float) ** 2).mean()) / quanta**2)
        assert found[-1] == pytest.approx((code / quanta) ** 2 / 12, rel=0.03)
    for more, less in zip(found[1:], found, strict=False):
        assert less / more == pytest.approx(4, rel=0.1)


def test_sums_beyond_the_range_are_clipped():
    unit = adcs(10, 7, 1)
    codes, clipped = converted([[1000], [-1000], [74], [-76]], unit)
    assert codes.ravel().tolist() == [7, -7, 7, -7]
    # 74 and -76 round to 7 and -8
    assert clipped.tolist() == [3]


def test_static_errors_shift_stretch_and_bend():
    values = np.array([[-700.0], [0.0], [700.0]])
    plain = adcs(10, 100, 1)
    assert codes_of(values, plain).ravel().tolist() == [-70, 0, 70]
    shifted = adcs(10, 100, 1, offset=np.array([50.0]))
    assert codes_of(values, shifted).ravel().tolist() == [-65, 5, 75]
    stretched = adcs(10, 100, 1, gain=np.array([0.1]))
    assert codes_of(values, stretched).ravel().tolist() == [-77, 0, 77]
    # an odd function: nothing at zero and at the ends, most at 1 / sqrt(3) of full scale
    bent = adcs(10, 100, 1, bow=np.array([100.0]))
    assert codes_of([[-1000.0], [-577.35], [0.0], [577.35], [1000.0]], bent).ravel().tolist() == [
        -100, -68, 0, 68, 100,
    ]  # fmt: skip


def test_noise_has_its_spread():
    table = ndtri((np.arange(HALVES) + 0.5) / HALVES) * 30.0
    words = np.random.default_rng(0).integers(0, 2**32, (4, 4000)).astype(np.uint64)
    values = np.zeros((1, 32_000))
    share = np.ones(32_000)
    share[9] = 0.5
    add_noise(words, table, share, values[0])
    found = codes_of(values, adcs(1, 10_000, 32_000))
    assert found.std() == pytest.approx(30, rel=0.02)
    assert abs(found.mean()) < 1
    # two lines to a word, its lower half first
    assert values[0, 2] == table[words[1, 0] & 0xFFFF]
    assert values[0, 9] == table[words[0, 1] >> 16] / 2
