"""Trainers of recipes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from pimsim.data import catalog
from pimsim.data.text import with_symbols
from pimsim.train import tasks
from pimsim.train.block_recipe import BlockRecipe
from pimsim.train.block_task import block_task
from pimsim.train.block_trainer import BlockTrainer, measured
from pimsim.train.checkpoint import AnyRecipe
from pimsim.train.loop import Loop
from pimsim.train.trainer import Trainer


def trainer_for(
    recipe: AnyRecipe, folder: Path, report: Callable[[dict[str, Any]], None], device: torch.device
) -> Loop[Any, Any, Any]:
    """Trainer of a recipe, with its data loaded.

    Raises
    ------
    DataError
        If the data are not on this machine, or do not fit the network.
    """
    if isinstance(recipe, BlockRecipe):
        return BlockTrainer(recipe, block_task(recipe), folder, report, device)
    return Trainer(recipe, tasks.task_for(recipe), folder, report, device)


def test_result(trainer: Loop[Any, Any, Any]) -> tuple[str, int, str] | None:
    """Name, size and metric (with its unit) of the recipe's test set; None if it names none."""
    if not isinstance(trainer, BlockTrainer) or trainer.recipe.test is None:
        return None
    data = catalog.load(trainer.recipe.test)
    if data.kind == "text":
        data = with_symbols(data, trainer.task.training.classes)
    found = measured(trainer.state.network, trainer.task, data, trainer.device)
    return data.name, len(data), trainer.task.metric.text(found)
