"""A chip as stages and buffers, and how long its inferences take."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pimsim.chip import Chip, Tile
from pimsim.circuits.bit_line import settling_time
from pimsim.circuits.gru_logic import write_delay
from pimsim.circuits.link import transfer_delay
from pimsim.circuits.logic import Logic
from pimsim.circuits.word_line import word_line_delay
from pimsim.config.chip import ChipConfig
from pimsim.errors import PimsimError
from pimsim.timing.demand import (
    Demand,
    all_at_once,
    by_window,
    from_images,
    from_nothing,
    step_by_step,
)
from pimsim.timing.engine import Arrivals, Buffer, Component, Stage, Status, simulate
from pimsim.workload.layers import Conv2d, ConvEncoder, MaxPool
from pimsim.workload.network import IMAGE_SIDE

# enough for the pipeline to be full: the interval is that of the last two
INFERENCES = 4
MOST_CYCLES = 10_000_000
# tokens between a component and its link: two, so that each works while the other does
REGISTER = 2


@dataclass(frozen=True)
class Phase:
    """Part of an operation of a tile: what the circuit needs, and the cycles that it gets.

    `repeats` counts the columns that share a sense amplifier, decided one after the other, and
    with converters the input bits.
    """

    name: str
    seconds: float
    cycles: int
    repeats: int = 1


@dataclass(frozen=True)
class Part:
    """One stage of the chip: its operations of one inference, and what it hands on.

    Attributes
    ----------
    name : str
    demand : Demand
    phases : tuple of Phase
    bits : int
        Of a token that it hands on.
    """

    name: str
    demand: Demand
    phases: tuple[Phase, ...]
    bits: int

    @property
    def cycles(self) -> int:
        """Of one operation."""
        return sum(phase.cycles * phase.repeats for phase in self.phases)


@dataclass(frozen=True)
class StageTiming:
    """What a stage did from the first cycle to the last."""

    name: str
    operations: int
    cycles_per_operation: int
    busy: int
    starved: int
    blocked: int


@dataclass(frozen=True)
class Timing:
    """How long inferences take on a chip, one after the other.

    Attributes
    ----------
    clock : float
        [Hz]
    frame_interval : float or None
        Time between inputs [s]; None: they are always at hand.
    first_cycles : int
        From the first input to the first scores.
    after_last_cycles : int
        From the last input of an inference to its scores.
    interval_cycles : int
        Between the scores of two further inferences.
    asleep_cycles, wakes : int
        Cycles of such an interval in which the chip sleeps, and how often it wakes.
    highest_clock : float
        Fastest clock at which no phase needs more cycles than now [Hz].
    critical_path : str
        The phase that sets it.
    slowest : str
        The stage that is busy longest: it sets the interval of inputs that are at hand.
    cycles : int
        Of the whole simulation.
    stages : tuple of StageTiming
    phases : tuple of Phase
        Of a tile's operation, the slowest tile's where they differ.
    """

    clock: float
    frame_interval: float | None
    first_cycles: int
    after_last_cycles: int
    interval_cycles: int
    asleep_cycles: int
    wakes: int
    highest_clock: float
    critical_path: str
    slowest: str
    cycles: int
    stages: tuple[StageTiming, ...]
    phases: tuple[Phase, ...]

    @property
    def first_s(self) -> float:
        return self.first_cycles / self.clock

    @property
    def after_last_s(self) -> float:
        return self.after_last_cycles / self.clock

    @property
    def interval_s(self) -> float:
        return self.interval_cycles / self.clock

    @property
    def asleep_s(self) -> float:
        return self.asleep_cycles / self.clock

    @property
    def awake_s(self) -> float:
        return (self.interval_cycles - self.asleep_cycles) / self.clock


def cycles_of(seconds: float, clock: float) -> int:
    """Whole cycles that a delay takes; none for no delay at all."""
    # a delay that is a whole number of periods but for rounding takes just these
    return math.ceil(seconds * clock * (1 - 1e-12))


def integration_time(tile: Tile, config: ChipConfig) -> float:
    """Time that word lines and bit lines get: what the chip file says, else what they need [s]."""
    if config.bit_line.integration_time is not None:
        return config.bit_line.integration_time
    return needed_time(tile, config)


def needed_time(tile: Tile, config: ChipConfig) -> float:
    """Time until word lines are up and bit lines have settled [s]."""
    return word_line_delay(
        config.word_line_driver, config.array.columns, config.bit_line.settling_error
    ) + settling_time(
        config.bit_line,
        tile.placement.rows_on_bit_line,
        config.input_capacitance,
    )


def read_pulse(tile: Tile, config: ChipConfig) -> float:
    """How long the current of a read flows [s].

    Notes
    -----
    Word lines stay up until the last decision of the columns that share an amplifier;
    the pulse is timed by the circuits, not by the clock.
    """
    if config.has_converters:
        # sampled: the line need not wait for the conversions
        return integration_time(tile, config)
    amplifier = config.amplifier
    decisions = amplifier.decision_time * amplifier.columns_per_amplifier
    return integration_time(tile, config) + decisions


def tile_phases(tile: Tile, config: ChipConfig, logic: Logic) -> tuple[Phase, ...]:
    """Offset cancelling, word lines and integration, decision, multiplexer and register.

    With converters, lines are sampled for every bit of the inputs, and the columns that share
    a converter are converted in turn while the next bit is integrated only afterwards.
    """
    if config.has_converters:
        return _converter_phases(tile, config)
    amplifier, clock = config.amplifier, config.clock.frequency
    found = (
        ("cancel", amplifier.cancelling_time, 1),
        ("integrate", integration_time(tile, config), 1),
        ("decide", amplifier.decision_time, amplifier.columns_per_amplifier),
        ("write", write_delay(config.hidden_logic, logic), 1),
    )
    return tuple(Phase(name, s, cycles_of(s, clock), n) for name, s, n in found)


def _converter_phases(tile: Tile, config: ChipConfig) -> tuple[Phase, ...]:
    clock, adc, bits = config.clock.frequency, config.converter, config.slicing.activation_bits
    conversion = tile.matrices[0].read_out.conversion
    assert conversion is not None
    n_columns = tile.placement.n_pairs // conversion.n_slices
    lookups = -(-n_columns // config.activations.units)
    settled = integration_time(tile, config)
    return (
        Phase("integrate", settled, cycles_of(settled, clock), bits),
        Phase(
            "convert",
            adc.conversion_time,
            cycles_of(adc.conversion_time, clock),
            bits * adc.columns_per_adc,
        ),
        # lookup and mixing are pipelined to the clock: their cycles are given
        Phase("activate", 0.0, lookups),
    )


def link_phase(config: ChipConfig, logic: Logic) -> Phase:
    """One word over a link."""
    delay = transfer_delay(config.link, logic)
    return Phase("transfer", delay, cycles_of(delay, config.clock.frequency))


def chip_parts(chip: Chip, logic: Logic, n_steps: int, in_real_time: bool = False) -> list[Part]:
    """Stages of a chip in order: encoder, tiles, output unit.

    Parameters
    ----------
    chip : Chip
    logic : Logic
        Of the chip's technology.
    n_steps : int
        Time steps of a sequence; of no meaning for images.
    in_real_time : bool
        Whether the encoder waits for inputs, or always has them at hand.
    """
    config, workload = chip.config, chip.workload
    encoder = workload.encoder
    macs = math.prod(encoder.weights.shape)
    unit = _digital("multiply", macs, config.input_encoder.macs_per_cycle)
    # what a neuron hands on
    code = config.slicing.activation_bits if config.has_converters else 1
    width = encoder.weights.shape[-1] * code
    side = 1
    if isinstance(encoder, ConvEncoder):
        kernel = encoder.weights.shape[0]
        side = (IMAGE_SIDE + 2 * encoder.padding - kernel) // encoder.stride + 1
    if not in_real_time:
        inputs = from_nothing(n_steps if workload.is_recurrent else side * side)
    elif workload.is_recurrent:
        inputs = step_by_step(n_steps, emits_all=True)
    else:
        inputs = from_images(side * side)
    parts = [Part("encoder", inputs, unit, width)]
    pools: list[MaxPool] = []
    for index, (layer, tile) in enumerate(zip(workload.layers, chip.tiles, strict=True)):
        if isinstance(layer, MaxPool):
            pools.append(layer)
            continue
        assert tile is not None
        if workload.is_recurrent:
            demand = step_by_step(n_steps, emits_all=index < len(workload.layers) - 1)
            width = tile.matrices[0].matrix.n_columns * code
        elif isinstance(layer, Conv2d):
            pooled = side
            for pool in pools:
                pooled = (pooled - pool.size) // pool.stride + 1
            side_out = (pooled + 2 * layer.padding - layer.kernel) // layer.stride + 1
            demand = by_window(side, pools, layer, side_out)
            side, pools, width = side_out, [], layer.matrix.n_columns * code
        else:
            demand = all_at_once(parts[-1].demand.emits)
            side, pools, width = 1, [], tile.matrices[0].matrix.n_columns * code
        parts.append(Part(tile.name, demand, tile_phases(tile, config, logic), width))
    macs = workload.output.weights.size
    unit = _digital("multiply", macs, config.output_unit.macs_per_cycle)
    parts.append(Part("output", all_at_once(parts[-1].demand.emits), unit, 0))
    return parts


def _digital(name: str, macs: int, macs_per_cycle: int) -> tuple[Phase, ...]:
    # a digital unit is pipelined to the clock: its cycles are given, not its delay
    return (Phase(name, 0.0, -(-macs // macs_per_cycle)),)


@dataclass(frozen=True)
class CycleRun:
    """A chip after all its cycles.

    Attributes
    ----------
    parts : list of Part
        Encoder, tiles, output unit.
    stages : list of Stage
        The same and the links between them, in order.
    cycles : int
    """

    chip: Chip
    parts: list[Part]
    stages: list[Stage]
    arrivals: Arrivals | None
    cycles: int

    def stage(self, name: str) -> Stage:
        return next(stage for stage in self.stages if stage.name == name)


def run_cycles(
    chip: Chip,
    logic: Logic,
    n_steps: int,
    inferences: int = INFERENCES,
    frame_interval: float | None = None,
) -> CycleRun:
    """Simulate a chip's cycles.

    Parameters
    ----------
    frame_interval : float or None
        Time between inputs that come in real time [s]; None: they are always at hand.

    Raises
    ------
    PimsimError
        If it comes to a standstill, or cannot keep up with its inputs.
    """
    config = chip.config
    parts = chip_parts(chip, logic, n_steps, frame_interval is not None)
    transfer = link_phase(config, logic)
    stages: list[Stage] = []
    buffers: list[Buffer] = []
    source: Buffer | None = None
    arrivals = None
    if frame_interval is not None:
        source = Buffer("encoder buffer", REGISTER)
        arrivals = Arrivals(
            parts[0].demand.tokens * inferences,
            max(1, round(frame_interval * config.clock.frequency)),
            source,
            wake_cycles(config),
        )
        buffers.append(source)
    for part, following in zip(parts, [*parts[1:], None], strict=True):
        register = Buffer(f"{part.name} register", REGISTER) if following else None
        phases = [(phase.name, phase.cycles * phase.repeats) for phase in part.phases]
        operations = part.demand.repeated(inferences)
        stages.append(Stage(part.name, operations, phases, source, register))
        if following is None or register is None:
            break
        link, capacity = config.link, following.demand.most_held + config.link.spare_tokens
        source = Buffer(f"{following.name} buffer", capacity, link.latency)
        transfers = step_by_step(part.demand.emits, emits_all=True).repeated(inferences)
        cycles = -(-part.bits // link.width) * transfer.cycles
        name = f"{part.name} to {following.name}"
        stages.append(Stage(name, transfers, [("transfer", cycles)], register, source))
        buffers += [register, source]
    for stage in stages:
        if stage.duration * len(stage.operations) > MOST_CYCLES:
            raise PimsimError(
                f"{stage.name} takes {stage.duration:,} cycles for each of its operations; "
                f"more than {MOST_CYCLES:,} in all are not simulated",
                remedy="Lower the clock, or give its unit more macs_per_cycle",
            )
    output = stages[-1]
    components: list[Component] = [*stages, *buffers, *([arrivals] if arrivals else [])]
    cycles = simulate(components, lambda: output.is_done, MOST_CYCLES)
    return CycleRun(chip, parts, stages, arrivals, cycles)


def wake_cycles(config: ChipConfig) -> int | None:
    """Cycles from an input to a chip that is awake; None for one that never sleeps."""
    if not config.power.sleep:
        return None
    return cycles_of(config.power.wake_time, config.clock.frequency)


def time_chip(
    chip: Chip,
    logic: Logic,
    n_steps: int,
    inferences: int = INFERENCES,
    frame_interval: float | None = None,
) -> Timing:
    """Simulate a chip's cycles, and say how long its inferences take.

    At least two inferences are needed to see the interval between them.
    """
    run = run_cycles(chip, logic, n_steps, inferences, frame_interval)
    clock, parts, stages = chip.config.clock.frequency, run.parts, run.stages
    finished = stages[-1].activity.finished
    per_inference = len(parts[0].demand.operations)
    if run.arrivals is None:
        last_input = stages[0].activity.started[per_inference - 1]
        slept = []
    else:
        last_input = (parts[0].demand.tokens - 1) * run.arrivals.period
        slept = [n for begin, n in run.arrivals.sleeps if finished[-2] <= begin < finished[-1]]
    timed = tuple(
        StageTiming(
            stage.name,
            len(stage.operations),
            stage.duration,
            stage.activity.cycles[Status.BUSY],
            stage.activity.cycles[Status.STARVED],
            stage.activity.cycles[Status.BLOCKED],
        )
        for stage in stages
    )
    tiles = [part for part in parts if part.name not in ("encoder", "output")]
    slowest_tile = max(tiles, key=lambda part: sum(phase.seconds for phase in part.phases))
    clocks = {
        f"{phase.name} of {part.name}": phase.cycles / phase.seconds
        for part in tiles
        for phase in part.phases
        if phase.seconds > 0
    }
    transfer = link_phase(chip.config, logic)
    clocks["transfer of a link"] = transfer.cycles / transfer.seconds
    critical_path = min(clocks, key=lambda name: clocks[name])
    return Timing(
        clock=clock,
        frame_interval=frame_interval,
        first_cycles=finished[0],
        after_last_cycles=finished[0] - last_input,
        interval_cycles=finished[-1] - finished[-2],
        asleep_cycles=sum(slept),
        wakes=len(slept),
        highest_clock=clocks[critical_path],
        critical_path=critical_path,
        slowest=max(timed, key=lambda stage: stage.busy).name,
        cycles=run.cycles,
        stages=timed,
        phases=slowest_tile.phases,
    )
