"""Stages and buffers against cycles counted by hand."""

from __future__ import annotations

import random

import pytest

from pimsim.errors import PimsimError
from pimsim.timing.engine import Buffer, Operation, Stage, Status, simulate


def steps(n: int, emits: int = 1) -> list[Operation]:
    return [Operation(need=i + 1, release=i + 1, emits=emits) for i in range(n)]


def free(n: int) -> list[Operation]:
    return [Operation(0, 0, 1) for _ in range(n)]


def run(*stages, buffers=(), order=None, most=10_000):
    parts = [*stages, *buffers]
    if order is not None:
        random.Random(order).shuffle(parts)
    return simulate(parts, lambda: all(stage.is_done for stage in stages), most)


def test_one_stage_takes_its_operations_times_its_phases():
    stage = Stage("tile", free(7), [("integrate", 3), ("none", 0), ("decide", 1)], None, None)
    assert run(stage) == 7 * 4
    assert stage.activity.started == [4 * i for i in range(7)]
    assert stage.activity.finished == [4 * i + 4 for i in range(7)]


@pytest.mark.parametrize("n_stages", [2, 3, 5])
def test_a_further_stage_adds_its_fill_and_not_all_its_operations(n_stages):
    n, p = 20, 4
    buffers = [Buffer(f"b{i}", 2) for i in range(n_stages - 1)]
    stages = [
        Stage(
            f"s{i}",
            steps(n) if i else free(n),
            [("all", p)],
            buffers[i - 1] if i else None,
            buffers[i] if i < n_stages - 1 else None,
        )
        for i in range(n_stages)
    ]
    assert run(*stages, buffers=buffers) == n * p + (n_stages - 1) * p


def test_the_slowest_stage_sets_the_pace_and_stalls_the_one_before():
    buffer = Buffer("between", 2)
    fast, slow = (
        Stage("fast", free(10), [("all", 2)], None, buffer),
        Stage("slow", steps(10), [("all", 5)], buffer, None),
    )
    assert run(fast, slow, buffers=[buffer]) == 2 + 10 * 5
    assert fast.activity.cycles[Status.BUSY] == 20
    assert fast.activity.cycles[Status.BLOCKED] > 0
    assert slow.activity.cycles[Status.BUSY] == 50
    assert slow.activity.cycles[Status.STARVED] == 2
    assert buffer.fullest == 2


def test_an_operation_waits_for_all_that_it_needs():
    buffer = Buffer("window", 6)
    writer = Stage("writer", free(6), [("all", 3)], None, buffer)
    reader = Stage("reader", [Operation(6, 6, 0)], [("all", 4)], buffer, None)
    assert run(writer, reader, buffers=[buffer]) == 6 * 3 + 4
    assert reader.activity.started == [18]


def test_a_buffer_too_small_for_its_reader_is_an_error_and_not_a_hang():
    buffer = Buffer("window", 5)
    writer = Stage("writer", free(6), [("all", 3)], None, buffer)
    reader = Stage("reader", [Operation(6, 6, 0)], [("all", 4)], buffer, None)
    with pytest.raises(PimsimError, match="did not finish in 500 cycles"):
        run(writer, reader, buffers=[buffer], most=500)


def test_the_order_of_components_changes_nothing():
    found = set()
    for order in range(6):
        buffers = [Buffer("a", 1), Buffer("b", 3)]
        stages = [
            Stage("x", free(9), [("all", 2)], None, buffers[0]),
            Stage("y", steps(9), [("all", 3)], buffers[0], buffers[1]),
            Stage("z", steps(9), [("all", 1)], buffers[1], None),
        ]
        cycles = run(*stages, buffers=buffers, order=order)
        found.add((cycles, *(tuple(s.activity.finished) for s in stages)))
    assert len(found) == 1
