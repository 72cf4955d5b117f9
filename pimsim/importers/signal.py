"""A signal of the network that is built, and the meaning of its codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.importers.codes import Format
from pimsim.importers.ops import Real
from pimsim.workload.signals import Shape


@dataclass(frozen=True)
class Signal:
    """A signal.

    Attributes
    ----------
    node : str
        Node that gives it.
    shape : Shape
    scale, offset : (width,) float64
        The value of code u of a channel is scale x u + offset.
    has_zero : bool
        Whether the number 0 is a code: what padding needs.
    order : (size,) int64 or None
        Of a flattened map: place in the trained network's row of each of its numbers, which stand
        in the order (y, x, channel).
    """

    node: str
    shape: Shape
    scale: Real
    offset: Real
    has_zero: bool
    order: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, node: str, shape: Shape, given: Format, falls: NDArray[np.bool_]) -> Signal:
        """Signal of a format; codes of channels that fall are counted from the top."""
        top = 2**given.bits - 1
        scale = np.where(falls, -given.scale, given.scale) * np.ones(shape.width)
        offset = np.where(falls, given.offset + given.scale * top, given.offset)
        offset = offset * np.ones(shape.width)
        return cls(node, shape, scale, offset, given.has_zero and not falls.any())

    @property
    def is_flat(self) -> bool:
        return self.order is not None

    def flattened(self, channels_first: bool) -> Signal:
        """The same numbers as a row, in the trained network's order."""
        if not self.shape.places or self.is_flat:
            return self
        numbers = np.arange(self.shape.size)
        if channels_first:
            counted = numbers.reshape(self.shape.width, *self.shape.places)
            numbers = np.moveaxis(counted, 0, -1).ravel()
        return replace(self, order=numbers)

    def rows(self, weights: NDArray[Any]) -> NDArray[Any]:
        """Rows (n_rows, n_out) of weights in the order in which numbers drive word lines."""
        return weights if self.order is None else weights[self.order]

    def of_rows(self) -> tuple[Real, Real]:
        """Scale and offset of every number of a place, or of a flattened map, (n_rows,)."""
        times = self.shape.n_places if self.is_flat or self.shape.places else 1
        return np.tile(self.scale, times), np.tile(self.offset, times)

    def as_row(self, node: str) -> Signal:
        """The signal after a node that flattens it."""
        scale, offset = self.of_rows()
        shape = Shape(self.shape.size, (), self.shape.has_steps, self.shape.codes)
        return Signal(node, shape, scale, offset, self.has_zero, self.order)

    @classmethod
    def joined(cls, node: str, shape: Shape, parts: Sequence[Signal]) -> Signal:
        """Channels of several signals, one after the other."""
        order = None
        if any(part.is_flat for part in parts):
            first, orders = 0, []
            for part in parts:
                own = np.arange(part.shape.size) if part.order is None else part.order
                orders.append(own + first)
                first += part.shape.size
            order = np.concatenate(orders)
        return cls(
            node,
            shape,
            np.concatenate([part.scale for part in parts]),
            np.concatenate([part.offset for part in parts]),
            all(part.has_zero for part in parts),
            order,
        )
