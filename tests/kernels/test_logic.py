"""A logic of one's own: the loop over steps knows none by name."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import NamedTuple

import naive
import numpy as np
import pytest
from code_networks import coded_matrix, neurons
from kernel_data import KEY, TAG, joined, streams
from numba import njit

from pimsim.kernels import portable
from pimsim.kernels.logic import LstmLogic, leave_out_bits, step_bits, step_codes
from pimsim.kernels.outputs import Outputs
from pimsim.streams import decision_table
from pimsim.workload.layers import Lstm


class Inverting(NamedTuple):
    """The decided bit is the new state, inverted in every second step."""

    n_state: int
    n_memory: int = 1


@step_bits.register(Inverting)
def _step(logic, decided, lines, memory, state):
    flipped = 0
    for unit in range(state.shape[0]):
        new = decided[unit] ^ memory[0]
        flipped += new ^ lines[unit]
        state[unit] = lines[unit] = new
    memory[0] ^= 1
    return flipped


@leave_out_bits.register(Inverting)
def _leave_out(logic, decided, lines, memory, mask):
    pass


def operands(logic, n_columns, hidden=5, below=3):
    """Arguments of the portable kernel, and its outputs."""
    rng = np.random.default_rng(4)
    cells = rng.integers(-50, 50, (2, hidden + below, n_columns)).astype(np.int32)
    start = rng.integers(-9, 9, (2, n_columns)).astype(np.int32)
    bits = rng.integers(0, 2, (1, 3, 4, below)).astype(np.uint8)
    outputs = Outputs(
        np.empty((2, 3, 4, hidden), np.uint8),
        np.empty((2, 3, 4, n_columns), np.uint8),
        np.zeros((2, hidden + below), np.int64),
        np.zeros(2, np.int64),
    )
    rows = portable.signed_rows(cells, start, fits_16_bits=True)
    tables = joined((decision_table(30.0, 10**6), n_columns))
    counters = streams([6, 1], [9, 0, 3])
    return (rows, tables, bits, counters, logic(hidden), False, outputs), cells, start


def test_a_logic_of_another_file_runs_in_the_same_loop():
    arguments, cells, start = operands(Inverting, 5)
    # not cached on disk: another process would look for this class there
    plain = getattr(portable.recur, "py_func", portable.recur)
    njit(parallel=True)(plain)(*arguments)
    bits, outputs = arguments[2], arguments[-1]
    memory = np.zeros((2, 3), int)

    def step(decided, old):
        # the twin goes through chips, sequences and steps in this order
        count = memory.sum()
        memory.flat[count // 4] += 1
        return decided ^ (count % 4 % 2)

    tables = [decision_table(30.0, 10**6)] * 5
    trace, state = naive.recur(
        step, 5, cells, start, bits, tables, TAG, KEY, [6, 1], [9, 0, 3]
    )  # fmt: skip
    assert np.array_equal(outputs.trace, trace)
    assert np.array_equal(outputs.state, state)
    assert np.array_equal(outputs.flips, naive.driven_and_flips(state, bits)[1])


def test_a_logic_without_a_form_is_refused():
    class Unknown(NamedTuple):
        n_state: int
        n_memory: int = 0

    with pytest.raises(NotImplementedError, match="Unknown"):
        step_bits(Unknown(3), None, None, None, None)


RUN = """
import test_logic
from pimsim.kernels import portable
from pimsim.kernels.logic import GruLogic
portable.recur(*test_logic.operands(GruLogic, 10)[0])
stats = portable.recur.stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="needs the compiler")
def test_a_kernel_with_its_logic_is_compiled_once():
    folders = os.pathsep.join(path for path in sys.path if path)
    environment = {**os.environ, "PYTHONPATH": folders}
    for _ in range(2):
        command = [sys.executable, "-c", RUN]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    # the second process takes what the first one compiled or found
    assert done.stdout.split() == ["1", "0"]


@njit
def one_step(logic, top, decided, lines, memory, state):
    return step_codes(logic, top, decided, lines, memory, state)


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="needs the compiler")
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_lstm_of_the_kernel_is_that_of_the_exact_machine(bits):
    """Decisions of all codes, also those that clip cell states and states."""
    rng, n = np.random.default_rng(bits), 400
    matrices = [coded_matrix(rng, n + 1, n, 8, 4, zero=zero) for zero in (0, 0, 0, 128)]
    cell = neurons(rng, 1, 8, 20, 100)
    layer = Lstm(*matrices, cell, 5, 1.0, 2, bits, 1, 8 - bits)
    logic = LstmLogic(
        n, 128, 31, 4, cell.limits, 100, 2 ** (8 - bits), 1, 2**bits - 1, layer.n_memory
    )
    lines, memory = np.full(n + 1, 1, np.uint8), np.zeros(n, np.int64)
    state, kept = np.full((1, n), 1, np.uint8), np.zeros((1, n), np.int64)
    new, reached = np.empty(n, np.uint8), set()
    for _ in range(30):
        decided = rng.choice([0, 1, 127, 128, 254, 255, *range(256)], 4 * n).astype(np.uint8)
        flips = one_step(logic, 255, decided, lines, memory, new)
        found = layer.next_state(np.split(decided[None], 4, axis=1), state, kept, None)
        assert np.array_equal(new, found[0])
        assert np.array_equal(memory, kept[0])
        assert np.array_equal(lines[:n], new)
        assert flips == np.bitwise_count(state ^ found).sum()
        state = found
        reached |= set(memory.tolist())
    assert reached == set(range(-31, 32))
