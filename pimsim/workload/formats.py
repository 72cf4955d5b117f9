"""Networks of bits as networks whose formats say so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from pimsim.workload.code_neurons import CodeNeurons
from pimsim.workload.graph import Network
from pimsim.workload.matrix import LevelMatrix


def has_thresholds(network: Network) -> bool:
    """Whether any column of any matrix has a threshold other than 0, if only half a level."""
    return any(
        matrix.half_levels or bool(matrix.thresholds.any()) for _, matrix in network.matrices()
    )


def with_bit_formats(network: Network) -> Network:
    """The same network with neurons of 1 bit: a sum above its threshold reaches the limit."""
    return _with_matrices(network, with_bit_neurons)


def with_half_levels(network: Network) -> Network:
    """The same network with every threshold of a bit half-way between two sums."""

    def raised(matrix: LevelMatrix) -> LevelMatrix:
        is_bit = matrix.neurons is None or matrix.neurons.bits == 1
        return replace(matrix, half_levels=is_bit)

    return _with_matrices(network, raised)


def with_whole_levels(network: Network) -> Network:
    """The same network with thresholds that sums can meet."""
    return _with_matrices(network, lambda matrix: replace(matrix, half_levels=False))


def _with_matrices(network: Network, change: Callable[[LevelMatrix], LevelMatrix]) -> Network:
    """The network with each of its matrices changed."""
    nodes = []
    for node in network.nodes:
        matrices = node.layer.matrices.items()
        found = {label or "matrix": change(matrix) for label, matrix in matrices}
        nodes.append(replace(node, layer=replace(node.layer, **found)))  # type: ignore[type-var]
    return replace(network, nodes=tuple(nodes))


def with_bit_neurons(matrix: LevelMatrix) -> LevelMatrix:
    """A matrix whose thresholds are limits of neurons of 1 bit."""
    limits = (matrix.thresholds.astype(np.int64) + 1).astype(np.int32)[:, None]
    return replace(matrix, neurons=CodeNeurons(limits))
