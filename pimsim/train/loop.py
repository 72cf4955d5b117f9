"""The loop of a training over its stages, epochs and batches: checkpoints, log, and resuming."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from pimsim.errors import ConfigError, DataError, Place, TrainingError
from pimsim.files import look
from pimsim.train.checkpoint import CHECKPOINT, AnyRecipe, State, read_checkpoint, save_state
from pimsim.train.memory import keep_memory
from pimsim.train.optimizer import Optimizer
from pimsim.train.saved import check_optimizers, check_tensors

Entry = dict[str, Any]
# (inputs, labels of samples or their steps) -> (scores, mean loss)
Forward = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
CPU = torch.device("cpu")
# cross-entropy whose like no training has that learns: a guess among 65,536 classes has 11
MAX_LOSS = 1e6
# torch reports a lack of memory by errors that have no class of their own
NO_MEMORY = ("out of memory", "allocate memory", "not enough memory")
# of devices that torch knows by name, those that have all that a training needs
DEVICES = ("cpu", "cuda", "mps", "xpu")


class StageKeys(Protocol):
    """Keys that stages of all recipes have."""

    @property
    def name(self) -> str: ...
    @property
    def epochs(self) -> int: ...
    @property
    def batch(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def final_learning_rate(self) -> float | None: ...
    @property
    def warmup(self) -> int: ...
    @property
    def gradient_clip(self) -> float: ...
    @property
    def augmentation(self) -> Any: ...


R = TypeVar("R", bound=AnyRecipe)
S = TypeVar("S", bound=StageKeys)
N = TypeVar("N", bound=nn.Module)


class Loop(Generic[R, S, N]):
    """Training of one recipe in one folder; subclasses say what a batch and a stage are.

    A training whose numbers are no longer finite is stopped: checkpoint and log stay those of the
    last good epoch. Every epoch has its own seeds, so that a training that was killed and resumed
    gives the same network as an uninterrupted one.

    Parameters
    ----------
    recipe : Recipe or BlockRecipe
    network : torch.nn.Module
    task
        Training data: `n_batches` of an epoch, and its batches by `epoch`.
    folder : Path
        Receives `checkpoint.pt`, a checkpoint per finished stage, and `log.jsonl`.
    report : callable
        Called with the log entry of each epoch.
    device : torch.device
        Device of the computation.  Each kind of device has its own random numbers: a
        training gives the same network only on the same kind.

    Attributes
    ----------
    batch_done : callable
        Called after every batch with the mean loss of the epoch so far.
    """

    def __init__(
        self,
        recipe: R,
        network: N,
        task: Any,
        folder: Path,
        report: Callable[[Entry], None],
        device: torch.device,
    ) -> None:
        self.recipe, self.task, self.folder, self.report = recipe, task, folder, report
        self.device = device
        self.state: State[N] = State(network)
        self.batch_done: Callable[[float], None] = lambda loss: None

    @property
    def stages(self) -> tuple[S, ...]:
        """Stages of the recipe."""
        stages: tuple[Any, ...] = self.recipe.stages
        return stages

    def prepare(self, stage: S) -> None:
        """Prepare the data of a stage."""

    def begin(self, stage: S) -> None:
        """Begin a stage: make its optimizer."""
        self.state.optimizer = self.new_optimizer(stage)

    def new_optimizer(self, stage: S) -> Any:
        """The optimizer of a stage, with its state at the beginning."""
        raise NotImplementedError

    def forward(self, stage: S) -> Forward:
        """Set the network up for the present epoch; returns what computes scores and loss."""
        raise NotImplementedError

    def step(self, stage: S, rate: float) -> None:
        """Update the parameters by their gradients, which are clipped."""
        raise NotImplementedError

    @property
    def arithmetic(self) -> torch.dtype:
        """Type of the operands in training."""
        raise NotImplementedError

    def validate(self, stage: S) -> Entry:
        """Measure the network on the validation data."""
        raise NotImplementedError

    def end(self, stage: S) -> None:
        """End a stage, before its checkpoint is written."""

    def restore(self, saved: dict[str, Any], begun: S) -> None:
        """Restore what a stage that has begun needs, from a checkpoint."""

    @property
    def seed(self) -> int:
        """Seed of the present epoch."""
        return self.seed_of(self.state.epoch)

    def seed_of(self, epoch: int) -> int:
        """Seed of an epoch of the present stage."""
        return epoch_seed(self.recipe.seed, self.state.stage, epoch)

    def n_batches(self, stage: S) -> int:
        """Batches in an epoch of a stage."""
        return int(self.task.n_batches(stage.batch))

    def epoch(self, stage: S) -> Entry:
        """Train one epoch; returns its log entry.

        Raises
        ------
        TrainingError
            If the loss of a batch is not finite, or beyond all bounds.
        """
        state, n_batches = self.state, self.n_batches(stage)
        forward = self.forward(stage)
        started, rate, loss_sum, right, seen = time.perf_counter(), 0.0, 0.0, 0, 0
        batches = self.task.epoch(stage.batch, stage.augmentation, self.seed)
        for number, (inputs, labels) in enumerate(batches):
            inputs, labels = inputs.to(self.device), labels.to(self.device)
            step = state.epoch * n_batches + number
            rate = learning_rate(stage, step, stage.epochs * n_batches)
            scores, loss = forward(inputs, labels)
            mean_loss = float(loss.detach())
            if not mean_loss < MAX_LOSS:
                raise self._diverged(f"the loss of batch {number + 1} is {mean_loss:.3g}")
            state.optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(state.network.parameters(), stage.gradient_clip)
            self.step(stage, rate)
            loss_sum += mean_loss * labels.numel()
            right += int((scores.argmax(dim=-1) == labels).sum())
            seen += labels.numel()
            self.batch_done(loss_sum / seen)
        return {
            "stage": stage.name,
            "epoch": state.epoch + 1,
            "loss": round(loss_sum / seen, 5),
            "train_accuracy": round(right / seen, 5),
            "learning_rate": rate,
            "wall_s": round(time.perf_counter() - started, 2),
            "arithmetic": str(self.arithmetic).removeprefix("torch."),
        }

    @property
    def batches(self) -> tuple[int, int]:
        """Batches of the epochs that are finished, and of all epochs."""
        each = [self.n_batches(stage) for stage in self.stages]
        done = sum(
            n * s.epochs for n, s in zip(each, self.stages[: self.state.stage], strict=False)
        )
        if self.state.stage < len(self.stages):
            done += each[self.state.stage] * self.state.epoch
        return done, sum(n * s.epochs for n, s in zip(each, self.stages, strict=True))

    def run(self, until: tuple[int, int] | None = None) -> N:
        """Train the remaining epochs; stop at `until` (stage, epoch) if given.

        Raises
        ------
        ConfigError
            If a batch is larger than the data.
        TrainingError
            If numbers are no longer finite, or memory does not suffice.
        """
        keep_memory()
        state = self.state
        self._check_batches()
        while state.stage < len(self.stages):
            stage = self.stages[state.stage]
            self.prepare(stage)
            if state.epoch == 0:
                self.begin(stage)
            if not math.isfinite(state.sigma_sums):
                raise self._diverged(f"pre-activations have a deviation of {state.sigma_sums}")
            while state.epoch < stage.epochs:
                if until is not None and (state.stage, state.epoch) >= until:
                    return state.network
                entry = self._entry(stage)
                state.log.append(entry)
                state.epoch += 1
                save_state(state, self.recipe, self.folder / CHECKPOINT)
                self.report(entry)
            self._finish(stage)
        return state.network

    def _check_batches(self) -> None:
        for stage in self.stages:
            if self.n_batches(stage) == 0:
                raise ConfigError(
                    f"is {stage.batch}, and an epoch has {self.task.n_batches(1)} examples",
                    place=Place(f"stage '{stage.name}'", None, "batch"),
                    remedy="Take a smaller one",
                )

    def _entry(self, stage: S) -> Entry:
        """Train and validate one epoch; returns its log entry, whose numbers are all finite."""
        state = self.state
        try:
            entry = self.epoch(stage)
            for name, tensor in state.network.state_dict().items():
                if not bool(torch.isfinite(tensor).all()):
                    raise self._diverged(f"{name} is no longer finite")
            entry |= self.validate(stage)
        except (MemoryError, RuntimeError) as error:
            if isinstance(error, MemoryError) or any(text in str(error) for text in NO_MEMORY):
                raise self._stopped(
                    "needs more memory than there is", "Take a smaller batch or network"
                ) from error
            raise
        for key, value in entry.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise self._diverged(f"{key} is {value}")
        return entry

    def _diverged(self, how: str) -> TrainingError:
        return self._stopped(
            f"diverges: {how}", "Take a smaller learning_rate, weight_decay or noise"
        )

    def _stopped(self, why: str, remedy: str) -> TrainingError:
        """An error that names stage, epoch, and what is left."""
        state = self.state
        good = sum(stage.epochs for stage in self.stages[: state.stage]) + state.epoch
        left = (
            f"checkpoint and log are those after epoch {good} of all"
            if good
            else ("no epoch was finished before it")
        )
        return TrainingError(
            f"stage '{self.stages[state.stage].name}', epoch {state.epoch + 1}, {why}; {left}",
            place=Place(self.folder),
            remedy=remedy,
        )

    def resume(self) -> bool:
        """Resume from the checkpoint in the folder; False if there is none."""
        path = self.folder / CHECKPOINT
        if look(path) is None:
            return False
        self.take_up(path)
        return True

    def fitted(self, before: AnyRecipe, saved: dict[str, Any]) -> tuple[AnyRecipe, dict[str, Any]]:
        """A recipe and the content of its checkpoint in the form of this training."""
        return before, saved

    def start_from(self, path: Path) -> None:
        """Begin with a checkpoint of another training; errors as in `take_up`."""
        self.take_up(path)

    def take_up(self, path: Path) -> None:
        """Continue from a checkpoint of this training, or of one with the same first stages.

        Raises
        ------
        ConfigError
            If its stages so far, network, data or seed differ from those of this recipe.
        DataError
            If it is no whole checkpoint of this recipe; nothing of it is used then.
        """
        before, saved = self.fitted(*read_checkpoint(path))
        begun = saved["stage"] + (1 if saved["epoch"] else 0)
        same = before.stages[:begun] == self.recipe.stages[:begun]
        mine = self.recipe.model_copy(update={"stages": before.stages, "name": before.name})
        if not same or mine != before:
            raise ConfigError(
                "was begun with another recipe than this one",
                place=Place(path),
                remedy="Use the recipe it was begun with, or another folder",
            )
        state, place, stage = self.state, Place(path), self.stages[begun - 1]
        check_tensors(saved, state.network, place)
        optimizer = None
        if saved["epoch"]:
            if saved["optimizer"] is None:
                raise DataError("is in the middle of a stage and has no optimizer", place=place)
            optimizer = self.new_optimizer(stage)
            if isinstance(optimizer, Optimizer):
                check_optimizers(saved["optimizer"], optimizer.parts, place)
            else:
                check_optimizers([saved["optimizer"]], [optimizer], place)
        state.network.load_state_dict(saved["network"])
        state.sigma_sums = saved["spread"]
        for key in ("teacher", "stage", "epoch", "log"):
            setattr(state, key, saved[key])
        if saved["average"] is not None:
            state.average = {k: v.to(self.device) for k, v in saved["average"].items()}
        self.restore(saved, stage)
        if optimizer is not None:
            state.optimizer = optimizer
            optimizer.load_state_dict(saved["optimizer"])

    def _finish(self, stage: S) -> None:
        state = self.state
        self.end(stage)
        state.stage, state.epoch = state.stage + 1, 0
        state.average = state.optimizer = None
        # the stage's checkpoint first: once the other one is written, it is never written again
        save_state(state, self.recipe, self.folder / f"{state.stage}-{stage.name}.pt")
        save_state(state, self.recipe, self.folder / CHECKPOINT)


def epoch_seed(seed: int, stage: int, epoch: int) -> int:
    """Seed of an epoch, below 2^64 as torch takes them, for a seed of any size below 2^64."""
    number = (seed * 1000 + stage) * 100_000 + epoch
    if number < 2**63:
        return number
    digest = hashlib.sha256(f"{seed} {stage} {epoch}".encode()).digest()
    return 2**63 + int.from_bytes(digest[:8], "little") // 2


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
    place, remedy = Place("--device", None, name), "Use 'cpu', 'cuda' or 'auto'"
    try:
        device = torch.device(name)
        if device.type not in DEVICES:
            raise ConfigError("is no device that networks are trained on", place=place,
                              remedy=remedy)  # fmt: skip
        torch.Generator(device).manual_seed(0)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, ImportError, ValueError) as error:
        raise ConfigError(
            f"cannot be used by torch: {str(error).splitlines()[0]}", place=place, remedy=remedy
        ) from error
    return device


def learning_rate(stage: StageKeys, step: int, n_steps: int) -> float:
    """Linear warm-up, then half a cosine down to the final rate."""
    if step < stage.warmup:
        return stage.learning_rate * (step + 1) / stage.warmup
    low = stage.learning_rate if stage.final_learning_rate is None else stage.final_learning_rate
    done = min(1.0, (step - stage.warmup) / max(1, n_steps - stage.warmup))
    return low + (stage.learning_rate - low) * 0.5 * (1 + math.cos(math.pi * done))
