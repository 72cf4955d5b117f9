"""Ladders of bit and source lines against Kirchhoff's laws, and first-order losses against them."""

from __future__ import annotations

import naive
import numpy as np
import pytest
from kernel_data import KEY, TAG, joined, streams

from pimsim.kernels import lanes, registers
from pimsim.kernels.drop import PARTS, Drop, n_input_blocks, new_profile, weights
from pimsim.kernels.ladder import Ladder, line_currents
from pimsim.kernels.lanes import blocks_of, n_blocks, pack, unpack
from pimsim.kernels.logic import GruLogic
from pimsim.kernels.outputs import Outputs
from pimsim.kernels.portable import distances, recur
from pimsim.kernels.registers import WORDS
from pimsim.kernels.wired_lanes import drop_tables
from pimsim.kernels.wired_rows import LadderRows, drop_rows
from pimsim.streams import decision_table


def ladder_currents(cells, rows, ladder):
    cells = np.asarray(cells, np.int32)
    out = np.empty(cells.shape[1])
    rows = np.asarray(rows, np.int64)
    line_currents(cells, rows, len(rows), ladder, np.empty((5, cells.shape[1])), out)
    return out


def of(bit, source, length, source_twice, n_columns=1, bit_twice=False):
    wires = np.full(n_columns, bit), np.full(n_columns, source)
    return Ladder(*wires, length, bit_twice, source_twice)


def test_two_rows_by_hand():
    """Cells of 300 and 500 at rows 0 and 1; bit and source line share one current."""
    near, far, r, s = 300.0, 500.0, 2e-5, 3e-5
    found = ladder_currents([[300], [500]], [0, 1], of(r, s, 2, False))
    # the far cell in series with a piece of both wires, beside the near one, in series with another
    beyond = 1 / (r + s + 1 / far)
    assert found[0] == pytest.approx(1 / (r + s + 1 / (near + beyond)), rel=1e-12)
    # the near row alone, and the far one alone, through two pieces
    alone = ladder_currents([[300], [500]], [0], of(r, s, 2, False))
    assert alone[0] == pytest.approx(1 / (r + s + 1 / near), rel=1e-12)
    alone = ladder_currents([[300], [500]], [1], of(r, s, 2, False))
    assert alone[0] == pytest.approx(1 / (2 * (r + s) + 1 / far), rel=1e-12)


def test_one_row_whose_source_line_is_fed_twice_by_hand():
    """The source line's two ways, of one piece and of three, are side by side."""
    cell, r, s = 400.0, 2e-5, 3e-5
    found = ladder_currents([[400]], [0], of(r, s, 3, True))
    back = 1 / (1 / s + 1 / (3 * s))
    assert found[0] == pytest.approx(1 / (r + 1 / cell + back), rel=1e-12)


def test_one_row_whose_lines_are_held_at_both_ends_by_hand():
    """Both ways to the cell are side by side, on the bit line as on the source line."""
    cell, r, s = 400.0, 2e-5, 3e-5
    found = ladder_currents([[400]], [0], of(r, s, 3, True, bit_twice=True))
    ways = [1 / (1 / one + 1 / (3 * one)) for one in (r, s)]
    assert found[0] == pytest.approx(1 / (sum(ways) + 1 / cell), rel=1e-12)


def test_no_row_draws_no_current():
    assert ladder_currents([[400, 3]], [], of(1e-5, 1e-5, 3, True, 2)).tolist() == [0, 0]


@pytest.mark.parametrize("source_twice", [False, True])
@pytest.mark.parametrize("bit_twice", [False, True])
def test_ladders_equal_the_equations_of_all_nodes(bit_twice, source_twice):
    rng = np.random.default_rng(4)
    for _ in range(8):
        length = int(rng.integers(2, 40))
        rows = np.flatnonzero(rng.random(length) < 0.5)
        cells = rng.integers(0, 200, (length, 3))
        r, s = rng.uniform(1e-6, 3e-4, 3), rng.uniform(1e-6, 3e-4, 3)
        found = ladder_currents(cells, rows, Ladder(r, s, length, bit_twice, source_twice))
        for j in range(3):
            twin = naive.ladder(cells[:, j], rows, r[j], s[j], length, bit_twice, source_twice)
            assert found[j] == pytest.approx(twin, rel=1e-9)


def test_many_equal_cells_follow_the_hyperbolic_tangent():
    """A line of conductance g and resistance r for each cell: I = sqrt(g / r) tanh(n sqrt(g r))."""
    n, g, r = 4000, 10, 1e-9
    found = ladder_currents(np.full((n, 1), g), range(n), of(r / 2, r / 2, n, False))
    u = n * (g * r) ** 0.5
    assert found[0] == pytest.approx((g / r) ** 0.5 * np.tanh(u), rel=1e-3)
    assert found[0] < 0.96 * n * g


def wired_tile(rng, n_rows, n_columns, n_always, ladder, n_chips=1):
    shape = (n_chips, n_rows + n_always, n_columns)
    plus = rng.integers(5, 60, shape).astype(np.int32)
    minus = rng.integers(5, 60, shape).astype(np.int32)
    offsets = rng.integers(-9, 9, (n_chips, n_columns)).astype(np.int32)
    place = rng.permutation(n_rows)
    return plus, minus, LadderRows(plus, minus, -offsets, n_always, place, *ladder)


@pytest.mark.parametrize("n_always", [0, 2])
def test_tiles_of_ladders_equal_their_slow_twin(n_always):
    rng = np.random.default_rng(7)
    ladder = of(2e-5, 1e-5, 20, True, 4)
    plus, minus, tile = wired_tile(rng, 9, 4, n_always, ladder)
    lines = rng.integers(0, 2, (6, 9)).astype(np.uint8)
    found = np.empty((6, 4), np.int64)
    distances(tile, lines, found)
    for on, sums in zip(lines, found, strict=True):
        rows = [*tile.place[np.flatnonzero(on)], *range(9, 9 + n_always)]
        for j in range(4):
            twins = [
                naive.ladder(side[0, :, j], rows, 2e-5, 1e-5, 20, False, True)
                for side in (plus, minus)
            ]
            difference = twins[0] - twins[1]
            # no twin lies so near to a half that both could round apart
            assert sums[j] == np.floor(difference + 0.5) + tile.start[0, j]
    assert (found != lines @ (plus - minus)[0, tile.place] + tile.start[0]).any()


def drop_tile(
    rng, n_rows, n_columns, n_always, resistance, block_rows=5, kind=None, bit_twice=False
):
    """A tile of one matrix, in quanta that are siemens, as losses of first order and as ladders."""
    ladder = of(resistance, resistance, n_rows + n_always + 3, True, n_columns, bit_twice)
    plus, minus, exact = wired_tile(rng, n_rows, n_columns, n_always, ladder)
    # rows in the order of the network, as cells are drawn
    stands = np.concatenate([exact.place, np.arange(n_rows, n_rows + n_always)])
    plus, minus = plus[:, stands], minus[:, stands]
    means = (plus[0] + minus[0]) / 2
    unit = means[:n_rows].mean(axis=1).sum() / 30_000
    firsts = range(0, n_rows, block_rows)
    places = [(first + min(first + block_rows, n_rows) + 1) / 2 for first in firsts]
    if n_always:
        places.append(n_rows + (n_always + 1) / 2)
    difference = (plus - minus)[:, :n_rows]
    always_on = (plus - minus)[:, n_rows:].sum(axis=1).astype(np.int32)
    drop = Drop(
        difference,
        (always_on + exact.start).astype(np.int32),
        exact.place,
        block_rows,
        np.array(places),
        np.round(means[None, :n_rows].mean(axis=2) / unit).astype(np.int16),
        np.array([unit]),
        means[None, n_rows:].mean(axis=2).sum(axis=1),
        always_on,
        (means.mean(axis=0) / means.mean() / PARTS).astype(np.float32)[None],
        resistance,
        resistance,
        n_rows + n_always + 3,
        bit_twice,
        True,
    )
    return drop if kind is None else drop_rows(drop, fits_16_bits=kind is np.int16), exact


@pytest.mark.parametrize("kind", [np.int16, pytest.param(np.int32, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("n_rows", "n_always"), [(3, 0), (12, 2), (40, 1)])
def test_first_order_losses_equal_their_slow_twin(n_rows, n_always, kind):
    rng = np.random.default_rng(n_rows)
    tile, _ = drop_tile(rng, n_rows, 6, n_always, 4e-6, kind=kind, bit_twice=n_rows == 12)
    lines = rng.integers(0, 2, (5, n_rows)).astype(np.uint8)
    found = np.empty((5, 6), np.int64)
    distances(tile, lines, found)
    for on, sums in zip(lines, found, strict=True):
        assert np.array_equal(sums, naive.drop_sums(tile, on))


@pytest.mark.parametrize("bit_twice", [False, True])
def test_block_voltages_are_those_of_all_nodes(bit_twice):
    rng = np.random.default_rng(2)
    drop, _ = drop_tile(rng, 30, 6, 2, 3e-6, bit_twice=bit_twice)
    n_blocks = n_input_blocks(drop)
    loads = rng.integers(0, 5000, (n_blocks, 4))
    found = np.empty((n_blocks + 1, 4), np.int32)
    weights(drop, 0, loads, new_profile(drop, 4), found)
    for i in range(4):
        assert np.array_equal(found[:, i], naive.drop_weights(drop, loads[:, i]))


def test_first_order_losses_are_near_the_ladders():
    """At a loss of a twentieth: within a fiftieth of it, of the scatter of sums."""
    rng = np.random.default_rng(3)
    for n_rows, resistance, bit_twice in ((60, 1e-6, False), (240, 6.5e-8, False),
                                          (240, 1.5e-7, True)):  # fmt: skip
        tile, exact = drop_tile(
            rng, n_rows, 40, 2, resistance, 5 * -(-n_rows // 65), np.int16, bit_twice
        )
        lines = (rng.random((50, n_rows)) < 0.5).astype(np.uint8)
        of_ladders, first_order = np.empty((2, 50, 40), np.int64)
        distances(exact, lines, of_ladders)
        distances(tile, lines, first_order)
        without = lines.astype(int) @ tile.sums[0, :n_rows].astype(int) + tile.start[0]
        loss = (without - of_ladders).std()
        assert 0.02 < loss / without.std() < 0.06
        # quanta are coarse here: half of one is rounding
        assert (first_order - of_ladders).std() < 0.05 * loss + 0.5


# compiles a kernel of its own
@pytest.mark.slow
@pytest.mark.parametrize("form", ["exact", "first order"])
def test_recurrent_tiles_with_wires_equal_their_slow_twin(form):
    rng = np.random.default_rng(5)
    hidden, below, n, steps = 4, 9, 3, 5
    first_order, exact = drop_tile(rng, hidden + below, 2 * hidden, 1, 6e-6, kind=np.int16)
    tile = exact if form == "exact" else first_order
    bits = rng.integers(0, 2, (1, n, steps, below)).astype(np.uint8)
    table = decision_table(9.0, 10**5)
    outputs = Outputs(
        np.empty((1, n, steps, hidden), np.uint8),
        np.empty((1, n, steps, 2 * hidden), np.uint8),
        np.zeros((1, hidden + below), np.int64),
        np.zeros(1, np.int64),
    )
    recur(
        tile, joined((table, 2 * hidden)), bits, streams([3], [0, 1, 2]), GruLogic(hidden), False,
        outputs,
    )  # fmt: skip
    for sample in range(n):
        old = np.zeros(hidden, np.uint8)
        for step in range(steps):
            lines = np.concatenate([old, bits[0, sample, step]])
            found = np.empty((1, 2 * hidden), np.int64)
            distances(tile, lines[None], found)
            decided = naive.decide(found[0], table, 0, 3, sample, step, TAG, KEY)
            assert np.array_equal(outputs.trace[0, sample, step], decided)
            old = naive.gru(decided, old)
            assert np.array_equal(outputs.state[0, sample, step], old)


# compiles a kernel of its own
@pytest.mark.slow
@pytest.mark.skipif(not registers.wide, reason="needs AVX-512 with VBMI2")
@pytest.mark.parametrize(
    ("n_rows", "n_always", "n_columns", "n"), [(3, 0, 1, 1), (35, 2, 9, 130), (101, 1, 6, 70)]
)
def test_lanes_lose_as_one_sequence_after_the_other_does(n_rows, n_always, n_columns, n):
    rng = np.random.default_rng(n_rows)
    drop, _ = drop_tile(rng, n_rows, n_columns, n_always, 3e-6, bit_twice=n_rows == 35)
    rows, tile = drop_rows(drop, fits_16_bits=True), drop_tables(drop)
    bits = rng.integers(0, 2, (1, n, n_rows)).astype(np.uint8)
    table, samples = decision_table(30.0, 10**5), np.arange(n)
    out = np.empty((1, n_blocks(n), 1, n_columns, WORDS), np.uint64)
    lanes.read(
        tile, joined((table, n_columns)), pack(np.pad(bits, ((0, 0), (0, 0), (0, 1)))),
        np.arange(n_rows, dtype=np.uint64)[None], streams([4], samples), blocks_of(samples), out,
        np.zeros((n_blocks(n), n_rows), np.int64),
    )  # fmt: skip
    sums = np.empty((n, n_columns), np.int64)
    distances(rows, bits[0], sums)
    found = unpack(out, n)[0, :, 0]
    for sample in range(n):
        decided = naive.decide(sums[sample], table, 0, 4, sample, 0, TAG, KEY)
        assert np.array_equal(found[sample], decided)


def test_always_on_currents_beyond_16_bits_are_left_to_the_portable_kernel():
    drop, _ = drop_tile(np.random.default_rng(1), 5, 4, 1, 3e-6)
    assert drop_tables(drop) is not None
    assert drop_tables(drop._replace(always_on=drop.always_on + 2**15)) is None
