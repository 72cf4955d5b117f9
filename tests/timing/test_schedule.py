"""Cycles of a chip against sums made by hand, and against the value simulation's counts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from files import bundled_chip, bundled_device, bundled_logic
from networks import random_features, random_gru, random_lenet, random_matrix, random_mlp

from pimsim.chip import build_chip
from pimsim.chip.demand import by_window
from pimsim.chip.graph import chip_graph
from pimsim.chip.phase import cycles_of
from pimsim.circuits.word_line import word_line_delay
from pimsim.config import NoiseConfig
from pimsim.errors import PimsimError
from pimsim.simulate import encode_inputs, run_chips
from pimsim.timing.schedule import time_chip
from pimsim.workload import Conv2d, MaxPool, Network

T = 30
LOGIC = bundled_logic()
HIDDEN, BITS = 12, 10


def chip_of(network: Network, **blocks):
    """The bundled chip with entries of its blocks replaced."""
    config = bundled_chip()
    # cycles of their own for all phases
    blocks["bit_line"] = {"pulse": "clocked"} | blocks.get("bit_line", {})
    changes = {
        name: getattr(config, name).model_copy(update=update) for name, update in blocks.items()
    }
    config = config.model_copy(update=changes)
    return build_chip(network, config, bundled_device("reram"), NoiseConfig.ideal())


def timing_of(chip, n_steps: int, frame_interval: float | None = None, **options):
    graph = chip_graph(chip, LOGIC, n_steps, in_real_time=frame_interval is not None)
    return time_chip(graph, frame_interval=frame_interval, **options)


def one_layer(**blocks):
    network = random_gru(hidden=HIDDEN, bits=BITS)
    shortened = Network(
        network.name, network.input, network.encoder, network.nodes[:1], network.output,
        network.classes,
    )  # fmt: skip
    return chip_of(shortened, **blocks)


# encoder 40 x 10 MACs in 400 / 400 = 1 cycle, tile 4 cycles, output 12 x n_classes in one
QUICK_ENDS = {
    "input_encoder": {"macs_per_cycle": 400, "frames_at_once": 1},
    "output_unit": {"macs_per_cycle": 10_000},
}


def test_a_layer_takes_its_steps_times_its_phases_after_one_fill():
    timing = timing_of(one_layer(**QUICK_ENDS), T)
    encoder, link, latency, tile, output = 1, 1, 1, 4, 1
    fill = encoder + link + latency
    assert timing.first_cycles == fill + T * tile + link + latency + output
    assert timing.interval_cycles == T * tile
    assert timing.slowest == "gru0"
    assert timing.first_s == timing.first_cycles / 100e6


def test_a_further_layer_adds_its_fill_and_not_its_steps():
    one = timing_of(one_layer(**QUICK_ENDS), T)
    two = timing_of(chip_of(random_gru(hidden=HIDDEN, bits=BITS), **QUICK_ENDS), T)
    assert two.first_cycles == one.first_cycles + 4 + 1 + 1
    assert two.interval_cycles == one.interval_cycles


@pytest.mark.parametrize("shared", [1, 2, 4])
def test_sharing_a_sense_amplifier_costs_its_decisions(shared):
    blocks = QUICK_ENDS | {"read_out": {"columns_per_amplifier": shared}}
    timing = timing_of(one_layer(**blocks), T)
    assert timing.interval_cycles == T * (3 + shared)
    assert [phase.repeats for phase in timing.phases] == [1, 1, shared, 1]


@pytest.mark.parametrize("width", [10, 5, 2, 1])
def test_a_narrow_link_costs_the_cycles_of_its_bits(width):
    timing = timing_of(one_layer(**QUICK_ENDS, link={"width": width}), T)
    per_step = max(4, math.ceil(BITS / width))
    assert timing.interval_cycles == T * per_step
    if per_step > 4:
        assert timing.slowest == "encoder to gru0"


def test_a_slow_encoder_sets_the_pace():
    timing = timing_of(one_layer(input_encoder={"macs_per_cycle": 40, "frames_at_once": 1}), T)
    assert timing.interval_cycles == T * BITS
    assert timing.slowest == "encoder"


def gathered(frames, **blocks):
    encoder = {"macs_per_cycle": 400 * frames, "frames_at_once": frames}
    return one_layer(**QUICK_ENDS | {"input_encoder": encoder}, **blocks)


def test_frames_that_share_weights_are_gathered_first():
    # 3 frames in a cycle: the first layer is fed as quickly, the first score comes no sooner
    together, alone = timing_of(gathered(3), 9), timing_of(one_layer(**QUICK_ENDS), 9)
    assert together.interval_cycles == alone.interval_cycles == 9 * 4
    stages = {stage.name: stage for stage in together.stages}
    assert (stages["encoder"].operations, stages["encoder to gru0"].operations) == (4 * 3, 4 * 9)
    # lanes that do not grow work on a group for as long as on its frames
    slow = timing_of(one_layer(input_encoder={"macs_per_cycle": 40, "frames_at_once": 4}), 8)
    assert slow.interval_cycles == 8 * BITS


def test_in_real_time_a_group_waits_for_its_last_frame():
    # 7 frames by threes: two groups and one left over, which begins when its only frame is there
    period, wake, step, output = 1000, 100, 8, 3
    timing = timing_of(gathered(3), 7, frame_interval=10e-6)
    assert timing.wakes == 7
    assert timing.after_last_cycles == wake + 1 + step - 1 + output
    six = timing_of(gathered(3), 6, frame_interval=10e-6)
    # the last group's three frames go through the tile one after the other
    assert six.after_last_cycles == timing.after_last_cycles + 2 * 4
    assert six.interval_cycles == 6 * period


def test_a_self_timed_read_takes_whole_cycles_of_all_its_delays():
    chip = chip_of(one_layer().network, bit_line={"pulse": "self_timed"})
    phases = {phase.name: phase for phase in chip_graph(chip, LOGIC, T).components[1].phases}
    settled = max(c.settling_time for _, c in chip.tiles[0].read_out.chains(chip.tiles[0]))
    up = word_line_delay(chip.layout.lines, chip.config.array.columns, 0.001)
    # an input's register, the strobe to 256 rows in 4 stages, a row's gate, 2 stages up to a driver
    # of 10 / 1.8 smallest transistors; no margin, since the clock has one
    start = LOGIC.flip_flop_delay + (4 + 1 + 2) * LOGIC.gate_delay
    # lines are restored for longer than the 1 ns of cancelling; deciding takes 1 ns, and its strobe
    # reaches 512 columns in 5 stages; the replica has a margin of 1.4
    restored = up + max(c.restoring_time for _, c in chip.tiles[0].read_out.chains(chip.tiles[0]))
    assert restored > 1e-9
    seconds = start + 1.4 * (restored + settled + up + 5 * LOGIC.gate_delay + 1e-9)
    assert phases["read"].seconds == pytest.approx(seconds)
    assert phases["read"].cycles == math.ceil(seconds * 100e6)
    fast = chip_of(chip.network, bit_line={"pulse": "self_timed"}, clock={"frequency": 1e9})
    cycles = {p.name: p.cycles for p in chip_graph(fast, LOGIC, T).components[1].phases}
    assert cycles == {"read": math.ceil(seconds * 1e9), "write": 1}


def test_clocked_phases_are_whole_cycles_each():
    chip = chip_of(one_layer().network, clock={"frequency": 1e9})
    phases = chip_graph(chip, LOGIC, T).components[1].phases
    read_out, tile = chip.tiles[0].read_out, chip.tiles[0]
    start = read_out.start_delay
    needed = math.ceil((start + read_out.needed_time(tile)) * 1e9)
    restored = math.ceil(read_out.restore_time(tile) * 1e9)
    cycles = {phase.name: phase.cycles for phase in phases}
    # a decision of 1 ns and the way of its strobe
    assert cycles == {"restore": restored, "integrate": needed, "decide": 2, "write": 1}
    # the same choice holds for the currents: they flow until the clock ends the read
    assert read_out.pulse(tile) == pytest.approx((needed + 2) * 1e-9 - start)
    timing = timing_of(chip, T)
    ends = {phase.name: phase.cycles / phase.seconds for phase in phases}
    assert timing.highest_clock == pytest.approx(min(ends.values()))


def test_a_delay_of_whole_periods_takes_just_these():
    assert [cycles_of(n * 1e-9, 1e9) for n in range(50)] == list(range(50))
    assert cycles_of(1.01e-9, 1e9) == 2


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "pools"),
    [(5, 1, 0, [(2, 2)]), (3, 2, 1, []), (3, 1, 1, [(3, 2)]), (2, 1, 0, [(2, 2), (2, 2)])],
)
def test_windows_need_the_pixels_that_they_depend_on(kernel, stride, padding, pools):
    side = 12
    source = np.arange(side * side).reshape(side, side)
    low, high = source, source
    for size, step in pools:
        places = range(0, len(low) - size + 1, step)
        low = np.array([[low[y : y + size, x : x + size].min() for x in places] for y in places])
        high = np.array([[high[y : y + size, x : x + size].max() for x in places] for y in places])
    low = np.pad(low, padding, constant_values=side * side)
    high = np.pad(high, padding, constant_values=-1)
    places = range(0, len(low) - kernel + 1, stride)
    first = [low[y : y + kernel, x : x + kernel].min() for y in places for x in places]
    last = [high[y : y + kernel, x : x + kernel].max() for y in places for x in places]
    matrix = random_matrix(np.random.default_rng(0), kernel**2, 2)
    layers = [*(MaxPool(*pool) for pool in pools), Conv2d(matrix, kernel, stride, padding)]
    reading = by_window((side, side), layers, (len(places), len(places)))
    assert reading.tokens == side * side
    for index, (need, release) in enumerate(zip(reading.needs, reading.releases, strict=True)):
        assert need >= last[index] + 1
        later = min(first[index + 1 :], default=side * side)
        assert release <= later
    # what is asked for is not much more than that
    assert reading.needs[0] <= last[0] + 1 + side


@pytest.mark.parametrize(
    "network",
    [random_gru(), random_gru(thresholds=5), random_lenet(), random_mlp()],
    ids=["gru", "thresholds", "lenet", "mlp"],
)
def test_both_simulations_count_the_same_actions(network):
    chip = chip_of(network)
    features = random_features(network, 3)
    counts = run_chips(chip, encode_inputs(chip, features), [0], 1).counts.as_dict()
    steps = encode_inputs(chip, features).shape[1] if network.has_steps else 1
    parts = {part.name: part for part in chip_graph(chip, LOGIC, steps).components}
    reads = decisions = 0
    for tile in chip.tiles:
        operations = parts[tile.name].demand.n_operations
        reads += operations * tile.placement.n_arrays
        decisions += operations * tile.placement.n_lines
    assert counts["array"]["reads"] == 3 * reads
    assert counts["sense_amplifier"]["decisions"] == 3 * decisions
    timing = timing_of(chip, steps, inferences=3)
    done = {stage.name: stage.operations for stage in timing.stages}
    assert done["output"] == 3


def test_frames_in_real_time_set_the_interval_and_let_the_chip_sleep():
    chip = one_layer(**QUICK_ENDS)
    fast = timing_of(chip, T)
    timing = timing_of(chip, T, frame_interval=10e-6)
    period, wake = 1000, 100  # cycles of 10 ns: 10 us, and a microsecond to wake
    assert timing.interval_cycles == T * period
    # buffer, encoder, link and its latency, tile; the last step goes on to the output
    encoder, link, latency, tile, output, arrival = 1, 1, 1, 4, 1, 1
    step = arrival + encoder + link + latency + tile
    last = wake + step + link + latency + output
    assert timing.after_last_cycles == last
    assert timing.first_cycles == (T - 1) * period + last
    # each step is woken for; after the last one the output unit works on
    assert timing.wakes == T
    assert timing.asleep_cycles == T * period - T * (wake + step) - (link + latency + output)
    assert fast.asleep_cycles == fast.wakes == 0
    awake = chip_of(chip.network, **QUICK_ENDS, power={"sleep": False})
    timing = timing_of(awake, T, frame_interval=10e-6)
    assert timing.asleep_cycles == timing.wakes == 0
    assert timing.after_last_cycles == last - wake


def test_a_frame_every_ten_milliseconds_is_simulated_as_quickly():
    timing = timing_of(one_layer(**QUICK_ENDS), 98, frame_interval=10e-3)
    assert timing.interval_s == pytest.approx(0.98)
    assert timing.awake_s / timing.interval_s < 2e-4


def test_a_chip_too_slow_for_its_frames_is_refused():
    with pytest.raises(PimsimError, match="cannot keep up.*Raise frame_interval"):
        timing_of(one_layer(), T, frame_interval=1e-8)


def test_images_arrive_one_by_one():
    chip = chip_of(random_lenet())
    fast = timing_of(chip, 1)
    timing = timing_of(chip, 1, frame_interval=1e-3)
    assert timing.interval_cycles == 100_000
    assert timing.wakes == 1
    assert timing.first_cycles == fast.first_cycles + 1
    assert timing.asleep_cycles == 100_000 - 100 - timing.first_cycles


def test_endless_work_is_refused_before_it_begins():
    with pytest.raises(PimsimError, match="encoder takes .* are not simulated"):
        timing_of(one_layer(input_encoder={"macs_per_cycle": 1, "frames_at_once": 1}), 100_000)


def test_a_long_wire_takes_more_cycles_and_lowers_the_highest_clock():
    short = timing_of(one_layer(**QUICK_ENDS), T)
    # 0.38 x 19.7 ohm/um x 0.2 fF/um x (4.5 mm)^2 is 30 ns: four cycles
    long = timing_of(one_layer(**QUICK_ENDS, link={"wire_length": 4.5e-3}), T)
    wire = 0.38 * 19.7e6 * 0.2e-9 * 4.5e-3**2
    assert wire == pytest.approx(30.3e-9, rel=0.01)
    assert long.first_cycles == short.first_cycles + 2 * 3
    assert long.critical_path == "transfer of a link"
    delay = wire + LOGIC.gate_delay + LOGIC.flip_flop_delay
    assert long.highest_clock == pytest.approx(4 / delay)
