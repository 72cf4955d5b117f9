"""Rows with DACs: codes as levels of lines, in one pulse or in two, and ADCs of a stated range."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from code_networks import (
    coded_cnn,
    coded_depthwise,
    coded_gru,
    coded_matrix,
    coded_reset_gru,
    features_of,
    inputs,
    network,
    quantiser,
)
from files import bundled_chip, bundled_device, bundled_logic
from networks import random_features, random_gru, random_mlp

from pimsim.chip import build_chip, program_tile
from pimsim.chip.graph import chip_graph
from pimsim.config import ChipConfig, NoiseConfig, find_config, read_yaml, validate
from pimsim.config.weight_coding import WEIGHT_CODING_BLOCKS
from pimsim.cost.energy import energy_items
from pimsim.cost.operation import operation_energies
from pimsim.errors import ConfigError, MappingError, Place
from pimsim.simulate import encode_inputs, run_chips
from pimsim.workload import Dense, Node, run_quantized, run_reference

NETWORKS = {
    "cnn": coded_cnn(3, bits=4),
    "depthwise": coded_depthwise(bits=3),
    "gru": coded_gru(),
    "reset gru": coded_reset_gru(),
}
SIGNED = ["offset", "two_pass", "difference"]
STEPS = NoiseConfig.ideal().model_copy(update={"fixed_point": True})
DYNAMIC = NoiseConfig.ideal().model_copy(update={"fixed_point": True, "dynamic": True})


# zero points stay in the sums, and ranges follow from the weights
PLAIN = {"drive": {"signed_codes": "offset"}, "read_out": {"range": "calibrated"}}


def chip_of(net, noise=None, device="ideal", chip="lstm_4b_16nm", **blocks):
    config = bundled_chip(chip)
    given = {k: PLAIN.get(k, {}) | blocks.get(k, {}) for k in PLAIN | blocks}
    changes = {k: getattr(config, k).model_copy(update=v) for k, v in given.items()}
    config = config.model_copy(update=changes)
    noise = NoiseConfig.ideal() if noise is None else noise
    return build_chip(net, config, bundled_device(device), noise)


def run_of(chip, features, chips=(0,), **options):
    encoded = encode_inputs(chip, features)
    return run_chips(chip, encoded, list(chips), 3, keep_bits=True, **options)


def one_layer(seed=0, zero=0, n_rows=40, bits=4):
    """A dense layer of signed or unsigned codes, whose inputs are bytes."""
    rng = np.random.default_rng(seed)
    matrix = coded_matrix(rng, n_rows, 12, bits, bits, 15)
    node = Node("fc", Dense(matrix), ("encoder",))
    return network("one", inputs((n_rows,)), quantiser(bits, zero), [node], 12, rng)


@pytest.mark.parametrize("rows", [256, 16])
@pytest.mark.parametrize("signed", SIGNED)
@pytest.mark.parametrize("name", NETWORKS)
def test_both_forms_of_signed_codes_are_the_exact_machine(name, signed, rows):
    net, features = NETWORKS[name], features_of(NETWORKS[name], 9)
    chip = chip_of(net, drive={"signed_codes": signed}, array={"rows": rows})
    found, exact = run_of(chip, features), run_reference(net, features)
    for signal, codes in exact.signals.items():
        assert np.array_equal(found.bits[signal][0], codes), signal
    assert np.array_equal(found.predictions[0], exact.predictions)


def test_two_passes_take_two_pulses_only_where_codes_have_a_sign():
    chip = chip_of(NETWORKS["gru"], drive={"signed_codes": "two_pass"})
    of_gru, of_fc = chip.tiles
    # states and inputs are codes around 8: 7 steps above it and 8 below
    assert (of_gru.pulses.weights, of_gru.pulses.largest) == ((1, -1), 8)
    assert set(of_gru.pulses.subtracted) == {8}
    mixed = chip_of(NETWORKS["cnn"], drive={"signed_codes": "two_pass"}).tile_of
    assert mixed["deep"].pulses.weights == (1,)
    features = features_of(NETWORKS["gru"], 5)
    run = run_of(chip, features)
    reads = 5 * 7
    conversions = run.counts.get("adc", "conversions", "gru")
    assert conversions == 2 * reads * of_gru.placement.n_lines
    assert run.counts.get("dac", "conversions", "gru") == 2 * reads * of_gru.placement.n_rows
    offset = run_of(chip_of(NETWORKS["gru"]), features)
    assert offset.counts.get("adc", "conversions", "gru") == conversions / 2
    # parts above and below the zero point
    codes = run.bits["encoder"][0].astype(int), run.bits["gru.hidden"][0].astype(int)
    before = np.concatenate([np.full_like(codes[1][:, :1], 8), codes[1][:, :-1]], axis=1)
    steps = abs(codes[0] - 8).sum() + abs(before - 8).sum()
    assert run.counts.get("word_line_driver", "steps_driven", "gru") == steps
    assert offset.counts.get("word_line_driver", "steps_driven", "gru") == (
        codes[0].sum() + before.sum()
    )
    assert of_fc.pulses.weights == (1, -1)


@pytest.mark.parametrize("coding", ["bit_slices", "offset_slices"])
@pytest.mark.parametrize("make", [random_gru, random_mlp])
def test_sigmoids_of_the_chip_are_the_exact_machine(make, coding):
    """Networks without formats of their own, weights of 255 levels in slices, and counted rows."""
    net = make(n_levels=255)
    features = random_features(net, 5)
    config = bundled_chip("lstm_4b_16nm")
    block = config.weight_coding.model_dump() | {"kind": coding}
    raw = config.model_dump() | {"weight_coding": block}
    if coding == "offset_slices":
        raw["weight_coding"]["reference_column"] = "digital"
    own = WEIGHT_CODING_BLOCKS[coding].model_validate(raw["weight_coding"])
    config = config.model_copy(update={"weight_coding": own})
    chip = build_chip(net, config, bundled_device("ideal"), NoiseConfig.ideal())
    exact = run_quantized(net, features, chip.layout.drive.activation(net))
    found = run_of(chip, features)
    for layer, codes in exact.codes.items():
        assert np.array_equal(found.bits[layer][0], codes), layer


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("signed", SIGNED)
def test_noise_is_the_same_in_any_batch_beside_any_neighbour_on_any_threads(name, signed):
    net, features = NETWORKS[name], features_of(NETWORKS[name], 12)
    blocks = {
        "drive": {"signed_codes": signed, "nonlinearity": 1.0},
        "read_out": {"noise": 0.5, "noise_point": "after"},
    }
    chip = chip_of(net, NoiseConfig(), "reram", **blocks)
    whole = run_of(chip, features, (0, 1, 2))
    alone = run_of(chip, features, (2,), batch=5, threads=1)
    exact = run_reference(net, features)
    moved = 0
    for signal, codes in whole.bits.items():
        assert np.array_equal(codes[2], alone.bits[signal][0]), signal
        moved += np.count_nonzero(codes[2] != exact.signals[signal])
    assert moved > 0
    apart = run_of(chip, features, (0, 1, 2), batch=5)
    assert whole.counts.as_dict() == apart.counts.as_dict()
    assert whole.counts.clipped == apart.counts.clipped


def test_codes_of_an_adc_are_those_by_hand():
    """Rounding and clipping alone: a code of each array, and their sum in steps."""
    net = one_layer(n_rows=40)
    features = features_of(net, 60)
    chip = chip_of(net, STEPS, array={"rows": 16}, read_out={"range": 0.1})
    tile = chip.tiles[0]
    numbers = tile.matrices[0].read_out
    # a tenth of 16 rows of 7 levels at 15 steps, in 7 codes
    assert numbers.step == pytest.approx(0.1 * 16 * 7 * 15 / 7, rel=1e-2)
    assert (numbers.top, len(tile.pulses.weights)) == (7, 1)
    codes = run_reference(net, features).signals["encoder"].astype(int)
    matrix = net.nodes[0].layer.matrix
    whole, clipped = 0, 0
    for first in range(0, 40, 16):
        block = slice(first, first + 16)
        sums = codes[:, block] @ matrix.levels[block].astype(int)
        rounded = np.floor(sums / numbers.step + 0.5)
        clipped += np.count_nonzero(abs(rounded) > 7)
        whole = whole + np.clip(rounded, -7, 7)
    estimated = whole * numbers.step
    expected = (estimated[..., None] >= matrix.neurons.limits - 0.5).sum(axis=-1)
    found = run_of(chip, features)
    assert np.array_equal(found.bits["fc"][0], expected)
    share = found.counts.clipped_share("fc")
    assert share == clipped / (3 * 60 * 12)
    assert 0 < share < 0.5


def ranged(net, reach=5.0):
    """The network as if it had been trained for ADCs of a range [units]."""
    node = net.nodes[0]
    layer = replace(node.layer, matrix=replace(node.layer.matrix, adc_range=reach))
    return replace(net, nodes=(replace(node, layer=layer),))


def test_a_range_may_come_from_the_network():
    """A network that was trained for a step meets it: every code of the ADC is the meant one."""
    net = ranged(one_layer(seed=2))
    matrix = net.nodes[0].layer.matrix
    chip = chip_of(net, STEPS, read_out={"range": "network"})
    numbers = chip.tiles[0].matrices[0].read_out
    stated = matrix.adc_range * matrix.top_level / matrix.alpha
    # in whole sums
    assert numbers.step == round(stated / 7)
    # arrays below each other have the step of the whole sum
    low = chip_of(net, STEPS, array={"rows": 16}, read_out={"range": "network"})
    assert low.tiles[0].matrices[0].read_out.step == numbers.step


def test_a_range_of_the_network_holds_for_what_is_converted():
    """With the zero points' share of each sum, or without it."""
    net = ranged(one_layer(seed=2, zero=6))
    matrix = net.nodes[0].layer.matrix
    stated = matrix.adc_range * matrix.top_level / matrix.alpha
    share = np.abs(6 * matrix.levels.astype(int).sum(axis=0)).max()
    assert share > stated / 7
    for signed, reach in (("difference", stated), ("offset", stated + share)):
        blocks = {"drive": {"signed_codes": signed}, "read_out": {"range": "network"}}
        chip = chip_of(net, STEPS, **blocks)
        numbers = chip.tiles[0].matrices[0].read_out
        assert numbers.step == round(reach / 7), signed


def test_a_range_of_the_network_is_calibrated_where_sums_are_made_of_several_conversions():
    net = ranged(one_layer(seed=2, zero=6))
    several = {"drive": {"signed_codes": "two_pass"}}, {"weight_coding": {"cell_bits": 1}}
    plain = one_layer(seed=2, zero=6), {"drive": {"signed_codes": "difference"}}
    for net, blocks in (*((net, blocks) for blocks in several), plain):
        steps = [
            chip_of(net, STEPS, read_out={"range": way}, **blocks).tiles[0].matrices[0].read_out
            for way in ("network", "calibrated")
        ]
        assert steps[0].step == steps[1].step, blocks


def test_a_difference_of_samples_is_converted_once():
    """Twice the pulses of the word lines, and conversions as of one."""
    net, n = one_layer(n_rows=40, zero=6), 60
    features = features_of(net, n)
    chip = chip_of(net, STEPS, drive={"signed_codes": "difference"})
    (tile,) = chip.tiles
    assert (tile.pulses.weights, tile.pulses.converted, tile.pulses.largest) == ((1, -1), (1,), 9)
    found = run_of(chip, features)
    codes = run_reference(net, features).signals["encoder"].astype(int) - 6
    matrix = net.nodes[0].layer.matrix
    sums, step = codes @ matrix.levels.astype(int), tile.matrices[0].read_out.step
    estimated = np.clip(np.floor(sums / step + 0.5), -7, 7) * step
    limits = matrix.neurons.limits - 6 * matrix.levels.astype(int).sum(axis=0)[:, None]
    assert np.array_equal(found.bits["fc"][0], (estimated[..., None] >= limits - 0.5).sum(axis=-1))
    counts = {(c, a): found.counts.get(c, a, "fc") for c, a in (
        ("adc", "conversions"), ("array", "reads"), ("dac", "conversions"),
        ("word_line_driver", "steps_driven"), ("bit_line", "precharges"))}  # fmt: skip
    assert counts == {
        ("adc", "conversions"): n * 12, ("array", "reads"): 2 * n, ("dac", "conversions"): 80 * n,
        ("word_line_driver", "steps_driven"): abs(codes).sum(), ("bit_line", "precharges"): 48 * n,
    }  # fmt: skip
    other = chip_of(net, STEPS, drive={"signed_codes": "two_pass"})
    costs = bundled_logic()
    of = {name: {p.component: p for p in chip_graph(c, costs, 1).component("fc").bill.parts}
          for name, c in (("difference", chip), ("two_pass", other))}  # fmt: skip
    for part in ("sample_and_hold", "adc", "dac"):
        assert of["difference"][part].count == of["two_pass"][part].count, part
    times = {name: {p.name: p.repeats for p in chip_graph(c, costs, 1).component("fc").phases}
             for name, c in (("difference", chip), ("two_pass", other))}  # fmt: skip
    assert times["difference"]["integrate"] == times["two_pass"]["integrate"] == 2
    assert 2 * times["difference"]["convert"] == times["two_pass"]["convert"]


def test_samples_have_noise_of_their_own():
    net = one_layer(n_rows=40, zero=6)
    one, both = (
        chip_of(net, DYNAMIC, drive={"signed_codes": signed}).tiles[0].matrices[0].read_out
        for signed in ("two_pass", "difference")
    )
    # of kT/C; a range of the whole sum makes loads smaller
    gain = both.volts_per_unit / one.volts_per_unit
    assert math.sqrt(2) * gain < both.sigma_volts / one.sigma_volts < math.sqrt(2.1)


def test_one_full_scale_holds_for_all_matrices():
    chip = chip_of(NETWORKS["cnn"], STEPS, read_out={"range": None, "full_scale": 4.0})
    # the currents of four cells that are fully on, 7 levels at 15 steps each
    steps = {part.read_out.step for part in chip.matrices}
    assert len(steps) == 1
    assert steps.pop() == pytest.approx(4 * 7 * 15 / 7, rel=1e-2)
    relative = chip_of(NETWORKS["cnn"], STEPS, read_out={"range": 0.5})
    assert len({part.read_out.step for part in relative.matrices}) > 1


@pytest.mark.parametrize("point", ["before", "after"])
def test_adc_noise_acts_before_or_after_rounding(point):
    """Noise of lines and loads stays before it, and is a seventh of a step of 4 bits."""
    net = one_layer(n_rows=40)
    chip = chip_of(net, DYNAMIC, read_out={"noise": 0.3, "noise_point": point})
    numbers = chip.tiles[0].matrices[0].read_out
    code = numbers.code_quanta
    if point == "after":
        assert numbers.sigma_codes == 0.3
        quiet = chip_of(net, DYNAMIC, read_out={"noise": 0.0})
        assert numbers.sigma == quiet.tiles[0].matrices[0].read_out.sigma
        assert numbers.sigma == pytest.approx(0.14 * code, rel=0.05)
    else:
        assert numbers.sigma_codes == 0
        assert numbers.sigma > 0.29 * code
    assert not chip.is_exact
    features = features_of(net, 400)
    silent = run_of(chip_of(net, STEPS, read_out={"noise": 0.0}), features).bits["fc"][0]
    noisy = run_of(chip, features).bits["fc"][0]
    assert 0.05 < (noisy != silent).mean() < 0.6


def test_levels_of_rows_draw_currents_in_proportion():
    """Energy of the array by hand: levels of cells times steps of rows, over a full pulse."""
    net = one_layer()
    features = features_of(net, 4)
    chip = chip_of(net, STEPS)
    (part,), tile = chip.tiles[0].matrices, chip.tiles[0]
    run = run_of(chip, features)
    codes = run.bits["encoder"][0].astype(int)
    levels = part.cells.plus.astype(int) + part.cells.minus
    step = part.read_out.full_scale_quanta // 7
    assert run.counts.drawn["fc"] == (codes @ levels).sum() * step
    graph = chip_graph(chip, bundled_logic(), 1)
    items = {(i.component, i.action): i for i in energy_items(graph, run.counts, 4)}
    _, chain = tile.read_out.chains(tile)[0]
    ampere = (codes @ levels).sum() / 15 * part.cell.full_scale_current / 7
    expected = ampere * chain.energy_per_current(tile.read_out.pulse(tile))
    assert items["array", "fc"].energy == pytest.approx(expected)
    # a full level on every row draws 15 times what one step does
    assert chip.layout.drive.amplitudes(tile, codes)[0].max() == 15


@pytest.mark.parametrize("signed", SIGNED)
@pytest.mark.parametrize("name", NETWORKS)
def test_the_energies_of_single_operations_add_up_to_the_account(name, signed):
    net, features = NETWORKS[name], features_of(NETWORKS[name], 1)
    chip = chip_of(net, NoiseConfig(), "reram", drive={"signed_codes": signed})
    graph = chip_graph(chip, bundled_logic(), features.shape[1])
    run = run_chips(chip, encode_inputs(chip, features), [1], 11, keep_bits=True)
    signals = {signal: of_chip[0, 0] for signal, of_chip in run.bits.items()}
    found = operation_energies(graph, signals, 11, 1)
    items = energy_items(graph, run.counts, 1)
    expected = sum(item.energy for item in items if item.component != "combining")
    total = sum(float(energies.sum()) for energies in found.values())
    assert total == pytest.approx(expected, rel=1e-9)


def test_a_cell_error_counts_as_often_as_its_row_has_steps():
    """The error of a sum is that of the cells times the levels of their rows."""
    net = one_layer(n_rows=100)
    programming = NoiseConfig.ideal().model_copy(update={"programming": True})
    chip = chip_of(net, programming, "reram")
    tile = chip.tiles[0]
    part = tile.matrices[0]
    scale = part.read_out.full_scale_quanta / 7
    errors = []
    for index in range(40):
        cells = program_tile(tile, 5, index).cells / scale
        errors.append(cells - part.matrix.levels)
    row = np.array(errors).std(axis=0)
    codes = np.random.default_rng(0).integers(0, 16, 100)
    sums = np.array([codes @ e for e in errors]).std(axis=0)
    expected = np.sqrt((codes[:, None] ** 2 * row**2).sum(axis=0))
    assert sums.mean() == pytest.approx(expected.mean(), rel=0.15)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"read_out": {"full_scale": 3.0}}, "needs a range or a full_scale, one of both"),
        ({"read_out": {"range": None}}, "needs a range or a full_scale, one of both"),
        ({"read_out": {"noise_point": "beside"}}, "read_out.noise_point is 'beside'"),
        ({"drive": {"bits": 9}}, "drive.bits is 9"),
        ({"drive": {"signed_codes": "three_pass"}}, "drive.signed_codes is 'three_pass'"),
    ],
)
def test_what_cannot_work_is_refused(changes, message):
    source = read_yaml(find_config("lstm_4b_16nm", "chip", Place("test")))
    for block, entries in changes.items():
        source.tree[block] = source.tree[block] | entries
    with pytest.raises(ConfigError, match=message):
        validate(source, ChipConfig)


def test_levels_need_currents():
    source = read_yaml(find_config("digital_8b_16nm", "chip", Place("test")))
    drive = read_yaml(find_config("lstm_4b_16nm", "chip", Place("test"))).tree["drive"]
    source.tree["drive"] = drive
    with pytest.raises(
        ConfigError,
        match="drive is of kind 'multi_level', and read_out 'multipliers' "
        "needs broadcast: its multipliers take whole codes",
    ):
        validate(source, ChipConfig)


def test_codes_of_more_bits_are_refused():
    with pytest.raises(MappingError, match="puts numbers of 4 bits on word lines.*have 8"):
        chip_of(coded_cnn(bits=8, n_levels=63))


def test_resistors_need_lines_of_rows_whose_drop_counts():
    net = one_layer()
    resistors, transistors = (chip_of(net, device=name).layout.lines for name in ("reram", "ideal"))
    assert resistors.has_input_lines
    assert not transistors.has_input_lines
    row = resistors.drop(256, 1e-6, 1e-4)
    # a whole row's current along half of its resistance, beside the bit line's own drop
    width, height = resistors.device.cell.pitch
    per_cell = resistors.technology.wire.resistance_per_length * width
    per_cell /= resistors.wire_width(height)
    own = 1e-6 * resistors.bit_line_resistance * 256 / 2
    assert row == pytest.approx(own + 1e-4 * per_cell * 512 / 2)
