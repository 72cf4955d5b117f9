"""Thermometer bits on chips: the bits of the exact machine, and the unit's actions by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from files import bundled_chip, bundled_device, bundled_logic, bundled_technology
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import (
    random_features,
    random_gru,
    random_matrix,
    thermometer_gru,
    thermometer_lenet,
)

from pimsim.chip import build_chip
from pimsim.chip.encoder import ENCODER_UNITS
from pimsim.chip.graph import chip_graph
from pimsim.circuits.comparators import rounded
from pimsim.config import NoiseConfig, bundled_root
from pimsim.cost.area import area_items, total_area
from pimsim.cost.energy import bill_energy
from pimsim.cost.operation import operation_energies
from pimsim.data.catalog import load
from pimsim.errors import MappingError
from pimsim.simulate import BACKENDS, encode_inputs, run_chips
from pimsim.timing.schedule import time_chip
from pimsim.workload import (
    Dense,
    ThermometerEncoder,
    chain,
    limits_of,
    read_network,
    run_quantized,
    run_reference,
)
from pimsim.workload.encoders import ENCODERS
from pimsim.workload.neurons import Activation
from pimsim.workload.thermometer import step_of

NETWORKS = {
    "gru": thermometer_gru(counts=(5,) * 8 + (2,) * 31 + (0,)),
    "lenet": thermometer_lenet(),
}
N = 20


def chip_of(network, noise=None, name="ba_mlw_16nm", device="reram"):
    return build_chip(
        network, bundled_chip(name), bundled_device(device), noise or NoiseConfig.ideal()
    )


def run(network, noise=None, chips=(0, 3), features=None, **options):
    chip = chip_of(network, noise)
    features = random_features(network, N) if features is None else features
    return run_chips(chip, encode_inputs(chip, features), chips, 5, keep_bits=True, **options)


def test_every_encoder_has_its_unit():
    assert set(ENCODER_UNITS) == {*ENCODERS, "none"}


@pytest.mark.parametrize("kernel", ["bytes", "registers", "portable"])
@pytest.mark.parametrize("name", NETWORKS)
def test_ideal_chip_equals_the_exact_machine(name, kernel):
    network = NETWORKS[name]
    chip, features = chip_of(network), random_features(network, N)
    if BACKENDS[kernel].refuses(chip, None) is not None:
        pytest.skip(BACKENDS[kernel].refuses(chip, None))
    exact = run_reference(network, features)
    found = run(network, kernel=kernel)
    assert found.bits.keys() == exact.bits.keys()
    for key, bits in exact.bits.items():
        assert np.array_equal(found.bits[key], np.broadcast_to(bits, (2, *bits.shape))), key
    assert (found.predictions == exact.predictions).all()


def test_a_chip_of_codes_takes_a_bit_as_its_largest_code():
    network = NETWORKS["gru"]
    features = random_features(network, 3)
    chip = chip_of(network, name="adc_pim_16nm")
    assert chip.layout.drive.bits == 8
    exact = run_quantized(network, features, Activation(8, network.temperature))
    found = run_chips(chip, encode_inputs(chip, features), [0], 5, keep_bits=True)
    for key, codes in exact.codes.items():
        assert np.array_equal(found.bits[key][0], codes), key
    # a bit of the register each, and eight on the link
    counts = found.counts
    flips = counts.get("thermometer", "register_flips", "encoder")
    assert counts.get("link", "buffer_flips", "encoder") == 8 * flips


def test_noise_reaches_the_first_matrix_and_not_the_comparators():
    network = NETWORKS["gru"]
    exact, found = run(network), run(network, NoiseConfig())
    assert np.array_equal(found.bits["encoder"], exact.bits["encoder"])
    flipped = (found.bits["dense0"] != exact.bits["dense0"]).mean(axis=(1, 2, 3))
    assert (flipped > 0.005).all()
    assert (flipped < 0.3).all()
    assert flipped[0] != flipped[1]


def test_bits_depend_on_neither_threads_nor_batches():
    network = NETWORKS["lenet"]
    left = run(network, NoiseConfig(), batch=256, threads=2)
    right = run(network, NoiseConfig(), batch=7, threads=1)
    assert all(np.array_equal(left.bits[name], right.bits[name]) for name in left.bits)
    assert left.counts.as_dict() == right.counts.as_dict()


def test_features_of_few_bits_decide_as_exact_ones_where_limits_are_on_their_grid():
    network, few = NETWORKS["gru"], NoiseConfig.ideal().model_copy(update={"fixed_point": True})
    left, right = run(network), run(network, few)
    assert np.array_equal(left.bits["encoder"], right.bits["encoder"])
    # a limit between two steps is one at the lower of both
    assert step_of(network.encoder.limits, 8) == 1 / 64
    off_grid = dataclasses.replace(network.encoder, limits=network.encoder.limits + 2.0**-8)
    between = run(dataclasses.replace(network, encoder=off_grid), few)
    assert np.array_equal(between.bits["encoder"], right.bits["encoder"])


def test_numbers_of_few_bits_by_hand():
    inputs = np.array([-9.0, -4.0, 0.03125, 0.0322, 3.96, 31.0])
    assert rounded(inputs, 1 / 32, 8).tolist() == [-4.0, -4.0, 0.03125, 0.0625, 3.96875, 3.96875]
    # 126 steps of 127 hold the largest limit
    assert step_of(np.array([1.0, -126 / 32]), 8) == 1 / 32
    assert step_of(np.array([1.0, 126.5 / 32]), 8) == 1 / 16
    assert step_of(np.array([0.0]), 8) == 1 / 64
    assert step_of(np.array([2.0]), 3) == 1


@settings(max_examples=60, deadline=None)
@given(st.integers(-31, 31), st.integers(-2047, 2047), st.integers(3, 16))
def test_a_limit_on_the_grid_decides_as_on_the_exact_input(limit, above, bits):
    limits = np.array([limit], np.float32)
    step = step_of(limits, bits)
    inputs = np.array([limit + above * 2.0**-10])
    # whole limits are numbers of so many bits where the step is no larger than 1
    if step <= 1:
        assert (rounded(inputs, step, bits) > limit) == (inputs > limit)


def test_a_chip_without_comparators_is_refused():
    without = bundled_chip().model_copy(update={"thermometer": None})
    with pytest.raises(MappingError, match="has no comparators.*Add the block 'thermometer:'"):
        build_chip(NETWORKS["gru"], without, bundled_device("reram"), NoiseConfig())
    build_chip(random_gru(), without, bundled_device("reram"), NoiseConfig())


@pytest.mark.parametrize("name", NETWORKS)
def test_actions_energy_and_area_by_hand(name):
    network, costs = NETWORKS[name], bundled_logic()
    features = random_features(network, N)
    found, chip = run(network), chip_of(network)
    graph = chip_graph(chip, costs, features.shape[1] // 2)
    n_bits, n_channels = (102, 39) if network.has_steps else (2, 1)
    n_frames = 12 if network.has_steps else 28 * 28
    frames = 2 * N * n_frames
    # flips, one by one, from a register of zeros
    bits = found.bits["encoder"].reshape(2, N, n_frames, n_bits).astype(int)
    flips = np.abs(np.diff(bits, axis=2, prepend=0)).sum()
    counts = {a: found.counts.get("thermometer", a, "encoder") for a in
              ("features", "comparisons", "register_flips")}  # fmt: skip
    assert counts == {
        "features": frames * n_channels,
        "comparisons": frames * n_bits,
        "register_flips": flips,
    }
    prices = {(p.component, p.action): p for p in graph.bills["encoder"].prices}
    feature = 8 * (costs.flip_flop_energy / 2 + costs.gate_energy)
    assert prices["thermometer", "features"].each == pytest.approx(feature)
    assert prices["thermometer", "comparisons"].each == pytest.approx(8 * costs.gate_energy)
    assert prices["thermometer", "register_flips"].each == costs.flip_flop_energy
    # features arrive 20 at a time; a frame of the GRU takes two cycles, a pixel one
    cycles, lanes = (2, 20) if network.has_steps else (1, 1)
    assert graph.component("encoder").cycles == cycles
    clock = sum(p.per_inference for p in graph.bills["encoder"].prices if p.component == "clock")
    assert clock == n_frames * (cycles * (8 * lanes + cycles) + n_bits)
    own = [part for part in area_items(graph) if part.component == "thermometer"]
    gates, flip_flops = 8 * (n_bits + n_channels), 8 * lanes + cycles + n_bits
    area = gates * costs.gate_area + flip_flops * costs.flip_flop_area
    assert total_area(own) == pytest.approx(area)
    assert sum(p.count * p.leakage for p in own) == pytest.approx(costs.leakage_of(area))
    assert all(part.strip == "block" and part.is_logic and part.asleep == 0 for part in own)
    # the first matrix is one more array, read once for each frame or place
    tile = graph.tiles[0]
    assert [part.matrix for part in tile.tile.matrices] == [network.matrices()[0][1]]
    assert found.counts.get("array", "reads", tile.name) == 2 * N * (12 if lanes > 1 else 24 * 24)
    ones = bits.sum() if network.has_steps else None
    if ones is not None:
        assert found.counts.get("word_line_driver", "rows_driven", tile.name) == ones


@pytest.mark.parametrize("name", NETWORKS)
def test_operations_add_up_to_the_energy_of_an_inference(name):
    network, costs = NETWORKS[name], bundled_logic()
    features = random_features(network, 1)
    found, chip = run(network, chips=[0], features=features), chip_of(network)
    graph = chip_graph(chip, costs, features.shape[1] // 2)
    signals = {key: values[0, 0] for key, values in found.bits.items()}
    each = operation_energies(graph, signals, 5, 0)["encoder"]
    whole = sum(
        price.each * (found.counts.get(price.component, price.action, "encoder")
                      + price.per_inference)
        for price in graph.bills["encoder"].prices
    )  # fmt: skip
    assert len(each) == graph.component("encoder").demand.n_operations
    assert each.sum() == pytest.approx(whole)
    assert each.min() > 0


def test_arrays_set_the_pace_of_a_speech_network():
    network = thermometer_gru(counts=(12,) * 8 + (6,) * 16 + (3,) * 16)
    assert network.encoder.n_bits == 240
    graph = chip_graph(chip_of(network, NoiseConfig()), bundled_logic(), 98)
    timing = time_chip(graph)
    # two cycles for the comparators and for the first array, and more for those of the GRU
    assert [c.cycles for c in graph.components[:4]] == [2, 2, 3, 3]
    assert timing.interval_cycles == 98 * 3
    (compare,) = graph.component("encoder").phases
    assert compare.rests_on == (
        "chip.clock", "chip.thermometer", "technology.gate", "technology.flip_flop"
    )  # fmt: skip
    costs = bundled_logic()
    assert compare.seconds == pytest.approx(9 * costs.gate_delay + costs.flip_flop_delay)


def test_fewer_wires_take_more_cycles():
    network, technology = thermometer_gru(), bundled_technology()
    chip = bundled_chip()
    narrow = chip.thermometer.model_copy(update={"features_per_cycle": 4})
    chip = chip.model_copy(update={"thermometer": narrow})
    built = build_chip(network, chip, bundled_device("reram"), NoiseConfig(), None, technology)
    graph = chip_graph(built, bundled_logic(), 98)
    assert graph.component("encoder").cycles == 10
    assert time_chip(graph).interval_cycles == 980


def test_frames_in_real_time_are_waited_for():
    graph = chip_graph(chip_of(NETWORKS["gru"]), bundled_logic(), 98, in_real_time=True)
    assert graph.component("encoder").demand.readings[0].needs == list(range(1, 99))


def test_the_unit_beside_the_digital_encoder():
    """The figures of docs/decisions/0015-bits-from-the-first-layer-on.md."""
    shipped = read_network(bundled_root() / "models" / "gru_w7.safetensors")
    costs = bundled_logic()
    features = load("synthetic-speech").limit(20).features
    counts = [12] * 8 + [6] * 16 + [2] * 12 + [3] * 4
    encoder = ThermometerEncoder(*limits_of(shipped.input.numbers(features), counts))
    assert encoder.n_bits == 228
    first = random_matrix(np.random.default_rng(0), 228, 128)
    gate = shipped.layers[0].gate
    first = dataclasses.replace(
        first,
        alpha=gate.alpha,
        preactivation_range=gate.preactivation_range,
        thresholds=np.full(128, 4, np.int32),
    )
    bare = dataclasses.replace(
        shipped, encoder=encoder, nodes=chain((Dense(first), *shipped.layers))
    )
    found = {}
    for network in (bare, shipped):
        chip = chip_of(network, NoiseConfig())
        graph = chip_graph(chip, costs, 98)
        done = run_chips(chip, encode_inputs(chip, features), [0], 1).counts
        # the unit alone, without what normalises the clips
        operations = graph.component("encoder").demand.n_operations
        unit = chip.layout.encoder
        own = unit.bill(chip.layout.circuits, costs, 98, operations)
        found[network.encoder.kind] = (
            bill_energy(own, done, "encoder", 20) / 20,
            total_area(own.parts),
            time_chip(graph).interval_cycles,
        )
        if network is bare:
            array = bill_energy(graph.bills["dense0"], done, "dense0", 20) / 20
    energy, area, cycles = zip(*found.values(), strict=True)
    assert energy == pytest.approx((0.09e-9, 23.5e-9), rel=0.05)
    assert area == pytest.approx((856e-12, 18242e-12), rel=1e-3)
    assert cycles == (196, 4160)
    assert array == pytest.approx(4.9e-9, rel=0.02)
