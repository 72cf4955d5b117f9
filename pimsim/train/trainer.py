"""Training by a recipe: stages of epochs, a checkpoint after each, and a log."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pimsim.errors import ConfigError, Place
from pimsim.kernels.training import NO_LIMIT
from pimsim.nn.noise import NoiseSource
from pimsim.train.checkpoint import CHECKPOINT, State, read_checkpoint, save_state
from pimsim.train.evaluate import accuracy, preactivation_sigma
from pimsim.train.fast import operands
from pimsim.train.layers import Mode, TorchNetwork, bit_mode
from pimsim.train.memory import keep_memory
from pimsim.train.networks import build_network, set_quantizers
from pimsim.train.optimizer import Optimizer
from pimsim.train.recipe import GruShape, Recipe, Stage
from pimsim.train.tasks import Task

CPU = torch.device("cpu")
# temperature of the softmax of teacher and student in distillation (Hinton 2015)
DISTILLATION_TEMPERATURE = 2.0


def use_threads(threads: int | None) -> None:
    """Set the number of threads that torch uses; None leaves torch's default."""
    if threads is not None:
        torch.set_num_threads(threads)


def choose_device(name: str) -> torch.device:
    """Choose a device by its name; "auto" is a GPU if torch finds one.

    Raises
    ------
    ConfigError
        If torch does not know the name, or has no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    place = Place("--device", None, name)
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(
            f"cannot be used by torch: {str(error).splitlines()[0]}",
            place=place,
            remedy="Use 'cpu', 'cuda' or 'auto'",
        ) from error
    return device


class Trainer:
    """Training of one recipe in one folder.

    Every epoch has its own seeds, so that a training that was killed and resumed gives the
    same network as an uninterrupted one.

    Parameters
    ----------
    recipe : Recipe
    task : Task
    folder : Path
        Receives `checkpoint.pt`, a checkpoint per finished stage, and `log.jsonl`.
    report : callable
        Called with the log entry of each epoch.
    device : torch.device
        Device of the computation.  Each kind of device has its own random numbers: a
        training gives the same network only on the same kind.
    """

    def __init__(
        self,
        recipe: Recipe,
        task: Task,
        folder: Path,
        report: Callable[[dict[str, Any]], None] = lambda entry: None,
        device: torch.device = CPU,
    ) -> None:
        self.recipe, self.task, self.folder, self.report = recipe, task, folder, report
        self.device = device
        torch.manual_seed(recipe.seed)
        self.state = State(build_network(recipe.network, len(task.classes)).to(device))
        self._set_level(recipe.stages[0])

    def run(self, until: tuple[int, int] | None = None) -> TorchNetwork:
        """Train the remaining epochs; stop at `until` (stage, epoch) if given."""
        keep_memory()
        state = self.state
        self.folder.mkdir(parents=True, exist_ok=True)
        while state.stage < len(self.recipe.stages):
            stage = self.recipe.stages[state.stage]
            self._set_level(stage)
            if state.epoch == 0:
                self._begin(stage)
            while state.epoch < stage.epochs:
                if until is not None and (state.stage, state.epoch) >= until:
                    return state.network
                entry = self._epoch(stage)
                entry |= self._validate(stage)
                state.log.append(entry)
                state.epoch += 1
                save_state(state, self.recipe, self.folder / CHECKPOINT)
                self.report(entry)
            self._finish(stage)
        return state.network

    def resume(self) -> bool:
        """Resume from the checkpoint in the folder; False if there is none."""
        path = self.folder / CHECKPOINT
        if not path.exists():
            return False
        self.take_up(path)
        return True

    def take_up(self, path: Path) -> None:
        """Continue from a checkpoint of this training, or of one with the same first stages.

        Raises
        ------
        ConfigError
            If its stages so far, network, data or seed differ from those of this recipe.
        """
        before, saved = read_checkpoint(path)
        begun = saved["stage"] + (1 if saved["epoch"] else 0)
        same = before.stages[:begun] == self.recipe.stages[:begun]
        mine = self.recipe.model_copy(update={"stages": before.stages, "name": before.name})
        if not same or mine != before:
            raise ConfigError(
                "was begun with another recipe than this one",
                place=Place(path),
                remedy="Use the recipe it was begun with, or another folder",
            )
        state = self.state
        state.network.load_state_dict(saved["network"])
        state.sigma_sums = saved["spread"]
        for key in ("teacher", "stage", "epoch", "log"):
            setattr(state, key, saved[key])
        if saved["average"] is not None:
            state.average = {k: v.to(self.device) for k, v in saved["average"].items()}
        begun_stage = self.recipe.stages[begun - 1]
        if begun_stage.weights is not None:
            set_quantizers(state.network, begun_stage.weights)
        if saved["optimizer"] is not None:
            state.optimizer = Optimizer(state.network, self.recipe.stages[state.stage])
            state.optimizer.load_state_dict(saved["optimizer"])

    def _set_level(self, stage: Stage) -> None:
        """Normalise clips to the level of a stage."""
        self.task = self.task.at_level(stage.level)
        inputs, labels = self.task.validation
        self.validation = inputs.to(self.device), labels.to(self.device)

    def _begin(self, stage: Stage) -> None:
        """Measure pre-activations, set clipping ranges and create the optimizer."""
        state = self.state
        mode = Mode()
        if state.stage:
            previous = self.recipe.stages[state.stage - 1]
            mode = self._mode(previous, previous.epochs - 1, silent=True)
        if stage.weights is not None:
            set_quantizers(state.network, stage.weights, ranges=True)
        mode.quantized = stage.weights is not None
        state.sigma_sums = preactivation_sigma(state.network, self.validation[0], mode)
        state.optimizer = Optimizer(state.network, stage)
        state.average = None

    @property
    def _operands(self) -> torch.dtype | None:
        """Type of the operands in fused passes on a CPU; None on other devices."""
        if self.device != CPU:
            return None
        is_gru = isinstance(self.recipe.network, GruShape)
        return operands(self.recipe.arithmetic if is_gru else "float32")

    def _seed(self, epoch: int) -> int:
        return (self.recipe.seed * 1000 + self.state.stage) * 100_000 + epoch

    def _mode(self, stage: Stage, epoch: int, silent: bool = False) -> Mode:
        """Mode of the network in an epoch of a stage; `silent`: without any noise."""
        neuron = stage.neuron if not silent else stage.neuron.without_noise()
        weights = stage.weights
        return Mode(
            neuron.build(self.state.sigma_sums, epoch / max(1, stage.epochs - 1)),
            weights is not None,
            0.0 if weights is None or silent else weights.cell_error,
            error_limit=NO_LIMIT if stage.error_limit is None else stage.error_limit,
            operands=None if silent else self._operands,
            source=NoiseSource(self._seed(epoch), device=self.device),
        )

    def _epoch(self, stage: Stage) -> dict[str, Any]:
        state, network = self.state, self.state.network
        network.mode = self._mode(stage, state.epoch)
        loss_of = self._loss(stage)
        n_batches = self.task.n_batches(stage.batch)
        started, rate, loss_sum, right, seen = time.perf_counter(), 0.0, 0.0, 0, 0
        batches = self.task.epoch(stage.batch, stage.augmentation, self._seed(state.epoch))
        for number, (inputs, labels) in enumerate(batches):
            inputs, labels = inputs.to(self.device), labels.to(self.device)
            step = state.epoch * n_batches + number
            rate = learning_rate(stage, step, stage.epochs * n_batches)
            scores = network(inputs)
            loss = loss_of(scores, labels, inputs)
            self._step(stage, loss, rate)
            loss_sum += float(loss.detach()) * len(labels)
            right += int((scores.argmax(dim=1) == labels).sum())
            seen += len(labels)
        return {
            "stage": stage.name,
            "epoch": state.epoch + 1,
            "loss": round(loss_sum / seen, 5),
            "train_accuracy": round(right / seen, 5),
            "learning_rate": rate,
            "wall_s": round(time.perf_counter() - started, 2),
            "arithmetic": str(self._operands or torch.float32).removeprefix("torch."),
        }

    def _step(self, stage: Stage, loss: Tensor, rate: float) -> None:
        state = self.state
        assert state.optimizer is not None
        state.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(state.network.parameters(), stage.gradient_clip)
        state.optimizer.step(rate)
        if stage.weights is not None:
            for matrix in state.network.matrices().values():
                matrix.clip()
        if stage.average > 0:
            now = state.network.state_dict()
            if state.average is None:
                state.average = {key: value.clone() for key, value in now.items()}
            for key, value in now.items():
                state.average[key].lerp_(value, 1 - stage.average)

    def _loss(self, stage: Stage) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
        """Loss function: cross-entropy, mixed with distillation of the float teacher."""

        def label_loss(scores: Tensor, labels: Tensor, inputs: Tensor) -> Tensor:
            smoothing = stage.label_smoothing
            return nn.functional.cross_entropy(scores, labels, label_smoothing=smoothing)

        if stage.distill == 0:
            return label_loss
        if self.state.teacher is None:
            raise ConfigError(f"stage '{stage.name}' distils, and no stage before it was float")
        teacher = build_network(self.recipe.network, len(self.task.classes))
        teacher.load_state_dict(self.state.teacher)
        teacher.to(self.device)
        teacher.mode.operands = self._operands
        temperature = DISTILLATION_TEMPERATURE

        def mixed_loss(scores: Tensor, labels: Tensor, inputs: Tensor) -> Tensor:
            with torch.no_grad():
                target = torch.softmax(teacher(inputs) / temperature, dim=1)
            imitation = nn.functional.cross_entropy(scores / temperature, target) * temperature**2
            return torch.lerp(label_loss(scores, labels, inputs), imitation, stage.distill)

        return mixed_loss

    def _validate(self, stage: Stage) -> dict[str, float]:
        """Accuracy with smooth neurons (if trained with them) and with bits, both without noise."""
        network, validation = self.state.network, self.validation
        mode = self._mode(stage, self.state.epoch, silent=True)
        bits = bit_mode(mode.quantized)
        found = {"bits": round(accuracy(network, *validation, bits), 5)}
        if stage.neuron.kind == "continuous":
            found["smooth"] = round(accuracy(network, *validation, mode), 5)
        if self.state.average is not None:
            twin = copy.deepcopy(network)
            twin.load_state_dict(self.state.average)
            found["bits_average"] = round(accuracy(twin, *validation, bits), 5)
        found["spread"] = round(preactivation_sigma(network, validation[0], mode), 3)
        return found

    def _finish(self, stage: Stage) -> None:
        state = self.state
        if state.average is not None:
            state.network.load_state_dict(state.average)
        if stage.is_float:
            state.teacher = copy.deepcopy(state.network.state_dict())
        state.stage, state.epoch = state.stage + 1, 0
        state.average = state.optimizer = None
        # the stage's checkpoint first: once the other one is written, it is never written again
        save_state(state, self.recipe, self.folder / f"{state.stage}-{stage.name}.pt")
        save_state(state, self.recipe, self.folder / CHECKPOINT)


def learning_rate(stage: Stage, step: int, n_steps: int) -> float:
    """Linear warm-up, then half a cosine down to the final rate."""
    if step < stage.warmup:
        return stage.learning_rate * (step + 1) / stage.warmup
    low = stage.learning_rate if stage.final_learning_rate is None else stage.final_learning_rate
    done = min(1.0, (step - stage.warmup) / max(1, n_steps - stage.warmup))
    return low + (stage.learning_rate - low) * 0.5 * (1 + math.cos(math.pi * done))
