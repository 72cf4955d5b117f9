"""Layers that are too tall for sense amplifiers: codes of few-bit ADCs, added and compared."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from files import bundled_chip, bundled_device, bundled_logic
from networks import (
    grid,
    random_features,
    random_gru,
    random_lenet,
    random_matrix,
    random_mlp,
    random_tensor,
    tensor_features,
)
from scipy.special import ndtr

from pimsim.chip import build_chip
from pimsim.chip.graph import chip_graph, tile_bill, tile_phases
from pimsim.config import NoiseConfig
from pimsim.config.chip import ChipConfig
from pimsim.cost.energy import energy_items
from pimsim.errors import MappingError
from pimsim.simulate import encode_inputs, run_chips
from pimsim.workload import (
    Conv2d,
    ConvEncoder,
    Dense,
    DenseEncoder,
    LevelMatrix,
    Network,
    chain,
    run_reference,
)

IDEAL = NoiseConfig.ideal()
CODES = IDEAL.model_copy(update={"fixed_point": True})
KINDS = ("sense_amplifier", "partial_sums")


def mixed(rows: int, max_stack: int = 1, columns: int = 32, **adc) -> ChipConfig:
    """The shipped chip with small arrays, and some keys of its ADCs."""
    chip = bundled_chip("ba_mlw_mixed_16nm")
    array = {"rows": rows, "max_stack": max_stack, "columns": columns}
    return chip.model_copy(
        update={
            "array": chip.array.model_copy(update=array),
            "tall_layers": chip.tall_layers.model_copy(update=adc),
        }
    )


def kinds_of(chip) -> list[str]:
    return [tile.read_out.kind for tile in chip.tiles]


def with_levels(levels, thresholds, n_levels: int) -> Network:
    """One layer whose inputs are the signs of as many features."""
    levels = np.array(levels, np.int8)
    n_rows, n_columns = levels.shape
    matrix = LevelMatrix(
        levels, n_levels, 1.0, np.array(thresholds, np.int32), 20.0, 5.0
    )  # fmt: skip
    network = random_tensor((n_rows,), classes=4)
    weights = np.random.default_rng(0).normal(size=(n_columns, 4))
    return dataclasses.replace(
        network,
        encoder=DenseEncoder(grid(np.eye(n_rows)), grid(np.zeros(n_rows))),
        input=dataclasses.replace(
            network.input, offset=np.zeros(n_rows, np.float32), scale=np.ones(n_rows, np.float32)
        ),
        nodes=chain([Dense(matrix)]),
        output=dataclasses.replace(network.output, weights=grid(weights), biases=grid(np.zeros(4))),
    )


def bits_of(chip, encoded, **options) -> dict[str, np.ndarray]:
    return run_chips(chip, encoded, [0], 7, keep_bits=True, **options).bits


# two arrays of four rows: each column's sums with all rows on, its threshold, and its bit by hand
BY_HAND = [
    # sums 7 + 7: codes 2 + 2 of 4 levels are 16; the exact sum 14 is not above 15
    ([3, 3, 1, 0, 2, -1, 3, 3], 15, 1, 0),
    ([3, 3, 1, 0, 2, -1, 3, 3], 16, 0, 0),
    # 12 - 2: codes 3 + 0 are 12, as half a code is rounded up; the exact sum is 10
    ([3, 3, 3, 3, -1, -1, 0, 0], 11, 1, 0),
    ([3, 3, 3, 3, -1, -1, 0, 0], 12, 0, 0),
    # -6 + 9: codes -1 + 2 are 4; the exact sum is 3
    ([-3, -3, 0, 0, 3, 3, 3, 0], 3, 1, 0),
    ([-3, -3, 0, 0, 3, 3, 3, 0], 2, 1, 1),
    # a sum of codes at the threshold is no 1: 4 + 4
    ([1, 1, 1, 1, 1, 1, 1, 1], 8, 0, 0),
    ([1, 1, 1, 1, 1, 1, 1, 1], 7, 1, 1),
]


def test_two_arrays_and_codes_of_3_bits_by_hand():
    """-12..12 in codes -3..3 of 4 levels each: floor(sum / 4 + 1/2), added, above the threshold."""
    levels, thresholds, expected, exact = zip(*BY_HAND, strict=True)
    network = with_levels(np.transpose(levels), thresholds, 7)
    config = mixed(4, bits=3, range=1.0, cost="cim_28nm")
    chip = build_chip(network, config, bundled_device("ideal"), CODES)
    (part,) = chip.tiles[0].matrices
    assert (part.read_out.step, part.read_out.top) == (4.0, 3)
    ones = np.ones((1, 8), np.uint8)
    assert bits_of(chip, ones)["dense0"].ravel().tolist() == list(expected)
    # the numbers beside the comparators say the same of codes: 4 x 4 > 15, and not 4 x 3
    assert chip.tiles[0].read_out.code_limits(part).tolist() == [4, 5, 3, 4, 1, 1, 3, 2]
    without = build_chip(network, config, bundled_device("ideal"), IDEAL)
    assert bits_of(without, ones)["dense0"].ravel().tolist() == list(exact)


def test_sums_beyond_the_range_are_clipped_in_each_array():
    """Codes of 2 levels to +-6: 7 + 7 is clipped to 6 + 6, and 12 - 2 to 6 - 2."""
    columns = [BY_HAND[0][0], BY_HAND[2][0]] * 2
    network = with_levels(np.transpose(columns), [11, 3, 12, 4], 7)
    config = mixed(4, bits=3, range=0.5, cost="cim_28nm")
    chip = build_chip(network, config, bundled_device("ideal"), CODES)
    assert chip.tiles[0].matrices[0].read_out.step == 2.0
    assert bits_of(chip, np.ones((1, 8), np.uint8))["dense0"].ravel().tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize("kernel", [None, "portable"])
@pytest.mark.parametrize("device", ["ideal", "reram"])
@pytest.mark.parametrize(
    ("network", "rows", "kinds"),
    [
        (random_mlp(), 24, ["partial_sums", "sense_amplifier"]),
        (random_lenet(thresholds=3), 96, ["partial_sums", "partial_sums", "sense_amplifier"]),
        (random_gru(thresholds=3), 23, ["sense_amplifier", "partial_sums"]),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_an_ideal_chip_equals_the_exact_network(network, rows, kinds, device, kernel):
    chip = build_chip(network, mixed(rows), bundled_device(device), IDEAL)
    assert kinds_of(chip) == kinds
    assert chip.is_exact
    features = random_features(network, 70)
    exact = run_reference(network, features)
    found = run_chips(chip, encode_inputs(chip, features), [0], 7, kernel=kernel, keep_bits=True)
    assert "bit_serial" in found.kernel
    for name, bits in exact.signals.items():
        assert np.array_equal(found.bits[name][0], bits), name
    assert np.array_equal(found.predictions[0], exact.predictions)


def test_enough_bits_lose_nothing_and_few_lose_some():
    network = random_mlp()
    exact = build_chip(network, mixed(10), bundled_device("ideal"), IDEAL)
    encoded = encode_inputs(exact, random_features(network, 200))
    expected = bits_of(exact, encoded)
    assert kinds_of(exact) == ["partial_sums"] * 2
    wrong = {}
    for bits in (3, 4, 7):
        adc = {"bits": bits, "range": 1.0, "cost": "cim_28nm"}
        chip = build_chip(network, mixed(10, **adc), bundled_device("ideal"), CODES)
        wrong[bits] = (bits_of(chip, encoded)["dense0"] != expected["dense0"]).mean()
    # 10 rows of up to 2 levels: -20..20 in 7, 15 and more codes than the 41 sums that there are
    assert wrong[3] > wrong[4] > wrong[7] == 0


@pytest.mark.parametrize(("make", "rows"), [(random_mlp, 24), (random_lenet, 96), (random_gru, 23)])
def test_threads_batches_and_kernels_change_no_bit(make, rows):
    network = make()
    chip = build_chip(network, mixed(rows), bundled_device("reram"), NoiseConfig())
    encoded = encode_inputs(chip, random_features(network, 70))
    first, *others = (
        run_chips(chip, encoded, [0, 3], 7, keep_bits=True, **options)
        for options in (
            {},
            {"kernel": "portable", "threads": 1, "batch": 32},
            {"kernel": "registers", "threads": 2, "batch": 64},
        )
    )
    for other in others:
        assert first.counts.as_dict() == other.counts.as_dict()
        for name, bits in first.bits.items():
            assert np.array_equal(bits, other.bits[name]), name
    ideal = build_chip(network, mixed(rows), bundled_device("reram"), IDEAL)
    changed = bits_of(ideal, encoded)
    assert any((first.bits[n][0] != changed[n][0]).any() for n in changed)


def test_thresholds_are_numbers_and_take_no_rows():
    """96 rows and rows for thresholds do not fit 96: the layer is read as codes, in one array."""
    network = random_lenet(thresholds=3)
    chip = build_chip(network, mixed(96), bundled_device("ideal"), IDEAL)
    tiles = {tile.name: tile for tile in chip.tiles}
    assert (tiles["dense3"].placement.n_rows, tiles["dense3"].n_always_on) == (96, 0)
    assert tiles["dense3"].read_out.kind == "partial_sums"
    # those of amplifiers stay rows
    assert tiles["dense4"].n_always_on > 0


def test_half_levels_stay_where_amplifiers_decide():
    config = mixed(24)
    coding = config.weight_coding.model_copy(update={"half_level_thresholds": True})
    chip = build_chip(
        random_mlp(),
        config.model_copy(update={"weight_coding": coding}),
        bundled_device("ideal"),
        IDEAL,
    )
    tall, low = chip.tiles
    assert (tall.n_always_on, low.n_always_on) == (0, 1)
    assert [len(tile.matrices[0].cell.mean) for tile in chip.tiles] == [3, 5]
    features = random_features(chip.network, 40)
    exact = run_reference(chip.network, features)
    found = bits_of(chip, encode_inputs(chip, features))
    assert np.array_equal(found["dense1"][0], exact.signals["dense1"])


def test_conversions_sums_and_comparisons_are_counted_and_paid():
    """30 rows in arrays of 8 are four arrays; 21 columns of 16 pairs are two side by side."""
    network, n = random_mlp(), 5
    config = mixed(8, max_stack=3, columns_per_adc=4)
    chip = build_chip(network, config, bundled_device("reram"), NoiseConfig())
    tall = chip.tiles[0]
    assert kinds_of(chip) == ["partial_sums", "sense_amplifier"]
    assert (tall.placement.n_stacked, tall.placement.n_side_by_side) == (4, 2)
    counts = run_chips(chip, encode_inputs(chip, random_features(network, n)), [0, 1], 7).counts
    reads = 2 * n
    assert counts.get("adc", "conversions") == reads * 21 * 4
    assert counts.get("partial_sums", "sums") == reads * 21 * 3
    assert counts.get("comparator", "decisions") == reads * 21
    assert counts.get("sense_amplifier", "decisions") == reads * 13
    costs = bundled_logic()
    bill = tile_bill(chip, tall, costs)
    parts = {part.component: part for part in bill.parts}
    # 16 pairs of an array share 4 ADCs
    assert parts["adc"].count == 4 * 2 * 4
    assert parts["partial_sums"].count == 3 * 2 * 4
    assert parts["comparator"].count == 2 * 4
    assert parts["register"].count == 21
    assert "sense_amplifier" not in parts
    prices = {(p.component, p.action): p for p in bill.prices}
    # codes of 5 bits, four of them: sums of 7
    width = 7
    added = width * (costs.sum_energy + costs.flip_flop_energy)
    assert prices["partial_sums", "sums"].each == pytest.approx(added)
    compared = width * (costs.memory_energy(4) + costs.sum_energy)
    assert prices["comparator", "decisions"].each == pytest.approx(compared)
    assert prices["adc", "conversions"].each == pytest.approx(0.254e-12, rel=0.01)
    graph = chip_graph(chip, costs, 1)
    items = {(i.component, i.action): i for i in energy_items(graph, counts, reads)}
    found = items["adc", "conversions"]
    assert found.energy == pytest.approx(reads * 84 * prices["adc", "conversions"].each)


def test_figures_of_both_kinds_rest_on_their_own_blocks():
    chip = build_chip(random_mlp(), mixed(24), bundled_device("reram"), NoiseConfig())
    costs = bundled_logic()
    for tile, own, other in zip(
        chip.tiles, ("tall_layers", "read_out"), ("read_out", "tall_layers"), strict=True
    ):
        parts, prices = tile_bill(chip, tile, costs)
        figures = [*parts, *prices, *tile_phases(chip, tile, costs)]
        blocks = {block for figure in figures for block in figure.rests_on}
        assert f"chip.{own}" in blocks
        assert f"chip.{other}" not in blocks


def test_columns_that_share_an_adc_are_converted_in_turn_and_compared_once():
    chip = build_chip(
        random_mlp(), mixed(24, columns_per_adc=4), bundled_device("reram"), NoiseConfig()
    )
    tall, low = (tile_phases(chip, tile, bundled_logic()) for tile in chip.tiles)
    assert [phase.name for phase in tall] == ["integrate", "convert", "compare", "write"]
    convert, compare = tall[1:3]
    # 10 ns at 100 MHz
    assert (convert.cycles, convert.repeats, compare.cycles) == (1, 4, 1)
    assert "convert" not in {phase.name for phase in low}


def test_noise_of_the_algorithm_reaches_a_sum_through_its_arrays():
    """sigma_eval of 3 level steps on two arrays: codes of whole levels round either share."""
    level = 1 / 3  # alpha over the top level
    levels = np.zeros((8, 300), np.int8)
    levels[0], levels[7] = 2, 1
    network = with_levels(levels, np.full(300, 2), 7)
    noise = IDEAL.model_copy(update={"sigma_eval": 3 * level})
    chip = build_chip(network, mixed(4, columns=1024), bundled_device("ideal"), noise)
    ones = np.ones((200, 8), np.uint8)
    share = bits_of(chip, ones)["dense0"].mean()
    # 1 where 3 + noise >= 2.5, and a rounding adds a variance of 1/12
    assert share == pytest.approx(ndtr(0.5 / np.sqrt(9 + 2 / 12)), abs=0.01)


def tall_convolution() -> Network:
    """3 x 3 windows of 256 channels, 2,304 rows; and 1,000 rows after it."""
    rng = np.random.default_rng(2)
    network = random_tensor((5, 6, 256))
    return dataclasses.replace(
        network,
        encoder=ConvEncoder(
            grid(rng.normal(size=(1, 1, 256, 256)) / 16), grid(rng.normal(size=256))
        ),
        nodes=chain(
            [
                Conv2d(random_matrix(rng, 3 * 3 * 256, 40, 7), kernel=3),
                Dense(random_matrix(rng, 3 * 4 * 40, 8, 7)),
            ]
        ),
    )


def tall_dense() -> Network:
    rng = np.random.default_rng(3)
    network = random_tensor((50,))
    encoder = DenseEncoder(grid(rng.normal(size=(50, 2000)) / 7), grid(rng.normal(size=2000)))
    nodes = [Dense(random_matrix(rng, 2000, 32, 7, 5)), Dense(random_matrix(rng, 32, 8, 7))]
    return dataclasses.replace(network, encoder=encoder, nodes=chain(nodes))


@pytest.mark.parametrize("make", [tall_dense, tall_convolution])
def test_tall_layers_of_the_shipped_chip_run_with_noise(make):
    network = make()
    shipped, device = bundled_chip("ba_mlw_mixed_16nm"), bundled_device("reram")
    encoded = encode_inputs(
        chip := build_chip(network, shipped, device, NoiseConfig()), tensor_features(network, 6)
    )
    assert kinds_of(chip) == ["partial_sums", "sense_amplifier"]
    noisy = bits_of(chip, encoded)
    exact = bits_of(build_chip(network, shipped, device, IDEAL), encoded)
    first = network.nodes[0].name
    # a few decisions are wrong, and far from half of them
    assert 0 < (noisy[first] != exact[first]).mean() < 0.2
    with pytest.raises(MappingError, match=r"tall_layers in the chip file, as in ba_mlw_mixed"):
        build_chip(network, bundled_chip(), device, NoiseConfig())


def test_a_network_without_tall_layers_does_not_see_the_second_read_out():
    network, device = random_gru(thresholds=2), bundled_device("reram")
    encoded, found = None, []
    for name in ("ba_mlw_16nm", "ba_mlw_mixed_16nm"):
        chip = build_chip(network, bundled_chip(name), device, NoiseConfig())
        if encoded is None:
            encoded = encode_inputs(chip, random_features(network, 40))
        found.append(run_chips(chip, encoded, [0, 2], 7, keep_bits=True))
    plain, both = found
    assert all(np.array_equal(plain.bits[name], both.bits[name]) for name in plain.bits)
    assert plain.counts.as_dict() == both.counts.as_dict()


def test_all_layers_of_a_chip_may_be_read_so():
    config = mixed(24)
    whole = config.model_copy(update={"read_out": config.tall_layers, "tall_layers": None})
    network, device = random_gru(thresholds=3), bundled_device("reram")
    chip = build_chip(network, whole, device, IDEAL)
    assert kinds_of(chip) == ["partial_sums"] * 2
    assert {tile.read_out.key for tile in chip.tiles} == {"read_out"}
    features = random_features(network, 20)
    exact = run_reference(network, features)
    found = bits_of(chip, encode_inputs(chip, features))
    assert all(np.array_equal(found[name][0], bits) for name, bits in exact.signals.items())
