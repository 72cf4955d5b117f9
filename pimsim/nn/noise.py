"""Random numbers for training: seeded for every epoch, and reused from a pool."""

from __future__ import annotations

import math

import torch
from torch import Tensor

POOL = 1 << 24


class NoiseSource:
    """Gaussian and logistic random numbers from a pool.

    Generating normal numbers takes up to a third of a training step on a CPU.  A pool has 64
    times as many independent numbers as the largest request, up to 2^24; a request gets a
    slice that starts at a random position, so that numbers recur within an epoch, but hardly
    ever at the same neuron, step and clip.

    Parameters
    ----------
    seed : int
        All numbers are a pure function of it and of the order of requests.
    pool : int
        Largest size of a pool; requests of more than half of it do not use the pool.
    device : torch.device
        Device of the numbers; the CPU if None.
    """

    def __init__(self, seed: int, pool: int = POOL, device: torch.device | None = None) -> None:
        self.device = torch.device("cpu") if device is None else device
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self._offsets = torch.Generator().manual_seed(seed)
        self._size = pool
        self._pools: dict[str, Tensor] = {}

    def normal(self, shape: tuple[int, ...]) -> Tensor:
        """Standard normal numbers; the caller may overwrite them."""
        return self._take("normal", shape).clone()

    def logistic(self, shape: tuple[int, ...]) -> Tensor:
        """Logistic numbers of location 0 and scale 1; the caller may overwrite them."""
        return self._take("logistic", shape).clone()

    def view(self, kind: str, shape: tuple[int, ...]) -> Tensor:
        """Read-only numbers of a kind, "normal" or "logistic"."""
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
        start = int(torch.randint(len(pool) - count + 1, (1,), generator=self._offsets))
        return pool[start : start + count].view(shape)


class GlobalNoise(NoiseSource):
    """Numbers of torch's global generator, which `torch.manual_seed` seeds.

    Parameters
    ----------
    device : torch.device
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def _take(self, kind: str, shape: tuple[int, ...]) -> Tensor:
        if kind == "normal":
            return torch.randn(shape, device=self.device)
        return torch.rand(shape, device=self.device).clamp_(1e-7, 1 - 1e-7).logit_()

    def normal(self, shape: tuple[int, ...]) -> Tensor:
        return self._take("normal", shape)

    def logistic(self, shape: tuple[int, ...]) -> Tensor:
        return self._take("logistic", shape)
