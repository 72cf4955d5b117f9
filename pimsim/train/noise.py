"""Random numbers for training: seeded anew for every epoch, cheap by reuse of a pool."""

from __future__ import annotations

import math

import torch
from torch import Tensor

POOL = 1 << 24


class NoiseSource:
    """Gaussian and logistic numbers from pools that are read at random places.

    Drawing normal numbers costs as much as a third of a training step on a CPU.
    Each pool holds 2^24 independent numbers, drawn once per epoch; a request gets a
    slice that starts anywhere in it, so that numbers recur within an epoch, but
    never at the same neuron, step and clip.

    Parameters
    ----------
    seed : int
        Everything drawn is a pure function of it and of the order of requests.
    pool : int
        Numbers per pool; larger requests are drawn directly.
    """

    def __init__(self, seed: int, pool: int = POOL) -> None:
        self.generator = torch.Generator().manual_seed(seed)
        self._size = pool
        self._pools: dict[str, Tensor] = {}

    def normal(self, shape: tuple[int, ...]) -> Tensor:
        """Standard normal numbers; the caller may overwrite them."""
        return self._take("normal", shape)

    def logistic(self, shape: tuple[int, ...]) -> Tensor:
        """Logistic numbers of location 0 and scale 1; the caller may overwrite them."""
        return self._take("logistic", shape)

    def _draw(self, kind: str, count: int) -> Tensor:
        if kind == "normal":
            return torch.randn(count, generator=self.generator)
        return torch.rand(count, generator=self.generator).clamp_(1e-7, 1 - 1e-7).logit_()

    def _take(self, kind: str, shape: tuple[int, ...]) -> Tensor:
        count = math.prod(shape)
        if count * 2 > self._size:
            return self._draw(kind, count).view(shape)
        if kind not in self._pools:
            self._pools[kind] = self._draw(kind, self._size)
        last = self._size - count
        start = int(torch.randint(last + 1, (1,), generator=self.generator))
        return self._pools[kind][start : start + count].clone().view(shape)
