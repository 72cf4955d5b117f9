"""Signals between layers: their shapes, and the numbers that they carry.

A signal is an array `(n_items, [n_steps,] *places, width)`: sequences or images first, then time
steps where it has them, then the rows and columns of a feature map, then the bits or codes at
each place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import PimsimError

Bits = NDArray[np.uint8]
Codes = NDArray[np.uint8]
Values = NDArray[np.float32]


# codes are held in bytes
MAX_CODE_BITS = 8


@dataclass(frozen=True)
class CodeFormat:
    """Unsigned codes of `bits` bits; `zero` is the code that stands for the number 0."""

    bits: int
    zero: int = 0

    @property
    def top(self) -> int:
        """The largest code."""
        return int(2**self.bits - 1)


@dataclass(frozen=True)
class Shape:
    """Shape of one signal, for a single sequence or image, and the format of its numbers.

    Attributes
    ----------
    width : int
        Bits or codes at each place.
    places : tuple of int
        Height and width of a feature map, or the length of a sequence that is taken as a whole;
        empty for a plain row of bits.
    has_steps : bool
        Whether there is one such array for every time step; how many, the data decide.
    codes : CodeFormat or None
        Format that the network gives its codes; None where the chip that it runs on decides.
    """

    width: int
    places: tuple[int, ...] = ()
    has_steps: bool = False
    codes: CodeFormat | None = None

    @property
    def n_places(self) -> int:
        """Places of one time step."""
        return math.prod(self.places)

    @property
    def size(self) -> int:
        """Bits or codes of one time step."""
        return self.n_places * self.width

    @property
    def leading(self) -> int:
        """Axes of an array of such signals before their places: sequences, and time steps."""
        return 2 if self.has_steps else 1

    @property
    def zero(self) -> int:
        """Code that stands for the number 0."""
        return 0 if self.codes is None else self.codes.zero

    def __str__(self) -> str:
        if len(self.places) == 1:
            return f"sequences of {self.places[0]} places with {self.width} channels"
        if self.places:
            sides = " x ".join(map(str, self.places))
            return f"{sides} maps of {self.width} channels"
        is_codes = self.codes is not None and self.codes.bits > 1
        what = f"{self.width} {'codes' if is_codes else 'bits'}"
        return f"time steps of {what}" if self.has_steps else what


def common_format(shapes: Sequence[Shape]) -> CodeFormat | None:
    """Format of several signals that go on as one; raises a PimsimError where they differ."""
    found = {shape.codes for shape in shapes}
    if len(found) > 1:
        raise PimsimError("reads signals of different formats, whose codes mean different numbers")
    return found.pop() if found else None


class Numbers(Protocol):
    """The numbers of a signal: bits, codes or reals.

    Attributes
    ----------
    name : str
        "bits", "codes" or "reals".
    one : int or float
        The number that stands for 1.
    dtype : type
        Type of arrays that hold them.
    """

    @property
    def name(self) -> str: ...

    @property
    def one(self) -> float: ...

    @property
    def dtype(self) -> type: ...

    def mix(self, gate: Any, kept: Any, new: Any) -> Any:
        """G x kept + (1 - G) x new, element by element (eq. 11)."""
        ...


class BitNumbers:
    """Bits: 0 or 1."""

    name = "bits"
    one = 1
    dtype = np.uint8

    def mix(self, gate: Bits, kept: Bits, new: Bits) -> Bits:
        """A 2:1 multiplexer: `kept` where the gate is 1, `new` elsewhere."""
        return np.where(gate, kept, new).astype(np.uint8)


@dataclass(frozen=True)
class CodeNumbers:
    """Unsigned codes of `bits` bits; the largest code means 1."""

    bits: int
    name = "codes"
    dtype = np.uint8

    @property
    def one(self) -> int:
        """The largest code."""
        return int(2**self.bits - 1)

    def mix(self, gate: Codes, kept: Codes, new: Codes) -> Codes:
        """The mean of two codes, weighted by a third, rounded half up."""
        g, h, c = (codes.astype(np.int64) for codes in (gate, kept, new))
        return ((g * h + (self.one - g) * c + self.one // 2) // self.one).astype(np.uint8)


class RealNumbers:
    """Real numbers from 0 to 1, the outputs of sigmoids."""

    name = "reals"
    one = 1.0
    dtype = np.float32

    def mix(self, gate: Values, kept: Values, new: Values) -> Values:
        """A mean weighted by the gate."""
        return new + gate * (kept - new)


BITS = BitNumbers()
REALS = RealNumbers()
