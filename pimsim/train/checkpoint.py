"""Checkpoints of a training: everything that the next epoch depends on."""

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
    """State of a training.

    Attributes
    ----------
    network : TorchNetwork
    average : dict or None
        Running mean of the parameters, if the stage keeps one.
    optimizer : Optimizer or None
        None between stages.
    teacher : dict or None
        Parameters of the last float stage, for distillation.
    sigma_sums : float
        Standard deviation of the pre-activations at the beginning of the stage.
    stage, epoch : int
        Number of finished stages, and of finished epochs of the present stage.
    log : list of dict
        One entry per epoch.
    """

    network: TorchNetwork
    average: dict[str, Tensor] | None = None
    optimizer: Optimizer | None = None
    teacher: dict[str, Tensor] | None = None
    sigma_sums: float = 1.0
    stage: int = 0
    epoch: int = 0
    log: list[dict[str, Any]] = field(default_factory=list)


def save_state(state: State, recipe: Recipe, path: Path) -> None:
    """Write a checkpoint, and the log in the same folder."""
    saved = {
        "recipe": recipe.model_dump(mode="json"),
        "network": state.network.state_dict(),
        "average": state.average,
        "optimizer": None if state.optimizer is None else state.optimizer.state_dict(),
        "teacher": state.teacher,
        "spread": state.sigma_sums,
        "stage": state.stage,
        "epoch": state.epoch,
        "log": state.log,
    }
    # first into memory: torch reports a full disk by errors of its own
    content = io.BytesIO()
    torch.save(saved, content)
    write_whole(path, lambda file: file.write(content.getbuffer()))
    lines = "".join(json.dumps(entry) + "\n" for entry in state.log)
    write_whole(path.with_name(LOG), lambda file: file.write(lines.encode()))


def read_checkpoint(path: Path) -> tuple[Recipe, dict[str, Any]]:
    """Read the recipe and the content of a checkpoint.

    Raises
    ------
    DataError
        If it is missing, or not a checkpoint of this version of pimsim.
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
