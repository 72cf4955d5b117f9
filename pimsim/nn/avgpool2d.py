"""Means of codes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from pimsim.importers.ops import Op, Pool
from pimsim.nn.activations import Codes
from pimsim.nn.conv2d import Sides, pair


class AvgPool2d(nn.Module):
    """Mean of codes over windows, rounded half up to a code, as a chip does.

    torch's own `AvgPool2d` does not round, so that the deployed network would differ from it.

    Parameters
    ----------
    codes : Codes
        Neurons whose codes these are, such as ``block.neuron`` of the block before.
    size : int, (vertical, horizontal) or None
        Window; None for the whole map.
    stride : int or (vertical, horizontal), optional
        That of the window if not given.
    """

    def __init__(
        self, codes: Codes, size: Sides | None = None, stride: Sides | None = None
    ) -> None:
        super().__init__()
        self.codes = codes
        self.size = None if size is None else pair(size)
        self.stride = self.size if stride is None else pair(stride)

    def forward(self, x: Tensor) -> Tensor:
        """Means of maps (n, channels, height, width), or of sequences (n, channels, length).

        The gradient is that of the mean.
        """
        if x.ndim == 3:
            found: Tensor = self(x.unsqueeze(2)).squeeze(2)
            return found
        size = (x.shape[-2], x.shape[-1]) if self.size is None else self.size
        stride = size if self.stride is None else self.stride
        means = functional.avg_pool2d(x, size, stride)
        step, n = self.codes.present_step(), size[0] * size[1]
        # whole sums: whether a mean is a half is then certain
        sums = torch.round(means.detach().double() * (n / step))
        found = (torch.floor((2 * sums + n) / (2 * n)) * step).to(x.dtype)
        return means + (found - means).detach() if self.training else found

    def as_ops(self, name: str, inputs: tuple[str, ...]) -> list[Op]:
        """The operation; the mean of codes is rounded half up when it is deployed."""
        size, stride = self.size, self.stride or (1, 1)
        return [Pool(name, inputs, kind="average", size=size, stride=stride, step=self.codes.step)]

    def extra_repr(self) -> str:
        return f"size={self.size}, stride={self.stride}"
