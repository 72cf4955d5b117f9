"""Checkpoints of a training: everything that the next epoch depends on."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from pimsim.errors import DataError, Place
from pimsim.files import decoding, open_regular, write_text, write_whole
from pimsim.train.block_recipe import BlockRecipe
from pimsim.train.recipe import Recipe
from pimsim.train.saved import REMEDY, check_progress

CHECKPOINT = "checkpoint.pt"
LOG = "log.jsonl"
MAX_BYTES = 1 << 30

AnyRecipe = Recipe | BlockRecipe
N = TypeVar("N", bound=nn.Module)


@dataclass
class State(Generic[N]):
    """State of a training.

    Attributes
    ----------
    network : torch.nn.Module
    average : dict or None
        Running mean of the parameters, if the stage keeps one.
    optimizer
        With a state_dict; None between stages.
    teacher : dict or None
        Parameters of the last float stage, for distillation.
    sigma_sums : float
        Standard deviation of the pre-activations at the beginning of the stage.
    stage, epoch : int
        Number of finished stages, and of finished epochs of the present stage.
    log : list of dict
        One entry per epoch.
    """

    network: N
    average: dict[str, Tensor] | None = None
    optimizer: Any = None
    teacher: dict[str, Tensor] | None = None
    sigma_sums: float = 1.0
    stage: int = 0
    epoch: int = 0
    log: list[dict[str, Any]] = field(default_factory=list)


def recipe_of(tree: dict[str, Any]) -> AnyRecipe:
    """Recipe of a tree of keys: of blocks where its network is a list."""
    kind = BlockRecipe if isinstance(tree["network"], list) else Recipe
    return kind.model_validate(tree)


def save_state(state: State[Any], recipe: AnyRecipe, path: Path) -> None:
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
    lines = "".join(json.dumps(entry, allow_nan=False) + "\n" for entry in state.log)
    write_text(path.with_name(LOG), lines)


def read_checkpoint(path: Path) -> tuple[AnyRecipe, dict[str, Any]]:
    """Read the recipe and the content of a checkpoint.

    All entries but tensors are checked; those are by `check_tensors` and `check_optimizer`, when
    there is a network to compare them with.

    Raises
    ------
    DataError
        If it is missing, or not a checkpoint of this version of pimsim.
    """
    with (
        open_regular(path, "a .pt file", MAX_BYTES, DataError) as file,
        decoding(Place(path), REMEDY, DataError, "is no checkpoint that pimsim can use"),
    ):
        saved = torch.load(file, weights_only=True, map_location="cpu")
        recipe = recipe_of(saved["recipe"])
    check_progress(saved, recipe, Place(path))
    return recipe, saved
