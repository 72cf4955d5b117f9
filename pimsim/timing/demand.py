"""Which tokens of the component before each operation of a layer needs, and which it gives up.

A token is what a component hands on at once: a time step of a recurrent layer, a pixel of a
feature map (row by row), or the whole output of a dense layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from pimsim.timing.engine import Operation
from pimsim.workload.layers import Conv2d, MaxPool


class Demand(NamedTuple):
    """Operations of one inference.

    Attributes
    ----------
    operations : list of Operation
    tokens : int
        Tokens that they read.
    emits : int
        Tokens that they write.
    """

    operations: list[Operation]
    tokens: int

    @property
    def emits(self) -> int:
        return sum(operation.emits for operation in self.operations)

    @property
    def most_held(self) -> int:
        """Most tokens that must be held at once for an operation to start."""
        given_up = [0] + [operation.release for operation in self.operations[:-1]]
        pairs = zip(self.operations, given_up, strict=True)
        return max((operation.need - gone for operation, gone in pairs), default=0)

    def repeated(self, times: int) -> list[Operation]:
        """Operations of several inferences, one after the other."""
        return [
            Operation(n * self.tokens + need, n * self.tokens + release, emits)
            for n in range(times)
            for need, release, emits in self.operations
        ]


def from_nothing(n: int) -> Demand:
    """An input layer: a token for each of its operations, from inputs that are there."""
    return Demand([Operation(0, 0, 1)] * n, 0)


def from_images(n: int) -> Demand:
    """The input layer of images that arrive one by one: all its operations need the image."""
    return Demand([Operation(1, int(index == n - 1), 1) for index in range(n)], 1)


def step_by_step(n_steps: int, emits_all: bool) -> Demand:
    """A recurrent layer: an operation per time step; the last layer hands on its last step only."""
    return Demand(
        [
            Operation(step + 1, step + 1, int(emits_all or step == n_steps - 1))
            for step in range(n_steps)
        ],
        n_steps,
    )


def all_at_once(tokens: int) -> Demand:
    """A dense layer: one operation that needs everything."""
    return Demand([Operation(tokens, tokens, 1)], tokens)


def by_window(side: int, pools: Sequence[MaxPool], layer: Conv2d, side_out: int) -> Demand:
    """A convolution: an operation per output pixel, row by row.

    Parameters
    ----------
    side : int
        Height and width of the map whose pixels are the tokens.
    pools : sequence of MaxPool
        Between that map and the convolution; a pool is a gate that works as pixels come.
    layer : Conv2d
    side_out : int
        Height and width of the convolution's output.
    """
    places = [(y, x) for y in range(side_out) for x in range(side_out)]
    firsts, needs = [], []
    for y, x in places:
        top, bottom = _source(y, layer, pools, side)
        left, right = _source(x, layer, pools, side)
        firsts.append(top * side + left)
        needs.append(bottom * side + right + 1)
    tokens = side * side
    # what no later operation needs: with padding, the next row may go back to the same pixels
    releases = list(accumulate([tokens, *reversed(firsts[1:])], min))[::-1]
    return Demand(
        [Operation(need, gone, 1) for need, gone in zip(needs, releases, strict=True)], tokens
    )


def _source(index: int, layer: Conv2d, pools: Sequence[MaxPool], side: int) -> tuple[int, int]:
    """First and last row (or column) of the source map that an output row depends on."""
    first = max(0, index * layer.stride - layer.padding)
    last = index * layer.stride - layer.padding + layer.kernel - 1
    for pool in reversed(pools):
        first, last = first * pool.stride, last * pool.stride + pool.size - 1
    # padding lies outside of the map
    return min(first, side - 1), min(last, side - 1)
