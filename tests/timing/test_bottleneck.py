"""What sets the interval, named where it is known by hand."""

from __future__ import annotations

import pytest
from files import bundled_chip, bundled_device, bundled_logic
from networks import random_gru, random_mlp

from pimsim.chip import build_chip
from pimsim.chip.demand import Operation
from pimsim.chip.graph import chip_graph
from pimsim.config import NoiseConfig
from pimsim.timing.bottleneck import bottleneck
from pimsim.timing.engine import Buffer, Stage, simulate
from pimsim.timing.schedule import time_chip

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


def timing_of(network, config, n_steps: int = 6, frame_interval: float | None = None):
    chip = build_chip(network, config, bundled_device("reram"), NoiseConfig())
    graph = chip_graph(chip, bundled_logic(), n_steps, in_real_time=frame_interval is not None)
    return time_chip(graph, frame_interval=frame_interval)


def test_both_layers_of_equal_time_are_named_and_inputs_in_real_time_instead():
    config = bundled_chip("adc_pim_16nm")
    at_hand = timing_of(random_gru(n_levels=255), config)
    assert (at_hand.slowest, at_hand.bottleneck) == ("gru0", ("gru0", "gru1"))
    in_real_time = timing_of(random_gru(n_levels=255), config, frame_interval=10e-3)
    assert (in_real_time.slowest, in_real_time.bottleneck) == ("gru0", ("inputs",))
    assert in_real_time.interval_s == pytest.approx(6 * 10e-3)


def test_the_slowest_tile_is_the_one_that_is_busy_longest():
    """ADCs of the first layer convert 16 columns in turn; the decision of the next is longer."""
    config = bundled_chip("ba_mlw_mixed_16nm")
    array = config.array.model_copy(update={"rows": 24, "columns": 32, "max_stack": 1})
    tall = config.tall_layers.model_copy(update={"conversion_time": 1e-9, "columns_per_adc": 16})
    amplifier = config.read_out.model_copy(update={"decision_time": 30e-9})
    update = {"array": array, "tall_layers": tall, "read_out": amplifier}
    timing = timing_of(random_mlp(), config.model_copy(update=update))
    phases = {phase.name: phase for phase in timing.phases}
    assert phases["convert"].repeats == 16
