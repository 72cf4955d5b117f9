"""Statistics of drawn chips: every device's mean and spread per level, clipping included."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from files import bundled_chip, bundled_device
from networks import random_gru, random_matrix
from scipy import stats

from pimsim.chip import build_chip, program_tile
from pimsim.config import NoiseConfig, bundled_names
from pimsim.config.schema import Current
from pimsim.errors import MappingError
from pimsim.workload import Gru, chain

NETWORK = random_gru(seed=8, hidden=96, bits=64)


def tile_of(device: str, noise: NoiseConfig, chip=None, network=NETWORK):
    return build_chip(network, chip or bundled_chip(), bundled_device(device), noise).tiles[0]


@pytest.mark.parametrize("device", bundled_names("device"))
def test_cell_currents_have_the_devices_mean_and_spread_per_level(device):
    tile = tile_of(device, NoiseConfig(mismatch=False))
    gate = tile.matrices[0]
    chips = [program_tile(tile, 5, i) for i in range(4)]
    for level in range(4):
        cells = np.concatenate(
            [
                side[:, gate.columns][levels == level]
                for p in chips
                for side, levels in ((p.plus, gate.cells.plus), (p.minus, gate.cells.minus))
            ]
        )
        currents = cells / gate.read_out.full_scale_quanta
        mean, spread = gate.cell.mean[level], gate.cell.sigma[level]
        if spread < 0.1 / gate.read_out.full_scale_quanta:
            assert np.ptp(cells) <= (spread > 0)
            assert currents[0] == pytest.approx(mean, abs=1 / gate.read_out.full_scale_quanta)
            continue
        # moments of a normal clipped at zero
        z = mean / spread
        expected = mean * stats.norm.cdf(z) + spread * stats.norm.pdf(z)
        square = (mean**2 + spread**2) * stats.norm.cdf(z) + mean * spread * stats.norm.pdf(z)
        deviation = np.sqrt(square - expected**2)
        n = len(currents)
        assert abs(currents.mean() - expected) < 4 * deviation / np.sqrt(n)
        # rounding to a quantum adds at most 1/12 of its square
        error = np.sqrt(stats.kurtosis(currents) + 2) / (2 * np.sqrt(n))
        assert abs(currents.std() / deviation - 1) < 4 * error + 0.02
        assert (cells >= 0).all()


def test_noise_and_offset_in_units_by_hand():
    # from literals of the chip file: a load for 220 mV, 10 + 1 fF, 300 K, 4 fF inside, 2 mV
    boltzmann, charge = 1.380649e-23, 1.602176634e-19
    tile = tile_of("reram", NoiseConfig())
    for part, of_lines in tile.read_out.chains(tile):
        per_unit = 0.22 / part.matrix.preactivation_range
        load = 0.22 / (part.matrix.preactivation_range / part.matrix.alpha * 0.95e-6)
        assert of_lines.transimpedance == pytest.approx(load / 0.999)
        current = of_lines.currents.mean
        noise = 2 * (boltzmann * 300 + charge * current * load / 0.999 / 2) / 11e-15
        sigma = np.sqrt(noise + 2.4 * boltzmann * 300 / 4e-15)
        assert part.read_out.volts_per_unit == pytest.approx(per_unit)
        assert part.read_out.sigma_units == pytest.approx(sigma / per_unit)
        assert part.read_out.offset_units == pytest.approx(2e-3 / per_unit)
        full_scale = part.read_out.full_scale_quanta
        assert part.read_out.sigma_quanta == pytest.approx(
            sigma / per_unit / part.matrix.alpha * full_scale
        )


def test_the_papers_own_numbers_give_its_noise():
    """2 fF per side, no shot noise, no amplifier's own, +-30 units on +-600 mV: 0.10 units."""
    chip = bundled_chip()
    load = chip.load.model_copy(update={"input_range": 0.6, "capacitance": 0.0})
    read_out = {"input_capacitance": 2e-15, "internal_capacitance": 1.0}
    paper = chip.model_copy(
        update={"read_out": chip.read_out.model_copy(update=read_out), "load": load}
    )
    matrix = dataclasses.replace(NETWORK.layers[0].gate, preactivation_range=30.0)
    layer = dataclasses.replace(NETWORK.layers[0], gate=matrix)
    network = dataclasses.replace(NETWORK, nodes=chain((layer, *NETWORK.layers[1:])))
    device = bundled_device("reram")
    quiet = device.model_copy(update={"read": device.read.model_copy(update={"shot_noise": 0.0})})
    gate = build_chip(network, paper, quiet, NoiseConfig()).tiles[0].matrices[0]
    assert gate.read_out.sigma_volts * 1e3 == pytest.approx(2.03, abs=0.01)
    assert gate.read_out.sigma_units == pytest.approx(0.10, abs=0.005)


def test_currents_before_a_run_are_those_of_independent_rows():
    tile = tile_of("reram", NoiseConfig())
    part, of_lines = tile.read_out.chains(tile)[0]
    sides = np.hstack([part.cells.plus, part.cells.minus])
    currents = np.array([0.05, 0.05 + 0.95 / 3, 0.05 + 1.9 / 3, 1.0])[sides] * 1e-6
    expected = of_lines.currents
    assert expected.mean == pytest.approx(currents.sum(axis=0).mean() / 2)
    rng = np.random.default_rng(0)
    drawn = (rng.random((20000, len(currents))) < 0.5) @ currents
    of_line = drawn.mean(axis=0) + 4 * drawn.std(axis=0)
    assert expected.highest == pytest.approx(of_line.max(), rel=0.02)


def test_a_mismatch_multiplies_the_minus_side():
    """One factor for each pair and chip, of the stated standard deviation; integers stay."""
    alone = NoiseConfig.ideal().model_copy(update={"mismatch": True})
    tile, ideal = tile_of("reram", alone), tile_of("reram", NoiseConfig.ideal())
    part, found = tile.matrices[0], []
    expected = np.sqrt(0.01**2 + 0.015**2 + 2 * (1.7 / 200) ** 2)
    assert part.read_out.mismatch == pytest.approx(expected)
    for chip in range(40):
        drawn = program_tile(tile, 5, chip)
        plus, minus = (side[:, part.columns].sum(axis=0) for side in (drawn.plus, drawn.minus))
        levels = [0.05 / 0.95 + k / 3 for k in range(4)]
        of_ideal = (np.array(levels)[part.cells.minus] * part.read_out.full_scale_quanta).sum(
            axis=0
        )
        found.append(minus / of_ideal - 1)
        exact = (np.array(levels)[part.cells.plus] * part.read_out.full_scale_quanta).sum(axis=0)
        assert np.abs(plus / exact - 1).max() < 3e-3  # rounded to a quantum each
    # 3,840 pairs, and currents that are rounded to a quarter of a standard deviation
    assert np.concatenate(found).std() == pytest.approx(expected, rel=0.05)
    assert abs(np.concatenate(found).mean()) < expected / 10
    assert not ideal.matrices[0].read_out.mismatch
    # another source's draws stay what they are
    only = tile_of("reram", NoiseConfig(mismatch=False))
    both = tile_of("reram", NoiseConfig())
    scale = (
        both.matrices[0].read_out.full_scale_quanta / only.matrices[0].read_out.full_scale_quanta
    )
    assert np.abs(
        program_tile(both, 5, 0).plus[:, part.columns]
        - scale * program_tile(only, 5, 0).plus[:, part.columns]
    ).max() <= max(1.0, scale)


def test_sigma_eval_adds_to_the_circuits_noise_in_squares():
    noise = NoiseConfig(sigma_eval=0.3)
    both, circuit = (tile_of("reram", n).matrices[0].read_out for n in (noise, NoiseConfig()))
    assert both.sigma_units == pytest.approx(np.hypot(circuit.sigma_units, 0.3))
    only = tile_of("reram", NoiseConfig(dynamic=False, sigma_eval=0.3)).matrices[0].read_out
    assert only.sigma_units == pytest.approx(0.3)


def test_cells_clipped_at_zero_are_counted():
    tile = tile_of("reram_neurram", NoiseConfig())
    programmed = program_tile(tile, 5, 0)
    # level 0 of this device has mean 0: half of its cells draw below zero
    at_zero = sum((side == 0).sum() for m in tile.matrices for side in m.cells.sides)
    assert programmed.n_clipped == pytest.approx(at_zero / 2, rel=0.03)
    assert program_tile(tile_of("cmos_mlc_measured", NoiseConfig()), 5, 0).n_clipped == 0


def test_offsets_have_the_stated_spread():
    tile = tile_of("reram", NoiseConfig())
    gate = tile.matrices[0]
    quanta = np.concatenate([program_tile(tile, 5, i).offsets[gate.columns] for i in range(60)])
    # volts of a quantum: alpha / full scale units of pre-activation, 220 mV for the range
    units = quanta * gate.matrix.alpha / gate.read_out.full_scale_quanta
    volts = units * 0.22 / gate.matrix.preactivation_range
    assert stats.kstest(volts / 2e-3, "norm").pvalue > 0.01  # residual_offset: 2 mV


def test_offset_cancelling_off_gives_the_raw_offset():
    chip = bundled_chip()
    raw = chip.read_out.model_copy(update={"offset_cancelling": False})
    wide = tile_of("reram", NoiseConfig(), chip.model_copy(update={"read_out": raw}))
    narrow = tile_of("reram", NoiseConfig())
    ratio = wide.matrices[0].read_out.offset_units / narrow.matrices[0].read_out.offset_units
    assert ratio == pytest.approx(17 / 2)


@pytest.mark.parametrize("name", ["adc_pim_16nm", "isaac_32nm"])
def test_a_chip_with_adcs_has_no_offsets_of_sense_amplifiers(name):
    """Errors of ADCs, however large, neither shift a line's sum nor count to its bound."""
    shipped = bundled_chip(name)
    poor = shipped.model_copy(
        update={
            "read_out": shipped.read_out.model_copy(
                update={"offset": 5.0, "gain_error": 0.05, "nonlinearity": 5.0}
            )
        }
    )
    network = random_gru(seed=8, hidden=24, bits=64, n_levels=255)
    tile = tile_of("reram", NoiseConfig(), poor, network)
    assert all(part.read_out.offset_quanta > 0 for part in tile.matrices)
    programmed = program_tile(tile, 5, 0)
    assert not programmed.offsets.any()
    assert not programmed.start.any()
    # by hand: all cells that raise a line's sum, or all that lower it
    cells = programmed.plus.astype(np.int64) - programmed.minus
    by_line = np.maximum(np.maximum(cells, 0).sum(axis=0), np.maximum(-cells, 0).sum(axis=0))
    assert programmed.largest_sum == by_line.max()
    without = program_tile(tile_of("reram", NoiseConfig(offset=False), poor, network), 5, 0)
    assert np.array_equal(programmed.plus, without.plus)
    assert programmed.largest_sum == without.largest_sum


def test_the_same_chip_is_drawn_whatever_else_is_drawn():
    tile = tile_of("pcm", NoiseConfig())
    again = program_tile(tile, 5, 3)
    for other in (program_tile(tile, 5, 2), program_tile(tile, 6, 3)):
        assert not np.array_equal(other.plus, again.plus)
    assert np.array_equal(program_tile(tile, 5, 3).plus, again.plus)
    assert np.array_equal(program_tile(tile, 5, 3).offsets, again.offsets)


def test_switching_a_source_off_keeps_the_others_draws():
    both = program_tile(tile_of("pcm", NoiseConfig()), 5, 0)
    without = program_tile(tile_of("pcm", NoiseConfig(rtn=False, read_noise=False)), 5, 0)
    top = tile_of("pcm", NoiseConfig()).matrices[0].cells.plus == 3
    columns = slice(0, 96)
    r = np.corrcoef(both.plus[:, columns][top], without.plus[:, columns][top])[0, 1]
    assert r > 0.999


def test_an_ideal_chip_has_exact_levels():
    for device in bundled_names("device"):
        tile = tile_of(device, NoiseConfig.ideal())
        programmed = program_tile(tile, 1, 0)
        for part in tile.matrices:
            step = part.read_out.full_scale_quanta // part.matrix.top_level
            assert np.array_equal(
                programmed.cells[:, part.columns], part.matrix.levels.astype(int) * step
            )
        assert not programmed.offsets.any()


def test_uneven_levels_keep_their_currents_without_any_spread():
    device = bundled_device("reram")
    states = device.states.model_copy(
        update={
            "mean": [Current(m, "fraction") for m in (0.0, 0.1, 0.4, 1.0)],
            "spread": [Current(0.0, "fraction")] * 4,
            "retarget_from": None,
            "retarget_to": None,
        }
    )
    uneven = device.model_copy(update={"states": states})
    noise = NoiseConfig.ideal().model_copy(update={"programming": True})
    tile = build_chip(NETWORK, bundled_chip(), uneven, noise).tiles[0]
    gate = tile.matrices[0]
    programmed = program_tile(tile, 1, 0)
    for level, current in enumerate((0.0, 0.1, 0.4, 1.0)):
        cells = programmed.plus[:, gate.columns][gate.cells.plus == level]
        assert np.abs(cells / gate.read_out.full_scale_quanta - current).max() < 1e-3


def test_drift_that_keeps_levels_even_changes_no_tie():
    # charge loss shrinks all steps alike: sums that tie at 0 must still tie
    device = bundled_device("cmos_mlc_measured")
    noise = NoiseConfig.ideal().model_copy(update={"programming": True, "drift": True})
    states = device.states.model_copy(update={"spread": [Current(0.0, "ampere")] * 8})
    drift = device.drift.model_copy(update={"loss": 0.3})
    old = device.model_copy(update={"states": states, "drift": drift})
    tile = build_chip(NETWORK, bundled_chip(), old, noise, age=1e9).tiles[0]
    for part in tile.matrices:
        assert np.ptp(np.diff(part.cell.mean)) < 1e-3
    even = NoiseConfig.ideal().model_copy(update={"drift": True})
    tile = build_chip(NETWORK, bundled_chip(), old, even, age=1e9).tiles[0]
    programmed = program_tile(tile, 1, 0)
    levels = np.hstack([m.matrix.levels.astype(int) for m in tile.matrices])
    step = programmed.cells[levels == 1].max()
    assert np.array_equal(programmed.cells, levels * step)


def test_thresholds_stand_on_rows_that_are_always_on():
    network = random_gru(seed=2, thresholds=7)
    tile = tile_of("reram", NoiseConfig.ideal(), network=network)
    programmed = program_tile(tile, 1, 0)
    layer = network.layers[0]
    thresholds = np.concatenate([layer.gate.thresholds, layer.candidate.thresholds])
    steps = np.repeat([m.read_out.full_scale_quanta // 3 for m in tile.matrices], 12)
    assert np.array_equal(programmed.start, -thresholds * steps)
    assert programmed.n_always_on == -(-abs(thresholds).max() // 3)


def test_stacked_arrays_load_the_bit_line():
    chip = bundled_chip()
    small = chip.model_copy(update={"array": chip.array.model_copy(update={"rows": 64})})
    tiles = [tile_of("reram", NoiseConfig(), c) for c in (chip, small)]
    big, stacked = (tile.read_out.chains(tile)[0][1] for tile in tiles)
    # 160 rows: three stacked arrays of 64, or one of 256; two wires of 0.2 fF/um and a drain
    per_row = 2 * 0.2e-15 * np.sqrt(0.0763) + 0.05e-15
    lines = [one.line_capacitance for one in (stacked, big)]
    assert lines[0] - lines[1] == pytest.approx(-64 * per_row)
    assert stacked.settling_time < big.settling_time


def test_a_network_with_too_many_rows_or_levels_is_refused():
    rng = np.random.default_rng(0)
    tall = random_matrix(rng, 1100, 90)
    network = dataclasses.replace(
        random_gru(hidden=90, bits=1010),
        nodes=chain((Gru(tall, tall),)),
    )
    with pytest.raises(MappingError, match="gru0 has 1100 rows, and 4 stacked arrays of 256"):
        tile_of("reram", NoiseConfig(), network=network)
    with pytest.raises(MappingError, match="holds 8 levels per cell, and the network needs 11"):
        tile_of("reram", NoiseConfig(), network=random_gru(n_levels=21))


def test_every_array_has_adcs_with_errors_of_its_own():
    """128 rows of an array: the 256 of this layer meet two sets of ADCs, drawn one by one."""
    network = random_gru(seed=8, hidden=128, bits=128, n_levels=255)
    tile = tile_of("reram", NoiseConfig(), bundled_chip("isaac_32nm"), network)
    errors = program_tile(tile, 5, 0).errors.arrays
    n_lines = tile.placement.n_lines
    shared = bundled_chip("isaac_32nm").read_out.columns_per_adc
    assert all(found.shape == (2, n_lines) for found in errors.values())
    for found in errors.values():
        first, second = found[:, ::shared]
        assert (found == found[:, ::shared].repeat(shared, axis=1)[:, :n_lines]).all()
        assert not np.isclose(first, second).any()
