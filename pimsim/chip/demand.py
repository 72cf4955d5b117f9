"""For each operation of a component: how many input tokens it needs, and how many it releases.

A token is what a component hands on at once: a time step of a recurrent layer, a pixel of a
feature map (row by row), or the whole output of a dense layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from pimsim.workload.layers import Layer, Span


class Operation(NamedTuple):
    """One run through the phases of a stage.

    Attributes
    ----------
    needs : tuple of int
        Tokens that each source must have delivered before it starts, since the beginning.
    releases : tuple of int
        Tokens of each source that are no longer needed after it, since the beginning.
    emits : int
        Tokens that it writes at its end.
    """

    needs: tuple[int, ...]
    releases: tuple[int, ...]
    emits: int


class Reading(NamedTuple):
    """Tokens of one source that the operations of an inference read.

    Attributes
    ----------
    needs, releases : list of int
        Needed and released tokens of each operation, as in `Operation`.
    tokens : int
        Tokens that the source writes in an inference.
    """

    needs: list[int]
    releases: list[int]
    tokens: int

    def together(self, other: Reading) -> Reading:
        """Both readings of one source: each operation needs what either needs."""
        needs = [max(pair) for pair in zip(self.needs, other.needs, strict=True)]
        releases = [min(pair) for pair in zip(self.releases, other.releases, strict=True)]
        return Reading(needs, releases, self.tokens)

    @property
    def most_held(self) -> int:
        """Most tokens that must be held at once for an operation to start."""
        released = [0, *self.releases[:-1]]
        pairs = zip(self.needs, released, strict=True)
        return max((need - gone for need, gone in pairs), default=0)


class Demand(NamedTuple):
    """Operations of one inference.

    Attributes
    ----------
    readings : tuple of Reading
        One for each source.
    emits : list of int
        Tokens that each operation writes.
    """

    readings: tuple[Reading, ...]
    emits: list[int]

    @property
    def n_operations(self) -> int:
        return len(self.emits)

    @property
    def n_emitted(self) -> int:
        """Tokens that an inference writes."""
        return sum(self.emits)

    def repeated(self, times: int) -> list[Operation]:
        """Operations of several inferences, one after the other."""
        return [
            Operation(
                tuple(n * r.tokens + r.needs[i] for r in self.readings),
                tuple(n * r.tokens + r.releases[i] for r in self.readings),
                emits,
            )
            for n in range(times)
            for i, emits in enumerate(self.emits)
        ]


def step_by_step(n_steps: int) -> Reading:
    """A recurrent layer or a link: a token for each operation."""
    steps = list(range(1, n_steps + 1))
    return Reading(steps, steps, n_steps)


def all_at_once(n_operations: int, tokens: int) -> Reading:
    """A layer whose operations all need the whole input: a dense layer, or an arriving image."""
    releases = [0] * (n_operations - 1) + [tokens]
    return Reading([tokens] * n_operations, releases, tokens)


def by_window(
    source: tuple[int, int], layers: Sequence[Layer], output: tuple[int, int], groups: int = 1
) -> Reading:
    """A convolution: an operation per output pixel, row by row.

    Parameters
    ----------
    source : (height, width)
        Shape of the map whose pixels are the tokens.
    layers : sequence of Layer
        From that map to the output; pools before the convolution are gates that work as pixels
        come.
    output : (height, width)
    groups : int
        Operations at each pixel.
    """
    places = [(y, x) for y in range(output[0]) for x in range(output[1]) for _ in range(groups)]
    firsts, needs = [], []
    for y, x in places:
        top, bottom = _source(y, layers, source, 0)
        left, right = _source(x, layers, source, 1)
        firsts.append(top * source[1] + left)
        needs.append(bottom * source[1] + right + 1)
    tokens = source[0] * source[1]
    # what no later operation needs: with padding, the next row may go back to the same pixels
    releases = list(accumulate([tokens, *reversed(firsts[1:])], min))[::-1]
    return Reading(needs, releases, tokens)


def _source(index: int, layers: Sequence[Layer], sides: tuple[int, int], axis: int) -> Span:
    """First and last row (or column) of the source map that an output row depends on."""
    span = Span(index, index)
    for layer in reversed(layers):
        span = layer.span(span, axis)
    # padding lies outside of the map
    side = sides[axis]
    return Span(max(0, min(span.first, side - 1)), min(span.last, side - 1))
