"""Weights of one sign in single cells, and one correction column for each array."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from code_networks import coded_gru, coded_lstm, coded_matrix, features_of, inputs, quantiser
from code_networks import network as network_of
from files import bundled_chip, bundled_device, bundled_logic

from pimsim.chip import build_chip, program_tile
from pimsim.chip.graph import chip_graph
from pimsim.config import NoiseConfig
from pimsim.config.weight_coding import Unipolar as Block
from pimsim.cost.area import area_items
from pimsim.errors import MappingError
from pimsim.mapping.weights import Unipolar
from pimsim.simulate import encode_inputs, run_chips
from pimsim.simulate.backends import BACKENDS
from pimsim.workload import Dense, Node, run_reference
from pimsim.workload.code_neurons import CodeNeurons

SIGNS = {
    "positive": np.ones(12, int),
    "negative": -np.ones(12, int),
    "halves": np.repeat([1, -1], 6),
    "every other": np.tile([1, -1], 6),
}
IDEAL = NoiseConfig.ideal()
# this cell's level 0 draws a nineteenth of full scale
LEAKY = "reram"


def block(correction="level_0", mixed="refused"):
    return Block(
        kind="unipolar",
        correction=correction,
        mixed_columns=mixed,
        source="a test",
        certainty="assumed",
    )


def of_signs(signs, seed=0, n_rows=40, n_levels=7, bits=4):
    """A dense layer whose columns have the signs given, 0 for both; unsigned inputs."""
    rng = np.random.default_rng(seed)
    matrix = coded_matrix(rng, n_rows, len(signs), bits, bits, n_levels)
    levels = np.where(np.array(signs) == 0, matrix.levels, np.array(signs) * abs(matrix.levels))
    middle = levels.sum(axis=0) * (2**bits - 1) // 2
    reach = levels.std() * np.sqrt(n_rows) * 2**bits / 3
    limits = np.sort(rng.normal(0, reach, (len(signs), 2**bits - 1)).round(), axis=1)
    neurons = CodeNeurons((limits + middle[:, None]).astype(np.int32))
    matrix = dataclasses.replace(matrix, levels=levels.astype(np.int8), neurons=neurons)
    node = Node("fc", Dense(matrix), ("encoder",))
    return network_of("one", inputs((n_rows,)), quantiser(bits), [node], len(signs), rng)


def chip_of(net, noise=IDEAL, device="ideal", coding=None, rows=16, columns=257, **read_out):
    config = bundled_chip("lstm_4b_16nm")
    config = config.model_copy(
        update={
            "weight_coding": coding or block(),
            "array": config.array.model_copy(update={"rows": rows, "columns": columns}),
            "drive": config.drive.model_copy(update={"signed_codes": "offset"}),
            "read_out": config.read_out.model_copy(update={"bits": 8, **read_out}),
        }
    )
    return build_chip(net, config, bundled_device(device), noise)


def codes_of(chip, features, chips=(0,), **options):
    return run_chips(chip, encode_inputs(chip, features), list(chips), 3, keep_bits=True, **options)


def assert_exact(chip, net, features):
    exact, found = run_reference(net, features), codes_of(chip, features)
    for signal, codes in exact.signals.items():
        assert len(np.unique(codes)) > 1, signal
        assert np.array_equal(found.bits[signal][0], codes), signal


@pytest.mark.parametrize("columns", [257, 5])
@pytest.mark.parametrize("device", ["ideal", LEAKY])
@pytest.mark.parametrize("signs", SIGNS)
def test_without_errors_the_chip_is_the_exact_machine(signs, device, columns):
    """Whether level 0 draws a current or not; in arrays side by side and below each other."""
    net = of_signs(SIGNS[signs])
    chip = chip_of(net, device=device, columns=columns)
    assert chip.tiles[0].placement.n_stacked == 3
    assert chip.tiles[0].placement.n_side_by_side == (3 if columns == 5 else 1)
    assert_exact(chip, net, features_of(net, 40))


@pytest.mark.parametrize("correction", ["level_0", "level_1", "none"])
@pytest.mark.parametrize("columns", [257, 5])
def test_columns_of_both_signs_take_two_lines(columns, correction):
    net = of_signs(np.tile([1, 0, -1, 0], 3))
    chip = chip_of(net, coding=block(correction, "two_lines"), columns=columns)
    assert_exact(chip, net, features_of(net, 40))
    (part,) = chip.tiles[0].matrices
    assert part.cells.n_lines == 12 + 6 + part.cells.n_references


@pytest.mark.parametrize("columns", [257, 5, 4])
@pytest.mark.parametrize("device", ["ideal", LEAKY])
@pytest.mark.parametrize("make", [coded_gru, coded_lstm])
def test_matrices_of_a_tile_share_the_correction_columns_of_its_arrays(make, device, columns):
    """Also where a matrix begins in the array of the one before it."""
    net = make()
    chip = chip_of(net, device=device, coding=block(mixed="two_lines"), columns=columns)
    for tile in chip.tiles:
        n_references = sum(part.cells.n_references for part in tile.matrices)
        assert n_references == tile.placement.n_side_by_side
        owners = np.concatenate(
            [part.cells.owner >= part.cells.n_columns for part in tile.matrices]
        )
        assert np.array_equal(np.flatnonzero(owners), np.arange(0, len(owners), columns))
    assert_exact(chip, net, features_of(net, 20))


def test_n_columns_take_n_and_one_lines_instead_of_twice_n():
    """Acceptance B6: lines, conversions, cells and area count the lines that exist."""
    net, mixed = of_signs(np.ones(12, int)), of_signs(np.zeros(12, int))
    features = features_of(net, 7)
    unipolar = chip_of(net)
    doubled = chip_of(mixed, coding=block("none", "two_lines"))
    for chip, n_lines in ((unipolar, 13), (doubled, 24)):
        (tile,) = chip.tiles
        assert tile.placement.n_lines == tile.lines_each == n_lines
        assert program_tile(tile, 1, 0).n_cells == 40 * n_lines
        run = codes_of(chip, features)
        # three arrays below each other are converted apart
        assert run.counts.get("adc", "conversions", "fc") == 7 * 3 * n_lines
        assert run.counts.get("shift_and_add", "sums", "fc") == 7 * 3 * n_lines
    # one subtraction for each column and array, which the doubled lines do by their sign
    run = codes_of(unipolar, features)
    assert run.counts.get("shift_and_add", "offsets", "fc") == 7 * 3 * 12
    assert codes_of(doubled, features).counts.get("shift_and_add", "offsets", "fc") == 0


def test_an_array_with_fewer_columns_is_smaller():
    """Area and ADCs follow the lines: arrays of 13 columns for 12 weights, against 24."""
    net, mixed = of_signs(np.ones(12, int)), of_signs(np.zeros(12, int))
    found = []
    for chip in (
        chip_of(net, columns=13),
        chip_of(mixed, coding=block("none", "two_lines"), columns=24),
    ):
        parts = {}
        for item in area_items(chip_graph(chip, bundled_logic(), 1)):
            parts[item.component] = parts.get(item.component, 0.0) + item.count * item.area
        found.append(parts)
    unipolar, doubled = found
    assert unipolar["array"] / doubled["array"] == pytest.approx(13 / 24)
    # 13 and 24 lines by ADCs that each serve 8
    assert unipolar["adc"] / doubled["adc"] == pytest.approx(2 / 3)


def test_a_code_of_level_0_is_subtracted_without_a_multiplier():
    """That of level 1 is multiplied by a share of it first."""
    net, prices = of_signs(np.ones(12, int)), {}
    for level in ("level_0", "level_1"):
        bill = chip_graph(chip_of(net, coding=block(level)), bundled_logic(), 1).bills["fc"]
        prices[level] = {(p.component, p.action): p.each for p in bill.prices}
    offset, added = (("shift_and_add", action) for action in ("offsets", "sums"))
    assert prices["level_0"][offset] == prices["level_0"][added] == prices["level_1"][added]
    assert prices["level_1"][offset] > prices["level_1"][added]


def test_without_a_correction_column_the_current_of_level_0_stays():
    """Acceptance B9, code for code: with the column there is no error, without it a large one."""
    net = of_signs(np.ones(12, int))
    features = features_of(net, 40)
    exact = run_reference(net, features).signals["fc"].astype(int)

    def error(correction):
        chip = chip_of(net, device=LEAKY, coding=block(correction))
        return np.abs(codes_of(chip, features).bits["fc"][0] - exact).mean()

    assert error("level_0") == 0
    # z / (1 + z) of the code at level 1: a fraction of a code is rounded away
    assert 0 < error("level_1") < 0.1
    assert error("none") > 1


def sums_with(chip, change, features):
    """Sums of the layer's columns on one drawn chip whose cells are changed."""
    (tile,) = chip.tiles
    backend = BACKENDS["bit_serial"]
    operand = backend.load(chip, tile, [change(program_tile(tile, 3, 0))], 3)
    lines = operand.lines
    weight = np.zeros(lines.reference_weight.shape)
    own = lines.sum_index < tile.n_outputs
    codes = encode_inputs(chip, features).astype(float)
    total = np.zeros((len(codes), tile.n_outputs))
    block_rows = lines.cells.shape[2] - 1
    for index in range(len(weight)):
        part = codes[:, index * block_rows : (index + 1) * block_rows]
        quanta = part @ lines.cells[0, index, : part.shape[1]].astype(float)
        of_lines = np.round(quanta / operand.adcs.code_quanta) * lines.weight[index]
        for line in np.flatnonzero(own):
            total[:, lines.sum_index[line]] += of_lines[:, line]
        reference = of_lines[:, ~own]
        total += reference[:, lines.reference - tile.n_outputs] * lines.reference_weight[index]
    return total


@pytest.mark.parametrize(("correction", "share"), [("level_0", 1.0), ("level_1", 3 / 22)])
def test_an_error_of_the_correction_column_is_common_to_all_columns(correction, share):
    """Cells of it that draw more lower all sums alike: by all of it, or by z / (1 + z).

    Level 0 of this device draws 1 / 19 of full scale of 3 levels: z = 3 / 19, z / (1 + z) = 3 / 22.
    """
    signs = np.repeat([1, -1], 6)
    net = of_signs(signs)
    chip = chip_of(net, device=LEAKY, coding=block(correction), rows=64)
    (tile,) = chip.tiles
    reference = tile.matrices[0].cells.owner >= 12
    assert reference.sum() == 1
    quanta = int(tile.matrices[0].read_out.code_quanta)

    def raised(drawn):
        plus = drawn.plus.copy()
        # two levels more in each of its cells
        plus[:, reference] += 2 * quanta
        return dataclasses.replace(drawn, plus=plus)

    features = features_of(net, 10)
    before, after = sums_with(chip, lambda d: d, features), sums_with(chip, raised, features)
    inputs_on = encode_inputs(chip, features).sum(axis=1)
    expected = -2 * share * np.outer(inputs_on, signs)
    assert np.allclose(after - before, expected, rtol=1e-6)


def test_errors_of_cells_go_into_the_sums_through_the_correction_column_as_well():
    """Over drawn chips, sums of two columns have the variance of the correction column in common.

    Cells of level 0 vary alike in all columns: of columns of zeros, whose own cells are at level 0,
    half of the variance of each is that of the correction column.
    """
    net = of_signs(np.ones(12, int), n_rows=40)
    (node,) = net.nodes
    levels = node.layer.matrix.levels.copy()
    levels[:, :2] = 0
    matrix = dataclasses.replace(node.layer.matrix, levels=levels)
    net = dataclasses.replace(net, nodes=(dataclasses.replace(node, layer=Dense(matrix)),))
    noise = IDEAL.model_copy(update={"programming": True})
    chip = chip_of(net, noise, LEAKY, rows=64)
    (tile,) = chip.tiles
    cells = np.stack([program_tile(tile, 3, index).plus for index in range(2000)]).astype(float)
    line_sums = cells.sum(axis=1)
    reference = line_sums[:, 0]
    first, second = line_sums[:, 1] - reference, line_sums[:, 2] - reference
    covariance = np.cov(first, second)
    # 2000 chips: a correlation of a half is known to 0.017
    assert covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]) == pytest.approx(
        0.5, abs=0.07
    )


def test_noise_is_the_same_in_any_batch():
    net = of_signs(SIGNS["halves"])
    features = features_of(net, 30)
    chip = chip_of(net, NoiseConfig(), LEAKY, full_scale=24.0, range=None)
    whole, apart = codes_of(chip, features, (0, 1)), codes_of(chip, features, (0, 1), batch=7)
    assert np.array_equal(whole.bits["fc"], apart.bits["fc"])
    exact = run_reference(net, features).signals["fc"]
    assert (whole.bits["fc"][0] != exact).any()


def test_one_full_scale_is_one_step_of_all_lines():
    """Matrices of other heights have the same step, and so the same ADC."""
    signs = np.ones(12, int)
    tall, short = of_signs(signs, n_rows=60), of_signs(signs, n_rows=20)
    steps = {}
    for name, net in (("tall", tall), ("short", short)):
        noise = IDEAL.model_copy(update={"fixed_point": True})
        for key, value in (("full_scale", 12.0), ("range", 0.5)):
            other = {"full_scale": None, "range": None, key: value}
            chip = chip_of(net, noise, rows=256, bits=6, **other)
            steps[name, key] = chip.tiles[0].matrices[0].read_out.step
    # 12 cells of 3 levels at 15 steps, over 63 codes; a code is a whole number of quanta
    assert steps["tall", "full_scale"] == steps["short", "full_scale"] == round(12 * 3 * 15 / 63)
    assert steps["tall", "range"] == pytest.approx(3 * steps["short", "range"], rel=0.01)


@pytest.mark.parametrize(
    ("signs", "options", "message"),
    [
        ((1, 0, -1), {}, "weights of both signs in 1 of its 3 columns"),
        ((1, 1, 1), {"columns": 1}, "arrays of two columns or more"),
    ],
)
def test_what_a_unipolar_chip_cannot_hold_is_refused(signs, options, message):
    with pytest.raises(MappingError, match=message):
        chip_of(of_signs(np.array(signs)), **options)


def test_thresholds_are_refused():
    matrix = coded_matrix(np.random.default_rng(0), 8, 3, 1, 1)
    with pytest.raises(MappingError, match="thresholds"):
        Unipolar(block(mixed="two_lines")).plan(matrix, 8)
