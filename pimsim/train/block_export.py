"""Export of a trained network of blocks to a `Network`."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from torch import nn

from pimsim.data import catalog
from pimsim.data.text import with_symbols
from pimsim.errors import Place
from pimsim.importers.torch_export import export as export_module
from pimsim.train.block_recipe import BlockRecipe
from pimsim.train.block_task import Task, block_task
from pimsim.train.block_trainer import network_of
from pimsim.train.saved import check_tensors
from pimsim.workload import Network, run_reference
from pimsim.workload.metrics import ACCURACY

# training samples on which ranges of sums are measured and classes are compared
SAMPLES = 256
# samples that are run at once: memory, not results
CHUNK = 256
FORM = "as deployed, no noise"


def block_network(recipe: BlockRecipe, saved: dict[str, Any], place: Place) -> Network:
    """Network of a checkpoint, with its accuracy on validation and test data.

    Parameters
    ----------
    recipe : BlockRecipe
    saved : dict
        Content of the checkpoint.
    place : Place
        Its file, for errors.

    Returns
    -------
    Network
        With entries `accuracy` and `data` in its provenance.

    Raises
    ------
    DataError
        If the data are not on this machine, or the checkpoint is of another network.
    NetworkImportError
        If a block has no counterpart on a chip.
    """
    task = block_task(recipe)
    module = network_of(recipe, task)
    check_tensors(saved, module, place)
    module.load_state_dict(saved["network"])
    network = to_network(module, task, recipe.name, recipe.half_levels)
    accuracy = [_accuracy(network, "validation", task.validation_data)]
    if recipe.test is not None:
        data = catalog.load(recipe.test)
        if data.kind == "text":
            data = with_symbols(data, network.classes)
        accuracy.append(_accuracy(network, recipe.test, data))
    provenance = {**network.provenance, "accuracy": accuracy, "data": task.description}
    return dataclasses.replace(network, provenance=provenance)


def to_network(module: nn.Module, task: Task, name: str, half_levels: bool = False) -> Network:
    """Network of a trained module, with sums measured on training samples."""
    samples = task.training.limit(min(SAMPLES, len(task.training)))
    example = torch.zeros(2, *task.sample_shape())
    return export_module(module.cpu(), example, samples, half_levels=half_levels, name=name)


def _accuracy(network: Network, name: str, data: Any) -> dict[str, Any]:
    metric, values = network.metric, []
    for first in range(0, len(data), CHUNK):
        part = slice(first, first + CHUNK)
        run = run_reference(network, data.features[part])
        values.append(metric.of_scores(network.output.trained(run.scores), data.labels[part]))
    each = np.concatenate(values)
    entry = {"set": name, "n": len(data), "form": FORM, "value": float(each.mean())}
    if metric is not ACCURACY:
        return entry | {"metric": metric.key}
    recalls = [float(each[data.labels == label].mean()) for label in set(data.labels.tolist())]
    return entry | {"mean_recall": sum(recalls) / len(recalls)}
