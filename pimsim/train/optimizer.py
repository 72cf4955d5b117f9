"""How weights follow their gradients: array matrices by Muon, everything else by AdamW."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from pimsim.train.layers import TorchNetwork
from pimsim.train.recipe import Stage

# how much of a column's mean gradient is taken off
CENTRING = 0.9


class Muon(torch.optim.Muon):
    """torch's Muon with the products of its orthogonalisation in float32.

    torch takes bfloat16, for which processors without instructions for it need fifty times
    as long: half of a training step of LeNet5 (benchmarks/lenet5_training.py).
    """

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._follow(weight, weight.grad, group)

    def _follow(self, weight: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state, momentum = self.state[weight], group["momentum"]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(weight)
        mean = state["momentum_buffer"].lerp_(gradient, 1 - momentum)
        ahead = gradient.lerp(mean, momentum)
        weight.mul_(1 - group["lr"] * group["weight_decay"])
        # root mean square of an update as AdamW's (Liu et al. 2025)
        rate = group["lr"] * 0.2 * math.sqrt(max(weight.shape))
        update = orthogonal(ahead, group["ns_coefficients"], group["ns_steps"])
        weight.add_(update, alpha=-rate)


def orthogonal(matrix: Tensor, coefficients: tuple[float, float, float], n_steps: int) -> Tensor:
    """The nearest orthogonal matrix, roughly: singular values between about 0.7 and 1.2.

    Newton and Schulz' iteration by a quintic polynomial, a X + b X X^T X + c (X X^T)^2 X
    (Jordan et al. 2024).
    """
    a, b, c = coefficients
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.t() if is_tall else matrix
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(n_steps):
        gram = x @ x.t()
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.t() if is_tall else x


class Optimizer:
    """A stage's optimisers, as one.

    Rows of an array carry bits, and bits are one half on average.  Adding the same to
    all weights of a column therefore moves its sums far more than any change of single
    weights does, and a rate that bears the one is too small for the other.  So most of a
    column's mean gradient is taken off (gradient centralisation, Yong et al. 2020), and,
    where the recipe asks for it, the matrix' update is made orthogonal (Muon, Jordan et
    al. 2024; its rate scaled to that of AdamW as by Liu et al. 2025), which treats all
    directions alike.

    Parameters
    ----------
    network : TorchNetwork
    stage : Stage
    """

    def __init__(self, network: TorchNetwork, stage: Stage) -> None:
        rate, decay = stage.learning_rate, stage.weight_decay
        self._matrices = [matrix.weight for matrix in network.matrices().values()]
        apart = {id(weight) for weight in self._matrices} if stage.optimizer == "muon" else set()
        others = [p for p in network.parameters() if id(p) not in apart]
        self._parts: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(others, lr=rate, weight_decay=decay)
        ]
        if apart:
            self._parts.append(
                Muon(self._matrices, lr=rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw")
            )

    def zero_grad(self) -> None:
        for part in self._parts:
            part.zero_grad()

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """One step at a learning rate."""
        for weight in self._matrices:
            if weight.grad is not None:
                weight.grad -= CENTRING * weight.grad.mean(dim=0, keepdim=True)
        for part in self._parts:
            for group in part.param_groups:
                group["lr"] = rate
            part.step()

    def state_dict(self) -> list[dict[str, Any]]:
        return [part.state_dict() for part in self._parts]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        for part, state in zip(self._parts, states, strict=True):
            part.load_state_dict(state)
