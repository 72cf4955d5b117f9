"""Networks of codes in their own formats: an ideal chip is the exact machine, code for code."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from code_networks import (
    coded_cnn,
    coded_depthwise,
    coded_gru,
    coded_lstm,
    coded_reset_gru,
    coded_residual,
    features_of,
)
from files import bundled_chip, bundled_device, bundled_logic

from pimsim.chip import build_chip
from pimsim.chip.graph import chip_graph
from pimsim.config import NoiseConfig
from pimsim.cost.energy import energy_items
from pimsim.cost.operation import operation_energies
from pimsim.errors import MappingError
from pimsim.simulate import encode_inputs, run_chips
from pimsim.timing.schedule import time_chip
from pimsim.workload import read_network, run_reference, write_network

NETWORKS = {
    "cnn, 4 bits": coded_cnn(3, bits=4),
    "cnn, 2 bits": coded_cnn(bits=2),
    "cnn, 8 bits": coded_cnn(bits=8, n_levels=63),
    "residual, 1 bit": coded_residual(bits=1),
    "depthwise, 1 bit": coded_depthwise(),
    "residual, 3 bits": coded_residual(bits=3),
    "gru": coded_gru(),
    "gru with reset gate": coded_reset_gru(),
    "lstm": coded_lstm(),
    "lstm, 3 bits, a table for each unit": coded_lstm(2, bits=3, cell_bits=5, tables=6),
}
CHIPS = ["adc_pim_16nm", "isaac_32nm", "adc_4b_16nm", "lstm_4b_16nm", "digital_8b_16nm"]


def fits(name, chip):
    return not ("_4b_" in chip and "8 bits" in name)


def chip_of(network, chip, noise=None, device="ideal"):
    noise = NoiseConfig.ideal() if noise is None else noise
    return build_chip(network, bundled_chip(chip), bundled_device(device), noise)


@pytest.mark.parametrize("name", NETWORKS)
def test_codes_use_their_range(name):
    run = run_reference(NETWORKS[name], features_of(NETWORKS[name], 40))
    for signal, codes in run.signals.items():
        assert len(np.unique(codes)) > 1, signal
    assert len(np.unique(run.predictions)) > 1


@pytest.mark.parametrize("name", NETWORKS)
def test_a_file_holds_the_whole_network(name, tmp_path):
    network, features = NETWORKS[name], features_of(NETWORKS[name], 9)
    again = read_network(write_network(network, tmp_path / "n.safetensors"))
    run, found = run_reference(network, features), run_reference(again, features)
    assert np.array_equal(run.scores, found.scores)
    assert {k: v.tobytes() for k, v in run.signals.items()} == {
        k: v.tobytes() for k, v in found.signals.items()
    }


@pytest.mark.parametrize(("name", "chip"), [(n, c) for n in NETWORKS for c in CHIPS if fits(n, c)])
def test_an_ideal_chip_is_the_exact_machine(name, chip):
    network, features = NETWORKS[name], features_of(NETWORKS[name], 9)
    built = chip_of(network, chip)
    exact = run_reference(network, features)
    found = run_chips(built, encode_inputs(built, features), [0], 3, keep_bits=True)
    for signal, codes in exact.signals.items():
        assert np.array_equal(found.bits[signal][0], codes), signal
    assert np.array_equal(found.predictions[0], exact.predictions)


@pytest.mark.parametrize("name", ["residual, 1 bit", "depthwise, 1 bit"])
@pytest.mark.parametrize("chip", ["ba_mlw_16nm", "bnn_slc_16nm", "digital_cim_16nm"])
def test_bits_run_on_one_bit_chips_too(chip, name):
    network = NETWORKS[name]
    features = features_of(network, 9)
    exact = run_reference(network, features)
    built = chip_of(network, chip)
    found = run_chips(built, encode_inputs(built, features), [0], 3, keep_bits=True)
    for signal, codes in exact.signals.items():
        assert np.array_equal(found.bits[signal][0], codes), signal


@pytest.mark.parametrize(
    ("name", "chip", "message"),
    [
        ("cnn, 4 bits", "ba_mlw_16nm", "decides bits, and neurons of stem give codes of 4 bits"),
        ("cnn, 8 bits", "adc_4b_16nm", "numbers of 4 bits on word lines, and those of stem have 8"),
    ],
)
def test_codes_that_a_chip_cannot_carry_are_refused(name, chip, message):
    with pytest.raises(MappingError, match=message):
        chip_of(NETWORKS[name], chip)


@pytest.mark.parametrize("name", NETWORKS)
def test_noise_and_batches(name):
    """The same seed gives the same codes in any batch; noise moves some of them."""
    network, features = NETWORKS[name], features_of(NETWORKS[name], 30)
    built = chip_of(network, "adc_pim_16nm", NoiseConfig(), "reram")
    encoded = encode_inputs(built, features)
    whole = run_chips(built, encoded, [0, 1], 3, keep_bits=True)
    apart = run_chips(built, encoded, [0, 1], 3, keep_bits=True, batch=7)
    exact = run_reference(network, features)
    moved = 0
    for signal, codes in whole.bits.items():
        assert np.array_equal(codes, apart.bits[signal]), signal
        moved += np.count_nonzero(codes != exact.signals[signal])
    assert moved > 0
    assert whole.counts.as_dict() == apart.counts.as_dict()


@pytest.mark.parametrize(
    ("name", "chip"),
    [(name, "adc_pim_16nm") for name in NETWORKS]
    + [("depthwise, 1 bit", "ba_mlw_16nm"), ("depthwise, 1 bit", "digital_cim_16nm")],
)
def test_the_energies_of_single_operations_add_up_to_the_account(name, chip):
    network, features = NETWORKS[name], features_of(NETWORKS[name], 1)
    built = chip_of(network, chip, NoiseConfig(), "reram")
    graph = chip_graph(built, bundled_logic(), features.shape[1])
    run = run_chips(built, encode_inputs(built, features), [1], 11, keep_bits=True)
    signals = {signal: of_chip[0, 0] for signal, of_chip in run.bits.items()}
    found = operation_energies(graph, signals, 11, 1)
    items = energy_items(graph, run.counts, 1)
    # pools and sums of codes are no stages
    expected = sum(item.energy for item in items if item.component != "combining")
    total = sum(float(energies.sum()) for energies in found.values())
    assert total == pytest.approx(expected, rel=1e-9)
    combining = sum(item.energy for item in items if item.component == "combining")
    assert (combining > 0) == (name.startswith("cnn") or name == "residual, 3 bits")


def test_depthwise_columns_are_read_in_turn():
    """Actions by hand: each read takes the lines of one group, and their currents alone."""
    network = NETWORKS["cnn, 4 bits"]
    built = chip_of(network, "adc_pim_16nm")
    tile = built.tile_of["deep"]
    n, places = 3, 4 * 5
    run = run_chips(built, encode_inputs(built, features_of(network, n)), [0], 3)

    def count(component, action):
        return run.counts.get(component, action, "deep")

    slices = tile.placement.n_lines // 6
    assert count("array", "reads") == n * places * 6 * 4
    assert count("adc", "conversions") == n * places * 6 * 4 * slices
    assert count("activation_unit", "activations") == n * places * 6
    # 20 tokens leave, each after six reads
    graph = chip_graph(built, bundled_logic(), 1)
    demand = graph.component("deep").demand
    assert demand.n_operations == places * 6
    assert demand.n_emitted == places
    assert time_chip(graph).interval_cycles > 0


def test_a_current_of_a_group_is_that_of_its_own_columns():
    network = NETWORKS["cnn, 4 bits"]
    built = chip_of(network, "adc_pim_16nm")
    features = features_of(network, 2)
    run = run_chips(built, encode_inputs(built, features), [0], 3)
    exact = run_reference(network, features)
    # each pixel of a window drives its own channel's cells: |level| slices times pulses
    node = next(node for node in network.nodes if node.name == "deep")
    (shape,) = network.input_shapes(node)
    codes = np.concatenate(
        [exact.signals["stem"].reshape(2, -1), np.full((2, 1), shape.zero, np.uint8)], axis=1
    )
    rows = codes[:, node.layer.wiring(shape)].reshape(2, 20, 6, 9)
    pulses = np.bitwise_count(rows).astype(np.int64)
    part = built.tile_of["deep"].matrices[0]
    cells = part.cells.plus.astype(np.int64) + part.cells.minus
    of_columns = cells.reshape(9, 6, -1).sum(axis=2)
    levels = np.einsum("npgr,rg->", pulses, of_columns)
    step = part.read_out.full_scale_quanta // (len(part.cell.mean) - 1)
    assert run.counts.drawn["deep"] == levels * step


def test_a_wrong_network_is_refused():
    network = NETWORKS["cnn, 4 bits"]
    stem = network.nodes[0]
    bare = dataclasses.replace(stem.layer.matrix, neurons=None)
    nodes = (
        dataclasses.replace(stem, layer=dataclasses.replace(stem.layer, matrix=bare)),
        *network.nodes[1:],
    )
    with pytest.raises(Exception, match="either all matrices have neurons of codes, or none"):
        dataclasses.replace(network, nodes=nodes)
