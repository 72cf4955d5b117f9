"""Training of bit networks by a recipe: neurons, weights, loss and validation of its stages."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pimsim.errors import ConfigError, DataError, Place
from pimsim.kernels.training import NO_LIMIT
from pimsim.nn.fused import operands
from pimsim.nn.noise import NoiseSource
from pimsim.train.broken import Broken, read_broken
from pimsim.train.checkpoint import AnyRecipe
from pimsim.train.evaluate import accuracy, preactivation_sigma
from pimsim.train.layers import Mode, bit_mode
from pimsim.train.loop import CPU, Forward, Loop
from pimsim.train.networks import build_network, set_quantizers
from pimsim.train.optimizer import Optimizer
from pimsim.train.recipe import GruShape, Recipe, Stage
from pimsim.train.tasks import Task
from pimsim.train.torch_network import FIRST, TorchNetwork

# temperature of the softmax of teacher and student in distillation (Hinton 2015)
DISTILLATION_TEMPERATURE = 2.0
# training examples whose inputs say where limits of a thermometer lie
LIMIT_EXAMPLES = 2000


class Trainer(Loop[Recipe, Stage, TorchNetwork]):
    """Training of one recipe in one folder.

    Parameters
    ----------
    recipe : Recipe
    task : Task
    folder, report, device
        As in `Loop`.
    """

    def __init__(
        self,
        recipe: Recipe,
        task: Task,
        folder: Path,
        report: Callable[[dict[str, Any]], None] = lambda entry: None,
        device: torch.device = CPU,
    ) -> None:
        torch.manual_seed(recipe.seed)
        network = build_network(recipe.network, len(task.classes)).to(device)
        super().__init__(recipe, network, task, folder, report, device)
        # read before the first epoch: a file that is missing costs no training
        shapes = {
            name: (matrix.weight.shape[0], matrix.weight.shape[1])
            for name, matrix in network.matrices().items()
        }
        self._broken = {
            stage.faults: read_broken(Path(stage.faults), shapes)
            for stage in recipe.stages
            if stage.faults is not None
        }
        self.prepare(recipe.stages[0])
        network.choose_limits(self._examples())

    def _examples(self) -> Tensor:
        """Inputs of training examples that limits of a thermometer are chosen by."""
        found: Tensor = self.task.inputs(self.task.examples(LIMIT_EXAMPLES)).to(self.device)
        return found

    def restore(self, saved: dict[str, Any], begun: Stage) -> None:
        if begun.weights is not None:
            set_quantizers(self.state.network, begun.weights)

    def fitted(self, before: AnyRecipe, saved: dict[str, Any]) -> tuple[AnyRecipe, dict[str, Any]]:
        """The same for a network whose first layer only this recipe will move to arrays."""
        shape = self.recipe.network
        plain = shape.model_copy(update={"thermometer": None})
        if shape.thermometer is None or shape.thermometer.from_stage is None:
            return before, saved
        if isinstance(before, Recipe) and before.network == plain:
            before = before.model_copy(update={"network": shape})
            # copies: a float teacher keeps its encoder where the network itself moves to arrays
            own = copy.deepcopy(self.state.network.state_dict())
            for name in ("network", "average", "teacher"):
                if saved[name] is not None:
                    saved[name] = own | saved[name]
        names = [stage.name for stage in self.recipe.stages]
        start = names.index(shape.thermometer.from_stage), 0
        # its optimizer is that of a network which has moved
        self.state.network.in_arrays.fill_((saved["stage"], saved["epoch"]) > start)
        return before, saved

    def prepare(self, stage: Stage) -> None:
        """Normalise clips to the level of a stage, and break the cells of its chip."""
        broken = {} if stage.faults is None else self._broken[stage.faults]
        for name, matrix in self.state.network.matrices().items():
            matrix.broken = broken.get(name)
            if matrix.broken is not None and stage.weights is not None:
                _check_levels(matrix.broken, name, stage)
        self.task = self.task.at_level(stage.level, stage.running_normalisation)
        inputs, labels = self.task.validation
        self.validation = inputs.to(self.device), labels.to(self.device)

    def begin(self, stage: Stage) -> None:
        """Measure pre-activations, set clipping ranges and create the optimizer."""
        state = self.state
        mode = Mode()
        if state.stage:
            previous = self.recipe.stages[state.stage - 1]
            mode = self._mode(previous, previous.epochs - 1, silent=True)
        if stage.weights is not None:
            keys = self.recipe.network.thermometer
            if keys is not None and keys.from_stage == stage.name:
                state.network.move_to_arrays(self._examples(), stage.weights.quantizer(FIRST))
            set_quantizers(state.network, stage.weights, ranges=True)
        mode.quantized = stage.weights is not None
        state.sigma_sums = preactivation_sigma(state.network, self.validation[0], mode)
        super().begin(stage)
        state.average = None

    def new_optimizer(self, stage: Stage) -> Optimizer:
        return Optimizer(self.state.network, stage)

    @property
    def arithmetic(self) -> torch.dtype:
        return self._operands or torch.float32

    @property
    def _operands(self) -> torch.dtype | None:
        """Type of the operands in fused passes on a CPU; None on other devices."""
        if self.device != CPU:
            return None
        is_gru = isinstance(self.recipe.network, GruShape)
        return operands(self.recipe.arithmetic if is_gru else "float32")

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
            source=NoiseSource(self.seed_of(epoch), device=self.device),
        )

    def forward(self, stage: Stage) -> Forward:
        network = self.state.network
        network.mode = self._mode(stage, self.state.epoch)
        loss_of = self._loss(stage)

        def scores_and_loss(inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
            scores = network(inputs)
            return scores, loss_of(scores, labels, inputs)

        return scores_and_loss

    def step(self, stage: Stage, rate: float) -> None:
        state = self.state
        state.optimizer.step(rate)
        if stage.weights is not None:
            for matrix in state.network.matrices().values():
                matrix.clip()
        if stage.average > 0:
            now = state.network.state_dict()
            if state.average is None:
                state.average = {key: value.clone() for key, value in now.items()}
            for key, value in now.items():
                if value.is_floating_point():
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

    def validate(self, stage: Stage) -> dict[str, float]:
        """Accuracy with smooth neurons (if trained with them) and with bits, ties as coins."""
        network, validation = self.state.network, self.validation
        mode = self._mode(stage, self.state.epoch, silent=True)
        # on a chip, a tie is decided by its noise
        bits = bit_mode(mode.quantized, coins=mode.quantized)
        found = {"bits": round(accuracy(network, *validation, bits), 5)}
        if stage.neuron.kind == "continuous":
            found["smooth"] = round(accuracy(network, *validation, mode), 5)
        if self.state.average is not None:
            twin = copy.deepcopy(network)
            twin.load_state_dict(self.state.average)
            found["bits_average"] = round(accuracy(twin, *validation, bits), 5)
        found["spread"] = round(preactivation_sigma(network, validation[0], mode), 3)
        return found

    def end(self, stage: Stage) -> None:
        state = self.state
        if state.average is not None:
            state.network.load_state_dict(state.average)
        if stage.is_float:
            state.teacher = copy.deepcopy(state.network.state_dict())


def _check_levels(broken: Broken, name: str, stage: Stage) -> None:
    """Refuse what failing pairs carry of weights that have other levels than a stage's."""
    assert stage.weights is not None
    assert stage.faults is not None
    own, found = stage.weights.quantizer(name).n_levels, broken.levels.shape[1]
    if found != max(own, 3):
        raise DataError(
            f"has {found} levels of '{name}', and stage '{stage.name}' trains it with {own}",
            place=Place(Path(stage.faults)),
            remedy="Write it with a network that has the levels of the stage",
        )
