"""Checkpoints: everything that the next epoch depends on, written whole or not at all."""

from __future__ import annotations

import io
import json
import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pimsim.errors import DataError, Place
from pimsim.files import open_regular, write_whole
from pimsim.train.layers import TorchNetwork
from pimsim.train.optimizer import Optimizer
from pimsim.train.recipe import Recipe

CHECKPOINT = "checkpoint.pt"
LOG = "log.jsonl"
MAX_BYTES = 1 << 30
_DAMAGE = (RuntimeError, pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError)


@dataclass
class State:
    """Where a training stands.

    Attributes
    ----------
    network : TorchNetwork
    average : dict or None
        Running mean of the parameters, where the stage keeps one.
    optimizer : Optimizer or None
        None between stages.
    teacher : dict or None
        Parameters of the last float stage, for distillation.
    spread : float
        Standard deviation of the pre-activations when the stage began.
    stage, epoch : int
        Finished stages, and finished epochs of the present one.
    log : list of dict
        One entry per epoch.
    """

    network: TorchNetwork
    average: dict[str, Tensor] | None = None
    optimizer: Optimizer | None = None
    teacher: dict[str, Tensor] | None = None
    spread: float = 1.0
    stage: int = 0
    epoch: int = 0
    log: list[dict[str, Any]] = field(default_factory=list)


def save_state(state: State, recipe: Recipe, path: Path) -> None:
    """Write a checkpoint, and the log beside it."""
    saved = {
        "recipe": recipe.model_dump(mode="json"),
        "network": state.network.state_dict(),
        "average": state.average,
        "optimizer": None if state.optimizer is None else state.optimizer.state_dict(),
        "teacher": state.teacher,
        "spread": state.spread,
        "stage": state.stage,
        "epoch": state.epoch,
        "log": state.log,
    }
    # torch tells of a full disk in ways of its own
    content = io.BytesIO()
    torch.save(saved, content)
    write_whole(path, lambda file: file.write(content.getbuffer()))
    lines = "".join(json.dumps(entry) + "\n" for entry in state.log)
    write_whole(path.with_name(LOG), lambda file: file.write(lines.encode()))


def read_checkpoint(path: Path) -> tuple[Recipe, dict[str, Any]]:
    """The recipe of a checkpoint, and what `save_state` put into it.

    Raises
    ------
    DataError
        If it is missing, or is no checkpoint of this pimsim.
    """
    try:
        with open_regular(path, "a .pt file", MAX_BYTES, DataError) as file:
            saved = torch.load(file, weights_only=True, map_location="cpu")
        return Recipe.model_validate(saved["recipe"]), saved
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", place=Place(path)) from error
    except _DAMAGE as error:
        raise DataError(
            f"is no checkpoint that pimsim can use ({type(error).__name__})",
            place=Place(path),
            remedy="Name a .pt file that `pimsim train` wrote",
        ) from error
