"""A chip's parts as stages and buffers, and how long its inferences take."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.chip import Chip
from pimsim.circuits.logic import Logic
from pimsim.config.chip import ChipConfig
from pimsim.errors import PimsimError
from pimsim.timing.demand import step_by_step
from pimsim.timing.engine import Arrivals, Buffer, Component, Stage, Status, simulate
from pimsim.timing.parts import REGISTER, Part, chip_parts
from pimsim.timing.phases import Phase, cycles_of, link_phase

# enough for the pipeline to be full: the interval is that of the last two
INFERENCES = 4
MOST_CYCLES = 10_000_000


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
