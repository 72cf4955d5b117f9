"""Bit planes against plain sums, and the round-by-round generator against the plain one."""

from __future__ import annotations

import naive
import numpy as np
import pytest
from kernel_data import KEY, TAG, streams
from pimsim.kernels.sliced import Planes, add_up, pack, read_layer, run_gru
from pimsim.simulate.operands import GROUP, WORD, _by_sum, bit_planes

from pimsim.kernels.philox import philox, philox_blocks
from pimsim.streams import decision_table

STEP = 40  # quanta of a level


@pytest.mark.parametrize(("n_rows", "top"), [(1, 1), (64, 3), (65, 7), (256, 3), (300, 127)])
def test_counted_bits_are_the_sum_of_levels(n_rows, top):
    rng = np.random.default_rng(n_rows)
    levels = rng.integers(-top, top + 1, (n_rows, 9))
    levels[:, 0], levels[:, 1] = top, -top
    low, standing = np.full(9, top), rng.integers(-5, 6, 9)
    planes = Planes(bit_planes(levels + low), low, standing, np.empty(0, np.uint64), low)
    words = np.empty(planes.planes.shape[1], np.uint64)
    assert len(words) % GROUP == 0
    sums = np.empty(9, np.int64)
    for bits in (np.zeros(n_rows), np.ones(n_rows), rng.integers(0, 2, n_rows)):
        pack(bits.astype(np.uint8), words)
        assert add_up(words, planes, sums) == bits.sum()
        np.testing.assert_array_equal(sums, bits @ levels + standing)


def test_packed_bits_stand_at_their_places():
    bits = np.random.default_rng(0).integers(0, 2, 150).astype(np.uint8)
    words = np.empty(4, np.uint64)
    pack(bits, words)
    for row, bit in enumerate(bits):
        assert (int(words[row // WORD]) >> (row % WORD)) & 1 == bit
    assert words[3] == 0


def test_blocks_round_by_round_are_the_published_generator():
    counter = [np.uint64(x) for x in (0xFFFFFFFF, 5, 0x243F6A88)]
    key = np.uint64(0xA4093822), np.uint64(0x299F31D0)
    tags = np.arange(43, dtype=np.uint64) | np.uint64(7 << 20)
    words = np.empty((4, 43), np.uint64)
    philox_blocks(*counter, tags, *key, words)
    for i, tag in enumerate(tags):
        assert tuple(words[:, i]) == tuple(philox(*counter, tag, *key))


def shared(rng, n_rows, n_columns, table):
    """Weights that all chips share: their planes, and the cells and rows that are always on."""
    levels = rng.integers(-3, 4, (n_rows, n_columns))
    low, standing = np.full(n_columns, 3), rng.integers(-5, 6, n_columns)
    widest = 3 * n_rows + 5
    chance = _by_sum(table, STEP, widest)
    planes = Planes(bit_planes(levels + low), low, standing, chance, np.full(n_columns, widest))
    return planes, levels * STEP, standing * STEP


@pytest.mark.parametrize("sigma", [0.0, 60.0])
def test_gru_equals_its_slow_twin(sigma):
    rng = np.random.default_rng(2)
    table, hidden, below = decision_table(sigma, 10**6), 5, 4
    planes, cells, start = shared(rng, hidden + below, 2 * hidden, table)
    bits = rng.integers(0, 2, (1, 3, 4, below)).astype(np.uint8)
    out, trace = np.empty((2, 3, 4, hidden), np.uint8), np.empty((2, 3, 4, 2 * hidden), np.uint8)
    driven, flips = np.zeros((2, hidden + below), np.int64), np.zeros(2, np.int64)
    run_gru(planes, bits, streams([6, 1], [9, 0, 3]), out, trace, driven, flips)
    cells, start = np.broadcast_to(cells, (2, *cells.shape)), np.broadcast_to(start, (2, 10))
    gate, candidate, expected = naive.run_gru(
        cells, start, bits, table, table, TAG, KEY, [6, 1], [9, 0, 3]
    )
    assert np.array_equal(out, expected)
    assert np.array_equal(trace, np.concatenate([gate, candidate], axis=-1))
    old = np.concatenate([np.zeros_like(expected[:, :, :1]), expected[:, :, :-1]], axis=2)
    assert np.array_equal(flips, (old ^ expected).sum(axis=(1, 2, 3)))
    on = np.concatenate([old, np.broadcast_to(bits, (2, *bits.shape[1:]))], axis=-1)
    assert np.array_equal(driven, on.sum(axis=(1, 2)))


def test_read_layer_equals_its_slow_twin():
    rng = np.random.default_rng(3)
    table = decision_table(60.0, 10**6)
    planes, cells, start = shared(rng, 9, 6, table)
    bits = rng.integers(0, 2, (1, 3, 2, 9)).astype(np.uint8)
    out, driven = np.empty((2, 3, 2, 6), np.uint8), np.zeros((2, 9), np.int64)
    read_layer(planes, bits, streams([4, 5], [0, 1, 2]), out, driven)
    for chip, sample, position in np.ndindex(2, 3, 2):
        sums = bits[0, sample, position].astype(int) @ cells + start
        expected = naive.decide(sums, table, 0, 4 + chip, sample, position, TAG, KEY)
        assert np.array_equal(out[chip, sample, position], expected)
    assert np.array_equal(driven, np.broadcast_to(bits.sum(axis=(0, 1, 2)), (2, 9)))
