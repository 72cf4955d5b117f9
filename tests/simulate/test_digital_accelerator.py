"""The digital accelerator: codes of the exact machine, cycles and energies by hand."""

from __future__ import annotations

import numpy as np
import pytest
from code_networks import coded_cnn, coded_depthwise, coded_gru, coded_reset_gru, features_of
from files import bundled_chip, bundled_device, bundled_logic
from networks import random_features, random_gru, random_lenet, random_mlp

import pimsim
from pimsim.chip import build_chip
from pimsim.chip.graph import chip_graph
from pimsim.circuits.digital_mac import MacUnit
from pimsim.config import ChipConfig, NoiseConfig, find_config, read_yaml, validate
from pimsim.cost.energy import energy_items
from pimsim.errors import ConfigError, MappingError, Place
from pimsim.simulate import encode_inputs, run_chips
from pimsim.timing.schedule import time_chip
from pimsim.workload import run_quantized, run_reference

CHIP = bundled_chip("digital_8b_16nm")
WITHOUT_ENCODER = NoiseConfig().model_copy(update={"fixed_point": False})
NETWORKS = {
    "cnn, 4 bits": coded_cnn(3, bits=4),
    "cnn, 8 bits": coded_cnn(bits=8, n_levels=63),
    "depthwise": coded_depthwise(bits=3),
    "gru": coded_gru(),
    "reset gru": coded_reset_gru(),
}


def chip_of(net, noise=WITHOUT_ENCODER, device="reram", **blocks):
    changes = {k: getattr(CHIP, k).model_copy(update=v) for k, v in blocks.items()}
    return build_chip(net, CHIP.model_copy(update=changes), bundled_device(device), noise)


def run_of(chip, features):
    return run_chips(chip, encode_inputs(chip, features), [0], 3, keep_bits=True)


@pytest.mark.parametrize("rows", [256, 8])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_code_is_that_of_the_exact_machine_with_all_noise_on(name, rows):
    net, features = NETWORKS[name], features_of(NETWORKS[name], 9)
    chip = chip_of(net, array={"rows": rows})
    assert chip.is_exact
    found, exact = run_of(chip, features), run_reference(net, features)
    for signal, codes in exact.signals.items():
        assert np.array_equal(found.bits[signal][0], codes), signal
    assert np.array_equal(found.predictions[0], exact.predictions)


@pytest.mark.parametrize("make", [random_gru, random_lenet, random_mlp])
@pytest.mark.parametrize("n_levels", [2, 7, 255])
def test_sigmoids_of_the_chip_are_exact_too(make, n_levels):
    net = make(n_levels=n_levels)
    features = random_features(net, 5)
    chip = chip_of(net)
    exact = run_quantized(net, features, chip.layout.drive.activation(net))
    found = run_of(chip, features)
    for layer, codes in exact.codes.items():
        assert np.array_equal(found.bits[layer][0], codes), layer


def test_a_layer_takes_a_cycle_for_each_row_of_its_fullest_array():
    net = random_gru(n_levels=255)
    chips = {
        rows: chip_graph(chip_of(net, array={"rows": rows}), bundled_logic(), 5)
        for rows in (256, 16)
    }
    for rows, graph in chips.items():
        for tile in graph.tiles:
            phases = {p.name: p for p in tile.phases}
            n_rows, n_stacked = tile.tile.placement.n_rows, tile.tile.placement.n_stacked
            assert phases["multiply"].cycles == min(rows, n_rows)
            assert ("add" in phases) == (n_stacked > 1)
    shared = chip_graph(chip_of(net, read_out={"words_per_multiplier": 4}), bundled_logic(), 5)
    longer = {p.name: p.cycles for p in shared.tiles[0].phases}["multiply"]
    assert longer == 4 * chips[256].tiles[0].tile.placement.n_rows
    assert time_chip(shared).interval_cycles > time_chip(chips[256]).interval_cycles


def test_energy_of_a_layer_is_that_of_its_products_and_weights():
    """By hand: every product has a multiplication, and a word of 8 bits from 256 rows of SRAM."""
    net, costs = random_mlp(n_levels=255), bundled_logic()
    features = random_features(net, 3)
    chip = chip_of(net)
    run = run_of(chip, features)
    graph = chip_graph(chip, costs, 1)
    items = {(i.component, i.action): i.energy for i in energy_items(graph, run.counts, 3)}
    products = 3 * sum(part.matrix.levels.size for part in chip.matrices)
    assert run.counts.get("mac_unit", "macs") == products
    assert run.counts.get("mac_unit", "weight_bits_read") == 8 * products
    read = costs.memory_energy(256) + costs.flip_flop_energy / 2
    assert items["mac_unit", "weight_bits_read"] == pytest.approx(8 * products * read)
    macs = sum(
        3 * part.matrix.levels.size
        * MacUnit(8, 8, tile.placement.n_rows).energy(costs)
        for tile in chip.tiles
        for part in tile.matrices
    )  # fmt: skip
    assert items["mac_unit", "macs"] == pytest.approx(macs)
    sent = 3 * sum(t.placement.n_rows * t.placement.n_side_by_side for t in chip.tiles)
    assert run.counts.get("input_bus", "codes_sent") == sent
    # a network of fewer levels costs as much: words have 8 bits
    coarse = run_of(chip_of(random_mlp(n_levels=7)), features)
    assert coarse.counts.get("mac_unit", "weight_bits_read") == 8 * products


def test_words_of_fewer_bits_are_refused_where_levels_need_more():
    with pytest.raises(MappingError, match="255 levels, which need words of 8 bits, and words of"):
        chip_of(random_gru(n_levels=255), weight_coding={"word_bits": 4})
    narrow = chip_of(random_gru(n_levels=7), weight_coding={"word_bits": None})
    assert narrow.tiles[0].placement.lines_each == 3


def test_thresholds_are_refused():
    with pytest.raises(MappingError, match="has thresholds, and a chip of codes takes none"):
        chip_of(random_gru(thresholds=5))


def test_the_device_has_no_effect():
    options = {"chip": "digital_8b_16nm", "limit": 3, "contributions": False}
    found = [pimsim.run("tfc_2w2a", device=device, **options).report for device in ("reram", "pcm")]
    assert found[0]["run"]["without_device"].startswith("weights are bits of SRAM")
    for key in ("accuracy", "energy", "area", "latency", "actions", "placement"):
        assert found[0][key] == found[1][key]
    assert found[0]["electrical"] == found[0]["plausibility"] == []


def test_the_rival_costs_more_energy_than_arrays_of_levels():
    """Both with the shipped network of codes; factors are printed in docs/comparison.md."""
    options = {"limit": 20, "contributions": False, "chips": 1}
    digital, levels = (
        pimsim.run("tfc_2w2a", chip=chip, **options).report
        for chip in ("digital_8b_16nm", "lstm_4b_16nm")
    )
    assert digital["accuracy"]["mean"] == digital["accuracy"]["ideal"]
    energies = [report["energy"]["per_inference_j"] for report in (digital, levels)]
    assert energies[0] > 2.4 * energies[1]
    assert digital["area"]["total_m2"] > levels["area"]["total_m2"]


@pytest.mark.parametrize(
    ("block", "changes", "message"),
    [
        ("drive", {"kind": "bit_serial"}, "read_out 'multipliers' needs broadcast"),
        ("weight_coding", {"kind": "bit_slices", "cell_bits": 2}, "needs binary_words"),
        ("read_out", {"words_per_multiplier": 0}, "read_out.words_per_multiplier is 0"),
    ],
)
def test_what_cannot_work_is_refused(block, changes, message):
    source = read_yaml(find_config("digital_8b_16nm", "chip", Place("test")))
    own = {"source": "a test", "certainty": "assumed"} | source.tree[block] | changes
    for key in ("area_in_gates", "load_transistors", "word_bits"):
        if changes.get("kind") in ("bit_serial", "bit_slices"):
            own.pop(key, None)
    source.tree[block] = own
    with pytest.raises(ConfigError, match=message):
        validate(source, ChipConfig)
