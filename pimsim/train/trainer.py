"""Runs a recipe: stages of epochs, a checkpoint after each, and a log of what happened."""

from __future__ import annotations

import copy
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pimsim.errors import ConfigError, Place
from pimsim.train.layers import Mode
from pimsim.train.networks import Network, build_network
from pimsim.train.neurons import NoisyBinaryNeuron
from pimsim.train.noise import NoiseSource
from pimsim.train.quantize import quantizer_for
from pimsim.train.recipe import Recipe, Stage
from pimsim.train.tasks import Task

CHECKPOINT = "checkpoint.pt"
LOG = "log.jsonl"


@dataclass
class State:
    """Everything that a later epoch depends on."""

    network: Network
    average: dict[str, Tensor] | None = None
    optimizer: torch.optim.Optimizer | None = None
    teacher: dict[str, Tensor] | None = None
    spread: float = 1.0
    stage: int = 0
    epoch: int = 0
    log: list[dict[str, Any]] = field(default_factory=list)


def learning_rate(stage: Stage, step: int, n_steps: int) -> float:
    """Linear warm-up, then half a cosine down to the final rate."""
    if step < stage.warmup:
        return stage.learning_rate * (step + 1) / stage.warmup
    low = stage.final_learning_rate or stage.learning_rate
    done = (step - stage.warmup) / max(1, n_steps - stage.warmup)
    return low + (stage.learning_rate - low) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


@torch.no_grad()
def accuracy(network: Network, inputs: Tensor, labels: Tensor, mode: Mode) -> float:
    """Share of right answers in a mode; the network's own mode comes back afterwards."""
    kept, network.mode = network.mode, mode
    right = 0
    axis = network.batch_axis
    for chunk, truth in zip(inputs.split(512, dim=axis), labels.split(512), strict=True):
        right += int((network(chunk).argmax(dim=1) == truth).sum())
    network.mode = kept
    return right / len(labels)


@torch.no_grad()
def measured_spread(network: Network, inputs: Tensor) -> float:
    """Standard deviation of all pre-activations of the array layers."""
    seen: dict[str, Tensor] = {}
    kept = network.mode
    network.mode = Mode(kept.neuron, kept.quantizer, seen=seen)
    network(inputs)
    network.mode = kept
    return float(torch.stack([x.var() for x in seen.values()]).mean().sqrt())


def _epoch_seed(recipe: Recipe, stage: int, epoch: int) -> int:
    return (recipe.seed * 1000 + stage) * 100_000 + epoch


class Trainer:
    """One recipe in one folder.

    Parameters
    ----------
    recipe : Recipe
    task : Task
    folder : Path
        Receives `checkpoint.pt`, a checkpoint per finished stage, and `log.jsonl`.
    report : callable
        Called with the log entry of each epoch.
    """

    def __init__(
        self,
        recipe: Recipe,
        task: Task,
        folder: Path,
        report: Callable[[dict[str, Any]], None] = lambda entry: None,
    ) -> None:
        self.recipe, self.task, self.folder, self.report = recipe, task, folder, report
        torch.manual_seed(recipe.seed)
        self.state = State(build_network(recipe.network, len(task.classes)))

    def run(self, until: tuple[int, int] | None = None) -> Network:
        """Train what is not yet trained; `until` (stage, epoch) stops before the end."""
        self.folder.mkdir(parents=True, exist_ok=True)
        while self.state.stage < len(self.recipe.stages):
            stage = self.recipe.stages[self.state.stage]
            if self.state.epoch == 0:
                self._begin(stage)
            while self.state.epoch < stage.epochs:
                if until is not None and (self.state.stage, self.state.epoch) >= until:
                    return self.state.network
                self._epoch(stage)
                self.state.epoch += 1
                self._save(CHECKPOINT)
            self._finish(stage)
        return self.state.network

    def _begin(self, stage: Stage) -> None:
        state = self.state
        network = state.network
        probe = self._probe()
        if stage.weights is not None:
            quantizer = quantizer_for(stage.weights.levels, stage.weights.range_deviations)
            for matrix in network.matrices().values():
                if float(matrix.alpha) == 0 or network.mode.quantizer != quantizer:
                    matrix.set_range(quantizer)
                    matrix.clip()
        state.spread = measured_spread(network, probe)
        state.optimizer = torch.optim.AdamW(
            network.parameters(), lr=stage.learning_rate, weight_decay=stage.weight_decay
        )
        state.average = None
        network.mode = self._mode(stage, 0)

    def _probe(self) -> Tensor:
        inputs = self.task.validation[0]
        return inputs.split(512, dim=self.state.network.batch_axis)[0]

    def _mode(self, stage: Stage, epoch: int) -> Mode:
        weights = stage.weights
        progress = epoch / max(1, stage.epochs - 1)
        return Mode(
            stage.neuron.build(self.state.spread, progress),
            None if weights is None else quantizer_for(weights.levels, weights.range_deviations),
            0.0 if weights is None else weights.cell_error,
            NoiseSource(_epoch_seed(self.recipe, self.state.stage, epoch)),
        )

    def _epoch(self, stage: Stage) -> None:
        state, network = self.state, self.state.network
        network.mode = self._mode(stage, state.epoch)
        seed = _epoch_seed(self.recipe, state.stage, state.epoch)
        assert state.optimizer is not None
        teacher = self._teacher(stage)
        started, losses, right, seen = time.perf_counter(), 0.0, 0, 0
        batches = self.task.epoch(stage.batch, stage.augmentation, seed)
        n_batches = self.task.n_batches(stage.batch)
        for number, (inputs, labels) in enumerate(batches):
            step = state.epoch * n_batches + number
            rate = learning_rate(stage, step, stage.epochs * n_batches)
            for group in state.optimizer.param_groups:
                group["lr"] = rate
            scores = network(inputs)
            loss = nn.functional.cross_entropy(
                scores, labels, label_smoothing=stage.label_smoothing
            )
            if teacher is not None:
                loss = (1 - stage.distill) * loss + stage.distill * _imitation(
                    scores, teacher(inputs)
                )
            state.optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), stage.gradient_clip)
            state.optimizer.step()
            if stage.weights is not None:
                for matrix in network.matrices().values():
                    matrix.clip()
            self._follow(stage)
            losses += float(loss.detach()) * len(labels)
            right += int((scores.argmax(dim=1) == labels).sum())
            seen += len(labels)
        entry = {
            "stage": stage.name,
            "epoch": state.epoch + 1,
            "loss": round(losses / seen, 5),
            "train_accuracy": round(right / seen, 5),
            "learning_rate": rate,
            "wall_s": round(time.perf_counter() - started, 2),
            **self._validate(stage),
        }
        state.log.append(entry)
        self.report(entry)

    def _validate(self, stage: Stage) -> dict[str, float]:
        """Accuracy as trained (without noise) and with bits, of the weights and their average."""
        state, network = self.state, self.state.network
        quantizer = network.mode.quantizer
        bits = Mode(NoisyBinaryNeuron(0.0, 1.0), quantizer)
        silent = Mode(
            stage.neuron.model_copy(update={"sigma": 0.0, "sigma_share": None}).build(1.0),
            quantizer,
        )
        noisy = Mode(NoisyBinaryNeuron(0.3, 1.0), quantizer, source=NoiseSource(1))
        found = {"spread": round(measured_spread(network, self._probe()), 3)}
        for name, mode in (("smooth", silent), ("bits", bits), ("bits_noise0.3", noisy)):
            if name == "smooth" and stage.neuron.kind != "continuous":
                continue
            found[name] = round(accuracy(network, *self.task.validation, mode), 5)
        if state.average is not None:
            found["bits_average"] = round(
                accuracy(averaged(network, state.average), *self.task.validation, bits), 5
            )
        return found

    def _follow(self, stage: Stage) -> None:
        if stage.average == 0:
            return
        state = self.state
        now = {k: v for k, v in state.network.state_dict().items()}
        if state.average is None:
            state.average = {k: v.clone() for k, v in now.items()}
        for key, value in now.items():
            state.average[key].lerp_(value, 1 - stage.average)

    def _teacher(self, stage: Stage) -> Callable[[Tensor], Tensor] | None:
        if stage.distill == 0:
            return None
        if self.state.teacher is None:
            raise ConfigError(f"stage '{stage.name}' distils, and no stage before it was float")
        teacher = build_network(self.recipe.network, len(self.task.classes))
        teacher.load_state_dict(self.state.teacher)
        return torch.no_grad()(teacher)

    def _finish(self, stage: Stage) -> None:
        state = self.state
        if state.average is not None:
            state.network.load_state_dict(state.average)
        if (
            stage.weights is None
            and stage.neuron.kind == "continuous"
            and stage.neuron.temperature == 1.0
        ):
            state.teacher = copy.deepcopy(state.network.state_dict())
        state.stage, state.epoch, state.average = state.stage + 1, 0, None
        state.optimizer = None
        self._save(CHECKPOINT)
        self._save(f"{state.stage}-{stage.name}.pt")

    def _save(self, name: str) -> None:
        state = self.state
        torch_state = {
            "recipe": self.recipe.model_dump(mode="json"),
            "network": state.network.state_dict(),
            "average": state.average,
            "optimizer": None if state.optimizer is None else state.optimizer.state_dict(),
            "teacher": state.teacher,
            "spread": state.spread,
            "stage": state.stage,
            "epoch": state.epoch,
            "log": state.log,
        }
        temporary = self.folder / f".{name}.{os.getpid()}.tmp"
        torch.save(torch_state, temporary)
        temporary.replace(self.folder / name)
        lines = "".join(json.dumps(entry) + "\n" for entry in state.log)
        temporary.write_text(lines, encoding="utf-8")
        temporary.replace(self.folder / LOG)

    def resume(self) -> bool:
        """Take up the folder's checkpoint; False where there is none.

        A recipe may have grown since: only the stages begun must be unchanged.
        """
        path = self.folder / CHECKPOINT
        if not path.exists():
            return False
        saved = torch.load(path, weights_only=True)
        begun = saved["stage"] + (1 if saved["epoch"] else 0)
        now = self.recipe.model_dump(mode="json")
        for key in now:
            same = now[key] == saved["recipe"][key]
            if key == "stages":
                same = now[key][:begun] == saved["recipe"][key][:begun]
            if not same:
                raise ConfigError(
                    f"was trained with another '{key}' than this recipe has",
                    place=Place(path),
                    remedy="Use the recipe it was begun with, or another folder",
                )
        state = self.state
        state.network.load_state_dict(saved["network"])
        for key in ("average", "teacher", "spread", "stage", "epoch", "log"):
            setattr(state, key, saved[key])
        if state.stage:
            state.network.mode = self._mode(self.recipe.stages[state.stage - 1], 0)
        if state.epoch:
            stage = self.recipe.stages[state.stage]
            state.optimizer = torch.optim.AdamW(
                state.network.parameters(), lr=stage.learning_rate, weight_decay=stage.weight_decay
            )
            state.optimizer.load_state_dict(saved["optimizer"])
        return True


def averaged(network: Network, average: dict[str, Tensor]) -> Network:
    """The same network with averaged parameters."""
    twin = copy.deepcopy(network)
    twin.load_state_dict(average)
    return twin


def _imitation(scores: Tensor, teacher: Tensor) -> Tensor:
    """Cross-entropy with the teacher's softened answers, at temperature 2."""
    target = torch.softmax(teacher / 2, dim=1)
    return -(target * torch.log_softmax(scores / 2, dim=1)).sum(dim=1).mean() * 4
