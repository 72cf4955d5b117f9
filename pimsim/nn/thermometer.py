"""Inputs as thermometer bits."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pimsim.errors import PimsimError
from pimsim.importers.ops import Op
from pimsim.importers.ops import Thermometer as ThermometerOp
from pimsim.nn.array import as_real
from pimsim.nn.neurons import NoisyBinaryNeuron, fire
from pimsim.nn.noise import GlobalNoise


class Thermometer(nn.Module):
    """Inputs compared with limits: bits that drive an array; the first block of a network.

    Each channel is compared with its own limits, strictly: a bit is 1 where x > limit.

    Parameters
    ----------
    limits : sequence of n_bits floats
    channel : sequence of n_bits ints
        Channel that each limit is compared with, ascending; `pimsim.workload.limits_of` gives both
        from data.
    channel_axis : int
        Axis of the channels, which becomes that of the bits; 1 is that of maps (n, channels,
        height, width) and of rows (n, width).
    learned : bool
        Whether limits are trained. The slope of a bit, which is a step, is then taken from a
        sigmoid: d bit / d limit = -s (1 - s) / window, with s = sigmoid((x - limit) / window).
    window : float, or sequence of n_channels floats
        Width of that sigmoid [units of x]; a fraction of the channel's standard deviation is
        a good choice. Limits are trained in units of it.
    bits : int
        Bits of the numbers that a chip compares. Limits are such numbers: rounded to the smallest
        power of two with which all of them lie in range.

    Raises
    ------
    PimsimError
        If limits and channels do not fit each other, or a number is out of its range.
    """

    def __init__(
        self,
        limits: Sequence[float],
        channel: Sequence[int],
        channel_axis: int = 1,
        learned: bool = False,
        window: float | Sequence[float] = 0.25,
        bits: int = 8,
    ) -> None:
        super().__init__()
        start = torch.as_tensor(limits, dtype=torch.float64)
        channels = torch.as_tensor(channel, dtype=torch.int64)
        if start.ndim != 1 or start.shape != channels.shape or not start.numel():
            raise PimsimError(
                f"there are limits of shape {tuple(start.shape)} and channels of "
                f"{tuple(channels.shape)}",
                remedy="Give one channel for each limit, and at least one",
            )
        if bool((channels.diff() < 0).any()) or int(channels[0]) < 0:
            raise PimsimError(f"channels of limits are {channel}; they are 0 or more, and ascend")
        if not bool(torch.isfinite(start).all()):
            raise PimsimError("limits must be finite numbers")
        if not 3 <= bits <= 16:
            raise PimsimError(f"bits is {bits}; numbers that are compared have 3 to 16")
        widths = torch.as_tensor(window, dtype=torch.float64)
        if not bool((widths > 0).all()):
            raise PimsimError(f"window is {window}; it must be above 0")
        if widths.ndim and int(channels[-1]) >= len(widths):
            raise PimsimError(
                f"there are windows of {len(widths)} channels, and limits of channel "
                f"{int(channels[-1])}"
            )
        self.channel_axis, self.bits, self.learned = channel_axis, bits, learned
        self.channel: Tensor
        self.start: Tensor
        self.window: Tensor
        self.register_buffer("channel", channels)
        self.register_buffer("start", start)
        of_bits = widths[channels] if widths.ndim else widths.expand(len(start))
        self.register_buffer("window", of_bits.clone())
        # in windows, so that one learning rate suits channels of any scale
        self.shift = nn.Parameter(torch.zeros(len(start))) if learned else None

    @property
    def n_bits(self) -> int:
        """Bits that it gives for each place."""
        return len(self.start)

    @torch.no_grad()
    def limits(self) -> Tensor:
        """Present limits (n_bits,) float64, as deployed."""
        exact = self.start if self.shift is None else self.start + self.window * self.shift.double()
        step = _step(exact, self.bits)
        return torch.round(exact / step) * step

    def forward(self, x: Tensor) -> Tensor:
        """Bits (..., n_bits, ...) of inputs (..., n_channels, ...)."""
        axis = self.channel_axis
        shape = [1] * x.ndim
        shape[axis] = -1
        above = x.index_select(axis, self.channel).double() - self.limits().view(shape)
        if self.shift is None or not self.training:
            return (above > 0).to(x.dtype)
        window = self.window.view(shape)
        # 0 in value: what is deployed decides, and the gradient is that of the shift
        shift = (self.shift.detach() - self.shift).view(shape)
        scaled = (above / window).to(x.dtype) + shift
        return fire(scaled, NoisyBinaryNeuron(0.0, 1.0), GlobalNoise(x.device))

    def as_ops(self, name: str, inputs: tuple[str, ...]) -> list[Op]:
        """The operation that it computes."""
        return [ThermometerOp(name, inputs, as_real(self.limits()), self.channel.cpu().numpy())]

    def extra_repr(self) -> str:
        return f"n_bits={self.n_bits}, learned={self.learned}"


def _step(limits: Tensor, bits: int) -> Tensor:
    """The same number as `pimsim.workload.thermometer.step_of`, in operations that are exported."""
    largest = limits.abs().max()
    largest = torch.where(largest > 0, largest, 1.0) / (2 ** (bits - 1) - 2)
    fraction, exponent = torch.frexp(largest)
    return torch.ldexp(
        torch.ones_like(largest), torch.where(fraction > 0.5, exponent, exponent - 1)
    )
