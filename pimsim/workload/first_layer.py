"""The first layer of a network of codes as one more layer in arrays."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.workload.code_neurons import CodeNeurons
from pimsim.workload.ends import ConvEncoder, Encoder, Output
from pimsim.workload.graph import ENCODER, Network, Node
from pimsim.workload.grid import WEIGHT_GRID, WEIGHT_LIMIT, to_grid
from pimsim.workload.layers import Conv2d, Dense
from pimsim.workload.matrix import LevelMatrix
from pimsim.workload.neurons import Activation
from pimsim.workload.quantiser import QuantiserEncoder

NAME = "first"
TOP_LEVEL = 127
# output weights are scaled to this: scale changes no class
LARGEST_WEIGHT = 7.0
_GRID = 2.0**-20


def with_first_layer_in_arrays(network: Network, bits: int, reach: float) -> Network:
    """Inputs as codes that drive an array of the first layer's weights.

    Parameters
    ----------
    network : Network
        Of sigmoids, whose codes a chip gives; its encoder has weights.
    bits : int
        Bits of the chip's codes, inputs included.
    reach : float
        Inputs that may be below 0 have codes from -this to this; others are clipped.

    Notes
    -----
    Weights of the first layer are rounded to 255 levels. All neurons stay sigmoids, as limits of
    whole sums.
    """
    activation = Activation(bits, network.temperature)
    low, high = network.input.ends(bits, reach)
    step = (high - low) / (2**bits - 1)
    edges = low + (np.arange(1, 2**bits) - 0.5) * step
    zero = round(-low / step)
    first = Node(NAME, _layer(network.encoder, activation, low, step), (ENCODER,))
    nodes = [first]
    for node in network.nodes:
        inputs = tuple(NAME if name == ENCODER else name for name in node.inputs)
        nodes.append(replace(node, layer=_with_sigmoids(node.layer, activation), inputs=inputs))
    return replace(
        network,
        encoder=QuantiserEncoder(edges.astype(np.float32)[None], zero),
        nodes=tuple(nodes),
        output=_of_plain_codes(network.output, activation.top),
    )


def _layer(encoder: Encoder, activation: Activation, low: float, step: float) -> Dense | Conv2d:
    largest = float(np.abs(encoder.columns).max()) or 1.0
    levels = np.round(encoder.columns / largest * TOP_LEVEL).astype(np.int64)
    unit = step * largest / TOP_LEVEL
    # limits of pre-activations, as sums of level x code: what code 0 stands for is in them
    limits = (activation.value_limits()[None] + encoder.thresholds[:, None]) / unit
    limits = limits - low / step * levels.sum(axis=0)[:, None]
    limits = np.ceil(np.round(limits / _GRID) * _GRID)
    spread = float(np.abs(encoder.columns).sum(axis=0).max())
    matrix = LevelMatrix(
        levels=levels.astype(np.int8),
        n_levels=2 * TOP_LEVEL + 1,
        alpha=largest,
        thresholds=np.zeros(levels.shape[1], np.int32),
        preactivation_range=max(spread, 1e-6),
        preactivation_spread=max(spread / 3, 1e-6),
        neurons=CodeNeurons(limits.astype(np.int32)),
    )
    if isinstance(encoder, ConvEncoder):
        return Conv2d(matrix, encoder.kernel, encoder.stride, encoder.padding)
    return Dense(matrix)


def _with_sigmoids(layer: Any, activation: Activation) -> Any:
    """A layer whose matrices have the neurons that a chip would give them."""
    found = {}
    for field in fields(layer):
        matrix = getattr(layer, field.name)
        if isinstance(matrix, LevelMatrix):
            limits = activation.integer_limits(activation.unit(matrix)).astype(np.int32)
            own = np.tile(limits, (matrix.n_columns, 1))
            found[field.name] = replace(matrix, neurons=CodeNeurons(own))
    return replace(layer, **found)


def _of_plain_codes(output: Output, top: int) -> Output:
    """Scores of codes as they are, and not of shares of the largest one."""
    if not output.has_weights:
        return output
    weights = output.weights.astype(np.float64)
    biases = output.biases.astype(np.float64) * top
    factor = LARGEST_WEIGHT / max(np.abs(weights).max(), np.abs(biases).max())
    return replace(
        output,
        weights=_on_grid(weights * factor),
        biases=_on_grid(biases * factor),
        scale=None if output.scale is None else output.scale / (factor * top),
    )


def _on_grid(values: NDArray[np.float64]) -> NDArray[np.float32]:
    return to_grid(values, WEIGHT_GRID, WEIGHT_LIMIT).astype(np.float32)
