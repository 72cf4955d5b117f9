from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr

from pimsim.kernels.decisions import Streams, join_tables
from pimsim.kernels.portable import SignedRows, read
from pimsim.streams import Purpose, decision_table, key_words, normals, tag


def test_normals_are_normal_and_repeat():
    draws = normals(7, Purpose.CELL, 3, 1, (2, 200, 250))
    assert np.array_equal(draws, normals(7, Purpose.CELL, 3, 1, (2, 200, 250)))
    assert stats.kstest(draws.ravel(), "norm").pvalue > 0.01
    # neighbours of every kind share nothing
    for axis in range(3):
        pairs = np.corrcoef(draws.take(0, axis).ravel(), draws.take(1, axis).ravel())[0, 1]
        assert abs(pairs) < 5 / np.sqrt(draws.take(0, axis).size)


@pytest.mark.parametrize(
    "other",
    [(8, Purpose.CELL, 3, 1), (7, Purpose.OFFSET, 3, 1), (7, Purpose.CELL, 4, 1),
     (7, Purpose.CELL, 3, 2), (7 + 2**32, Purpose.CELL, 3, 1)],
)  # fmt: skip
def test_seed_purpose_chip_and_layer_each_make_other_numbers(other):
    draws = normals(7, Purpose.CELL, 3, 1, (1, 50, 50))
    assert abs(np.corrcoef(draws.ravel(), normals(*other, (1, 50, 50)).ravel())[0, 1]) < 0.1


def test_a_larger_plane_starts_with_the_smaller_one():
    small = normals(1, Purpose.CELL, 0, 0, (2, 3, 5))
    assert np.array_equal(normals(1, Purpose.CELL, 0, 0, (2, 6, 9))[:, :3, :5], small)


@pytest.mark.parametrize("sigma", [0.3, 1.0, 37.0, 5000.0])
def test_decision_table_is_phi(sigma):
    table = decision_table(sigma, 10**9)
    limit = (len(table) - 1) // 2
    at = np.arange(-limit, limit + 1)
    # complements below and above: tails exact, no entry off by more than rounding
    assert np.abs(table[: limit + 1] - 2.0**32 * ndtr(at[: limit + 1] / sigma)).max() <= 0.5
    assert (table.astype(object) + table[::-1].astype(object) == 2**32).all()
    assert (np.diff(table.astype(np.int64)) >= 0).all()
    # beyond the table the entry would be 0 or 2^32, so a draw could change nothing
    assert np.round(2.0**32 * ndtr(-(limit + 1) / sigma)) == 0


def test_no_noise_is_a_strict_comparison():
    assert decision_table(0.0, 99).tolist() == [0]


def test_decisions_near_the_threshold_follow_phi():
    # a chi-square over distances from -3 to 3 sigma, 20,000 decisions each
    sigma, n = 50.0, 20_000
    distances = np.arange(-150, 151, 25)
    cells = np.zeros((1, 2, len(distances)), np.int32)
    start = distances[None].astype(np.int32)
    out = np.empty((1, n, 1, len(distances)), np.uint8)
    streams = Streams(
        np.array(key_words(2026), np.uint64),
        np.uint64(tag(Purpose.DECISION, 0)),
        np.zeros(1, np.int64),
        np.arange(n),
    )
    bits = np.zeros((1, n, 1), np.uint8)
    tables = join_tables([decision_table(sigma, 10**6)], [len(distances)])
    wiring = np.zeros((1, 1), np.uint64)
    driven = np.zeros((1, 1), np.int64)
    read(SignedRows(cells, start), tables, bits, wiring, streams, out, driven)
    ones = out[0, :, 0].sum(axis=0, dtype=float)
    expected = n * ndtr(distances / sigma)
    chi2 = ((ones - expected) ** 2 / (expected * (1 - expected / n))).sum()
    assert stats.chi2.sf(chi2, len(distances)) > 0.01
