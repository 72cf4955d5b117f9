"""IR drop along bit and source lines in the bits of drawn chips."""

from __future__ import annotations

import dataclasses

import naive
import numpy as np
import pytest
from files import bundled_chip, bundled_device, write_model
from networks import grid, random_features, random_gru, random_lenet, random_matrix, random_mlp

import pimsim
from pimsim.chip import build_chip, program_tile
from pimsim.chip.wired import read_sums
from pimsim.config import NoiseConfig
from pimsim.errors import PimsimError
from pimsim.simulate import encode_inputs, run_chips
from pimsim.workload import Dense, DenseEncoder, Network, chain

NOISE = NoiseConfig()
RESISTORS = ("pcm", "pcm_14nm", "reram", "reram_cmo_hfox", "reram_neurram")


def one_layer(n_rows: int, n_columns: int = 32) -> Network:
    """A dense layer of so many rows."""
    rng, network = np.random.default_rng(n_rows), random_mlp()
    weights = grid(rng.normal(size=(784, n_rows)) / 9), grid(rng.normal(size=n_rows))
    return dataclasses.replace(
        network,
        encoder=DenseEncoder(*weights),
        nodes=chain((Dense(random_matrix(rng, n_rows, n_columns)),)),
        output=dataclasses.replace(
            network.output,
            weights=grid(rng.normal(size=(n_columns, 10))),
        ),
    )


def under(form: str, **update) -> NoiseConfig:
    return NOISE.model_copy(update={"ir_drop": form, **update})


def with_array(chip, **keys):
    return chip.model_copy(update={"array": chip.array.model_copy(update=keys)})


@pytest.mark.parametrize("source_line", ["column", "mesh"])
def test_sums_of_a_drawn_chip_are_those_of_its_nodes(source_line):
    """Wires of the chip file, cells at their read voltage, row 0 beside the read-out."""
    config = with_array(bundled_chip(), rows=40, source_line=source_line)
    device = bundled_device("pcm")
    chip = build_chip(random_gru(thresholds=2), config, device, under("exact"))
    tile = chip.tiles[0]
    drawn = program_tile(tile, 5, 0)
    rows = np.random.default_rng(1).integers(0, 2, (6, tile.placement.n_rows - 1)).astype(np.uint8)
    found = read_sums(tile, drawn, rows)
    lines = chip.layout.lines
    for part, electrical in tile.read_out.chains(tile):
        # a cell of one quantum, at 0.2 V or so, through one piece of wire
        share = (
            part.quantum_ampere * electrical.drawn / device.read.voltage * lines.bit_line_resistance
        )
        for read, on in enumerate(rows):
            active = [*np.flatnonzero(on), len(drawn.plus) - 1]
            for column in range(part.columns.start, part.columns.stop, 5):
                currents = [
                    naive.ladder(
                        side[:, column], active, share, share, 40, False, source_line == "mesh"
                    )
                    for side in (drawn.plus, drawn.minus)
                ]
                expected = currents[0] - currents[1] - drawn.offsets[column]
                assert abs(found[read, column] - expected) <= 0.5 + 1e-6


@pytest.mark.parametrize("kind", ["gru", pytest.param("lenet", marks=pytest.mark.slow)])
def test_first_order_bits_do_not_depend_on_kernel_threads_or_batch(kind):
    network = {"gru": random_gru, "lenet": random_lenet}[kind](thresholds=2)
    chip = build_chip(network, bundled_chip(), bundled_device("pcm"), under("first_order"))
    encoded = encode_inputs(chip, random_features(network, 40))
    first = run_chips(chip, encoded, range(3), 7, keep_bits=True)
    again = run_chips(
        chip, encoded, range(3), 7, keep_bits=True, kernel="portable", threads=1, batch=11
    )
    assert (first.kernel, again.kernel) in {("registers", "portable"), ("portable", "portable")}
    for name, bits in first.bits.items():
        assert np.array_equal(bits, again.bits[name])
    none = build_chip(network, bundled_chip(), bundled_device("pcm"), NOISE)
    without = run_chips(none, encoded, range(3), 7, keep_bits=True)
    assert any((without.bits[name] != bits).any() for name, bits in first.bits.items())


@pytest.mark.parametrize(
    ("device", "n_rows", "active"),
    [*((device, 250, 0.5) for device in RESISTORS), ("pcm", 60, 0.9), ("pcm", 250, 0.2)],
)
def test_first_order_is_near_the_ladder(device, active, n_rows):
    """A fifth of the loss at most, of the scatter over sums; the report states what was found."""
    rng = np.random.default_rng(n_rows)
    network = one_layer(n_rows)
    rows = (rng.random((40, n_rows)) < active).astype(np.uint8)
    sums = {}
    for form in ("none", "first_order", "exact"):
        chip = build_chip(network, bundled_chip(), bundled_device(device), under(form))
        tile = chip.tiles[0]
        sums[form] = read_sums(tile, program_tile(tile, 3, 0), rows).astype(float)
    loss = (sums["none"] - sums["exact"]).std()
    error = (sums["first_order"] - sums["exact"]).std()
    assert loss > 2
    assert error < 0.2 * loss + 0.5


def test_an_ideal_resistor_without_wires_resistance_loses_nothing():
    """The ladder of cells without any variation, of wires a million times wider."""
    config = bundled_chip()
    ideal = NoiseConfig.ideal()
    network = random_gru()
    device = bundled_device("reram")
    cell = device.cell.model_copy(update={"area": device.cell.area * 1e-12, "width": None})
    device = device.model_copy(update={"cell": cell})
    found = {}
    for form in ("none", "first_order", "exact"):
        chip = build_chip(network, config, device, ideal.model_copy(update={"ir_drop": form}))
        assert chip.is_exact == (form == "none")
        encoded = encode_inputs(chip, random_features(network, 8))
        found[form] = run_chips(chip, encoded, range(1), 1, keep_bits=True).bits
    for form in ("first_order", "exact"):
        for name, bits in found["none"].items():
            assert np.array_equal(bits, found[form][name])


def test_current_sources_lose_headroom_and_no_bit():
    network, device = random_gru(), bundled_device("cmos_mlc")
    chips = [build_chip(network, bundled_chip(), device, under(f)) for f in ("none", "exact")]
    encoded = encode_inputs(chips[0], random_features(network, 6))
    bits = [run_chips(chip, encoded, range(2), 1, keep_bits=True).bits for chip in chips]
    assert all(np.array_equal(bits[0][name], bits[1][name]) for name in bits[0])
    assert chips[1].tiles[0].wires is None


@pytest.mark.parametrize(
    ("form", "changes", "message"),
    [
        ("exact", ["chip.array.source_line=row"], "along rows, whose drop depends on all"),
        ("first_order", ["chip.clamp={kind: none}"], "no clamp that holds the bit lines of gru0"),
        ("second", [], "noise.ir_drop"),
    ],
)
def test_what_has_no_form_is_refused(tmp_path, form, changes, message):
    model = write_model(tmp_path)
    with pytest.raises(PimsimError, match=message):
        pimsim.run(model, limit=2, set=[f"noise.ir_drop={form}", *changes])


def test_a_loss_too_large_for_the_first_order_is_refused():
    chip = build_chip(one_layer(1000), bundled_chip(), bundled_device("pcm"), under("first_order"))
    tile = chip.tiles[0]
    with pytest.raises(PimsimError, match=r"lose up to \d+ % .* holds up to 90 %"):
        read_sums(tile, program_tile(tile, 1, 0), np.ones((1, 1000), np.uint8))


def test_codes_are_refused_and_wait_for_a_form_of_their_own():
    with pytest.raises(PimsimError, match="in the sums of sense amplifiers alone"):
        build_chip(
            random_gru(), bundled_chip("adc_pim_16nm"), bundled_device("pcm"), under("exact")
        )


def test_a_report_has_ir_drop_as_a_source_of_its_own(tmp_path):
    model = write_model(tmp_path, device="pcm")
    result = pimsim.run(model, chips=1, limit=4, set=["noise.ir_drop=first_order"])
    alone = {source["source"]: source for source in result.report["noise"]["contributions"]}
    sizes = alone["ir_drop"]["size_units"]
    assert alone["ir_drop"]["is_present"]
    assert all(0 < size < 1 for size in sizes.values())
    for layer in result.document.noise.losses:
        assert 0 < layer.least < layer.largest < 0.2
        assert 0 < layer.first_order_error < 0.05
        assert (layer.held_ends, layer.moved_rows, layer.lowest_scale) == (1, 0, 1)
    assert len(result.document.noise.losses) == 2
