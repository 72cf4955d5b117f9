"""Stages and buffers against cycles counted by hand."""

from __future__ import annotations

import random

import pytest

from pimsim.chip.demand import Operation
from pimsim.errors import PimsimError
from pimsim.timing.engine import Arrivals, Buffer, Stage, Status, simulate


def steps(n: int, emits: int = 1) -> list[Operation]:
    return [Operation((i + 1,), (i + 1,), emits) for i in range(n)]


def free(n: int) -> list[Operation]:
    return [Operation((), (), 1) for _ in range(n)]


def run(*stages, buffers=(), order=None, most=10_000, **options):
    parts = [*stages, *buffers]
    if order is not None:
        random.Random(order).shuffle(parts)
    return simulate(parts, lambda: all(stage.is_done for stage in stages), most, **options)


def test_one_stage_takes_its_operations_times_its_phases():
    stage = Stage("tile", free(7), [("integrate", 3), ("none", 0), ("decide", 1)], [], [])
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
            [buffers[i - 1]] if i else [],
            [buffers[i]] if i < n_stages - 1 else [],
        )
        for i in range(n_stages)
    ]
    assert run(*stages, buffers=buffers) == n * p + (n_stages - 1) * p


def test_the_slowest_stage_sets_the_pace_and_stalls_the_one_before():
    buffer = Buffer("between", 2)
    fast, slow = (
        Stage("fast", free(10), [("all", 2)], [], [buffer]),
        Stage("slow", steps(10), [("all", 5)], [buffer], []),
    )
    assert run(fast, slow, buffers=[buffer]) == 2 + 10 * 5
    assert fast.activity.cycles[Status.BUSY] == 20
    assert fast.activity.cycles[Status.BLOCKED] > 0
    assert slow.activity.cycles[Status.BUSY] == 50
    assert slow.activity.cycles[Status.STARVED] == 2
    assert buffer.fullest == 2


def test_an_operation_waits_for_all_that_it_needs():
    buffer = Buffer("window", 6)
    writer = Stage("writer", free(6), [("all", 3)], [], [buffer])
    reader = Stage("reader", [Operation((6,), (6,), 0)], [("all", 4)], [buffer], [])
    assert run(writer, reader, buffers=[buffer]) == 6 * 3 + 4
    assert reader.activity.started == [18]


def test_a_buffer_too_small_for_its_reader_is_an_error_and_not_a_hang():
    buffer = Buffer("window", 5)
    writer = Stage("writer", free(6), [("all", 3)], [], [buffer])
    reader = Stage("reader", [Operation((6,), (6,), 0)], [("all", 4)], [buffer], [])
    with pytest.raises(PimsimError, match="did not finish in 18 cycles"):
        run(writer, reader, buffers=[buffer], most=500)


def test_the_order_of_components_changes_nothing():
    found = set()
    for order in range(6):
        buffers = [Buffer("a", 1), Buffer("b", 3)]
        stages = [
            Stage("x", free(9), [("all", 2)], [], [buffers[0]]),
            Stage("y", steps(9), [("all", 3)], [buffers[0]], [buffers[1]]),
            Stage("z", steps(9), [("all", 1)], [buffers[1]], []),
        ]
        cycles = run(*stages, buffers=buffers, order=order)
        found.add((cycles, *(tuple(s.activity.finished) for s in stages)))
    assert len(found) == 1


def arrivals_into(stage_cycles: int, period: int, count: int, wake: int | None, **options):
    """A stage of so many cycles behind inputs in real time; returns both and the cycles."""
    buffer = Buffer("in", 2)
    arrivals = Arrivals(count, period, buffer, wake)
    operations = [Operation((n + 1,), (n + 1,), 0) for n in range(count)]
    stage = Stage("worker", operations, [("work", stage_cycles)], [buffer], [])
    cycles = simulate([stage, buffer, arrivals], lambda: stage.is_done, 10_000, **options)
    return stage, arrivals, cycles


@pytest.mark.parametrize("wake", [None, 0, 7])
def test_inputs_in_real_time_wait_for_the_clock_and_the_chip_sleeps_between(wake):
    work, period, count = 5, 100, 6
    stage, arrivals, cycles = arrivals_into(work, period, count, wake)
    # the buffer hands an input on a cycle after it came; the first finds the chip awake
    late = 0 if wake is None else wake
    begins = [1] + [n * period + 1 + late for n in range(1, count)]
    assert stage.activity.started == begins
    assert cycles == begins[-1] + work
    busy, starved = (stage.activity.cycles[s] for s in (Status.BUSY, Status.STARVED))
    assert busy == work * count
    assert busy + starved == cycles
    if wake is None:
        assert arrivals.sleeps == []
    else:
        ends = [begin + count for begin, count in arrivals.sleeps]
        assert ends == [n * period for n in range(1, count)]
        assert [begin for begin, _ in arrivals.sleeps] == [b + work for b in begins[:-1]]


def test_skipped_cycles_are_those_that_would_have_been_computed():
    quick = arrivals_into(5, 40, 4, None)
    slow = arrivals_into(5, 40, 4, None, every_cycle=True)
    assert quick[2] == slow[2]
    assert quick[0].activity == slow[0].activity


@pytest.mark.parametrize("seed", range(8))
def test_operations_under_way_are_skipped_to_where_they_would_have_come(seed):
    def pipeline(**options):
        draw = random.Random(seed)
        n = 12
        buffers = [Buffer(f"b{i}", draw.randint(1, 4), draw.randint(0, 3)) for i in range(4)]
        operations = [free(n), *(steps(n) for _ in range(4))]
        ends = zip([[], *([b] for b in buffers)], [*([b] for b in buffers), []], strict=True)
        stages = [
            Stage(f"s{i}", operations[i], [("all", draw.randint(1, 30))], sources, targets)
            for i, (sources, targets) in enumerate(ends)
        ]
        cycles = run(*stages, buffers=buffers, **options)
        return cycles, [s.activity for s in stages], [b.fullest for b in buffers]

    assert pipeline(every_cycle=True) == pipeline()


def test_a_stage_waits_for_all_of_its_sources_and_for_room_in_all_of_its_targets():
    early, late, wide, narrow = (Buffer(name, 4) for name in ("early", "late", "wide", "narrow"))
    both = [Operation((i + 1, i + 1), (i + 1, i + 1), 1) for i in range(6)]
    stages = [
        Stage("fast", free(6), [("all", 1)], [], [early]),
        Stage("slow", free(6), [("all", 5)], [], [late]),
        Stage("join", both, [("all", 2)], [early, late], [wide, narrow]),
        Stage("quick reader", steps(6, 0), [("all", 1)], [wide], []),
        Stage("slow reader", steps(6, 0), [("all", 9)], [narrow], []),
    ]
    cycles = run(*stages, buffers=[early, late, wide, narrow])
    # the slow source sets the pace of the join, the slow reader that of the whole
    assert stages[2].activity.started == [5 * n for n in range(1, 7)]
    assert cycles == 5 + 2 + 6 * 9
    assert (early.received, late.released, wide.received, narrow.released) == (6, 6, 6, 6)


def test_a_chip_that_cannot_keep_up_says_so():
    with pytest.raises(PimsimError, match=r"cannot keep up with an input every 4 cycles"):
        arrivals_into(5, 4, 50, None)


def test_components_that_wait_for_each_other_are_found_out_at_once():
    buffer = Buffer("in", 1)
    stage = Stage("worker", [Operation((1,), (1,), 0)], [("work", 1)], [buffer], [])
    with pytest.raises(PimsimError, match="did not finish in 0 cycles"):
        simulate([stage, buffer], lambda: stage.is_done, 10**12)


def test_tokens_take_a_link_of_many_cycles_in_no_time():
    """As many cycles as one by one; a link of a million cycles is no more work than one of 3."""
    for latency in (0, 1, 3, 40):
        ends = []
        for every_cycle in (True, False):
            link = Buffer("link", 3, latency)
            stages = [
                Stage("a", free(9), [("p", 2)], [], [link]),
                Stage("b", steps(9), [("p", 5)], [link], []),
            ]
            ends.append((run(*stages, buffers=[link], every_cycle=every_cycle), stages[1].activity))
        assert ends[0] == ends[1]
    link = Buffer("link", 3, 1_000_000)
    stages = [
        Stage("a", free(9), [("p", 2)], [], [link]),
        Stage("b", steps(9), [("p", 5)], [link], []),
    ]
    assert run(*stages, buffers=[link], most=200) > 3_000_000
