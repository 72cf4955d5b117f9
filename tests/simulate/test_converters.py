"""Chips with converters: integer arithmetic where nothing errs, and counted as closed forms say."""

from __future__ import annotations

import numpy as np
import pytest
from files import bundled_chip, bundled_device, bundled_logic
from networks import random_features, random_gru, random_lenet, random_mlp

from pimsim.chip import build_chip
from pimsim.circuits.adc import full_resolution
from pimsim.config import NoiseConfig
from pimsim.cost.area import area_account
from pimsim.errors import MappingError
from pimsim.mapping import bit_slices
from pimsim.simulate import encode_inputs, run_chips
from pimsim.simulate.converters import activation_of
from pimsim.timing.parts import chip_parts
from pimsim.timing.schedule import time_chip
from pimsim.workload.quantized import Activation, mix, run_quantized

NETWORKS = {
    "gru": random_gru(n_levels=255),
    "coarse": random_gru(n_levels=7),
    "lenet": random_lenet(n_levels=255),
    "mlp": random_mlp(n_levels=255),
}


def chip_of(name: str, noise: NoiseConfig, **blocks):
    config = bundled_chip("adc_pim_16nm")
    changes = {k: getattr(config, k).model_copy(update=v) for k, v in blocks.items()}
    config = config.model_copy(update=changes)
    return build_chip(NETWORKS[name], config, bundled_device("reram"), noise)


def run_of(chip, n=5, chips=(0, 1), **options):
    features = random_features(chip.workload, n)
    encoded = encode_inputs(chip, features)
    return features, run_chips(chip, encoded, list(chips), 3, keep_bits=True, **options)


@pytest.mark.parametrize("rows", [256, 16])
@pytest.mark.parametrize("name", NETWORKS)
def test_an_ideal_chip_is_integer_arithmetic(name, rows):
    chip = chip_of(name, NoiseConfig.ideal(), array={"rows": rows})
    assert chip.is_exact
    features, found = run_of(chip, chips=[0])
    exact = run_quantized(chip.workload, features, activation_of(chip))
    for layer, codes in exact.codes.items():
        assert np.array_equal(found.bits[layer][0], codes), layer
    assert np.array_equal(found.predictions[0], exact.predictions)


@pytest.mark.parametrize("name", ["gru", "lenet"])
def test_a_converter_of_full_resolution_loses_nothing(name):
    only_steps = NoiseConfig.ideal().model_copy(update={"fixed_point": True})
    rows = max(matrix.n_rows for _, matrix in NETWORKS[name].matrices())
    bits = full_resolution(min(rows, 256) * 3)
    # an encoder fine enough that its codes are those of the exact network
    fine = {"input_bits": 20, "weight_bits": 24, "input_range": 32.0}
    chip = chip_of(name, only_steps, adc={"bits": bits, "range": 1.0}, input_encoder=fine)
    features, found = run_of(chip, chips=[0])
    exact = run_quantized(chip.workload, features, activation_of(chip))
    for layer, codes in exact.codes.items():
        assert np.array_equal(found.bits[layer][0], codes), layer
    coarse = chip_of(name, only_steps, adc={"bits": 3, "range": 1.0}, input_encoder=fine)
    assert not coarse.is_exact
    _, rough = run_of(coarse, chips=[0])
    last = list(exact.codes)[-1]
    assert not np.array_equal(rough.bits[last][0], exact.codes[last])


@pytest.mark.parametrize("name", ["gru", "lenet"])
def test_results_do_not_depend_on_batches_neighbours_or_threads(name):
    chip = chip_of(name, NoiseConfig())
    _, whole = run_of(chip, n=6, chips=[0, 1, 2])
    _, alone = run_of(chip, n=6, chips=[2], batch=4, threads=1)
    for layer, codes in whole.bits.items():
        assert np.array_equal(codes[2], alone.bits[layer][0]), layer
    assert not np.array_equal(whole.bits[list(whole.bits)[-1]][0], alone.bits[layer][0])


def test_actions_are_those_of_the_closed_forms():
    chip = chip_of("gru", NoiseConfig(), array={"rows": 16, "columns": 32})
    n, chips, bits = 5, 2, 8
    _, found = run_of(chip, n=n)
    counts = found.counts.as_dict()
    steps = found.bits["encoder"].shape[2]
    conversions = reads = 0
    for tile in chip.tiles:
        matrices = [part.matrix for part in tile.matrices]
        pairs = sum(4 * matrix.n_columns for matrix in matrices)
        blocks, across = -(-matrices[0].n_rows // 16), -(-pairs // 16)
        assert tile.placement.n_arrays == blocks * across
        conversions += steps * bits * pairs * blocks
        reads += steps * bits * blocks * across
    assert counts["adc"]["conversions"] == n * chips * conversions
    assert counts["shift_and_add"]["sums"] == n * chips * conversions
    assert counts["array"]["reads"] == n * chips * reads
    hidden = sum(layer.n_hidden for layer in chip.workload.layers)
    assert counts["activation_unit"]["mixes"] == n * chips * steps * hidden
    assert counts["activation_unit"]["activations"] == 2 * n * chips * steps * hidden
    # a word line is on once for every 1 among the bits of its codes
    ones = int(np.unpackbits(found.bits["encoder"]).sum())
    first = chip.tiles[0].placement.n_side_by_side
    assert counts["word_line_driver"]["rows_driven"] >= ones * first


def test_a_read_takes_its_input_bits_times_its_conversions():
    chip = chip_of("gru", NoiseConfig())
    phases = {p.name: p for p in chip_parts(chip, bundled_logic(), 5)[1].phases}
    assert phases["integrate"].repeats == 8
    assert phases["convert"].repeats == 8 * 128
    fewer = chip_of("gru", NoiseConfig(), adc={"columns_per_adc": 8})
    cycles = [time_chip(c, bundled_logic(), 5).interval_cycles for c in (chip, fewer)]
    assert cycles[0] - cycles[1] == 5 * 8 * (128 - 8)
    areas = [
        {item.component: item.count for item in area_account(c, bundled_logic(),
                                                             chip_parts(c, bundled_logic(), 5))}
        for c in (chip, fewer)
    ]  # fmt: skip
    assert areas[1]["adc"] == 16 * areas[0]["adc"]


def test_slices_add_up_to_the_weights_least_significant_first():
    matrix = NETWORKS["gru"].layers[0].gate
    cells = bit_slices(matrix, 2)
    assert cells.plus.max() <= 3
    assert not (cells.plus * cells.minus).any()
    pairs = (cells.plus - cells.minus).reshape(matrix.n_rows, matrix.n_columns, 4).astype(int)
    assert np.array_equal((pairs * [1, 4, 16, 64]).sum(axis=2), matrix.levels)
    with pytest.raises(MappingError, match="thresholds"):
        bit_slices(random_gru(thresholds=5).layers[0].gate, 2)


def test_noise_of_binary_neurons_means_nothing_here():
    with pytest.raises(MappingError, match="sigma_eval"):
        chip_of("gru", NoiseConfig(sigma_eval=0.1))


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_activations_are_rounded_sigmoids(bits):
    activation = Activation(bits)
    sums = np.arange(-4000, 4001)
    codes = activation.of_sums(sums, 0.002)
    exact = activation.top / (1 + np.exp(-sums * 0.002))
    assert np.abs(codes - exact).max() <= 0.5 + 1e-6
    assert (np.diff(codes.astype(int)) >= 0).all()
    assert np.array_equal(codes, activation.of_values(sums * 0.002))


def test_mixing_is_rounded_and_keeps_what_the_gate_keeps():
    codes = np.random.default_rng(1).integers(0, 256, (3, 1000)).astype(np.uint8)
    gate, hidden, candidate = codes
    exact = (gate / 255.0) * hidden + (1 - gate / 255.0) * candidate
    assert np.abs(mix(gate, hidden, candidate, 255) - exact).max() <= 0.5 + 1e-9
    one, zero = np.full(1000, 255, np.uint8), np.zeros(1000, np.uint8)
    assert np.array_equal(mix(one, hidden, candidate, 255), hidden)
    assert np.array_equal(mix(zero, hidden, candidate, 255), candidate)
