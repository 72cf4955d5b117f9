"""Digital circuits against hand calculations: memories, leakage, clock, links, sleep, periphery."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from files import bundled_chip, bundled_device, bundled_logic, bundled_technology
from networks import random_features, random_gru

from pimsim.chip import build_chip
from pimsim.chip.graph import chip_graph
from pimsim.circuits.digital_mac import MacArray, MacUnit
from pimsim.circuits.link import wire_energy
from pimsim.circuits.logic import logic_of
from pimsim.config import ChipConfig, NoiseConfig, find_config, read_yaml, validate
from pimsim.cost.area import area_items, leakage, leakage_asleep, total_area
from pimsim.errors import ConfigError, Place
from pimsim.kernels import registers
from pimsim.simulate import encode_inputs, run_chips
from pimsim.simulate.signals import Flips, Signals

COSTS = bundled_logic()


def test_a_memory_is_read_at_the_energy_of_its_words():
    # low power, 45 nm at 0.9 V to 16 nm at 0.8 V: 0.0983 / 0.8443 = 0.1165
    scaled = 0.1165 * 156e-15
    assert COSTS.memory_energy(2048) == pytest.approx(scaled, rel=2e-3)  # 8 KB, 32 bits at a time
    # 320 words of 16 weights of 5 bits: 19 % for sensing, and 320 / 2048 of the bit lines
    expected = scaled * (0.19 + 0.81 * 320 / 2048)
    assert COSTS.memory_energy(320) == pytest.approx(expected, rel=2e-3)
    assert COSTS.memory_energy(320) * 1e15 == pytest.approx(5.75, abs=0.03)


def test_leakage_doubles_every_eleven_kelvin():
    technology = bundled_technology()
    warm = logic_of(technology, 300 + 22)
    # two off transistors of 9.2 pA at 0.8 V, three in a memory's bit
    assert COSTS.gate_leakage == pytest.approx(2 * 9.2e-12 * 0.8)
    assert warm.gate_leakage == pytest.approx(4 * COSTS.gate_leakage)
    assert warm.memory_leakage == pytest.approx(4 * 3 * 9.2e-12 * 0.8)
    # 85 C is 30 to 60 times room temperature
    assert 30 < logic_of(technology, 358).gate_leakage / COSTS.gate_leakage < 60
    assert dataclasses.replace(warm, gate_leakage=0, memory_leakage=0) == dataclasses.replace(
        COSTS, gate_leakage=0, memory_leakage=0
    )


def test_the_corner_of_a_technology_sets_energy_and_delay():
    technology = bundled_technology()
    fast = logic_of(technology.model_copy(update={"corner": "hp"}))
    # 45 nm at 0.9 V to 16 nm at 0.8 V: 0.1203 / 0.6989 and 0.0983 / 0.8443
    assert fast.product_energy == pytest.approx(3.125e-15 * 0.1721, rel=2e-3)
    assert COSTS.product_energy == pytest.approx(3.125e-15 * 0.1165, rel=2e-3)


def test_weights_are_read_once_for_all_frames_of_a_group():
    macs = MacArray("input_encoder", MacUnit(6, 5, 40), 40, 128, 16, 8, holds_inputs=True)
    assert macs.cycles == 40 * 128 // 16
    counts = {action.action: action.count for action in macs.actions(98, 13)}
    assert counts == {
        "macs": 98 * 40 * 128,
        "weight_bits_read": 13 * 40 * 128 * 5,
        "input_bits_read": 98 * 40 * 8 * 6,
    }
    parts = {part.where: part for part in macs.bill(COSTS, bundled_chip().power).parts}
    # 6 + 5 bits, and 6 for sums of 40 products
    assert (parts["macs"].count, parts["macs"].flip_flops) == (128, 17)
    assert parts["operands"].count == 16 * 5 + 8 * 6
    assert parts["weights"].count == 128 * 40 * 5
    assert parts["inputs"].count == 2 * 8 * 40 * 6


def test_multiply_accumulators_must_divide_among_frames(tmp_path):
    path = find_config("ba_mlw_16nm", "chip", Place("test"))
    text = path.read_text().replace("frames_at_once: 8", "frames_at_once: 7")
    (tmp_path / "chip.yaml").write_text(text)
    message = "input_encoder has 128 macs_per_cycle, which do not divide among 7 frames_at_once"
    with pytest.raises(ConfigError, match=message):
        validate(read_yaml(tmp_path / "chip.yaml"), ChipConfig)


def flips_by_hand(values, bits, width):
    """Wires and buffers of each sequence, bit by bit."""
    wires = buffers = 0
    for tokens in values:
        spread = (tokens[:, :, None] >> np.arange(bits) & 1).reshape(len(tokens), -1)
        before = np.zeros(spread.shape[1], int)
        line = np.zeros(width, int)
        for token in spread:
            buffers += int((token != before).sum())
            before = token
            for first in range(0, len(token), width):
                word = np.zeros(width, int)
                part = token[first : first + width]
                word[: len(part)] = part
                wires += int((word != line).sum())
                line = word
    return Flips(wires, buffers)


@pytest.mark.parametrize(("bits", "width"), [(1, 128), (1, 10), (1, 7), (4, 16), (4, 6), (8, 3)])
def test_changes_on_a_link_are_those_of_its_bits(bits, width):
    values = np.random.default_rng(5).integers(0, 2**bits, (3, 6, 10)).astype(np.uint8)
    expected = flips_by_hand(values, bits, width)
    assert Signals(3, values[None]).flips(6, bits, width) == expected
    if bits == 1:
        packed = Signals(3, words=Signals(3, values[None]).words)
        assert packed.flips(6, bits, width) == expected


KERNELS = ["portable"] + ["registers"] * registers.available


@pytest.mark.parametrize("batch", [3, 256])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("kernel", KERNELS)
def test_changes_do_not_depend_on_kernel_threads_or_batch(kernel, threads, batch):
    network = random_gru()
    chip = build_chip(network, bundled_chip(), bundled_device("reram"), NoiseConfig())
    encoded = encode_inputs(chip, random_features(network, 7))
    options = {"kernel": kernel, "threads": threads, "batch": batch}
    found = run_chips(chip, encoded, [0, 4], 5, keep_bits=True, **options)
    first, last = (node.output for node in network.nodes)
    width = chip.config.link.width
    of_encoder = 2 * flips_by_hand(encoded, 1, width).wires
    of_first = sum(flips_by_hand(chip_bits, 1, width).wires for chip_bits in found.bits[first])
    # the output layer reads the last step alone
    of_last = int(found.bits[last][:, :, -1].sum())
    counts = {where: found.counts.get("link", "wire_flips", where)
              for where in ("encoder", network.nodes[0].name, network.nodes[1].name)}  # fmt: skip
    assert list(counts.values()) == [of_encoder, of_first, of_last]
    # registers of hidden states change as often as the wires behind them
    assert found.counts.get("gru_logic", "register_flips", network.nodes[0].name) == of_first


def test_a_wire_costs_its_capacitance_and_its_registers():
    link = bundled_chip().link
    # 100 um of 0.2 fF/um and a gate of 0.104 fF, half C V^2 at 0.8 V; and a register on the way
    wire = (20e-15 + 0.104e-15) * 0.64 / 2
    assert wire_energy(link, COSTS) == pytest.approx(wire + COSTS.flip_flop_energy)


def parts_of(**power):
    config = bundled_chip()
    config = config.model_copy(update={"power": config.power.model_copy(update=power)})
    chip = build_chip(random_gru(), config, bundled_device("reram"), NoiseConfig.ideal())
    return area_items(chip_graph(chip, COSTS, 9))


def test_sleep_keeps_what_must_be_kept_and_nothing_else():
    kept = {(p.component, p.where): p.asleep for p in parts_of(retention=1.0) if p.asleep}
    hidden = COSTS.flip_flop_area / (COSTS.flip_flop_area + 3 * COSTS.gate_area)
    assert kept == {
        ("input_encoder", "weights"): 1.0,
        ("input_encoder", "inputs"): 1.0,
        ("output_unit", "weights"): 1.0,
        ("gru_logic", "gru0"): pytest.approx(hidden),
        ("gru_logic", "gru1"): pytest.approx(hidden),
    }
    reloaded = {p.where for p in parts_of(weights="reload") if p.asleep}
    assert reloaded == {"inputs", "gru0", "gru1"}
    parts = parts_of()
    assert 0 < leakage_asleep(parts) < 0.33 * leakage(parts)


def test_programming_periphery_lies_between_its_two_anchors():
    """NeuRRAM's drivers, scaled as logic, and the density of Spetalnick et al., VLSI 2023."""
    chip, device = bundled_chip(), bundled_device("reram")
    # 21 % of a core whose 256 neurons of 1270 um2 are 28 %, for 3 x 256 lines; 0.030 to 16 nm
    driver = 256 * 1270 / 0.28 * 0.21 / (3 * 256)
    assert driver == pytest.approx(317, abs=1)
    block = chip.programming_periphery
    assert block.area_per_row * 1e12 == pytest.approx(driver * 0.030, rel=0.01)
    assert block.area_per_column == pytest.approx(2 * block.area_per_row)
    array = chip.array
    lines = array.rows + 2 * array.columns
    verifying = 1339 + lines * 8 * COSTS.gate_area * 1e12 + 5000 / 2.3
    assert block.area_per_array * 1e12 == pytest.approx(verifying, rel=0.02)
    graph = chip_graph(build_chip(random_gru(), chip, device, NoiseConfig.ideal()), COSTS, 9)
    tile = [p for p in graph.tiles[0].bill.parts if p.component != "gru_logic"]
    cells = sum(p.count for p in tile if p.component == "array")
    per_mm2 = cells / (total_area(tile) * 1e6) / 1e6
    # 2.38 Mcells/mm2 at 40 nm; 9.3 if all of it shrank like logic (0.508 / 0.13)
    assert 2.38 < per_mm2 < 2.38 * 0.508 / 0.13
    share = total_area([p for p in tile if p.component == "array"]) / total_area(tile)
    assert 0.12 < share < 0.4
