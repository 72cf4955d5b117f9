"""A chip's components as stages and buffers, and the timing of its inferences."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.chip.demand import Demand, step_by_step
from pimsim.chip.graph import REGISTER, ArrayComponent, ChipGraph
from pimsim.chip.phase import Phase, cycles_of
from pimsim.config.chip import ChipConfig
from pimsim.errors import PimsimError
from pimsim.timing import engine
from pimsim.timing.bottleneck import bottleneck
from pimsim.timing.engine import Arrivals, Buffer, Stage, Status, simulate
from pimsim.timing.turns import Turns

# enough for the pipeline to be full: the interval is that of the last two
INFERENCES = 4
MAX_CYCLES = 10_000_000


@dataclass(frozen=True)
class StageTiming:
    """Counted cycles of a stage, from the first cycle to the last.

    Attributes
    ----------
    started : tuple of int
        First cycle of each operation of the first inference.
    is_link : bool
    """

    name: str
    operations: int
    cycles_per_operation: int
    busy: int
    starved: int
    blocked: int
    started: tuple[int, ...]
    is_link: bool


@dataclass(frozen=True)
class Timing:
    """Latency and initiation interval of inferences on a chip, one after the other.

    Attributes
    ----------
    clock : float
        [Hz]
    frame_interval : float or None
        Time between inputs [s]; None: they are always at hand.
    first_cycles : int
        Latency from the first input to the first scores.
    after_last_cycles : int
        Latency from the last input of an inference to its scores.
    interval_cycles : int
        Initiation interval: from the scores of one inference to those of the next.
    asleep_cycles, wakes : int
        Cycles of such an interval in which the chip sleeps, and number of times that it wakes.
    highest_clock : float
        Fastest clock at which no phase needs more cycles than now [Hz].
    critical_path : str
        The phase that sets it.
    slowest : str
        The stage that is busy longest, the first of several.
    bottleneck : tuple of str
        What sets the interval: stages, or "inputs" that come in real time.
    cycles : int
        Cycles of the whole simulation.
    stages : tuple of StageTiming
    phases : tuple of Phase
        Phases of an operation of the tile that is busy longest.
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
    bottleneck: tuple[str, ...]
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
    graph : ChipGraph
    stages : list of Stage
        Its components and the links that leave each, in order.
    arrivals : Arrivals or None
        Record of inputs that arrive in real time.
    cycles : int
    """

    graph: ChipGraph
    stages: list[Stage]
    arrivals: Arrivals | None
    cycles: int

    def stage(self, name: str) -> Stage:
        return next(stage for stage in self.stages if stage.name == name)


def run_cycles(
    graph: ChipGraph, inferences: int = INFERENCES, frame_interval: float | None = None
) -> CycleRun:
    """Simulate a chip's cycles.

    Parameters
    ----------
    graph : ChipGraph
        In real time where a frame interval is given.
    frame_interval : float or None
        Time between inputs that come in real time [s]; None: they are always at hand.

    Raises
    ------
    PimsimError
        If it comes to a standstill, or cannot keep up with its inputs.
    """
    config = graph.chip.config
    registers = {link.name: Buffer(f"{link.name} register", link.register) for link in graph.links}
    ends = {
        link.name: Buffer(f"{link.name} buffer", link.capacity, config.link.latency)
        for link in graph.links
    }
    buffers = [*registers.values(), *ends.values()]
    first, stages = graph.components[0], []
    inputs, arrivals = [], None
    if frame_interval is not None:
        # one group of frames is worked on while the next one is gathered
        held = REGISTER * first.demand.readings[0].most_held
        inputs = [Buffer(f"{first.name} buffer", held)]
        arrivals = Arrivals(
            first.demand.readings[0].tokens * inferences,
            max(1, round(frame_interval * config.clock.frequency)),
            inputs[0],
            wake_cycles(config),
        )
        buffers += inputs
    turns = None
    if config.array.shared:
        turns = Turns({tile.name: tile.demand.n_operations for tile in graph.tiles})
    for component in graph.components:
        leaving = [link for link in graph.links if link.source == component.name]
        # in the order in which its operations name their needs
        entering = {link.source: link for link in graph.links if link.target == component.name}
        sources = [ends[entering[name].name] for name in component.sources]
        phases = [(phase.name, phase.cycles * phase.repeats) for phase in component.phases]
        stages.append(
            Stage(
                component.name,
                component.demand.repeated(inferences),
                phases,
                inputs if component is first else sources,
                [registers[link.name] for link in leaving],
                turns if isinstance(component, ArrayComponent) else None,
            )
        )
        for link in leaving:
            passing = Demand((step_by_step(link.tokens),), [1] * link.tokens).repeated(inferences)
            transfer = [("transfer", link.cycles)]
            stages.append(
                Stage(link.name, passing, transfer, [registers[link.name]], [ends[link.name]])
            )
    for stage in stages:
        if stage.duration * len(stage.operations) > MAX_CYCLES:
            raise PimsimError(
                f"{stage.name} takes {stage.duration:,} cycles for each of its operations; "
                f"more than {MAX_CYCLES:,} in all are not simulated",
                remedy="Lower the clock, or give its unit more macs_per_cycle",
            )
    output = stages[-1]
    components: list[engine.Component] = [
        *stages,
        *buffers,
        *([arrivals] if arrivals else []),
        *([turns] if turns else []),
    ]
    cycles = simulate(components, lambda: output.is_done, MAX_CYCLES)
    return CycleRun(graph, stages, arrivals, cycles)


def wake_cycles(config: ChipConfig) -> int | None:
    """Cycles from an input to a chip that is awake; None for one that never sleeps."""
    if not config.power.sleep:
        return None
    return cycles_of(config.power.wake_time, config.clock.frequency)


def time_chip(
    graph: ChipGraph, inferences: int = INFERENCES, frame_interval: float | None = None
) -> Timing:
    """Simulate a chip's cycles; returns the timing of its inferences.

    At least two inferences are needed to see the interval between them.
    """
    run = run_cycles(graph, inferences, frame_interval)
    clock, stages = graph.chip.config.clock.frequency, run.stages
    # an inference ends with the last one of the last component's operations
    each = graph.components[-1].demand.n_operations
    finished = stages[-1].activity.finished[each - 1 :: each]
    first = graph.components[0].demand
    if run.arrivals is None:
        last_input = stages[0].activity.started[first.n_operations - 1]
        slept = []
    else:
        last_input = (first.readings[0].tokens - 1) * run.arrivals.period
        slept = [n for begin, n in run.arrivals.sleeps if finished[-2] <= begin < finished[-1]]
    links = {link.name for link in graph.links}
    timed = tuple(
        StageTiming(
            stage.name,
            len(stage.operations),
            stage.duration,
            stage.activity.cycles[Status.BUSY],
            stage.activity.cycles[Status.STARVED],
            stage.activity.cycles[Status.BLOCKED],
            tuple(stage.activity.started[: len(stage.operations) // inferences]),
            stage.name in links,
        )
        for stage in stages
    )
    slowest_tile = max(
        graph.tiles,
        key=lambda tile: (
            tile.cycles * tile.demand.n_operations,
            sum(phase.seconds for phase in tile.phases),
        ),
    )
    clocks = {
        f"{phase.name} of {component.name}": phase.cycles / phase.seconds
        for component in graph.components
        for phase in component.phases
        if phase.seconds > 0
    }
    transfer = graph.transfer
    clocks["transfer of a link"] = transfer.cycles / transfer.seconds
    critical_path = min(clocks, key=lambda name: clocks[name])
    interval = finished[-1] - finished[-2]
    return Timing(
        clock=clock,
        frame_interval=frame_interval,
        first_cycles=finished[0],
        after_last_cycles=finished[0] - last_input,
        interval_cycles=interval,
        asleep_cycles=sum(slept),
        wakes=len(slept),
        highest_clock=clocks[critical_path],
        critical_path=critical_path,
        slowest=max(timed, key=lambda stage: stage.busy).name,
        bottleneck=bottleneck(stages, inferences, interval, run.arrivals is not None),
        cycles=run.cycles,
        stages=timed,
        phases=slowest_tile.phases,
    )
