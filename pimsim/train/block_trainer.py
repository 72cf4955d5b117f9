"""Training of networks of blocks by a recipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pimsim.data.dataset import Dataset
from pimsim.errors import Place
from pimsim.nn import anneal, carry_state, draw_from, set_noise
from pimsim.nn.fused import HALF, operands
from pimsim.nn.noise import NoiseSource
from pimsim.train.block_recipe import BlockRecipe, BlockStage
from pimsim.train.block_task import Task
from pimsim.train.blocks import build_blocks
from pimsim.train.checkpoint import read_checkpoint
from pimsim.train.loop import CPU, Forward, Loop
from pimsim.train.saved import check_tensors
from pimsim.train.start import take_weights

# samples that are run at once in evaluation: memory, not results
CHUNK = 256
# samples from which a training that starts from another network takes ranges of inputs
SAMPLES = 256
# validation samples of an epoch; after the last one of a stage all of them are taken
VALIDATED = 2000
MOMENTUM = 0.9
# keys of a validation in the log, by metric
KEYS = {"accuracy": "deployed", "bits_per_character": "bits_per_character"}


class BlockTrainer(Loop[BlockRecipe, BlockStage, nn.Sequential]):
    """Training of a block recipe in one folder.

    Parameters
    ----------
    recipe : BlockRecipe
    task : Task
    folder, report, device
        As in `Loop`.

    Raises
    ------
    ConfigError
        If a block does not fit the data or the block before it.
    """

    def __init__(
        self,
        recipe: BlockRecipe,
        task: Task,
        folder: Path,
        report: Callable[[dict[str, Any]], None] = lambda entry: None,
        device: torch.device = CPU,
    ) -> None:
        network = network_of(recipe, task).to(device)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        super().__init__(recipe, network, task, folder, report, device)
        self.operands = operands(recipe.arithmetic) if device == CPU else torch.float32

    def start_from(self, path: Path) -> None:
        """Begin with a checkpoint of the same network, or with the weights of another one.

        Raises
        ------
        ConfigError, DataError
            If it fits in neither way.
        """
        before, saved = read_checkpoint(path)
        if not isinstance(before, BlockRecipe) or before.network == self.recipe.network:
            self.take_up(path)
            return
        other, place, data = network_of(before, self.task), Place(path), self.task.training
        check_tensors(saved, other, place)
        other.load_state_dict(saved["network"])
        some = self.task.inputs(data.features[:SAMPLES])
        network = self.state.network.cpu()
        take_weights(network, other, some, place)
        network.to(self.device)

    @property
    def arithmetic(self) -> torch.dtype:
        return self.operands

    def new_optimizer(self, stage: BlockStage) -> torch.optim.Optimizer:
        return optimizer_for(self.state.network, stage)

    def forward(self, stage: BlockStage) -> Forward:
        state = self.state
        network = state.network.train()
        first, last = stage.anneal
        anneal(network, first + (last - first) * state.epoch / max(1, stage.epochs - 1))
        set_noise(network, stage.noise)
        carry_state(network, self.task.carries_state)
        torch.manual_seed(self.seed)
        draw_from(network, NoiseSource(self.seed, device=self.device))

        def scores_and_loss(inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
            with torch.autocast(self.device.type, HALF, enabled=self.operands == HALF):
                scores = network(ordered(inputs)).float()
            smoothing = stage.label_smoothing
            # of every step, where there are scores of each
            steps = scores.flatten(0, -2), labels.flatten()
            return scores, functional.cross_entropy(*steps, label_smoothing=smoothing)

        return scores_and_loss

    def step(self, stage: BlockStage, rate: float) -> None:
        optimizer = self.state.optimizer
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()

    def validate(self, stage: BlockStage) -> dict[str, float]:
        data = self.task.validation_data
        if self.state.epoch + 1 < stage.epochs:
            # data are often ordered by class
            data = data.select(np.arange(0, len(data), max(1, len(data) // VALIDATED)))
        found = measured(self.state.network, self.task, data, self.device)
        return {KEYS[self.task.metric.key]: round(found, 5)}


def network_of(recipe: BlockRecipe, task: Task) -> nn.Sequential:
    """Network of a recipe for a task; its initial weights follow from the recipe's seed."""
    torch.manual_seed(recipe.seed)
    shape = task.sample_shape()
    return build_blocks(recipe.network, task.facts, shape, recipe.uniform, recipe.gain)


def ordered(inputs: Tensor) -> Tensor:
    """Inputs with the channels of maps together, which convolutions are fastest with."""
    return inputs.contiguous(memory_format=torch.channels_last) if inputs.ndim == 4 else inputs


def optimizer_for(network: nn.Module, stage: BlockStage) -> torch.optim.Optimizer:
    """Optimizer of a stage; weights alone decay, not ranges, norms and biases."""
    weights = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [
        {"params": weights, "weight_decay": stage.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    if stage.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=stage.learning_rate, momentum=MOMENTUM, nesterov=True)
    return torch.optim.AdamW(groups, lr=stage.learning_rate)


@torch.no_grad()
def measured(network: nn.Module, task: Task, data: Dataset, device: torch.device = CPU) -> float:
    """Mean of the task's metric over samples, by the network as it is deployed."""
    network.eval()
    values = []
    for first in range(0, len(data), CHUNK):
        part = slice(first, first + CHUNK)
        scores = network(task.inputs(data.features[part]).to(device)).double().cpu().numpy()
        values.append(task.metric.of_scores(scores, data.labels[part]))
    return float(np.concatenate(values).mean())
