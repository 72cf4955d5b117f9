"""Adder trees, input lines and SRAM against hand calculations, and a tree simulated bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
from files import bundled_chip, bundled_device, bundled_logic
from hypothesis import given
from hypothesis import strategies as st
from networks import random_gru

from pimsim.chip import build_chip
from pimsim.chip.graph import chip_graph, tile_bill
from pimsim.circuits import input_line
from pimsim.circuits.adder_tree import AdderCosts, Tree, change_energy
from pimsim.config import NoiseConfig
from pimsim.cost.area import leakage, leakage_asleep, total_area
from pimsim.errors import MappingError

CHIP = bundled_chip("digital_cim_16nm")
COSTS = bundled_logic()
EACH = AdderCosts.of(CHIP.read_out, COSTS)


def chip_of(network=None, config=CHIP):
    return build_chip(network or random_gru(), config, bundled_device("reram"), NoiseConfig())


@pytest.mark.parametrize(
    ("rows", "bits", "full_adders", "levels"),
    [
        (1, 4, 0, 0),
        (2, 4, 4, 1),  # one adder of 4 bits
        (4, 3, 3 + 3 + 4, 2),  # two of 3 bits, one of 4
        (5, 3, 2 * 3 + 4 + 5, 3),  # a word passes twice
        (256, 3, 256 * 4 - (3 + 8 + 1), 8),  # n (w + 1) - (w + log2 n + 1)
        (256, 4, 256 * 5 - (4 + 8 + 1), 8),
    ],
)
def test_full_adders_of_a_tree(rows, bits, full_adders, levels):
    tree = Tree(rows, bits)
    assert (tree.full_adders, tree.levels, tree.sum_bits) == (full_adders, levels, bits + levels)


@given(st.integers(1, 600), st.integers(1, 8))
def test_a_sum_of_words_fits_its_bits(rows, bits):
    tree = Tree(rows, bits)
    assert rows * 2 ** (bits - 1) <= 2 ** (tree.sum_bits - 1)


def test_energy_of_one_product_by_hand():
    # a gate of 0.57 fJ at 28 nm is one of 0.148 fJ here; a full adder takes 6
    gate = 0.1476e-15
    assert COSTS.gate_energy == pytest.approx(gate, rel=1e-3)
    # half of 4 bits are 1; twice 1267 adders of 256 rows
    by_hand = 2 * gate + 2 * 1267 / 256 * 6 * gate
    assert change_energy(Tree(256, 4), EACH) == pytest.approx(by_hand, rel=1e-3)
    # where half of the inputs change, 4.5 fJ for each 1 b x 4 b: a 12 nm macro of 121 TOPS/W
    # (4 b x 4 b) takes 2 / 121e12 / 4 = 4.1 fJ, one of 89 TOPS/W at 22 nm 5.6 fJ
    assert by_hand / 2 * 1e15 == pytest.approx(4.53, abs=0.01)


def test_energy_of_a_changed_input_by_hand():
    # a square of 0.167 + 0.21 um2, wire of 0.2 fF/um and two gates of 0.104 fF for each bit
    per_bit = np.sqrt(0.377) * 0.2e-15 + 2 * 0.104e-15
    assert input_line.line_capacitance(CHIP.drive, 192, COSTS) == pytest.approx(192 * per_bit)
    charge = 192 * per_bit * 0.8**2 / 2
    flip = COSTS.flip_flop_energy
    assert input_line.change_energy(CHIP.drive, 192, COSTS) == pytest.approx(charge + flip)
    wire = 192 * np.sqrt(0.377) * 19.7
    delay = (0.693 * 1800 + 0.38 * wire) * 192 * per_bit
    assert input_line.delay(CHIP.drive, 192, COSTS) == pytest.approx(delay)


def test_area_of_a_tile_by_hand():
    # 7 levels take 3 bits, so that an array has 64 words; 24 columns fit one, and all rows as well
    chip = chip_of()
    tile = chip.tiles[0]
    assert (tile.placement.lines_each, tile.placement.n_arrays) == (3, 1)
    parts = {part.component: part for part in tile_bill(chip, tile, COSTS).parts}
    um2 = {name: total_area([part]) * 1e12 for name, part in parts.items()}
    assert um2["array"] == pytest.approx(256 * 192 * 0.167)
    assert um2["multiplier"] == pytest.approx(64 * 3 * 256 * 0.21)
    assert um2["adder_tree"] == pytest.approx(64 * 1012 * 7.8 * 0.21)
    assert um2["comparator"] == pytest.approx(64 * 11 * (7.8 * 0.21 + 0.167))
    assert um2["input_driver"] == pytest.approx(256 * (8 * 0.21 + 1.04))
    assert "programming_periphery" not in parts
    # three of the six transistors of a bit leak 9.2 pA at 0.8 V; a third is left in sleep
    sram = [parts["array"]]
    assert leakage(sram) == pytest.approx(256 * 192 * 3 * 9.2e-12 * 0.8)
    assert leakage_asleep(sram) == pytest.approx(0.33 * leakage(sram))
    # gates leak as those that fit into their area
    assert leakage([parts["adder_tree"]]) == pytest.approx(64 * 1012 * 7.8 * COSTS.gate_leakage)


def test_delay_of_a_decision_by_hand():
    chip = chip_of()
    graph = chip_graph(chip, COSTS, 5)
    phases = {phase.name: phase for phase in graph.tiles[0].phases}
    line = input_line.delay(CHIP.drive, 192, COSTS)
    # 8 levels and the comparator's sum at 3 gates, 11 carries at 2, and a multiplier
    gates = (8 + 1) * 3 + 11 * 2 + 1
    expected = COSTS.flip_flop_delay + line + gates * COSTS.gate_delay
    assert phases["add"].seconds == pytest.approx(expected)
    assert phases["add"].cycles == 1


def test_arrays_above_each_other_add_their_sums():
    small = CHIP.model_copy(update={"array": CHIP.array.model_copy(update={"rows": 16})})
    chip = chip_of(config=small)
    tile = chip.tiles[0]
    stacked = tile.placement.n_stacked
    assert stacked == -(-tile.placement.n_rows // 16) > 1
    parts = {part.component: part for part in tile_bill(chip, tile, COSTS).parts}
    words = 64
    assert parts["adder_tree"].count == stacked * words
    assert parts["partial_sums"].count == (stacked - 1) * words
    assert parts["comparator"].count == words
    delay = tile.read_out.delay
    assert delay(tile) > delay(chip_of(config=small, network=random_gru(hidden=4, bits=4)).tiles[0])


def bits_of_sums(words, width):
    """Bits that change from operation to operation in all sums of a tree, without glitches."""
    changed = 0
    while words.shape[1] > 1:
        words, width = words[:, 0::2] + words[:, 1::2], width + 1
        bits = words & ((1 << width) - 1)
        changed += np.bitwise_count(bits[1:] ^ bits[:-1]).sum()
    return changed


@pytest.mark.parametrize(("n_levels", "width"), [(7, 3), (15, 4)])
@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_about_as_many_adders_are_paid_for_as_change(n_levels, width, share):
    """A tree of 256 rows, simulated without glitches.

    Where half of the inputs change, 2.2 adders are paid for each bit of a sum that does; where few
    do, 0.9: they share fewer adders on their ways. But of those, only some gates switch.
    """
    rng = np.random.default_rng(0)
    top = n_levels // 2
    weights = np.clip(np.round(rng.normal(0, top / 2, 256)), -top, top).astype(np.int64)
    rows = np.bitwise_xor.accumulate(rng.random((400, 256)) < share, axis=0)
    products = np.count_nonzero(rows[1:] ^ rows[:-1])
    paid = 2 * Tree(256, width).full_adders / 256 * products
    assert 0.85 < paid / bits_of_sums(rows * weights, width) < 2.3


def test_a_word_that_no_array_holds_is_refused():
    narrow = CHIP.model_copy(update={"array": CHIP.array.model_copy(update={"columns": 2})})
    with pytest.raises(MappingError, match="arrays of 2 columns, and a weight .* takes 3 of them"):
        chip_of(config=narrow)


def test_the_device_has_no_effect():
    bills = [
        chip_graph(
            build_chip(random_gru(), CHIP, bundled_device(name), NoiseConfig()), COSTS, 5
        ).bills
        for name in ("reram", "cmos_mlc", "pcm")
    ]
    assert bills[0] == bills[1] == bills[2]
