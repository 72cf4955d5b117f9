"""Sequences in lanes against the slow twins, at shapes that fill no register."""

from __future__ import annotations

import naive
import numpy as np
import pytest
from kernel_data import KEY, TAG, joined, streams

from pimsim.kernels import lanes, registers
from pimsim.kernels.half_sums import SIDE_BY_SIDE
from pimsim.kernels.lane_sums import byte_groups, lane_tables
from pimsim.kernels.lanes import blocks_of, n_blocks, pack, unpack
from pimsim.kernels.logic import GruLogic, RegisterLogic
from pimsim.kernels.outputs import Outputs
from pimsim.kernels.registers import BYTE_ROWS, ROWS, WORDS
from pimsim.streams import decision_table

LOGICS = {"gru": (GruLogic, naive.gru), "register": (RegisterLogic, naive.register)}

pytestmark = pytest.mark.skipif(not registers.available, reason="needs AVX-512 with VBMI2, or AVX2")
needs_bytes = pytest.mark.skipif(not registers.has_bytes, reason="needs AVX-512 with VBMI")


def test_bits_packed_and_unpacked_are_the_same():
    bits = np.random.default_rng(1).integers(0, 2, (2, 131, 3, 5)).astype(np.uint8)
    words = pack(bits)
    assert words.shape == (2, 2, 3, 5, WORDS)
    assert np.array_equal(unpack(words, 131), bits)
    assert int(words[1, 0, 2, 4, 0]) >> 7 & 1 == bits[1, 7, 2, 4]
    assert blocks_of(np.arange(131)).valid.tolist() == [[2**64 - 1] * 2, [7, 0]]


# rows, columns, sequences; the largest sum is that of 16 bits
SHAPES = [(1, 1, 1), (5, 4, 128), (33, 7, 130), (256, 9, 20), (1023, 3, 5), (1100, 2, 3)]


@pytest.mark.parametrize(("n_rows", "n_columns", "n"), [*SHAPES, (4, 600, 2)])
@pytest.mark.parametrize(
    ("sigma", "levels"),
    [
        *[(sigma, 0) for sigma in (0.0, 60.0, 20000.0)],
        *[pytest.param(*case, marks=needs_bytes) for case in ((2.0, 3), (60.0, 3), (2.0, 21))],
    ],
)
def test_reads_equal_their_slow_twin(n_rows, n_columns, n, sigma, levels):
    """Of currents, and of levels in bytes, whose probabilities fit a register or do not."""
    rng = np.random.default_rng(n_rows)
    top = levels or (2**15 - 1 - 50) // n_rows
    cells = rng.integers(-top, top + 1, (2, n_rows, n_columns)).astype(np.int32)
    cells[0, :, 0], cells[1, :, 0] = top, -top  # the extremes of 16 bits
    start = rng.integers(-50, 51, (2, n_columns)).astype(np.int32)
    positions, n_bits = 2, n_rows + 3
    wiring = rng.integers(0, n_bits + 1, (positions, n_rows))
    wiring[1] = 0
    bits = rng.integers(0, 2, (1, n, n_bits)).astype(np.uint8)
    bits[:, 0, 0] = 1  # all rows on
    groups = min(map(byte_groups, cells)) if levels else 0
    table = decision_table(sigma, 10**6)
    words = pack(np.pad(bits, ((0, 0), (0, 0), (0, 1))))
    out = np.empty((2, n_blocks(n), positions, n_columns, WORDS), np.uint64)
    driven = np.zeros((2 * n_blocks(n), n_rows), np.int64)
    samples = rng.integers(0, 9999, n)
    lanes.read(
        lane_tables(cells, start, groups), joined((table, n_columns)), words,
        wiring.astype(np.uint64), streams([4, 5], samples), blocks_of(samples), out, driven,
    )  # fmt: skip
    found = unpack(out, n)
    # one past the last bit stands for no bit
    on = np.pad(bits[0], ((0, 0), (0, 1)))[:, wiring]
    for chip, s, position in np.ndindex(2, n, positions):
        sums = on[s, position].astype(int) @ cells[chip] + start[chip]
        place = (4 + chip, int(samples[s]), position, TAG, KEY)
        assert np.array_equal(found[chip, s, position], naive.decide(sums, table, 0, *place))
    each = driven.reshape(2, -1, n_rows).sum(axis=1)
    assert np.array_equal(each, np.broadcast_to(on.sum(axis=(0, 1)), (2, n_rows)))


@pytest.mark.parametrize(
    ("sigma", "top"),
    [(0.0, 90), (25.0, 90), (9000.0, 90), pytest.param(2.2, 7, marks=needs_bytes)],
)
@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize(
    ("name", "hidden", "below", "n"),
    [
        ("gru", 7, 5, 9), ("gru", 1, 1, 130), ("gru", 6, 3, 128),
        pytest.param("register", 7, 5, 9, marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_recurrent_tiles_equal_their_slow_twin(name, hidden, below, n, sigma, top, skip):
    """Also where draws are skipped: they change no state bit."""
    logic, twin = LOGICS[name]
    rng = np.random.default_rng(hidden)
    n_chips, steps, n_columns = 2, 4, hidden * len(logic(hidden).signals)
    cells = rng.integers(-top, top + 1, (n_chips, hidden + below, n_columns)).astype(np.int32)
    start = rng.integers(-top // 2, top // 2, (n_chips, n_columns)).astype(np.int32)
    bits = rng.integers(0, 2, (1, n, steps, below)).astype(np.uint8)
    table = decision_table(sigma, 10**6)
    chips, samples = [2, 9], rng.integers(0, 9999, n)
    shape = (n_chips, n_blocks(n), steps)
    outputs = Outputs(
        np.empty((*shape, hidden, WORDS), np.uint64),
        np.empty((0,) * 5 if skip else (*shape, n_columns, WORDS), np.uint64),
        np.zeros((n_chips * n_blocks(n), hidden + below), np.int64),
        np.zeros(n_chips * n_blocks(n), np.int64),
    )
    lanes.recur(
        lane_tables(cells, start, 1 if top == 7 else 0), joined((table, n_columns)), pack(bits),
        streams(chips, samples), blocks_of(samples), logic(hidden), skip, outputs,
    )  # fmt: skip
    trace, state = naive.recur(
        twin, hidden, cells, start, bits, [table] * n_columns, TAG, KEY, chips, samples
    )
    assert np.array_equal(unpack(outputs.state, n), state)
    if not skip:
        assert np.array_equal(unpack(outputs.trace, n), trace)
    driven, flips = naive.driven_and_flips(state, bits)
    assert np.array_equal(outputs.rows_driven.reshape(*shape[:2], -1).sum(axis=1), driven)
    assert np.array_equal(outputs.flips.reshape(n_chips, -1).sum(axis=1), flips)


@pytest.mark.parametrize(("groups", "n_rows"), [(0, ROWS), (1, BYTE_ROWS)])
def test_a_table_holds_the_sums_of_its_rows(groups, n_rows):
    cells = np.random.default_rng(1).integers(-21, 22, (1, 8, 5)).astype(np.int32)
    tables = lane_tables(cells, np.zeros((1, 5), np.int32), groups).sums
    if tables.dtype == np.uint8:
        low, high = np.split(tables.astype(np.int16), 2, axis=-1)
        tables = low + (high << 8)
    assert tables.shape == (1, 2, -(-len(cells[0]) // n_rows), SIDE_BY_SIDE, 2**n_rows)
    padded = np.pad(cells[0], ((0, 4), (0, 3)))
    for four, group, place, entry in np.ndindex(tables.shape[1:]):
        rows = [n_rows * group + r for r in range(n_rows) if entry >> r & 1]
        expected = padded[rows, SIDE_BY_SIDE * four + place].sum()
        assert tables[0, four, group, place, entry] == expected


@pytest.mark.parametrize(
    ("rows", "groups"),
    [([21] * 6, 1), ([21] * 6 + [1], 2), ([21] * 6 + [2], 1), ([22] * 6, 0), ([-22] * 6, 0),
     ([3] * 120, 7), ([3, -3] * 60, 10), ([3, -3] * 42, 14), ([0] * 9, 2)],
)  # fmt: skip
def test_bytes_add_groups_of_rows_whose_sums_fit(rows, groups):
    cells = np.array(rows, np.int32)[:, None]
    assert byte_groups(cells) == groups
    for first in range(0, len(cells), max(1, groups) * BYTE_ROWS):
        part = cells[first : first + groups * BYTE_ROWS]
        assert np.maximum(part, 0).sum() < 128
        assert np.maximum(-part, 0).sum() < 128
