"""Random numbers for training: seeded anew for every epoch, cheap by reuse of a pool."""

from __future__ import annotations

import math

import torch
from torch import Tensor

POOL = 1 << 24


class NoiseSource:
    """Gaussian and logistic numbers from pools that are read at random places.

    Drawing normal numbers costs as much as a third of a training step on a CPU.  A pool
    holds 64 times as many independent numbers as the largest request, up to 2^24; a
    request gets a slice that starts anywhere in it, so that numbers recur within an
    epoch, but hardly ever at the same neuron, step and clip.

    Parameters
    ----------
    seed : int
        Everything drawn is a pure function of it and of the order of requests.
    pool : int
        Most numbers in a pool; requests of more than half of it are drawn directly.
    device : torch.device
        Where the numbers are; the CPU if None.
    """

    def __init__(self, seed: int, pool: int = POOL, device: torch.device | None = None) -> None:
        self.device = torch.device("cpu") if device is None else device
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self._places = torch.Generator().manual_seed(seed)
        self._size = pool
        self._pools: dict[str, Tensor] = {}

    def normal(self, shape: tuple[int, ...]) -> Tensor:
        """Standard normal numbers; the caller may overwrite them."""
        return self._take("normal", shape).clone()

    def logistic(self, shape: tuple[int, ...]) -> Tensor:
        """Logistic numbers of location 0 and scale 1; the caller may overwrite them."""
        return self._take("logistic", shape).clone()

    def view(self, kind: str, shape: tuple[int, ...]) -> Tensor:
        """Numbers of a kind, "normal" or "logistic", that must not be written to."""
        return self._take(kind, shape)

    def _draw(self, kind: str, count: int) -> Tensor:
        if kind == "normal":
            return torch.randn(count, generator=self.generator, device=self.device)
        uniform = torch.rand(count, generator=self.generator, device=self.device)
        return uniform.clamp_(1e-7, 1 - 1e-7).logit_()

    def _take(self, kind: str, shape: tuple[int, ...]) -> Tensor:
        count = math.prod(shape)
        if count * 2 > self._size:
            return self._draw(kind, count).view(shape)
        pool = self._pools.get(kind)
        wanted = min(self._size, 64 * count)
        if pool is None or len(pool) < wanted:
            pool = self._pools[kind] = self._draw(kind, wanted)
        start = int(torch.randint(len(pool) - count + 1, (1,), generator=self._places))
        return pool[start : start + count].view(shape)
