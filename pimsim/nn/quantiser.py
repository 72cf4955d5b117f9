"""Inputs as codes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pimsim.errors import PimsimError
from pimsim.importers.ops import Norm, Op, Quantise
from pimsim.nn.activations import named_last
from pimsim.nn.array import as_real
from pimsim.nn.quantize import short


class Quantiser(nn.Module):
    """Real inputs as codes that drive an array; the first block of a network.

    Parameters
    ----------
    bits : int
        Bits of a code, 1 to 8. One bit is 1 above the middle of the range, else 0.
    low, high : float, or sequence of n_channels
        Range of the inputs; what is outside is clipped. One range for all inputs contains 0, and
        its codes stand for step k, with k = round(x / step). Ranges of channels are brought to
        -1..1 first.
    channel_axis : int
        Axis of the channels; 1 is that of maps (n, channels, height, width) and of rows (n, width).

    Raises
    ------
    PimsimError
        If there is no such range or number of bits.
    """

    def __init__(
        self,
        bits: int = 8,
        low: float | Sequence[float] = -1.0,
        high: float | Sequence[float] = 1.0,
        channel_axis: int = 1,
    ) -> None:
        super().__init__()
        lows, highs = (torch.as_tensor(end, dtype=torch.float64) for end in (low, high))
        if not 1 <= bits <= 8:
            raise PimsimError(f"bits is {bits}; codes have 1 to 8")
        if lows.shape != highs.shape or lows.ndim > 1 or not bool((highs > lows).all()):
            raise PimsimError(f"the range is {low} to {high}; `high` must be above `low`")
        self.bits, self.channel_axis = bits, channel_axis
        middle, half = (highs + lows) / 2, (highs - lows) / 2
        self.is_centred = lows.ndim == 1 or (bits == 1 and bool(middle != 0))
        if lows.ndim == 0 and bits > 1 and not float(lows) <= 0 <= float(highs):
            raise PimsimError(
                f"the range {low} to {high} does not contain 0, which a code must stand for",
                remedy="Shift the data first, or give ranges of channels",
            )
        self.scale: Tensor
        self.shift: Tensor
        self.register_buffer("scale", 1 / half if lows.ndim else torch.ones_like(half))
        self.register_buffer("shift", -middle / half if lows.ndim else -middle)
        ends = (-1.0, 1.0) if lows.ndim else (float(lows), float(highs))
        self.step = float(short(torch.tensor((ends[1] - ends[0]) / (2**bits - 1))))
        self.lowest = round(ends[0] / self.step)

    @property
    def highest(self) -> int:
        """Largest multiple of the step."""
        return int(self.lowest + 2**self.bits - 1)

    def forward(self, x: Tensor) -> Tensor:
        """Quantised inputs; the gradient passes straight through."""
        values = x.double()
        if self.is_centred:
            shape = [1] * x.ndim
            shape[self.channel_axis] = -1
            values = values * self.scale.double().view(shape) + self.shift.double().view(shape)
        if self.bits == 1:
            found = (values > 0).double()
        else:
            found = torch.round(values / self.step).clamp(self.lowest, self.highest) * self.step
        return (values + (found - values).detach() if x.requires_grad else found).to(x.dtype)

    def as_ops(self, name: str, inputs: tuple[str, ...]) -> list[Op]:
        """Operations that mean what it computes; the last one has the name."""
        found: list[Op] = []
        if self.is_centred:
            scale, shift = (as_real(t.reshape(-1)) for t in (self.scale, self.shift))
            found.append(Norm(f"{name}.norm", inputs, scale, shift))
            inputs = (found[-1].name,)
        if self.bits == 1:
            found.append(Quantise(name, inputs, scale=1.0, lowest=0, highest=1, is_step=True))
        else:
            found.append(Quantise(name, inputs, self.step, self.lowest, self.highest))
        return named_last(found, name)

    def extra_repr(self) -> str:
        return f"bits={self.bits}, step={self.step:.4g}"
