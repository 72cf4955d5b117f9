"""An imported network beside the trained one: ranges of its sums, and the same classes."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from pimsim.data.dataset import Dataset
from pimsim.errors import DataError
from pimsim.importers import float_run
from pimsim.importers.layers import replaced
from pimsim.importers.ops import (
    Activation,
    Conv,
    Dense,
    Gru,
    Lstm,
    NetworkImportError,
    Quantise,
    Real,
    Thermometer,
    Trained,
)
from pimsim.workload import ENCODER, Network, TensorInput, TextInput, run_reference
from pimsim.workload.exact import ExactRun, word_lines
from pimsim.workload.graph import Node
from pimsim.workload.grid import WEIGHT_GRID
from pimsim.workload.matrix import LevelMatrix

# samples on which classes are compared, and on which the ranges of sums are measured
COMPARED, MEASURED = 2000, 64
# of sequences with scores at every step
COMPARED_SEQUENCES = 200
# scores closer than this, of the largest, are equal but for rounding
EQUAL = 1e-6


def input_scale(data: Dataset) -> float:
    """Value of one unit of the features: bytes stand for 0 to 1."""
    return 1 / 255 if data.features.dtype == np.uint8 else 1.0


def as_numbers(trained: Trained, data: Dataset) -> Real:
    """Features as the trained network takes them, (n, [n_steps,] *sizes).

    Raises
    ------
    DataError
        If their shape is another.
    """
    features, sizes = data.features, trained.sizes
    if data.kind == "text":
        if not trained.has_steps or sizes != (len(data.classes),):
            raise DataError(
                f"'{data.name}' has {len(data.classes)} symbols, and the network takes "
                f"{' x '.join(map(str, sizes))}",
                remedy="Give it time steps of one number for each symbol",
            )
        return TextInput(len(data.classes)).numbers(features)
    wanted = "time steps x " if trained.has_steps else ""
    axes = features.shape[:2] if trained.has_steps else features.shape[:1]
    if features.size != np.prod(axes) * np.prod(sizes) or (
        trained.has_steps and features.ndim != 2 + len(sizes)
    ):
        raise DataError(
            f"'{data.name}' has samples of {' x '.join(map(str, features.shape[1:]))}, and the "
            f"network takes {wanted}{' x '.join(map(str, sizes))}",
            remedy="Features are (height, width, channels) or (length, channels), channels last",
        )
    return features.reshape(*axes, *sizes).astype(np.float64) * input_scale(data)


def _as_seen(network: Network, trained: Trained, data: Dataset) -> Real:
    """Features as the network sees them, on the grid of its inputs, in the trained one's units."""
    numbers = network.input.numbers(data.features)
    if isinstance(network.input, TextInput):
        return numbers
    assert isinstance(network.input, TensorInput)
    # its scale is that of bytes or 1, times a power of two
    power = np.round(np.log2(network.input.scale.astype(np.float64) / input_scale(data)))
    return np.asarray(numbers / 2.0**power).reshape(as_numbers(trained, data).shape)


def compared(trained: Trained, data: Dataset) -> Dataset:
    """Samples on which classes are compared."""
    most = COMPARED_SEQUENCES if trained.every_step else COMPARED
    return data.limit(min(most, len(data)))


def checked(network: Network, trained: Trained, data: Dataset) -> Network:
    """The network with the ranges of its sums, and how often its classes are the trained ones.

    Raises
    ------
    NetworkImportError
        If all numbers of the trained network are whole, and a class differs.
    """
    network = with_ranges(network, data.limit(min(MEASURED, len(data))))
    some = compared(trained, data)
    scores = float_run.scores(trained, _as_seen(network, trained, some))
    run, metric = run_reference(network, some.features), network.metric
    found, n_classes = run.predictions, run.scores.shape[-1]
    scores = scores.reshape(*found.shape, n_classes)
    classes = scores.argmax(axis=-1)
    differ = classes != found
    if differ.any() and _is_whole(network, trained):
        own, other = (
            np.take_along_axis(scores, chosen[..., None], axis=-1)[..., 0]
            for chosen in (classes, np.minimum(found, n_classes - 1))
        )
        # weights of scores are rounded to a grid, each by half of its step at most
        largest = np.abs(run.scores).max(axis=-1).reshape(differ.shape)
        bound = EQUAL + _score_error(network) / np.maximum(largest, WEIGHT_GRID)
        wrong = differ & (own - other > bound * np.abs(scores).max(axis=-1))
        if wrong.any():
            raise NetworkImportError(
                f"the imported network gives another class for {int(wrong.sum())} of {wrong.size} "
                f"samples, the first of them {int(np.flatnonzero(wrong)[0])}, though its numbers "
                "are whole",
                remedy="This is an error of pimsim: please report it with the network",
            )
    entry = {
        **network.provenance["import"],
        "compared_samples": len(some),
        "same_class": float((~differ).mean()),
        f"{metric.key}_trained": float(metric.of_scores(scores, some.labels).mean()),
        metric.key: float(metric.of_scores(network.output.trained(run.scores), some.labels).mean()),
        "data": some.name,
    }
    return replace(network, provenance={**network.provenance, "import": entry})


def _score_error(network: Network) -> float:
    """Largest error of a difference of two scores that rounded weights can make."""
    codes = network.shapes[network.nodes[-1].name].codes
    top, n_rows = 1 if codes is None else codes.top, len(network.output.weights)
    return 2 * WEIGHT_GRID * (n_rows * top + 1)


def _is_whole(network: Network, trained: Trained) -> bool:
    """Whether signals and weights in arrays are whole numbers, so that nothing is rounded."""
    # operations before the first one with weights
    before = takewhile(lambda op: not hasattr(op, "weight"), trained.ops)
    kept = [op for op in before if isinstance(op, Quantise | Thermometer | Activation)]
    # an input that the network itself does not round is rounded to codes, unless a digital unit
    # reads it, or it is bits already
    is_kept = (
        network.encoder.has_weights
        or isinstance(network.input, TextInput)
        or any(not isinstance(op, Activation) or op.kind == "sign" for op in kept)
    )
    inner = [op for op in trained.ops if isinstance(op, Dense | Conv)][1:-1]
    functions = [op for op in trained.ops if isinstance(op, Activation)]
    return (
        is_kept
        and all(op.scaled is not None for op in inner)
        and all(op.kind == "sign" for op in functions)
        and not any(isinstance(op, Gru) for op in trained.ops)
        and not any(isinstance(op, Lstm) and op.scaled is None for op in trained.ops)
    )


def with_ranges(network: Network, data: Dataset) -> Network:
    """The network with the largest and the usual sum of every matrix on some samples."""
    run = run_reference(network, data.features)
    nodes = []
    for node in network.nodes:
        if node.layer.matrices:
            rows = driven_rows(network, node, run)
            measured = {
                label: _measured(found, rows, node.layer.groups)
                for label, found in node.layer.matrices.items()
            }
            node = replace(node, layer=replaced(node.layer, measured))
        nodes.append(node)
    return replace(network, nodes=tuple(nodes))


def driven_rows(network: Network, node: Node, run: ExactRun) -> NDArray[np.uint8]:
    """Codes on the word lines of a node, (n, [n_steps,] n_reads, n_rows), state rows included."""
    outputs = {ENCODER: ENCODER, **{other.name: other.output for other in network.nodes}}
    below = [run.signals[outputs[name]] for name in node.inputs]
    rows = word_lines(node.layer, below, network.input_shapes(node))
    if node.layer.has_state:
        state = run.signals[node.output]
        start = np.full_like(state[:, :1], network.shapes[node.name].zero)
        before = np.concatenate([start, state[:, :-1]], axis=1)
        rows = np.concatenate([before[:, :, None], rows], axis=-1)
    return np.asarray(rows)


def _measured(matrix: LevelMatrix, rows: NDArray[np.uint8], groups: int) -> LevelMatrix:
    neurons = matrix.neurons
    assert neurons is not None
    levels, each = matrix.levels.astype(np.float64), matrix.n_columns // groups
    of_each = [
        rows[..., g::groups, :].astype(np.float64) @ levels[:, g * each : (g + 1) * each]
        for g in range(groups)
    ]
    sums = np.concatenate(of_each, axis=-1)
    # what a one-bit read-out sees is the sum less its threshold
    sums = sums - matrix.thresholds if neurons.bits == 1 else sums
    unit = matrix.alpha / matrix.top_level
    return replace(
        matrix,
        preactivation_range=max(float(np.abs(sums).max()) * unit, unit),
        preactivation_spread=max(float(sums.std()) * unit, 1e-3 * unit),
    )
