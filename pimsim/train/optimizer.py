"""Optimizers: Muon for array matrices, AdamW for all other parameters."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from pimsim.train.recipe import Stage
from pimsim.train.torch_network import TorchNetwork

# share of a column's mean gradient that is subtracted
CENTRING = 0.9


class Muon(torch.optim.Muon):
    """Muon of torch with its orthogonalisation in float32.

    torch uses bfloat16, which takes fifty times as long on processors without instructions
    for it: half of a training step of LeNet5 (benchmarks/lenet5_training.py).
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
    """Approximately the nearest orthogonal matrix: singular values from about 0.7 to 1.2.

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
    """Optimizers of a stage, with the interface of one.

    Rows of an array carry bits, and bits are one half on average.  Adding the same number to
    all weights of a column therefore changes its sums far more than changing single weights,
    and a learning rate that is stable for the one is too small for the other.  So most of the
    mean gradient of a column is subtracted (gradient centralisation, Yong et al. 2020), and,
    with Muon, the update of a matrix is made orthogonal (Jordan et al. 2024; its rate scaled
    to that of AdamW as in Liu et al. 2025), which treats all directions alike.

    Parameters
    ----------
    network : TorchNetwork
    stage : Stage

    Attributes
    ----------
    parts : list of torch.optim.Optimizer
        AdamW, and Muon where the stage has it.
    """

    def __init__(self, network: TorchNetwork, stage: Stage) -> None:
        rate, decay = stage.learning_rate, stage.weight_decay
        self._matrices = [matrix.weight for matrix in network.matrices().values()]
        by_muon = {id(weight) for weight in self._matrices} if stage.optimizer == "muon" else set()
        others = [p for p in network.parameters() if id(p) not in by_muon]
        self.parts: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(others, lr=rate, weight_decay=decay)
        ]
        if by_muon:
            self.parts.append(
                Muon(self._matrices, lr=rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw")
            )

    def zero_grad(self) -> None:
        for optimizer in self.parts:
            optimizer.zero_grad()

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Update the parameters at a learning rate."""
        for weight in self._matrices:
            if weight.grad is not None:
                weight.grad -= CENTRING * weight.grad.mean(dim=0, keepdim=True)
        for optimizer in self.parts:
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()

    def state_dict(self) -> list[dict[str, Any]]:
        return [optimizer.state_dict() for optimizer in self.parts]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        for optimizer, state in zip(self.parts, states, strict=True):
            optimizer.load_state_dict(state)
