"""Thermometer bits: inputs compared with limits, which drive word lines without any sum before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import PimsimError, shown
from pimsim.workload.ends import Encoder
from pimsim.workload.grid import INPUT_GRID, INPUT_LIMIT, require, to_grid
from pimsim.workload.signals import Bits, Shape

# where limits are put by default: the steps of numbers of 8 bits from -4 to 4, which chips compare
LIMIT_GRID = 2.0**-5
# comparators of one network
MAX_BITS = 2**20

Spacing = Literal["quantile", "even"]


@dataclass(frozen=True)
class ThermometerEncoder(Encoder):
    """Comparators: bit = 1 if the input of its channel > limit, at each place.

    Channels may have different numbers of bits. The weights of the first layer are those of the
    node that reads the bits.

    Attributes
    ----------
    limits : (n_bits,) float32
        On `INPUT_GRID`.
    channel : (n_bits,) int32
        Channel that each bit looks at, ascending.
    """

    limits: NDArray[np.float32]
    channel: NDArray[np.int32]
    kind: ClassVar[str] = "thermometer"

    def __post_init__(self) -> None:
        limits, channel = self.limits, self.channel
        require(
            limits.dtype == np.float32 and limits.ndim == 1,
            f"limits must be 1-D float32 (n_bits,), not {limits.ndim}-D {limits.dtype}",
        )
        require(
            1 <= limits.size <= MAX_BITS,
            f"a thermometer has {limits.size} bits; it has 1 to {MAX_BITS}",
        )
        require(
            channel.dtype == np.int32 and channel.shape == limits.shape,
            f"channel must be int32 of shape {limits.shape}, one for each limit, not "
            f"{channel.dtype} of shape {channel.shape}",
        )
        exact = limits.astype(np.float64)
        require(
            bool(np.isfinite(exact).all())
            and np.array_equal(exact, to_grid(exact, INPUT_GRID, INPUT_LIMIT)),
            "limits must be multiples of 2^-10 below 32 in magnitude, as inputs are (round them "
            "with workload.to_grid)",
        )
        require(
            int(channel[0]) >= 0 and bool((np.diff(channel.astype(np.int64)) >= 0).all()),
            "channels of limits must be 0 or more, and ascend",
        )

    @property
    def n_weights(self) -> int:
        return 0

    @property
    def n_bits(self) -> int:
        return int(self.limits.size)

    @property
    def n_channels(self) -> int:
        """Channels that any bit looks at."""
        return len(np.unique(self.channel))

    @property
    def description(self) -> str:
        counts = np.unique(self.channel, return_counts=True)[1]
        low, high = int(counts.min()), int(counts.max())
        each = f"{low}" if low == high else f"{low} to {high}"
        return f"thermometer, {self.n_bits} bits of {self.n_channels} channels, {each} of each"

    def shape(self, inputs: Shape) -> Shape:
        last = int(self.channel[-1])
        require(
            last < inputs.width,
            f"the encoder looks at channel {last}, and inputs have {inputs.width}, from 0 on",
        )
        return Shape(self.n_bits, inputs.places, inputs.has_steps)

    def bits(self, inputs: NDArray[np.float64]) -> Bits:
        """Bits (..., n_bits) of inputs (..., n_channels)."""
        return (inputs[..., self.channel] > self.limits.astype(np.float64)).astype(np.uint8)

    def codes(self, inputs: NDArray[np.float64], one: float = 1) -> NDArray[np.uint8]:
        return self.bits(inputs) * np.uint8(one)


def limits_of(
    values: NDArray[np.floating],
    counts: int | Sequence[int],
    spacing: Spacing = "quantile",
    grid: float = LIMIT_GRID,
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Limits of a thermometer from the inputs of a training set.

    Parameters
    ----------
    values : (..., n_channels) float
        Inputs as `Input.numbers` gives them.
    counts : int or sequence of int
        Bits of every channel, or of each; 0 leaves a channel out.
    spacing : {"quantile", "even"}
        Limits that divide each channel's values into equal shares, or its range into equal parts.
    grid : float
        Limits are rounded to multiples of it, itself a multiple of `INPUT_GRID`.

    Returns
    -------
    limits : (n_bits,) float32
    channel : (n_bits,) int32
        Arguments of `ThermometerEncoder`.
    """
    require(
        grid > 0 and (grid / INPUT_GRID).is_integer(), f"grid is {grid}; it is a multiple of 2^-10"
    )
    limits, channel = spaced(values, counts, spacing)
    return to_grid(limits, grid, INPUT_LIMIT).astype(np.float32), channel


def spaced(
    values: NDArray[np.floating], counts: int | Sequence[int], spacing: Spacing
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Limits as in `limits_of`, on no grid."""
    n_channels = values.shape[-1]
    of_channels = counts_of(counts, n_channels)
    require(spacing in ("quantile", "even"), f"spacing is {shown(spacing)}; quantile or even")
    flat = np.asarray(values, np.float64).reshape(-1, n_channels)
    require(len(flat) > 0 and bool(np.isfinite(flat).all()), "limits need finite values")
    limits, channel = [], []
    for index, count in enumerate(of_channels):
        shares = np.arange(1, count + 1) / (count + 1)
        if spacing == "quantile":
            limits.append(np.quantile(flat[:, index], shares))
        else:
            low, high = flat[:, index].min(), flat[:, index].max()
            limits.append(low + shares * (high - low))
        channel.append(np.full(count, index, np.int32))
    return np.concatenate(limits), np.concatenate(channel)


def step_of(limits: NDArray[np.floating], bits: int) -> float:
    """Smallest power of two that is the step of numbers of so many bits around all limits.

    The numbers are two's complement; the largest is above the largest limit.
    """
    largest = float(np.abs(np.asarray(limits, np.float64)).max()) or 1.0
    fraction, exponent = math.frexp(largest / (2 ** (bits - 1) - 2))
    return 2.0 ** (exponent if fraction > 0.5 else exponent - 1)


def counts_of(counts: int | Sequence[int], n_channels: int) -> tuple[int, ...]:
    """Bits of each channel; raises a PimsimError where they do not fit the channels."""
    found = (counts,) * n_channels if isinstance(counts, int) else tuple(counts)
    if len(found) != n_channels or min(found, default=0) < 0 or sum(found) < 1:
        raise PimsimError(
            f"bits of channels are {shown(counts)}, and inputs have {n_channels} channels",
            remedy="Give one number for all channels, or one for each, and at least one bit",
        )
    return found
