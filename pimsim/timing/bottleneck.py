"""Bottleneck of a pipeline: the inputs, a stage at work throughout, or stages that wait in turn."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from pimsim.timing.engine import Buffer, Stage, Status

INPUTS = "inputs"


def bottleneck(
    stages: Sequence[Stage], inferences: int, interval: int, in_real_time: bool
) -> tuple[str, ...]:
    """Names of what sets the interval between inferences, in the order of the pipeline.

    Inputs that come in real time; else every stage that is at work for the whole interval, or that
    has its turn at a shared array; else the stages that wait for each other, since a buffer between
    them holds too little for all of them to be at work at once.

    Parameters
    ----------
    stages : sequence of Stage
        After all their operations; the last one gives the scores.
    inferences : int
        Inferences that they went through.
    interval : int
        Cycles from the scores of one inference to those of the next.
    """
    if in_real_time:
        return (INPUTS,)
    in_turn = tuple(stage.name for stage in stages if stage.turns is not None)
    if in_turn:
        return in_turn
    busy = {stage.name: stage.duration * len(stage.operations) // inferences for stage in stages}
    whole = tuple(name for name, cycles in busy.items() if cycles >= interval)
    return whole or _waiting_in_turn(stages, inferences)


def _waiting_in_turn(stages: Sequence[Stage], inferences: int) -> tuple[str, ...]:
    """Stages on the chain of causes of the last scores, in inferences between first and last.

    The pipeline fills during the first inference and empties during the last, where other stages
    are on the chain, too.
    """
    found = set()
    for stage, operation in _causes(stages):
        inference = operation * inferences // len(stage.operations)
        if 0 < inference < inferences - 1:
            found.add(stage.name)
    return tuple(stage.name for stage in stages if stage.name in found)


def _causes(stages: Sequence[Stage]) -> list[tuple[Stage, int]]:
    """Operations that each waited for the next one of the list, from the last scores back."""
    chain = _Chain(stages)
    step: tuple[Stage, int] | None = (stages[-1], len(stages[-1].operations) - 1)
    found = []
    while step is not None:
        found.append(step)
        step = chain.before(*step)
    return found


class _Chain:
    """Finds the operation that another one waited for."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._writer = {id(b): stage for stage in stages for b in stage.targets}
        self._reader = {id(b): stage for stage in stages for b in stage.sources}
        self._emitted = {
            stage.name: list(accumulate(o.emits for o in stage.operations)) for stage in stages
        }

    def before(self, stage: Stage, operation: int) -> tuple[Stage, int] | None:
        """Operation that ended last of all that this one waited for; None for no other."""
        begin = stage.activity.started[operation]
        status = stage.activity.status(begin - 1) if begin else None
        if status is Status.BUSY:
            return stage, operation - 1
        if status is Status.BLOCKED:
            return self._reader_of(stage, begin - 1)
        return self._last_writer(stage, operation)

    def _last_writer(self, stage: Stage, operation: int) -> tuple[Stage, int] | None:
        begin, needs = stage.activity.started[operation], stage.operations[operation].needs
        writers = [
            (writer, buffer, bisect_left(self._emitted[writer.name], need))
            for buffer, need in zip(stage.sources, needs, strict=False)
            if need and (writer := self._writer.get(id(buffer))) is not None
        ]
        for writer, buffer, _ in writers:
            # tokens that came later than they were written had waited for room
            cycle = begin - 1 - buffer.latency
            if writer.activity.status(cycle) is Status.BLOCKED:
                return self._reader_of(writer, cycle)
        last = max(writers, key=lambda w: self._arrived(*w), default=None)
        return None if last is None else (last[0], last[2])

    @staticmethod
    def _arrived(writer: Stage, buffer: Buffer, operation: int) -> int:
        """Cycle from which the tokens of an operation are there, if they had not to wait."""
        return writer.activity.finished[operation] + buffer.latency

    def _reader_of(self, stage: Stage, cycle: int) -> tuple[Stage, int] | None:
        """Operation by whose end there was room for a stage's tokens in a cycle."""
        found = []
        for buffer in stage.targets:
            reader = self._reader[id(buffer)]
            last = bisect_right(reader.activity.finished, cycle) - 1
            if last >= 0:
                found.append((reader.activity.finished[last], reader, last))
        if not found:
            return None
        _, reader, last = max(found, key=lambda f: f[0])
        return reader, last
