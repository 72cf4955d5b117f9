from __future__ import annotations

import naive
import numpy as np
import pytest

from pimsim.kernels.philox import philox, philox_blocks, philox_plane

# known answers of the Random123 distribution (kat_vectors, philox4x32 with 10 rounds)
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((naive.MASK,) * 4, (naive.MASK,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_philox_gives_the_published_words(counter, key, words):
    assert tuple(int(w) for w in philox(*map(np.uint64, counter), *map(np.uint64, key))) == words
    assert naive.philox(counter, key) == words


def test_a_plane_equals_single_words():
    out = np.empty((2, 3, 6), np.uint32)
    philox_plane(4, 1 << 28, 8, 9, out)
    for side, row, column in np.ndindex(out.shape):
        words = naive.philox((4, row, side, (1 << 28) | column // 4), (8, 9))
        assert out[side, row, column] == words[column % 4]


def test_blocks_round_by_round_are_the_published_generator():
    counter = [np.uint64(x) for x in (0xFFFFFFFF, 5, 0x243F6A88)]
    key = np.uint64(0xA4093822), np.uint64(0x299F31D0)
    tags = np.arange(43, dtype=np.uint64) | np.uint64(7 << 20)
    words = np.empty((4, 43), np.uint64)
    philox_blocks(*counter, tags, *key, words)
    for i, tag in enumerate(tags):
        assert tuple(words[:, i]) == tuple(philox(*counter, tag, *key))
