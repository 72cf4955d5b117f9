"""What makes up for losses along wires: orders of rows, scaled levels, lines held at both ends."""

from __future__ import annotations

import functools
from typing import get_args

import naive
import numpy as np
import pytest
from files import bundled_chip, bundled_device, write_model
from networks import random_features, random_gru

import pimsim
from pimsim.chip import build_chip, program_tile
from pimsim.chip.repair import tile_faults
from pimsim.chip.variation import gains
from pimsim.chip.wired import read_sums
from pimsim.config import NoiseConfig
from pimsim.config.array import Array
from pimsim.config.faults import Faults
from pimsim.config.variation import Variation
from pimsim.errors import PimsimError
from pimsim.kernels.drop import PARTS
from pimsim.mapping.row_order import ROW_ORDERS
from pimsim.report.html import html_of
from pimsim.report.pages import page_of
from pimsim.simulate import encode_inputs, run_chips
from pimsim.studies.prepare import prepare
from pimsim.studies.spice import SpiceOptions, spice_deck
from pimsim.studies.vector_tiles import TileVectors

NETWORK = random_gru(seed=4, hidden=32, bits=70, thresholds=2)
ALL = {"row_order": "largest_first", "scaled_levels": True, "held_at": "both_ends"}


def config(held_at: str = "near_end", rows: int = 256, source_line: str = "mesh", **of_array):
    chip = bundled_chip()
    array = {"rows": rows, "source_line": source_line, **of_array}
    return chip.model_copy(
        update={
            "array": chip.array.model_copy(update=array),
            "bit_line": chip.bit_line.model_copy(update={"held_at": held_at}),
        }
    )


def test_orders_of_a_chip_file_are_those_that_there_are():
    assert tuple(ROW_ORDERS) == get_args(Array.model_fields["row_order"].annotation)


@functools.cache
def built(form: str, *, is_ideal: bool = False, device: str = "pcm", **keys):
    noise = NoiseConfig.ideal() if is_ideal else NoiseConfig()
    noise = noise.model_copy(update={"ir_drop": form})
    return build_chip(NETWORK, config(**keys), bundled_device(device), noise)


def word_lines(tile, n: int = 6):
    n_rows = tile.placement.n_rows - tile.n_always_on
    return np.random.default_rng(1).integers(0, 2, (n, n_rows)).astype(np.uint8)


def bits_of(chip, **how):
    encoded = encode_inputs(chip, random_features(NETWORK, 40))
    return run_chips(chip, encoded, range(2), 7, keep_bits=True, **how)


def test_rows_of_large_levels_come_first_and_those_always_on_last():
    tile = built("none", row_order="largest_first").tiles[0]
    n_inputs = tile.placement.n_rows - tile.n_always_on
    assert tile.n_always_on > 0
    assert np.array_equal(tile.place[n_inputs:], np.arange(n_inputs, len(tile.place)))
    assert np.array_equal(np.sort(tile.place), np.arange(len(tile.place)))
    levels = sum(
        side[:n_inputs].astype(int).sum(axis=1)
        for part in tile.matrices
        for side in part.cells.sides
    )
    assert (np.diff(levels[tile.row_at[:n_inputs]]) <= 0).all()
    plain = built("none").tiles[0]
    assert np.array_equal(plain.place, np.arange(len(plain.place)))


def test_without_losses_nothing_changes_a_bit():
    """An order of rows is undone by that of the inputs, and levels are scaled for losses alone."""
    plain = bits_of(built("none")).bits
    ordered = bits_of(built("none", row_order="largest_first", scaled_levels=True)).bits
    assert all(np.array_equal(plain[name], ordered[name]) for name in plain)
    assert built("none", is_ideal=True, **ALL).is_exact


@pytest.mark.parametrize("keys", [{"row_order": "largest_first"}, {"held_at": "both_ends"}, ALL])
def test_sums_of_a_drawn_chip_are_those_of_its_nodes(keys):
    chip = built("exact", rows=140, source_line="column", **keys)
    tile, twice = chip.tiles[0], "held_at" in keys
    drawn, rows = program_tile(tile, 5, 0), word_lines(tile, 3)
    found, volts = read_sums(tile, drawn, rows), chip.device.read.voltage
    for part, chain in tile.read_out.chains(tile):
        share = part.quantum_ampere * chain.drawn / volts * chip.layout.lines.bit_line_resistance
        for read, on in enumerate(rows):
            on = np.concatenate([on, np.ones(tile.n_always_on, int)])[tile.row_at]
            for column in range(part.columns.start, part.columns.stop, 9):
                sides = [
                    naive.ladder(
                        side[tile.row_at, column], np.flatnonzero(on), share, share, 140, twice,
                        False,
                    )
                    for side in (drawn.plus, drawn.minus)
                ]  # fmt: skip
                expected = sides[0] - sides[1] - drawn.offsets[column]
                assert abs(found[read, column] - expected) <= 0.5 + 1e-6


def test_bits_do_not_depend_on_kernel_threads_or_batch():
    chip = built("first_order", **ALL)
    first, again = bits_of(chip), bits_of(chip, kernel="portable", threads=1, batch=11)
    assert all(np.array_equal(bits, again.bits[name]) for name, bits in first.bits.items())


def test_levels_are_lower_where_less_is_lost_and_none_is_higher():
    tile = built("exact", is_ideal=True, source_line="column", scaled_levels=True).tiles[0]
    scale = tile.level_scale
    assert scale[-1] == scale.max() == 1
    assert (np.diff(scale) >= 0).all()
    assert scale[0] < 0.97
    drawn, (part, *_) = program_tile(tile, 1, 0), tile.matrices
    levels, mean = part.cells.sides[0].astype(int), part.cell.mean
    wanted = mean[0] + scale[: len(levels), None] * (mean[levels] - mean[0])
    found = drawn.plus[: len(levels), part.columns] / part.read_out.full_scale_quanta
    assert np.abs(found - wanted).max() <= 0.5 / part.read_out.full_scale_quanta + 1e-12
    assert built("none", scaled_levels=True).tiles[0].level_scale is None
    assert not tile.is_shared


def test_each_makes_sums_more_alike_those_without_wires_by_the_ladder_and_to_first_order():
    """Up to one factor on all sums, which turns no sign; the same chips and word lines."""
    rows = word_lines(built("none").tiles[0], 60)

    def apart(form: str, **keys) -> float:
        tile = built(form, is_ideal=True, **keys).tiles[0]
        own = read_sums(tile, program_tile(tile, 1, 0), rows).astype(float)
        slope = (own * without).sum() / (without**2).sum()
        return float((own / slope - without).std() / without.std())

    tile = built("none", is_ideal=True).tiles[0]
    without = read_sums(tile, program_tile(tile, 1, 0), rows).astype(float)
    for form in ("exact", "first_order"):
        plain = apart(form)
        assert apart(form, row_order="largest_first") < 0.97 * plain
        assert apart(form, scaled_levels=True) < 0.4 * plain
        # 104 rows of an array of 256: the far end is far away
        assert apart(form, held_at="both_ends") < 0.85 * plain
        assert apart(form, **ALL) < 0.3 * plain


def test_a_second_end_costs_clamps_and_a_wire_and_saves_voltage():
    def of(held_at: str):
        chip = built("exact", held_at=held_at)
        (tile, *_), lines = chip.tiles, chip.layout.lines
        bill = tile.read_out.lines_bill(tile)
        (clamps,) = [part for part in bill.parts if part.component == "clamp"]
        (chain, *_) = [chain for _, chain in tile.read_out.chains(tile)]
        return clamps, chain, lines.drop(256, 1e-5, 0.0)

    (one, chain, drop), (two, other, less) = of("near_end"), of("both_ends")
    assert two.count == 2 * one.count
    wire = other.lines.technology.wire.capacitance_per_length * other.lines.device.cell.pitch[1]
    layers = other.lines.config.bit_line.wire_layers
    assert other.capacitance - chain.capacitance == pytest.approx(layers * wire * other.n_rows)
    assert other.noise() < chain.noise()
    assert other.needed_voltage > chain.needed_voltage
    # I R / 2 of the bit line and I R / 8 of a mesh, or I R / 8 of both
    assert less / drop == pytest.approx(0.25 / 0.625)


def test_faults_and_what_cells_have_in_common_follow_the_place_of_a_row():
    noise = NoiseConfig.ideal().model_copy(
        update={"faults": Faults(open=0.05, dead_row=0.05), "variation": True}
    )
    device = bundled_device("pcm").model_copy(update={"variation": Variation(gradient=0.1)})
    plain, ordered = (
        build_chip(NETWORK, config(row_order=order), device, noise).tiles[0]
        for order in ("network", "largest_first")
    )
    states = [tile_faults(tile, tile.faults, 3, 0).matrices[0] for tile in (plain, ordered)]
    assert np.array_equal(states[1].forced, states[0].forced[:, ordered.place], equal_nan=True)
    of_places = gains(ordered, ordered.variation, 3, 0)
    drawn = [program_tile(tile, 3, 0).plus for tile in (plain, ordered)]
    works = np.isnan(states[0].forced[0]) & np.isnan(states[1].forced[0])
    part = ordered.matrices[0]
    for found, of in zip(drawn, (of_places, of_places[:, ordered.place]), strict=True):
        meant = part.cell.mean[states[0].levels[0]] * of[0, :, part.columns]
        off = found[:, part.columns] - meant * part.read_out.full_scale_quanta
        assert np.abs(off[works]).max() <= 0.5 + 1e-6


def test_a_report_says_what_is_expected_to_be_lost_and_what_makes_up_for_it(tmp_path):
    changes = [
        "chip.array.row_order=largest_first", "chip.array.scaled_levels=on",
        "chip.bit_line.held_at=both_ends", "noise.ir_drop=exact",
    ]  # fmt: skip
    done = pimsim.run(
        write_model(tmp_path, device="pcm"), chips=1, limit=2, set=changes, contributions=False
    )
    first, *_ = done.document.noise.losses
    # all lose alike, as far as the resolution of losses goes
    assert 0 < first.least == pytest.approx(first.largest, abs=2 / PARTS)
    assert first.lowest_scale < 1
    assert (first.held_ends, first.first_order_error) == (2, None)
    assert first.moved_rows > 0
    assert "Losses along bit and source lines" in html_of(page_of(done.document))


def test_test_vectors_say_which_word_line_a_row_is():
    chip = built("none", row_order="largest_first", rows=64)
    tile = chip.tiles[0]
    arrays = TileVectors(chip, tile, program_tile(tile, 1, 0), 1, 3).arrays()
    assert tile.placement.n_stacked == 2
    assert np.array_equal(arrays["rows"] @ [64, 1], tile.place)


def test_a_deck_has_the_rows_where_they_are(tmp_path):
    changes = [
        "chip.array.row_order=largest_first", "chip.array.scaled_levels=on",
        "chip.bit_line.held_at=both_ends", "noise.ir_drop=exact", "noise.dynamic=off",
    ]  # fmt: skip
    prepared = prepare(write_model(tmp_path, device="pcm"), {}, changes)
    chip = prepared.chip(prepared.setup.noise)
    run = run_chips(chip, encode_inputs(chip, prepared.data.features[:2]), [0], 11, keep_bits=True)
    deck, expected = spice_deck(prepared, SpiceOptions("gru0", (2, 6), 1, 3))
    assert deck.bit_twice
    assert not np.array_equal(chip.tiles[0].place, np.arange(len(deck.on)))
    assert np.array_equal(expected.decisions, run.bits["gru0.gate"][0, 1, 3][2:6])


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"row_order": "largest_first"}, "array.row_order, which makes up for losses"),
        ({"scaled_levels": True}, "array.scaled_levels, which makes up for losses"),
    ],
)
def test_chips_whose_sums_lose_nothing_have_nothing_to_make_up_for(keys, message):
    chip = bundled_chip("adc_pim_16nm")
    chip = chip.model_copy(update={"array": chip.array.model_copy(update=keys)})
    with pytest.raises(PimsimError, match=message):
        build_chip(random_gru(), chip, bundled_device("pcm"), NoiseConfig())


def test_a_second_end_needs_a_clamp(tmp_path):
    model = write_model(tmp_path)
    with pytest.raises(PimsimError, match="held_at both_ends needs one that holds each end"):
        prepare(model, {}, ["chip.clamp={kind: none}", "chip.bit_line.held_at=both_ends"])
