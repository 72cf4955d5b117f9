"""Tensors of an ONNX graph: constants, and signals whose axes have a meaning."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.importers.ops import Real


class Axis(Enum):
    """Meaning of an axis of a signal.

    `SINGLE` is an axis of size 1 that carries nothing, such as the directions of a GRU.
    """

    BATCH = "batch"
    TIME = "time"
    CHANNEL = "channel"
    Y = "y"
    X = "x"
    SINGLE = "single"

    def __str__(self) -> str:
        return self.value


ROW = (Axis.BATCH, Axis.CHANNEL)
SEQUENCE = (Axis.BATCH, Axis.CHANNEL, Axis.X)
MAP = (Axis.BATCH, Axis.CHANNEL, Axis.Y, Axis.X)
FLAT_MAP = (Axis.BATCH, Axis.CHANNEL, Axis.SINGLE, Axis.X)
STEPS = (Axis.TIME, Axis.BATCH, Axis.CHANNEL)


@dataclass(frozen=True)
class Signal:
    """Output of an operation as a tensor of the graph.

    Attributes
    ----------
    op : str
        Name of the operation of `Trained`, or `INPUT`.
    axes : tuple of Axis
        In the order of the graph; operations of `Trained` have an order of their own.
    sizes : tuple of int or None
        None where the file leaves the size open, as it may for items and time steps.
    is_class : bool
        Whether it comes from a softmax or a choice of the best class, which leave the class as it
        is and are left out.
    whole : (scale, zero point) or None
        Of QuantizeLinear, which gave the whole numbers that it holds; None for real numbers.
    """

    op: str
    axes: tuple[Axis, ...]
    sizes: tuple[int | None, ...]
    is_class: bool = False
    whole: tuple[float, int] | None = None

    @property
    def known(self) -> tuple[int, ...]:
        """Sizes with 1 for those left open, as if there were one item and one time step."""
        return tuple(size or 1 for size in self.sizes)

    @property
    def channels(self) -> int:
        """Size of the channel axis."""
        return self.known[self.axes.index(Axis.CHANNEL)]

    @property
    def core(self) -> tuple[Axis, ...]:
        """Axes that carry something."""
        return tuple(axis for axis in self.axes if axis is not Axis.SINGLE)

    def without(self, dropped: set[int]) -> tuple[tuple[Axis, ...], tuple[int | None, ...]]:
        """Axes and sizes without some axes, by index."""
        kept = [i for i in range(len(self.axes)) if i not in dropped]
        return tuple(self.axes[i] for i in kept), tuple(self.sizes[i] for i in kept)

    def __str__(self) -> str:
        named = zip(self.axes, self.sizes, strict=True)
        return "(" + ", ".join(f"{axis} {size or 'open'}" for axis, size in named) + ")"


@dataclass(frozen=True)
class Constant:
    """A tensor that no input reaches.

    Attributes
    ----------
    values : array
    levels : int64 array of the same shape, or None
        Whole numbers, where the file quantises it: `values` is `levels` times `scale`.
    scale : float64 array of as many axes, or None
    is_size : bool
        Whether it comes from the sizes of a signal, with 1 for those left open: good for shapes
        and for states that start at zero, not for arithmetic.
    """

    values: NDArray[Any]
    levels: NDArray[np.int64] | None = None
    scale: Real | None = None
    is_size: bool = False


Tensor = Signal | Constant


def whole_numbers(constant: Constant) -> list[int]:
    """Values of a constant of whole numbers, such as axes."""
    return [int(value) for value in np.asarray(constant.values).ravel()]
