from __future__ import annotations

import os
import subprocess
import sys

import naive
import numpy as np
import pytest
from kernel_data import KEY, TAG, joined, streams

from pimsim.kernels.logic import GruLogic, RegisterLogic
from pimsim.kernels.outputs import Outputs
from pimsim.kernels.portable import add_rows, read, recur, signed_rows
from pimsim.streams import decision_table

LOGICS = {"gru": (GruLogic, naive.gru), "register": (RegisterLogic, naive.register)}


@pytest.mark.parametrize("sigma", [0.0, 3.0, 400.0])
@pytest.mark.parametrize("shared_input", [True, False])
@pytest.mark.parametrize("name", ["gru", pytest.param("register", marks=pytest.mark.slow)])
def test_recurrent_tiles_equal_their_slow_twin(name, sigma, shared_input):
    logic, twin = LOGICS[name]
    rng = np.random.default_rng(1)
    n_chips, n, steps, hidden, below = 3, 4, 6, 7, 5
    n_columns = hidden * len(logic(hidden).signals)
    cells = rng.integers(-500, 500, (n_chips, hidden + below, n_columns)).astype(np.int32)
    start = rng.integers(-40, 40, (n_chips, n_columns)).astype(np.int32)
    shape = (1 if shared_input else n_chips, n, steps, below)
    bits = rng.integers(0, 2, shape).astype(np.uint8)
    chips, samples = [2, 0, 9], [5, 1, 7, 700]
    tables = [decision_table(sigma / (i + 1), 10**6) for i in range(n_columns // hidden)]
    outputs = Outputs(
        np.empty((n_chips, n, steps, hidden), np.uint8),
        np.empty((n_chips, n, steps, n_columns), np.uint8),
        np.zeros((n_chips, cells.shape[1]), np.int64),
        np.zeros(n_chips, np.int64),
    )
    recur(
        signed_rows(cells, start, fits_16_bits=False), joined(*((t, hidden) for t in tables)),
        bits, streams(chips, samples), logic(hidden), False, outputs,
    )  # fmt: skip
    each = [table for table in tables for _ in range(hidden)]
    trace, state = naive.recur(twin, hidden, cells, start, bits, each, TAG, KEY, chips, samples)
    assert np.array_equal(outputs.trace, trace)
    assert np.array_equal(outputs.state, state)
    driven, flips = naive.driven_and_flips(state, bits)
    assert np.array_equal(outputs.rows_driven, driven)
    assert np.array_equal(outputs.flips, flips)


@pytest.mark.parametrize("n_rows", [1, 7, 8, 9, 33, 1100])
def test_reads_equal_their_slow_twin(n_rows):
    rng = np.random.default_rng(n_rows)
    cells = rng.integers(-90, 90, (2, n_rows, 6)).astype(np.int32)
    start = rng.integers(-9, 9, (2, 6)).astype(np.int32)
    n_bits = n_rows + 2
    bits = rng.integers(0, 2, (1, 3, n_bits)).astype(np.uint8)
    wiring = rng.integers(0, n_bits + 1, (2, n_rows)).astype(np.uint64)
    table = decision_table(60.0, 10**6)
    out = np.empty((2, 3, 2, 6), np.uint8)
    driven = np.zeros((2, n_rows), np.int64)
    rows = signed_rows(cells, start, fits_16_bits=False)
    counters = streams([4, 5], [0, 1, 2])
    read(rows, joined((table, 6)), bits, wiring, counters, out, driven)
    # one past the last bit stands for no bit
    lines = np.pad(bits[0], ((0, 0), (0, 1)))[:, wiring.astype(int)]
    for chip, sample, position in np.ndindex(2, 3, 2):
        sums = lines[sample, position].astype(int) @ cells[chip] + start[chip]
        expected = naive.decide(sums, table, 0, 4 + chip, sample, position, TAG, KEY)
        assert np.array_equal(out[chip, sample, position], expected)
    assert np.array_equal(driven, np.broadcast_to(lines.sum(axis=(0, 1)), (2, n_rows)))


@pytest.mark.parametrize("kind", [np.int16, np.int32])
@pytest.mark.parametrize("n_active", range(10))
def test_rows_taken_off_leave_the_sums_as_they_were(n_active, kind):
    rng = np.random.default_rng(n_active)
    top = (2**15 - 1) // 20 if kind is np.int16 else 2**20
    cells = rng.integers(-top, top, (20, 5)).astype(kind)
    start = np.zeros((1, 5), np.int32)
    signed = signed_rows(cells[None], start, fits_16_bits=kind is np.int16).cells[0]
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
