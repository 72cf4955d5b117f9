"""Export of a trained torch network to a `Network`."""

from __future__ import annotations

import dataclasses
import datetime
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import pimsim
from pimsim.data import catalog
from pimsim.errors import DataError, Place
from pimsim.nn.quantize import MultiLevel
from pimsim.train.block_export import block_network
from pimsim.train.block_recipe import BlockRecipe
from pimsim.train.checkpoint import read_checkpoint
from pimsim.train.deploy import deployed, deployed_forward
from pimsim.train.layers import Matrix
from pimsim.train.networks import build_network, set_quantizers
from pimsim.train.recipe import Recipe
from pimsim.train.saved import check_tensors
from pimsim.train.tasks import Task, task_for
from pimsim.train.torch_network import TorchNetwork
from pimsim.workload import (
    ConvEncoder,
    DenseEncoder,
    Encoder,
    LevelMatrix,
    Network,
    Output,
    run_reference,
    run_smooth,
    write_network,
)

STATISTICS_CLIPS = 2000
BITS, SIGMOIDS = "bits, no noise", "sigmoids, full-precision weights, no noise"
_TEST_SETS = {
    "speech_commands": ("speech-commands-test", "synthetic-speech"),
    "mnist": ("mnist-test", "mnist-1000"),
}


def export(checkpoint: Path, output: Path, note: str = "") -> Network:
    """Export a checkpoint for the simulator, and measure its accuracy.

    Parameters
    ----------
    checkpoint : Path
        File written by `pimsim train`; its running mean is exported if it has one.
    output : Path
        The `.safetensors` file to write.
    note : str
        Remark for the provenance.

    Raises
    ------
    DataError
        If the checkpoint cannot be exported, or the training data are missing.

    Notes
    -----
    A network with full-precision weights gets the 255 levels of an int8, so that a chip can
    run it with bits, and keeps its weights for `run_smooth`.
    """
    recipe, saved = read_checkpoint(checkpoint)
    if isinstance(recipe, BlockRecipe):
        workload = block_network(recipe, saved, Place(checkpoint))
    else:
        workload = _bit_network(recipe, saved, Place(checkpoint))
    workload.provenance.update(
        recipe=recipe.model_dump(mode="json", exclude_defaults=True),
        seed=recipe.seed,
        stages=_stages(saved["log"]),
        selected_on="validation",
        git_commit=_git_commit(),
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        pimsim=pimsim.__version__,
        torch=str(torch.__version__),
    )
    if note:
        workload.provenance["note"] = note
    write_network(workload, output)
    return workload


def _bit_network(recipe: Recipe, saved: dict[str, Any], place: Place) -> Network:
    """Network of bits of a checkpoint, with its accuracies."""
    last = recipe.stages[saved["stage"] - (0 if saved["epoch"] else 1)]
    task = task_for(recipe).at_level(last.level, last.running_normalisation)
    network = build_network(recipe.network, len(task.classes))
    check_tensors(saved, network, place)
    network.load_state_dict(saved["network"] if saved["average"] is None else saved["average"])
    is_float = last.weights is None
    if last.weights is None:
        take_all_levels(network)
    else:
        set_quantizers(network, last.weights)
    neuron = last.neuron.without_noise().build(1.0, progress=1.0)
    workload = dataclasses.replace(
        to_network(network, task, recipe.name, with_weights=is_float),
        temperature=1 / neuron.firing().steepness,
    )
    workload.provenance.update(
        data=task.description,
        accuracy=_accuracies(workload, deployed(network), recipe, task, is_float),
    )
    return workload


def take_all_levels(network: TorchNetwork) -> None:
    """Quantise full-precision weights to 255 levels over their whole range."""
    for matrix in network.matrices().values():
        matrix.quantizer = MultiLevel(255)
        with torch.no_grad():
            # a little beyond the largest weight: the step is rounded to a short number
            matrix.alpha.fill_(float(matrix.weight.abs().max()) * 1.04)


def to_network(network: TorchNetwork, task: Task, name: str, with_weights: bool = False) -> Network:
    """Convert to a `Network`, with pre-activations measured on training examples.

    Raises
    ------
    DataError
        If full-precision weights are wanted, but the encoder had to be scaled.
    """
    twin = deployed(network)
    if with_weights and not _same_encoder(twin, network):
        raise DataError(
            "cannot be a reference: an encoder weight or bias is 8 or larger",
            remedy="Train it with more weight_decay",
        )
    _, sums, _ = deployed_forward(twin, task.inputs(task.examples(STATISTICS_CLIPS)))
    matrices = {
        key: _level_matrix(matrix, sums[key], with_weights, twin.thresholds(key))
        for key, matrix in twin.matrices().items()
    }
    return Network(
        name=name,
        input=task.input,
        encoder=_encoder(twin),
        nodes=twin.nodes(matrices),
        output=Output(_array(twin.output.weight.t()), _array(twin.output.bias)),
        classes=task.classes,
    )


def _same_encoder(twin: TorchNetwork, network: TorchNetwork) -> bool:
    """Whether no weight of a real-valued encoder had to be scaled."""
    if twin.encoder is None or network.encoder is None or network.first is not None:
        return True
    return torch.allclose(twin.encoder.weight, network.encoder.weight.double(), atol=2**-20)


def _level_matrix(
    matrix: Matrix, sums: NDArray[np.float64], with_weights: bool, thresholds: Tensor | None
) -> LevelMatrix:
    quantizer = matrix.quantizer
    assert quantizer is not None
    with torch.no_grad():
        levels, step = quantizer.levels(matrix.weight, matrix.alpha)
    top = max(1, (quantizer.n_levels - 1) // 2)
    unit = float(step)
    return LevelMatrix(
        levels=levels.numpy().astype(np.int8),
        n_levels=quantizer.n_levels,
        alpha=unit * top,
        thresholds=(
            np.zeros(levels.shape[1], np.int32)
            if thresholds is None
            else thresholds.numpy().astype(np.int32)
        ),
        preactivation_range=unit * max(1.0, float(np.abs(sums).max())),
        preactivation_spread=unit * max(1e-6, float(sums.std())),
        weights=_array(matrix.weight) if with_weights else None,
        half_levels=matrix.half_levels,
    )


def _encoder(network: TorchNetwork) -> Encoder:
    layer = network.encoder
    if layer is None or network.in_arrays:
        assert network.thermometer is not None
        return network.thermometer.encoder()
    assert layer.bias is not None
    if isinstance(layer, nn.Linear):
        return DenseEncoder(_array(layer.weight.t()), _array(-layer.bias))
    return ConvEncoder(_array(layer.weight.permute(2, 3, 1, 0)), _array(-layer.bias))


def _array(values: torch.Tensor) -> NDArray[np.float32]:
    return np.ascontiguousarray(values.detach().numpy(), np.float32)


def _accuracies(
    workload: Network, twin: TorchNetwork, recipe: Recipe, task: Task, is_float: bool
) -> list[dict[str, Any]]:
    """Accuracy without noise, on the validation set and the test sets on this machine.

    Networks run with bits; one with full-precision weights also with its sigmoids.
    """
    inputs, labels = task.validation
    predictions = deployed_forward(twin, inputs)[2].argmax(axis=1)
    found = [_accuracy("validation", predictions, labels.numpy(), BITS)]
    for name in _TEST_SETS[recipe.data.kind]:
        if name not in catalog.EMBEDDED and catalog.find(name) is None:
            continue
        data = catalog.load(name)
        predictions = run_reference(workload, data.features).predictions
        found.append(_accuracy(name, predictions, data.labels, BITS))
        if is_float:
            predictions = run_smooth(workload, data.features).predictions
            found.append(_accuracy(name, predictions, data.labels, SIGMOIDS))
    return found


def _accuracy(
    name: str, predictions: NDArray[np.int64], labels: NDArray[np.int64], form: str
) -> dict[str, Any]:
    """Share of correct classifications, and mean recall over the classes."""
    right = predictions == labels
    recalls = [float(right[labels == k].mean()) for k in np.unique(labels)]
    return {
        "set": name,
        "n": len(right),
        "form": form,
        "value": float(right.mean()),
        "mean_recall": sum(recalls) / len(recalls),
    }


def _stages(log: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Epochs, seconds and last validation accuracy of each stage."""
    found: dict[str, dict[str, Any]] = {}
    for entry in log:
        stage = found.setdefault(entry["stage"], {"stage": entry["stage"], "wall_s": 0.0})
        stage["epochs"] = entry["epoch"]
        stage["wall_s"] = round(stage["wall_s"] + entry["wall_s"], 1)
        for key in ("smooth", "bits", "bits_average", "deployed"):
            if key in entry:
                stage[f"validation_{key}"] = entry[key]
        if "arithmetic" in entry:
            stage["arithmetic"] = entry["arithmetic"]
    return list(found.values())


def _git_commit() -> str | None:
    """Git commit of the source tree of this package, if it is in a repository."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()
