"""Sequences in lanes against the slow twins, at shapes that fill no register."""

from __future__ import annotations

import naive
import numpy as np
import pytest
from kernel_data import KEY, TAG, chances_of, streams
from pimsim.simulate.operands import tables_of

from pimsim.kernels import lanes, registers
from pimsim.kernels.half_sums import SIDE_BY_SIDE
from pimsim.kernels.lane_sums import byte_groups
from pimsim.kernels.registers import BYTE_ENTRIES, BYTE_ROWS, LANES, ROWS, WORDS
from pimsim.simulate.signals import block_of, n_blocks, pack, unpack
from pimsim.streams import decision_table

pytestmark = pytest.mark.skipif(not registers.available, reason="needs AVX-512 with VBMI2, or AVX2")
needs_bytes = pytest.mark.skipif(not registers.has_bytes, reason="needs AVX-512 with VBMI")


def limits_of(table, n_columns):
    limit = -1 if len(table) == 1 else min(len(table) // 2, 2**15 - 1)
    return np.full(n_columns, limit, np.int64)


def test_bits_packed_and_unpacked_are_the_same():
    bits = np.random.default_rng(1).integers(0, 2, (2, 131, 3, 5)).astype(np.uint8)
    words = pack(bits)
    assert words.shape == (2, 2, 3, 5, WORDS)
    assert np.array_equal(unpack(words, 131), bits)
    assert int(words[1, 0, 2, 4, 0]) >> 7 & 1 == bits[1, 7, 2, 4]
    assert block_of(np.arange(131)).valid.tolist() == [[2**64 - 1] * 2, [7, 0]]


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
def test_read_layer_equals_its_slow_twin(n_rows, n_columns, n, sigma, levels):
    """Of currents, and of levels in bytes, whose chances fit a register or do not."""
    rng = np.random.default_rng(n_rows)
    top = levels or (2**15 - 1 - 50) // n_rows
    cells = rng.integers(-top, top + 1, (2, n_rows, n_columns)).astype(np.int32)
    cells[0, :, 0], cells[1, :, 0] = top, -top  # the extremes of 16 bits
    start = rng.integers(-50, 51, (2, n_columns)).astype(np.int32)
    positions, n_bits = 2, n_rows + 3
    wiring = rng.integers(-1, n_bits, (positions, n_rows))
    wiring[1] = 0
    bits = rng.integers(0, 2, (1, n, n_bits)).astype(np.uint8)
    bits[:, 0, 0] = 1  # all rows on
    at_once = min(map(byte_groups, cells)) if levels else None
    table = decision_table(sigma, 10**6)
    words = pack(np.pad(bits, ((0, 0), (0, 0), (0, 1))))
    out = np.empty((2, n_blocks(n), positions, n_columns, WORDS), np.uint64)
    driven = np.zeros((2 * n_blocks(n), n_rows), np.int64)
    samples = rng.integers(0, 9999, n)
    lanes.read_layer(
        tables_of(cells, start, at_once), words, wiring, limits_of(table, n_columns),
        chances_of((table, n_columns)), streams([4, 5], samples), block_of(samples), out, driven,
    )  # fmt: skip
    found = unpack(out, n)
    on = np.where(wiring < 0, 0, bits[0][:, wiring])
    for chip, s, position in np.ndindex(2, n, positions):
        sums = on[s, position].astype(int) @ cells[chip] + start[chip]
        where = (4 + chip, int(samples[s]), position, TAG, KEY)
        assert np.array_equal(found[chip, s, position], naive.decide(sums, table, 0, *where))
    each = driven.reshape(2, -1, n_rows).sum(axis=1)
    assert np.array_equal(each, np.broadcast_to(on.sum(axis=(0, 1)), (2, n_rows)))


@pytest.mark.parametrize(
    ("sigma", "top"),
    [(0.0, 90), (25.0, 90), (9000.0, 90), pytest.param(2.2, 7, marks=needs_bytes)],
)
@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize(("hidden", "below", "n"), [(7, 5, 9), (1, 1, 130), (6, 3, 128)])
def test_gru_equals_its_slow_twin(hidden, below, n, sigma, top, skip):
    """Also where draws are skipped: they change no hidden bit."""
    rng = np.random.default_rng(hidden)
    n_chips, steps = 2, 4
    cells = rng.integers(-top, top + 1, (n_chips, hidden + below, 2 * hidden)).astype(np.int32)
    at_once = 1 if top == 7 else None
    start = rng.integers(-top // 2, top // 2, (n_chips, 2 * hidden)).astype(np.int32)
    bits = rng.integers(0, 2, (1, n, steps, below)).astype(np.uint8)
    table = decision_table(sigma, 10**6)
    chips, samples = [2, 9], rng.integers(0, 9999, n)
    blocks = n_blocks(n)
    out = np.empty((n_chips, blocks, steps, hidden, WORDS), np.uint64)
    trace = np.empty((0,) * 5 if skip else (*out.shape[:3], 2 * hidden, WORDS), np.uint64)
    driven = np.zeros((n_chips * blocks, hidden + below), np.int64)
    flips = np.zeros(n_chips * blocks, np.int64)
    lanes.run_gru(
        tables_of(cells, start, at_once), pack(bits), limits_of(table, 2 * hidden),
        chances_of((table, 2 * hidden)), streams(chips, samples), block_of(samples), skip,
        out, trace, driven, flips,
    )  # fmt: skip
    gate, candidate, expected = naive.run_gru(
        cells, start, bits, table, table, TAG, KEY, chips, samples
    )
    assert np.array_equal(unpack(out, n), expected)
    if not skip:
        assert np.array_equal(unpack(trace, n), np.concatenate([gate, candidate], axis=-1))
    old = np.concatenate([np.zeros_like(expected[:, :, :1]), expected[:, :, :-1]], axis=2)
    inputs = np.broadcast_to(bits, (n_chips, *bits.shape[1:]))
    rows = np.concatenate([old, inputs], axis=-1).sum(axis=(1, 2), dtype=int)
    assert np.array_equal(driven.reshape(n_chips, blocks, -1).sum(axis=1), rows)
    assert np.array_equal(
        flips.reshape(n_chips, -1).sum(axis=1), (old ^ expected).sum(axis=(1, 2, 3))
    )


@pytest.mark.parametrize(("at_once", "n_rows"), [(None, ROWS), (1, BYTE_ROWS)])
def test_a_table_holds_the_sums_of_its_rows(at_once, n_rows):
    cells = np.random.default_rng(1).integers(-21, 22, (1, 8, 5)).astype(np.int32)
    tables = tables_of(cells, np.zeros((1, 5), np.int32), at_once).sums
    if tables.dtype == np.uint8:
        low, high = np.split(tables.astype(np.int16), 2, axis=-1)
        tables = low + (high << 8)
    assert tables.shape == (1, 2, -(-len(cells[0]) // n_rows), SIDE_BY_SIDE, 2**n_rows)
    padded = np.pad(cells[0], ((0, 4), (0, 3)))
    for four, group, place, entry in np.ndindex(tables.shape[1:]):
        rows = [n_rows * group + r for r in range(n_rows) if entry >> r & 1]
        expected = padded[rows, SIDE_BY_SIDE * four + place].sum()
        assert tables[0, four, group, place, entry] == expected
    assert LANES == 64 * WORDS


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
    assert BYTE_ENTRIES == 64
