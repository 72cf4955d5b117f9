"""What sets the interval, named where it is known by hand."""

from __future__ import annotations

import pytest

from pimsim.chip.demand import Operation
from pimsim.timing.bottleneck import bottleneck
from pimsim.timing.engine import Buffer, Stage, simulate

N = 4


def steps(n: int) -> list[Operation]:
    return [Operation((i + 1,), (i + 1,), 1) for i in range(n)]


def free(n: int) -> list[Operation]:
    return [Operation((), (), 1) for _ in range(n)]


def whole(tokens: int, inferences: int = N) -> list[Operation]:
    """Operations that need all tokens of an inference, and release them at their end."""
    return [Operation((k * tokens,), (k * tokens,), 1) for k in range(1, inferences + 1)]


def found(*stages: Stage, buffers: list[Buffer]) -> tuple[str, ...]:
    simulate([*stages, *buffers], lambda: stages[-1].is_done, 100_000)
    last = stages[-1]
    each = len(last.operations) // N
    ends = last.activity.finished[each - 1 :: each]
    return bottleneck(stages, N, ends[-1] - ends[-2], False)


@pytest.mark.parametrize(
    ("cycles", "names"),
    [
        ((2, 5, 3), ("b",)),
        ((5, 2, 3), ("a",)),
        ((2, 3, 5), ("c",)),
        ((5, 5, 3), ("a", "b")),
        ((4, 4, 4), ("a", "b", "c")),
        ((5, 2, 5), ("a", "c")),
    ],
)
def test_every_stage_that_is_at_work_throughout_is_named(cycles, names):
    buffers = [Buffer("ab", 2), Buffer("bc", 2)]
    a = Stage("a", free(N * 5), [("all", cycles[0])], [], [buffers[0]])
    b = Stage("b", steps(N * 5), [("all", cycles[1])], [buffers[0]], [buffers[1]])
    c = Stage("c", steps(N * 5), [("all", cycles[2])], [buffers[1]], [])
    assert found(a, b, c, buffers=buffers) == names


@pytest.mark.parametrize(("room", "names"), [(6, ("a", "b")), (12, ("a",))])
def test_stages_that_wait_for_each_other_set_the_interval_together(room, names):
    """Room for one image: it is written, and read, and only then comes the next one."""
    buffers = [Buffer("ab", room), Buffer("bc", 2)]
    a = Stage("a", free(N * 6), [("all", 3)], [], [buffers[0]])
    b = Stage("b", whole(6), [("all", 15)], [buffers[0]], [buffers[1]])
    c = Stage("c", steps(N), [("all", 4)], [buffers[1]], [])
    assert found(a, b, c, buffers=buffers) == names


def test_inputs_in_real_time_set_the_interval():
    stage = Stage("a", free(N), [("all", 3)], [], [])
    assert bottleneck([stage], N, 100, True) == ("inputs",)
