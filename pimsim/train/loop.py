"""The loop of a training over its stages and epochs: checkpoints, log, and resuming."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import nn

from pimsim.errors import ConfigError, Place
from pimsim.files import look
from pimsim.train.checkpoint import CHECKPOINT, AnyRecipe, State, read_checkpoint, save_state
from pimsim.train.memory import keep_memory

Entry = dict[str, Any]
CPU = torch.device("cpu")


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


R = TypeVar("R", bound=AnyRecipe)
S = TypeVar("S", bound=StageKeys)
N = TypeVar("N", bound=nn.Module)


class Loop(Generic[R, S, N]):
    """Training of one recipe in one folder; subclasses train a stage's epochs.

    Every epoch has its own seeds, so that a training that was killed and resumed gives the
    same network as an uninterrupted one.

    Parameters
    ----------
    recipe : Recipe or BlockRecipe
    network : torch.nn.Module
    folder : Path
        Receives `checkpoint.pt`, a checkpoint per finished stage, and `log.jsonl`.
    report : callable
        Called with the log entry of each epoch.

    Attributes
    ----------
    batch_done : callable
        Called after every batch with the mean loss of the epoch so far.
    """

    def __init__(
        self, recipe: R, network: N, folder: Path, report: Callable[[Entry], None]
    ) -> None:
        self.recipe, self.folder, self.report = recipe, folder, report
        self.state: State[N] = State(network)
        self.batch_done: Callable[[float], None] = lambda loss: None

    @property
    def stages(self) -> tuple[S, ...]:
        """Stages of the recipe."""
        stages: tuple[Any, ...] = self.recipe.stages
        return stages

    def n_batches(self, stage: S) -> int:
        """Batches in an epoch of a stage."""
        raise NotImplementedError

    def prepare(self, stage: S) -> None:
        """Prepare the data of a stage."""

    def begin(self, stage: S) -> None:
        """Begin a stage: make its optimizer."""
        raise NotImplementedError

    def epoch(self, stage: S) -> Entry:
        """Train one epoch; returns its log entry."""
        raise NotImplementedError

    def validate(self, stage: S) -> Entry:
        """Measure the network on the validation data."""
        raise NotImplementedError

    def end(self, stage: S) -> None:
        """End a stage, before its checkpoint is written."""

    def restore(self, saved: dict[str, Any], begun: S) -> None:
        """Restore what a stage that has begun needs, from a checkpoint."""
        raise NotImplementedError

    @property
    def seed(self) -> int:
        """Seed of the present epoch."""
        return (self.recipe.seed * 1000 + self.state.stage) * 100_000 + self.state.epoch

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
        """Train the remaining epochs; stop at `until` (stage, epoch) if given."""
        keep_memory()
        state = self.state
        while state.stage < len(self.stages):
            stage = self.stages[state.stage]
            self.prepare(stage)
            if state.epoch == 0:
                self.begin(stage)
            while state.epoch < stage.epochs:
                if until is not None and (state.stage, state.epoch) >= until:
                    return state.network
                entry = self.epoch(stage)
                entry |= self.validate(stage)
                state.log.append(entry)
                state.epoch += 1
                save_state(state, self.recipe, self.folder / CHECKPOINT)
                self.report(entry)
            self._finish(stage)
        return state.network

    def resume(self) -> bool:
        """Resume from the checkpoint in the folder; False if there is none."""
        path = self.folder / CHECKPOINT
        if look(path) is None:
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
        self.restore(saved, self.stages[begun - 1])

    def _finish(self, stage: S) -> None:
        state = self.state
        self.end(stage)
        state.stage, state.epoch = state.stage + 1, 0
        state.average = state.optimizer = None
        # the stage's checkpoint first: once the other one is written, it is never written again
        save_state(state, self.recipe, self.folder / f"{state.stage}-{stage.name}.pt")
        save_state(state, self.recipe, self.folder / CHECKPOINT)


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


def learning_rate(stage: StageKeys, step: int, n_steps: int) -> float:
    """Linear warm-up, then half a cosine down to the final rate."""
    if step < stage.warmup:
        return stage.learning_rate * (step + 1) / stage.warmup
    low = stage.learning_rate if stage.final_learning_rate is None else stage.final_learning_rate
    done = min(1.0, (step - stage.warmup) / max(1, n_steps - stage.warmup))
    return low + (stage.learning_rate - low) * 0.5 * (1 + math.cos(math.pi * done))
