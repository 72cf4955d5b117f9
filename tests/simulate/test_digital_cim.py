"""The digital chip: the bits of the exact network, counted changes, and what it refuses."""

from __future__ import annotations

import re

import numpy as np
import pytest
from files import bundled_chip, bundled_device, write_model
from networks import random_features, random_gru, random_lenet

import pimsim
from pimsim.chip import build_chip
from pimsim.chip.graph import tile_bill
from pimsim.config import (
    ChipConfig,
    NoiseConfig,
    find_config,
    load_setup,
    read_yaml,
    validate,
)
from pimsim.cost.energy import bill_energy
from pimsim.errors import ConfigError, Place
from pimsim.simulate import encode_inputs, run_chips
from pimsim.simulate.backends import BACKENDS
from pimsim.simulate.signals import Signals, row_changes
from pimsim.studies.prepare import prepare
from pimsim.studies.run import run
from pimsim.studies.trace import write_trace
from pimsim.timing.trace import operation_signals
from pimsim.workload import run_reference

CHIP = bundled_chip("digital_cim_16nm")
WITHOUT_ENCODER = NoiseConfig().model_copy(update={"fixed_point": False})
BITS = [
    name
    for name, backend in BACKENDS.items()
    if backend.refuses(
        build_chip(random_gru(), CHIP, bundled_device("ideal"), WITHOUT_ENCODER), None
    )
    is None
]


def chip_of(network, config=CHIP, device="reram", noise=WITHOUT_ENCODER):
    return build_chip(network, config, bundled_device(device), noise)


def simulated(chip, features, **options):
    return run_chips(chip, encode_inputs(chip, features), [0], 7, keep_bits=True, **options)


@pytest.mark.parametrize("kernel", BITS)
@pytest.mark.parametrize("n_levels", [2, 3, 7, 15])
def test_every_bit_is_that_of_the_exact_network(kernel, n_levels):
    """With all noise on, whatever the device: with thresholds, and layers taller than arrays."""
    small = CHIP.model_copy(update={"array": CHIP.array.model_copy(update={"rows": 16})})
    for network in (random_gru(n_levels=n_levels, thresholds=9), random_lenet(n_levels=n_levels)):
        features = random_features(network, 70)
        exact = run_reference(network, features).bits
        for config in (CHIP, small):
            chip = chip_of(network, config)
            assert chip.is_exact
            found = simulated(chip, features, kernel=kernel).bits
            assert found.keys() == exact.keys()
            assert all(np.array_equal(found[name][0], exact[name]) for name in exact)


@pytest.mark.parametrize("model", ["gru", "lenet5"])
def test_shipped_networks_give_their_exact_bits(model):
    result = run(model, chip="digital_cim_16nm", limit=20, ideal=True, keep_bits=True)
    exact = run_reference(result.prepared.network, result.prepared.data.features).bits
    assert all(np.array_equal(result.chips.bits[name][0], exact[name]) for name in exact)
    with_noise = run(model, chip="digital_cim_16nm", limit=20, contributions=False)
    assert len(with_noise.accuracy.per_chip) == 1
    assert with_noise.chips.n_clipped == 0


def changes_by_hand(chip, network, features):
    """Rows that change on each tile, from the exact network's word lines one operation a time."""
    exact = run_reference(network, features).signals
    found = {}
    for tile in chip.tiles:
        found[tile.name] = 0
        for index in range(len(features)):
            one = {name: values[index] for name, values in exact.items()}
            before = None
            for rows in operation_signals(chip, tile, one)["word_lines"]:
                before = np.zeros_like(rows) if before is None else before
                found[tile.name] += int((rows != before).sum())
                before = rows
    return found


@pytest.mark.parametrize("kernel", BITS)
@pytest.mark.parametrize("make", [random_gru, random_lenet])
def test_changed_rows_are_counted_from_bits(kernel, make):
    network = make()
    features, chip = random_features(network, 70), chip_of(network)
    counts = simulated(chip, features, kernel=kernel).counts
    for tile in chip.tiles:
        changed = changes_by_hand(chip, network, features)[tile.name]
        arrays = tile.placement.n_side_by_side
        assert counts.get("input_driver", "rows_changed", tile.name) == changed * arrays
        products = changed * tile.placement.n_lines
        assert counts.get("adder_tree", "products_changed", tile.name) == products


def test_an_input_that_stays_costs_nothing():
    bits = np.ones((1, 1, 5, 3), np.uint8)
    assert row_changes([bits], 2).tolist() == [[1, 1, 1]] * 2  # from 0, once
    bits[0, 0, 1::2, 0] = 0
    assert row_changes([bits], 1).tolist() == [[5, 1, 1]]
    packed = Signals(1, bits).words
    assert row_changes([packed], 1).tolist() == [[5, 1, 1]]


def test_energy_of_an_inference_is_counts_times_prices():
    network = random_gru()
    chip, features = chip_of(network), random_features(network, 3)
    counts = simulated(chip, features).counts
    read_out = chip.tiles[0].read_out
    costs = read_out.costs
    tile = chip.tiles[0]
    bill = tile_bill(chip, tile, costs)
    changed = changes_by_hand(chip, network, features)[tile.name]
    prices = {(p.component, p.action): p.each for p in bill.prices}
    own = bill_energy(read_out.bill(tile, chip.tiles, costs), counts, tile.name)
    decisions = 3 * network.input.n_steps(features.shape) * tile.placement.n_lines
    assert own == pytest.approx(
        changed * tile.placement.n_lines * prices["adder_tree", "products_changed"]
        + decisions * prices["comparator", "decisions"]
    )


def test_a_report_says_that_the_device_has_no_effect(tmp_path):
    model = write_model(tmp_path)
    documents = []
    for device in ("reram", "cmos_mlc"):
        result = pimsim_run(model, device)
        documents.append(result.report)
        assert result.report["run"]["without_device"].startswith("weights are bits of SRAM")
        result.save(tmp_path / device)
        page = (tmp_path / device / "report.html").read_text()
        assert "so the device file has no effect" in page
        assert "No line carries a current" in page
        assert result.report["electrical"] == result.report["plausibility"] == []
    for key in ("accuracy", "energy", "area", "latency", "actions"):
        assert documents[0][key] == documents[1][key]
    assert "without_device" in pimsim_run(model, "reram", chip="ba_mlw_16nm").report["run"]


def pimsim_run(model, device, chip="digital_cim_16nm", **options):
    return pimsim.run(model, device=device, chip=chip, limit=6, **options)


@pytest.mark.parametrize(
    ("chip", "change", "message"),
    [
        ("digital_cim_16nm", "drive={kind: bit_serial, bits: 4, source: test, certainty: assumed}",
         "drive is of kind 'bit_serial', and read_out 'adder_tree' needs held: its gates are "
         "static, and its comparator takes sums of one bit for each input"),
        ("digital_cim_16nm", "weight_coding={kind: differential_pair}",
         "read_out 'adder_tree' needs binary_words: it adds words of bits"),
        ("digital_cim_16nm", "load={kind: resistor, resistance: 1 kohm, capacitance: 1 fF, "
                             "mismatch: 0, area: 1 um^2, source: test, certainty: assumed}",
         "load is there, and read_out 'adder_tree' reads no currents: remove it"),
        ("ba_mlw_16nm", "weight_coding={kind: binary_words}",
         "of kind 'sense_amplifier', and weight_coding 'binary_words' needs adder_tree or mult"),
        ("adc_pim_16nm", "weight_coding={kind: binary_words}",
         "read_out is of kind 'adc', and weight_coding 'binary_words' needs adder_tree or mult"),
        ("ba_mlw_16nm", "drive={kind: held, resistance: 1 kohm, area_in_gates: 8, "
                        "load_transistors: 2, source: test, certainty: assumed}",
         "and drive 'held' needs adder_tree: cells on lines that stay up"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(tmp_path, chip, change, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        load_setup(write_model(tmp_path), {"chip": chip}, [f"chip.{change}"])


@pytest.mark.parametrize("block", ["bit_line", "load", "clamp", "word_line_driver", "limits",
                                   "programming_periphery"])  # fmt: skip
def test_a_chip_of_currents_without_a_block_of_them_says_which(tmp_path, block):
    source = read_yaml(find_config("ba_mlw_16nm", "chip", Place("test")))
    del source.tree[block]
    with pytest.raises(ConfigError, match=f"{block} is missing. Add '{block}:' there"):
        validate(source, ChipConfig)


def test_held_lines_stand_in_a_trace_until_they_change(tmp_path):
    """One pass, and no return to 0; other word lines fall when the state is written."""
    model = write_model(tmp_path)
    falls = {}
    for chip in ("digital_cim_16nm", "ba_mlw_16nm"):
        prepared = prepare(model, {"chip": chip, "limit": 1})
        write_trace(prepared, tmp_path / "trace.vcd", "vcd", (0, None))
        text = (tmp_path / "trace.vcd").read_text()
        identifier = re.search(r"\$var wire \d+ (\S+) word_lines", text).group(1)
        values = re.findall(rf"^b([01]+) {re.escape(identifier)}$", text, re.MULTILINE)
        falls[chip] = sum(int(value, 2) == 0 for value in values)
    assert falls["digital_cim_16nm"] < falls["ba_mlw_16nm"]


def test_bits_that_are_lost_in_sleep_are_read_back(tmp_path):
    """With `power.weights: reload`, those of arrays, encoder and output layer."""
    changes = {"frame_interval": "10 ms", "set": ["chip.power.weights=reload"]}
    at_each_wake = []
    for chip in ("digital_cim_16nm", "ba_mlw_16nm"):
        items = pimsim_run(write_model(tmp_path), "reram", chip, **changes).report["energy"][
            "items"
        ]
        counts = {item["action"]: item["count"] for item in items}
        at_each_wake.append(counts["bits_reloaded"] / counts["wakes"])
    assert at_each_wake[0] - at_each_wake[1] == 2 * 256 * 192
