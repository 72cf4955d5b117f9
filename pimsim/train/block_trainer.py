"""Training of networks of blocks by a recipe."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pimsim.data.dataset import Dataset
from pimsim.nn import anneal, carry_state, draw_from, set_noise
from pimsim.nn.fused import HALF, operands
from pimsim.nn.noise import NoiseSource
from pimsim.train.block_recipe import BlockRecipe, BlockStage
from pimsim.train.block_task import Task
from pimsim.train.blocks import build_blocks
from pimsim.train.loop import CPU, Loop, learning_rate

# samples that are run at once in evaluation: memory, not results
CHUNK = 256
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
    folder, report
        As in `Loop`.
    device : torch.device
        Device of the computation; each kind has its own random numbers.

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
        self.task, self.device = task, device
        network = network_of(recipe, task).to(device)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        super().__init__(recipe, network, folder, report)
        self.operands = operands(recipe.arithmetic) if device == CPU else torch.float32

    def n_batches(self, stage: BlockStage) -> int:
        return self.task.n_batches(stage.batch)

    def begin(self, stage: BlockStage) -> None:
        self.state.optimizer = optimizer_for(self.state.network, stage)

    def restore(self, saved: dict[str, Any], begun: BlockStage) -> None:
        if saved["optimizer"] is not None:
            self.state.optimizer = optimizer_for(self.state.network, begun)
            self.state.optimizer.load_state_dict(saved["optimizer"])

    def epoch(self, stage: BlockStage) -> dict[str, Any]:
        state, n_batches = self.state, self.n_batches(stage)
        network = state.network.train()
        first, last = stage.anneal
        anneal(network, first + (last - first) * state.epoch / max(1, stage.epochs - 1))
        set_noise(network, stage.noise)
        carry_state(network, self.task.carries_state)
        torch.manual_seed(self.seed)
        draw_from(network, NoiseSource(self.seed, device=self.device))
        started, rate, loss_sum, right, seen = time.perf_counter(), 0.0, 0.0, 0, 0
        batches = self.task.epoch(stage.batch, stage.augmentation, self.seed)
        for number, (inputs, labels) in enumerate(batches):
            inputs, labels = inputs.to(self.device), labels.to(self.device)
            step = state.epoch * n_batches + number
            rate = learning_rate(stage, step, stage.epochs * n_batches)
            with torch.autocast(self.device.type, HALF, enabled=self.operands == HALF):
                scores = network(ordered(inputs)).float()
            smoothing = stage.label_smoothing
            # of every step, where there are scores of each
            scores, labels = scores.flatten(0, -2), labels.flatten()
            loss = functional.cross_entropy(scores, labels, label_smoothing=smoothing)
            self._step(stage, loss, rate)
            loss_sum += float(loss.detach()) * len(labels)
            right += int((scores.argmax(dim=1) == labels).sum())
            seen += len(labels)
            self.batch_done(loss_sum / seen)
        return {
            "stage": stage.name,
            "epoch": state.epoch + 1,
            "loss": round(loss_sum / seen, 5),
            "train_accuracy": round(right / seen, 5),
            "learning_rate": rate,
            "arithmetic": str(self.operands).removeprefix("torch."),
            "wall_s": round(time.perf_counter() - started, 2),
        }

    def _step(self, stage: BlockStage, loss: Tensor, rate: float) -> None:
        optimizer = self.state.optimizer
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.state.network.parameters(), stage.gradient_clip)
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
    return build_blocks(recipe.network, task.facts, task.sample_shape())


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
