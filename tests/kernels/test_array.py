from __future__ import annotations

import os
import subprocess
import sys

import naive
import numpy as np
import pytest
from kernel_data import KEY, TAG, chances_of, streams
from pimsim.kernels.array import add_rows, read_layer, run_gru
from pimsim.simulate.operands import signed_rows

from pimsim.streams import decision_table


@pytest.mark.parametrize("sigma", [0.0, 3.0, 400.0])
@pytest.mark.parametrize("shared_input", [True, False])
def test_gru_equals_its_slow_twin(sigma, shared_input):
    rng = np.random.default_rng(1)
    n_chips, n, steps, hidden, below = 3, 4, 6, 7, 5
    cells = rng.integers(-500, 500, (n_chips, hidden + below, 2 * hidden)).astype(np.int32)
    start = rng.integers(-40, 40, (n_chips, 2 * hidden)).astype(np.int32)
    shape = (1 if shared_input else n_chips, n, steps, below)
    bits = rng.integers(0, 2, shape).astype(np.uint8)
    chips, samples = [2, 0, 9], [5, 1, 7, 700]
    gate_chances, candidate_chances = decision_table(sigma, 10**6), decision_table(sigma / 2, 10**6)
    out = np.empty((n_chips, n, steps, hidden), np.uint8)
    trace = np.empty((n_chips, n, steps, 2 * hidden), np.uint8)
    rows_driven, flips = np.zeros((n_chips, cells.shape[1]), np.int64), np.zeros(n_chips, np.int64)
    chances = chances_of((gate_chances, hidden), (candidate_chances, hidden))
    run_gru(
        signed_rows(cells), start, bits, chances, streams(chips, samples), False,
        out, trace, rows_driven, flips,
    )  # fmt: skip
    gate, candidate, expected = naive.run_gru(
        cells, start, bits, gate_chances, candidate_chances, TAG, KEY, chips, samples
    )
    assert np.array_equal(trace, np.concatenate([gate, candidate], axis=-1))
    assert np.array_equal(out, expected)
    old = np.concatenate([np.zeros_like(expected[:, :, :1]), expected[:, :, :-1]], axis=2)
    inputs = np.broadcast_to(bits, (n_chips, n, steps, below))
    driven = np.concatenate([old, inputs], axis=-1).sum(axis=(1, 2), dtype=int)
    assert np.array_equal(rows_driven, driven)
    assert np.array_equal(flips, (old ^ expected).sum(axis=(1, 2, 3)))


@pytest.mark.parametrize("n_rows", [1, 7, 8, 9, 33, 1100])
def test_read_layer_equals_its_slow_twin(n_rows):
    rng = np.random.default_rng(n_rows)
    cells = rng.integers(-90, 90, (2, n_rows, 6)).astype(np.int32)
    start = rng.integers(-9, 9, (2, 6)).astype(np.int32)
    bits = rng.integers(0, 2, (1, 3, 2, n_rows)).astype(np.uint8)
    chances = decision_table(60.0, 10**6)
    out = np.empty((2, 3, 2, 6), np.uint8)
    driven = np.zeros((2, n_rows), np.int64)
    whom = streams([4, 5], [0, 1, 2])
    read_layer(signed_rows(cells), start, bits, chances_of((chances, 6)), whom, out, driven)
    for chip, sample, position in np.ndindex(2, 3, 2):
        sums = bits[0, sample, position].astype(int) @ cells[chip] + start[chip]
        expected = naive.decide(sums, chances, 0, 4 + chip, sample, position, TAG, KEY)
        assert np.array_equal(out[chip, sample, position], expected)
    assert np.array_equal(driven, np.broadcast_to(bits.sum(axis=(0, 1, 2)), (2, n_rows)))


@pytest.mark.parametrize("kind", [np.int16, np.int32])
@pytest.mark.parametrize("n_active", range(10))
def test_rows_taken_off_leave_the_sums_as_they_were(n_active, kind):
    rng = np.random.default_rng(n_active)
    top = (2**15 - 1) // 20 if kind is np.int16 else 2**20
    cells = rng.integers(-top, top, (20, 5)).astype(kind)
    signed = signed_rows(cells[None])[0]
    rows = np.full(n_active + 3, -1, np.int64)
    rows[:n_active] = chosen = rng.permutation(20)[:n_active]
    sums = rng.integers(-9, 9, 5).astype(kind)
    before = sums.copy()
    add_rows(signed, rows, n_active, 20, sums)
    assert np.array_equal(sums, before + cells[chosen].sum(axis=0))
    rows[:n_active] = 21 + chosen
    add_rows(signed, rows, n_active, 20, sums)
    assert np.array_equal(sums, before)


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="is that run itself")
def test_kernels_are_the_same_without_compilation():
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert " passed" in done.stdout
