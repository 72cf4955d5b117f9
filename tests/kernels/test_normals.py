"""Normal numbers from words: scipy's inverse is the twin."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri

from pimsim.kernels.normals import normals_of

GRID = 2.0**-24
# both ends, the median, and both sides of where the middle ends and tails begin
EDGES = [0, 1, 2, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1]
EDGES += [round(share * 2**32) + step for share in (0.075, 0.925) for step in (-2, -1, 0, 1)]


@pytest.mark.parametrize("seed", range(4))
def test_equals_scipy(seed: int) -> None:
    words = np.random.default_rng(seed).integers(0, 2**32, 1 << 18, np.uint32)
    words[: len(EDGES)] = EDGES
    found = np.empty(len(words))
    normals_of(words, GRID, found)
    expected = np.rint(ndtri((words + 0.5) / 2.0**32) / GRID) * GRID
    np.testing.assert_array_equal(found, expected)


def test_no_words() -> None:
    normals_of(np.empty(0, np.uint32), GRID, np.empty(0))


def test_is_symmetric_and_rises() -> None:
    """Without rounding, to 15 digits: a wrong constant in either part would show."""
    words = np.linspace(0, 2**32 - 1, 10_001).astype(np.uint32)
    found, mirrored = np.empty(len(words)), np.empty(len(words))
    normals_of(words, 1e-300, found)
    normals_of(~words, 1e-300, mirrored)
    assert (np.diff(found) > 0).all()
    np.testing.assert_allclose(mirrored, -found, rtol=2e-15, atol=1e-15)
    np.testing.assert_allclose(found, ndtri((words + 0.5) / 2.0**32), rtol=3e-15, atol=1e-15)
