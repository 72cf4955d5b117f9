"""How weights follow their gradients: array matrices by Muon, everything else by AdamW."""

from __future__ import annotations

from typing import Any

import torch

from pimsim.train.layers import Network
from pimsim.train.recipe import Stage

# how much of a column's mean gradient is taken off
CENTRING = 0.9


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
    network : Network
    stage : Stage
    """

    def __init__(self, network: Network, stage: Stage) -> None:
        rate, decay = stage.learning_rate, stage.weight_decay
        self._matrices = [matrix.weight for matrix in network.matrices().values()]
        apart = {id(weight) for weight in self._matrices} if stage.optimizer == "muon" else set()
        others = [p for p in network.parameters() if id(p) not in apart]
        self._parts: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(others, lr=rate, weight_decay=decay)
        ]
        if apart:
            self._parts.append(
                torch.optim.Muon(
                    self._matrices, lr=rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw"
                )
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
