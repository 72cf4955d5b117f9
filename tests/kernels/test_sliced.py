"""Bit planes against plain sums, and the round-by-round generator against the plain one."""

from __future__ import annotations

import numpy as np
import pytest

from pimsim.kernels.philox import philox, philox_blocks
from pimsim.kernels.sliced import Planes, add_up, pack
from pimsim.simulate.operands import GROUP, WORD, bit_planes


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
    tags = np.arange(48, dtype=np.uint64) | np.uint64(7 << 20)
    words = np.empty((3, 4, 16), np.uint64)
    philox_blocks(*counter, tags, *key, words)
    for i, tag in enumerate(tags):
        assert tuple(words[i // 16, :, i % 16]) == tuple(philox(*counter, tag, *key))
