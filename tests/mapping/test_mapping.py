from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from files import bundled_chip
from hypothesis import given
from hypothesis import strategies as st
from networks import random_matrix

from pimsim.config.weight_coding import DifferentialPair as PairBlock
from pimsim.errors import MappingError, Place
from pimsim.mapping import place_rows
from pimsim.mapping.weights import DifferentialPair
from pimsim.workload import chain

ARRAY = bundled_chip().array


def coding(*, half=False):
    return DifferentialPair(PairBlock(kind="differential_pair", half_level_thresholds=half))


def plan_of(matrix, *, half=False):
    return coding(half=half).plan(matrix, block_rows=ARRAY.rows)


def test_table_1_of_the_paper():
    # seven levels in a pair of four-level cells, k/3 of full scale on one side
    rng = np.random.default_rng(0)
    matrix = dataclasses.replace(
        random_matrix(rng, 1, 7), levels=np.arange(-3, 4, dtype=np.int8)[None]
    )
    cells = plan_of(matrix)
    assert cells.plus.tolist() == [[0, 0, 0, 0, 1, 2, 3]]
    assert cells.minus.tolist() == [[3, 2, 1, 0, 0, 0, 0]]
    assert cells.n_always_on == 0


@given(st.integers(0, 10**6), st.sampled_from([2, 3, 5, 7, 15]))
def test_swapping_the_sides_flips_the_sign(seed, n_levels):
    matrix = random_matrix(np.random.default_rng(seed), 4, 3, n_levels)
    cells = plan_of(matrix)
    flipped = plan_of(dataclasses.replace(matrix, levels=-matrix.levels))
    assert np.array_equal(cells.plus, flipped.minus)
    assert np.array_equal(cells.plus - cells.minus, matrix.levels)
    assert (np.minimum(cells.plus, cells.minus) == 0).all()


@given(st.integers(0, 10**6), st.sampled_from([2, 3, 7, 15]), st.integers(0, 40))
def test_thresholds_become_rows_that_are_always_on(seed, n_levels, largest):
    matrix = random_matrix(np.random.default_rng(seed), 4, 5, n_levels, thresholds=largest)
    cells = plan_of(matrix)
    always = (cells.plus - cells.minus)[matrix.n_rows :]
    assert np.array_equal(always.sum(axis=0), -matrix.thresholds)
    assert len(always) == cells.n_always_on == -(-abs(matrix.thresholds).max() // matrix.top_level)


@given(st.integers(0, 10**6), st.sampled_from([2, 3, 7, 15]), st.integers(0, 40))
def test_half_levels_decide_alike_and_meet_no_threshold(seed, n_levels, largest):
    rng = np.random.default_rng(seed)
    matrix = random_matrix(rng, 9, 5, n_levels, thresholds=largest)
    cells = plan_of(matrix, half=True)
    steps = (cells.plus.astype(int) - cells.minus).astype(int)
    # half levels, so twice the weights and twice the thresholds, and half a level more
    assert np.array_equal(steps[:9], 2 * matrix.levels)
    assert np.array_equal(steps[9:].sum(axis=0), -2 * matrix.thresholds - 1)
    assert cells.n_always_on == coding(half=True).n_always_on(matrix) >= 1
    assert max(cells.plus.max(), cells.minus.max()) <= 2 * matrix.top_level
    rows = rng.integers(0, 2, (50, 9))
    sums = rows @ steps[:9] + steps[9:].sum(axis=0)
    assert (sums != 0).all()
    assert np.array_equal(sums > 0, rows @ matrix.levels > matrix.thresholds)


def test_half_levels_change_no_scale():
    matrix = random_matrix(np.random.default_rng(0), 4, 3, 7)
    assert coding(half=True).full_scale(matrix) == coding().full_scale(matrix) == matrix.alpha


def test_half_levels_of_255_levels_are_refused():
    matrix = random_matrix(np.random.default_rng(0), 4, 3, 255)
    with pytest.raises(MappingError, match="needs 254 steps in a cell, and 127 are the most"):
        plan_of(matrix, half=True)


@pytest.mark.parametrize(
    ("n_rows", "n_pairs", "stacked", "side_by_side"),
    [(1, 1, 1, 1), (256, 256, 1, 1), (257, 256, 2, 1), (256, 257, 1, 2), (1024, 600, 4, 3)],
)
def test_arrays_are_stacked_and_set_side_by_side(n_rows, n_pairs, stacked, side_by_side):
    placement = place_rows("m", n_rows, n_pairs, ARRAY)
    assert (placement.n_stacked, placement.n_side_by_side) == (stacked, side_by_side)
    assert placement.rows_on_bit_line == 256 * stacked
    assert placement.n_arrays == stacked * side_by_side


def test_a_giant_threshold_is_refused_before_its_rows_are_built():
    from files import bundled_device
    from networks import random_gru

    from pimsim.chip import build_chip
    from pimsim.config import NoiseConfig

    network = random_gru()
    gate = dataclasses.replace(network.layers[0].gate, thresholds=np.full(12, 2**31 - 1, np.int32))
    layer = dataclasses.replace(network.layers[0], gate=gate)
    network = dataclasses.replace(network, nodes=chain((layer, network.layers[1])))
    with pytest.raises(MappingError, match="gru0 has 715827905 rows"):
        build_chip(network, bundled_chip(), bundled_device("reram"), NoiseConfig())


def test_more_rows_than_the_arrays_can_stack_are_refused():
    message = (
        "c.yaml:9: array is too small: layer m has 1025 rows, and 4 stacked arrays of 256 hold 1024"
    )
    with pytest.raises(MappingError, match=message):
        place_rows("m", 1025, 1, ARRAY, place=Place("c.yaml", 9, "array"))
