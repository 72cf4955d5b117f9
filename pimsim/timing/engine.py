"""Clock cycles: components with state; all are evaluated, then all commit, as at a clock edge.

A component reads only what others committed in the cycle before, so the order in which
components are evaluated changes nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from pimsim.chip.demand import Operation
from pimsim.errors import PimsimError
from pimsim.timing.turns import Turns


class Component(Protocol):
    """A clocked component, with a state of its own in every cycle."""

    name: str

    @property
    def rests(self) -> bool:
        """Whether it waits for another component or for an input."""
        ...

    def next_event(self, cycle: int) -> int | None:
        """Next cycle (>= `cycle`) in which it changes by itself; None while it waits."""
        ...

    def evaluate(self, cycle: int) -> None:
        """Compute the next state from the committed states of all components."""
        ...

    def commit(self) -> None:
        """Take on the next state."""
        ...

    def skip(self, cycle: int, count: int, all_rest: bool) -> None:
        """Advance by `count` cycles from `cycle` on, in which no component changes."""
        ...


def simulate(
    components: Sequence[Component],
    is_done: Callable[[], bool],
    most_cycles: int,
    *,
    every_cycle: bool = False,
) -> int:
    """Run until done; returns the cycles that passed.

    Cycles in which every component rests, or goes on with an operation that is under way, are
    counted and not computed, unless `every_cycle` is: nothing happens in them.

    Raises
    ------
    PimsimError
        If components wait for each other, or after `most_cycles` computed ones.
    """
    cycle = 0
    for _ in range(most_cycles):
        if is_done():
            return cycle
        coming = cycle if every_cycle else _next_event(components, cycle)
        if coming is None:
            break
        if coming > cycle:
            all_rest = all(component.rests for component in components)
            for component in components:
                component.skip(cycle, coming - cycle, all_rest)
            cycle = coming
        for component in components:
            component.evaluate(cycle)
        for component in components:
            component.commit()
        cycle += 1
    if is_done():
        return cycle
    raise PimsimError(
        f"the chip did not finish in {cycle} cycles",
        remedy="A buffer may be too small for what its reader needs at once",
    )


def _next_event(components: Sequence[Component], cycle: int) -> int | None:
    first = None
    for component in components:
        event = component.next_event(cycle)
        if event == cycle:
            return cycle
        if event is not None and (first is None or event < first):
            first = event
    return first


class Arrivals:
    """Inputs that arrive in real time, and the chip's sleep between them.

    Parameters
    ----------
    count : int
        Inputs in all; the first comes in cycle 0.
    period : int
        Cycles between them.
    target : Buffer
    wake : int or None
        Cycles from an input to a chip that is awake, where it sleeps; None: it never does.

    Attributes
    ----------
    name : str
    sleeps : list of (cycle, cycles)
        Cycle in which each sleep began, and its length in cycles.
    """

    def __init__(self, count: int, period: int, target: Buffer, wake: int | None) -> None:
        self.name = "inputs"
        self.count, self.period, self.target, self.wake = count, period, target, wake
        self.sleeps: list[tuple[int, int]] = []
        self._index = self._pending = self._waking = 0
        self._is_asleep = False

    @property
    def rests(self) -> bool:
        return not self._pending

    def next_event(self, cycle: int) -> int | None:
        return cycle if self._pending else self._due

    @property
    def _due(self) -> int | None:
        return self._index * self.period if self._index < self.count else None

    def evaluate(self, cycle: int) -> None:
        if cycle == self._due:
            if self._pending:
                raise PimsimError(
                    f"the chip cannot keep up with an input every {self.period} cycles",
                    remedy="Raise frame_interval, the clock, or the macs_per_cycle of the encoder",
                )
            self._pending, self._index = 1, self._index + 1
            self._waking = self.wake or 0 if self._is_asleep else 0
            self._is_asleep = False
        if self._waking:
            self._waking -= 1
        elif self._pending and self.target.room:
            self.target.push(1)
            self._pending = 0

    def commit(self) -> None:
        """Nothing to commit: other components read its buffer alone."""

    def skip(self, cycle: int, count: int, all_rest: bool) -> None:
        if self.wake is not None and all_rest:
            self._is_asleep = True
            self.sleeps.append((cycle, count))


class Buffer:
    """A queue of tokens (a time step, a pixel) between a writer and a reader.

    Parameters
    ----------
    name : str
    capacity : int
        Tokens that it holds, those on their way included.
    latency : int
        Cycles that a token is on its way.

    Attributes
    ----------
    received, released : int
        Tokens written and given up by the reader, ever.
    fullest : int
        Most tokens that were held at once.
    """

    def __init__(self, name: str, capacity: int, latency: int = 0) -> None:
        self.name, self.capacity, self.latency = name, capacity, latency
        self.received = self.released = self.fullest = 0
        self._coming = self._going = self._now = self._n_on_the_way = 0
        # cycle in which they arrive, tokens
        self._on_the_way: deque[tuple[int, int]] = deque()

    @property
    def rests(self) -> bool:
        return not self._on_the_way

    def next_event(self, cycle: int) -> int | None:
        return None if self.rests else cycle + self._on_the_way[0][0] - self._now

    @property
    def room(self) -> int:
        return self.capacity - (self.received - self.released) - self._n_on_the_way

    def push(self, tokens: int) -> None:
        self._coming += tokens

    def release(self, up_to: int) -> None:
        """Release the first `up_to` tokens ever received."""
        self._going = max(self._going, up_to - self.released)

    def evaluate(self, cycle: int) -> None:
        """Nothing to decide: a buffer changes only by its writer and its reader."""

    def commit(self) -> None:
        if self._coming:
            self._on_the_way.append((self._now + self.latency, self._coming))
            self._n_on_the_way += self._coming
        if self._on_the_way and self._on_the_way[0][0] == self._now:
            _, tokens = self._on_the_way.popleft()
            self._n_on_the_way -= tokens
            self.received += tokens
        self.released += self._going
        self._coming = self._going = 0
        self._now += 1
        held = self.received - self.released
        if held > self.fullest:
            self.fullest = held

    def skip(self, cycle: int, count: int, all_rest: bool) -> None:
        """Advance the tokens that are on their way."""
        self._now += count


class Status(Enum):
    """Status of a stage in a cycle."""

    BUSY = "busy"
    STARVED = "starved"
    BLOCKED = "blocked"
    DONE = "done"

    # members are there once; an Enum's own hash is a call of Python, at every step of a stage
    __hash__ = object.__hash__


@dataclass
class Activity:
    """Record of a stage, cycle by cycle.

    Attributes
    ----------
    cycles : dict of Status -> int
    changes : list of (cycle, Status)
        Every cycle in which the status is another than in the one before.
    started, finished : list of int
        First cycle of each operation, and the cycle after its last; waiting for room in
        the next buffer comes after.
    """

    cycles: dict[Status, int] = field(default_factory=lambda: dict.fromkeys(Status, 0))
    changes: list[tuple[int, Status]] = field(default_factory=list)
    started: list[int] = field(default_factory=list)
    finished: list[int] = field(default_factory=list)

    def status(self, cycle: int) -> Status:
        """Status in a cycle that has passed."""
        return self.changes[bisect_right(self.changes, cycle, key=lambda c: c[0]) - 1][1]


class Stage:
    """A component that performs operations one after the other, all with the same phases.

    An operation that starts in cycle c and takes p cycles has its tokens in the next
    buffer from cycle c + p on, if there was room in the cycle before; otherwise they
    wait in the stage, which then does nothing else.

    Parameters
    ----------
    name : str
    operations : list of Operation
    phases : list of (name, cycles)
        Phases of an operation, in order; phases of no cycles are left out.
    sources : sequence of Buffer
        In the order of the operations' `needs`; without any it never waits for inputs.
    targets : sequence of Buffer
        Each gets every token; without any it never waits for room.
    turns : Turns, optional
        What it has to wait for, too.
    """

    def __init__(
        self,
        name: str,
        operations: Sequence[Operation],
        phases: Sequence[tuple[str, int]],
        sources: Sequence[Buffer],
        targets: Sequence[Buffer],
        turns: Turns | None = None,
    ) -> None:
        self.turns = turns
        self.name, self.operations = name, operations
        self.phases = [(label, cycles) for label, cycles in phases if cycles > 0]
        self.duration = sum(cycles for _, cycles in self.phases)
        if self.duration < 1:
            raise PimsimError(f"{name} takes no cycle at all")
        self.sources, self.targets = tuple(sources), tuple(targets)
        self.activity = Activity()
        self._index = self._left = 0
        self._waiting = 0

    @property
    def is_done(self) -> bool:
        return self._is_last and self._left == self._waiting == 0

    @property
    def rests(self) -> bool:
        if self._left or self._waiting:
            return False
        return self._is_last or not self._has_inputs

    def next_event(self, cycle: int) -> int | None:
        if self._left:
            return cycle + self._left - 1
        if self._waiting:
            return cycle if self._has_room else None
        return None if self.rests else cycle

    @property
    def _is_last(self) -> bool:
        return self._index == len(self.operations)

    @property
    def _has_inputs(self) -> bool:
        if self.turns is not None and not self.turns.holds(self.name):
            return False
        needs = self.operations[self._index].needs
        return all(
            buffer.received >= need for buffer, need in zip(self.sources, needs, strict=False)
        )

    def evaluate(self, cycle: int) -> None:
        self._note(self._advance(cycle), cycle, 1)

    def skip(self, cycle: int, count: int, all_rest: bool) -> None:
        if self._left:
            self._left -= count
            status = Status.BUSY
        elif self._waiting:
            status = Status.BLOCKED
        else:
            status = Status.DONE if self._is_last else Status.STARVED
        self._note(status, cycle, count)

    def _note(self, status: Status, cycle: int, count: int) -> None:
        activity = self.activity
        activity.cycles[status] += count
        if not activity.changes or activity.changes[-1][1] is not status:
            activity.changes.append((cycle, status))

    def _advance(self, cycle: int) -> Status:
        if self._waiting:
            self._hand_on()
            return Status.BLOCKED
        if not self._left:
            if self._is_last:
                return Status.DONE
            if not self._has_inputs:
                return Status.STARVED
            self._left = self.duration
            self.activity.started.append(cycle)
        self._left -= 1
        if not self._left:
            self._finish(cycle)
        return Status.BUSY

    def _finish(self, cycle: int) -> None:
        operation = self.operations[self._index]
        self._index += 1
        self.activity.finished.append(cycle + 1)
        if self.turns is not None:
            self.turns.use()
        for buffer, release in zip(self.sources, operation.releases, strict=False):
            buffer.release(release)
        self._waiting = operation.emits if self.targets else 0
        if self._waiting:
            self._hand_on()

    @property
    def _has_room(self) -> bool:
        return all(buffer.room >= self._waiting for buffer in self.targets)

    def _hand_on(self) -> None:
        if self._has_room:
            for buffer in self.targets:
                buffer.push(self._waiting)
            self._waiting = 0

    def commit(self) -> None:
        """Nothing to commit: other components read its buffers alone."""
