"""Chips with ADCs: integer arithmetic where nothing errs, and counted as closed forms say."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from files import bundled_chip, bundled_device, bundled_logic, coding
from networks import random_features, random_gru, random_lenet, random_mlp

from pimsim.chip import build_chip, program_tile
from pimsim.chip.graph import chip_graph
from pimsim.circuits.adc import full_resolution
from pimsim.config import NoiseConfig
from pimsim.cost.area import area_items
from pimsim.errors import MappingError
from pimsim.mapping.weights import BitSlices, OffsetSlices
from pimsim.simulate import encode_inputs, run_chips
from pimsim.simulate.backends import BACKENDS, Batch
from pimsim.simulate.signals import Signals
from pimsim.timing.schedule import time_chip
from pimsim.workload import run_quantized
from pimsim.workload.neurons import Activation
from pimsim.workload.signals import CodeNumbers

NETWORKS = {
    "gru": random_gru(n_levels=255),
    "coarse": random_gru(n_levels=7),
    "lenet": random_lenet(n_levels=255),
    "mlp": random_mlp(n_levels=255),
}


SIGNS = ["differential", "offset"]


def chip_of(name: str, noise: NoiseConfig, device: str = "reram", sign="differential", **blocks):
    config = bundled_chip("adc_pim_16nm")
    config = config.model_copy(update={"weight_coding": coding(config, sign)})
    changes = {k: getattr(config, k).model_copy(update=v) for k, v in blocks.items()}
    config = config.model_copy(update=changes)
    return build_chip(NETWORKS[name], config, bundled_device(device), noise)


def exact_run(chip, features):
    return run_quantized(chip.network, features, chip.layout.drive.activation(chip.network))


def plan_of(coding, cell_bits, matrix, block_rows=256, reference_column="analog"):
    """Cells of a matrix in slices of so many bits."""
    block = SimpleNamespace(cell_bits=cell_bits, reference_column=reference_column)
    return coding(block).plan(matrix, block_rows)


def graph_of(chip):
    return chip_graph(chip, bundled_logic(), 5)


def run_of(chip, n=5, chips=(0, 1), **options):
    features = random_features(chip.network, n)
    encoded = encode_inputs(chip, features)
    return features, run_chips(chip, encoded, list(chips), 3, keep_bits=True, **options)


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("rows", [256, 16])
@pytest.mark.parametrize("name", NETWORKS)
def test_an_ideal_chip_is_integer_arithmetic(name, rows, sign):
    # cells that draw nothing at level 0: single lines have no partner that would take it off
    chip = chip_of(name, NoiseConfig.ideal(), "ideal", array={"rows": rows}, sign=sign)
    assert chip.is_exact
    features, found = run_of(chip, chips=[0])
    exact = exact_run(chip, features)
    for layer, codes in exact.codes.items():
        assert np.array_equal(found.bits[layer][0], codes), layer
    assert np.array_equal(found.predictions[0], exact.predictions)


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("name", ["gru", "lenet"])
def test_an_adc_of_full_resolution_loses_nothing(name, sign):
    only_steps = NoiseConfig.ideal().model_copy(update={"fixed_point": True})
    rows = max(matrix.n_rows for _, matrix in NETWORKS[name].matrices())
    # lines alone hold no more than half of what they could
    largest = min(rows, 256) * 3 if sign == "differential" else min(rows, 256) * 3 // 2
    bits = full_resolution(largest, signed=sign == "differential")
    # an encoder fine enough that its codes are those of the exact network
    fine = {"input_bits": 20, "weight_bits": 24, "input_range": 32.0}
    chip = chip_of(name, only_steps, "ideal", read_out={"bits": bits, "range": 1.0},
                   input_encoder=fine, sign=sign)  # fmt: skip
    features, found = run_of(chip, chips=[0])
    exact = exact_run(chip, features)
    for layer, codes in exact.codes.items():
        assert np.array_equal(found.bits[layer][0], codes), layer
    coarse = chip_of(name, only_steps, "ideal", read_out={"bits": 3, "range": 1.0},
                     input_encoder=fine, sign=sign)  # fmt: skip
    assert not coarse.is_exact
    _, rough = run_of(coarse, chips=[0])
    last = list(exact.codes)[-1]
    assert not np.array_equal(rough.bits[last][0], exact.codes[last])


@pytest.mark.parametrize("name", ["gru", "lenet"])
@pytest.mark.parametrize("sign", SIGNS)
def test_results_do_not_depend_on_batches_neighbours_or_threads(name, sign):
    chip = chip_of(name, NoiseConfig(), sign=sign)
    _, whole = run_of(chip, n=6, chips=[0, 1, 2])
    _, alone = run_of(chip, n=6, chips=[2], batch=4, threads=1)
    for layer, codes in whole.bits.items():
        assert np.array_equal(codes[2], alone.bits[layer][0]), layer
    assert not np.array_equal(whole.bits[list(whole.bits)[-1]][0], alone.bits[layer][0])


@pytest.mark.parametrize("sign", SIGNS)
def test_actions_are_those_of_the_closed_forms(sign):
    alone = sign == "offset"
    chip = chip_of("gru", NoiseConfig(), array={"rows": 16, "columns": 32},
                   sign=sign)  # fmt: skip
    n, chips, bits = 5, 2, 8
    _, found = run_of(chip, n=n)
    counts = found.counts.as_dict()
    steps = found.bits["encoder"].shape[2]
    conversions = reads = offsets = cells = 0
    for tile in chip.tiles:
        matrices = [part.matrix for part in tile.matrices]
        # an offset takes a reference column for each matrix, and no minus cells
        pairs = sum(4 * matrix.n_columns + alone for matrix in matrices)
        blocks, across = -(-matrices[0].n_rows // 16), -(-pairs // (32 if alone else 16))
        assert tile.placement.n_arrays == blocks * across
        conversions += steps * bits * pairs * blocks
        reads += steps * bits * blocks * across
        offsets += steps * blocks * sum(matrix.n_columns for matrix in matrices) * alone
        cells += (1 if alone else 2) * pairs * matrices[0].n_rows
    assert counts["adc"]["conversions"] == n * chips * conversions
    assert counts["shift_and_add"]["sums"] == n * chips * conversions
    assert counts["shift_and_add"].get("offsets", 0) == n * chips * offsets
    assert found.n_cells == chips * cells
    assert counts["array"]["reads"] == n * chips * reads
    hidden = sum(layer.n_hidden for layer in chip.network.layers)
    assert counts["activation_unit"]["mixes"] == n * chips * steps * hidden
    assert counts["activation_unit"]["activations"] == 2 * n * chips * steps * hidden
    # a word line is on once for every 1 among the bits of its codes
    ones = int(np.unpackbits(found.bits["encoder"]).sum())
    first = chip.tiles[0].placement.n_side_by_side
    assert counts["word_line_driver"]["rows_driven"] >= ones * first


def test_a_read_takes_its_input_bits_times_its_conversions():
    chip = chip_of("gru", NoiseConfig())
    phases = {p.name: p for p in graph_of(chip).components[1].phases}
    assert phases["integrate"].repeats == 8
    assert phases["convert"].repeats == 8 * 128
    fewer = chip_of("gru", NoiseConfig(), read_out={"columns_per_adc": 8})
    cycles = [time_chip(graph_of(c)).interval_cycles for c in (chip, fewer)]
    assert cycles[0] - cycles[1] == 5 * 8 * (128 - 8)
    areas = [
        {part.component: part.count for part in area_items(graph_of(c))} for c in (chip, fewer)
    ]
    assert areas[1]["adc"] == 16 * areas[0]["adc"]


@pytest.mark.parametrize("name", ["gru", "lenet"])
@pytest.mark.parametrize("sign", SIGNS)
def test_adcs_of_2_to_14_bits_run_and_no_amplifier_has_an_offset(name, sign):
    for bits in (2, 3, 8, 14):
        read_out = {"bits": bits, "cost": "cim_28nm"}
        chip = chip_of(name, NoiseConfig(), sign=sign, read_out=read_out)
        _, found = run_of(chip, n=2, chips=(0,))
        assert len(found.bits)
        for tile in chip.tiles:
            drawn = program_tile(tile, 3, 0)
            assert not drawn.offsets.any()
            assert drawn.errors.arrays["offset"].any()


def test_slices_add_up_to_the_weights_least_significant_first():
    matrix = NETWORKS["gru"].layers[0].gate
    cells = plan_of(BitSlices, 2, matrix)
    assert cells.plus.max() <= 3
    assert not (cells.plus * cells.minus).any()
    pairs = (cells.plus - cells.minus).reshape(matrix.n_rows, matrix.n_columns, 4).astype(int)
    assert np.array_equal((pairs * [1, 4, 16, 64]).sum(axis=2), matrix.levels)
    with pytest.raises(MappingError, match="thresholds"):
        plan_of(BitSlices, 2, random_gru(thresholds=5).layers[0].gate)


@pytest.mark.parametrize("cell_bits", [1, 2, 3, 7])
@pytest.mark.parametrize("n_levels", [2, 7, 255])
def test_weights_with_an_offset_come_out_of_single_cells_again(n_levels, cell_bits):
    matrix = random_gru(n_levels=n_levels).layers[0].gate
    plan = plan_of(OffsetSlices, cell_bits, matrix, block_rows=16)
    assert len(plan.sides) == 1
    levels, top = plan.plus.astype(int), 2**cell_bits - 1
    assert (levels[:, -1] == 1).all()
    assert levels.min() >= 0
    for block, start in enumerate(range(0, matrix.n_rows, 16)):
        held = levels[start : start + 16]
        # no line holds more than half, but a reference column of one-bit cells
        assert held[:, :-1].sum(axis=0).max() <= len(held) * top / 2
        weights = plan.summed(held * plan.weight_of_line[block]) + plan.correction[block]
        assert np.array_equal(weights, matrix.levels[start : start + 16])


def counted(device: str, noise: NoiseConfig):
    """A chip whose active inputs are counted by adders."""
    config = bundled_chip("adc_pim_16nm")
    block = coding(config, "offset").model_copy(update={"reference_column": "digital"})
    config = config.model_copy(update={"weight_coding": block})
    return build_chip(NETWORKS["gru"], config, bundled_device(device), noise)


def test_adders_count_active_inputs_instead_of_a_column_of_cells():
    matrix = random_gru(n_levels=255).layers[0].gate
    analog, digital = (
        plan_of(OffsetSlices, 2, matrix, reference_column=kind) for kind in ("analog", "digital")
    )
    assert digital.n_lines == analog.n_lines - 1
    assert np.array_equal(digital.plus, analog.plus[:, :-1])
    assert digital.n_references == 0 < analog.n_references
    assert digital.is_corrected
    # without noise and with a code for every sum, the chip is the exact network
    chip = counted("ideal", NoiseConfig(fixed_point=False, dynamic=False, offset=False,
                                        mismatch=False))  # fmt: skip
    features, found = run_of(chip)
    exact = exact_run(chip, features)
    assert np.array_equal(found.bits["gru1.hidden"][0], exact.codes["gru1.hidden"])
    # one count for each pulse of each operation, for all arrays that share the rows
    reads = 2 * 5 * found.bits["gru1.hidden"].shape[2]
    for tile in chip.tiles:
        of_tile = reads * 8 * tile.placement.n_stacked
        assert found.counts.get("popcount", "counts", tile.name) == of_tile


def test_the_reference_column_takes_off_what_level_0_draws():
    """Level 0 of this cell conducts; without noise, rounding to codes is all that is left."""
    chip = chip_of("gru", NoiseConfig.ideal(), device="cmos_mlc_4", sign="offset")
    assert not chip.is_exact
    assert chip_of("gru", NoiseConfig.ideal(), device="cmos_mlc_4").is_exact
    exact = exact_run(chip, random_features(chip.network, 5))
    tile, backend = chip.tiles[0], BACKENDS["bit_serial"]
    batch = Batch(np.zeros(1, np.int64), np.arange(5))
    operand = backend.load(chip, tile, [program_tile(tile, 3, 0)], 3)
    # as if level 0 drew nothing
    without = np.hstack([part.cells.correction.astype(float) for part in tile.matrices])
    uncorrected = operand._replace(lines=operand.lines._replace(reference_weight=without))

    def error(operand):
        below = Signals(5, exact.codes["encoder"][None])
        logic = chip.layout.logic(tile).kernel(tile)
        found = backend.recur(operand, logic, below, batch, keep=False)
        return np.abs(found.signals.values[0].astype(int) - exact.codes["gru0.hidden"]).mean()

    assert 0 < error(operand) < error(uncorrected) / 4


def test_gate_and_candidate_codes_are_kept_and_mix_to_the_hidden_ones():
    chip = chip_of("gru", NoiseConfig())
    _, found = run_of(chip)
    for name in ("gru0", "gru1"):
        gate, candidate, hidden = (
            found.bits[f"{name}.{part}"] for part in ("gate", "candidate", "hidden")
        )
        before = np.concatenate([np.zeros_like(hidden[:, :, :1]), hidden[:, :, :-1]], axis=2)
        assert np.array_equal(hidden, CodeNumbers(8).mix(gate, before, candidate))
    assert list(found.bits)[:4] == ["encoder", "gru0.gate", "gru0.candidate", "gru0.hidden"]
    assert found.kernel == "bit_serial"


def test_there_are_no_minus_cells_that_draw_or_take_area():
    cells = []
    for sign in SIGNS:
        # 84 pairs, or 84 lines and a reference column, of the first layer
        chip = chip_of("mlp", NoiseConfig.ideal(), "ideal", array={"columns": 86},
                       sign=sign)  # fmt: skip
        parts = area_items(chip_graph(chip, bundled_logic(), 1))
        counts = {(part.component, part.where): part.count for part in parts}
        part = chip.tiles[0].matrices[0]
        cells.append(counts["array", part.name])
        _, found = run_of(chip, chips=[0])
        on = np.unpackbits(found.bits["encoder"][0][..., None], axis=-1).sum(axis=(0, -1))
        levels = sum(side.astype(int) for side in part.cells.sides)
        step = part.read_out.full_scale_quanta // 3
        assert found.counts.drawn[part.name] == (on @ levels).sum() * step
    assert cells == [2 * 256 * 86, 256 * 86]


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
    assert np.abs(CodeNumbers(8).mix(gate, hidden, candidate) - exact).max() <= 0.5 + 1e-9
    one, zero = np.full(1000, 255, np.uint8), np.zeros(1000, np.uint8)
    assert np.array_equal(CodeNumbers(8).mix(one, hidden, candidate), hidden)
    assert np.array_equal(CodeNumbers(8).mix(zero, hidden, candidate), candidate)


def test_thresholds_are_refused_by_the_name_of_their_matrix():
    network = random_gru(thresholds=5)
    chip, device = bundled_chip("adc_pim_16nm"), bundled_device("reram")
    with pytest.raises(MappingError, match=r"cannot hold gru0.gate .* takes none\. Train"):
        build_chip(network, chip, device, NoiseConfig())
