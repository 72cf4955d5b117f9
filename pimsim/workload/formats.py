"""Networks of bits as networks whose formats say so."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np

from pimsim.workload.code_neurons import CodeNeurons
from pimsim.workload.graph import Network
from pimsim.workload.matrix import LevelMatrix


def has_thresholds(network: Network) -> bool:
    """Whether any column of any matrix has a threshold other than 0."""
    return any(matrix.thresholds.any() for _, matrix in network.matrices())


def with_bit_formats(network: Network) -> Network:
    """The same network with neurons of 1 bit: a sum above its threshold reaches the limit."""
    nodes = []
    for node in network.nodes:
        layer: Any = node.layer
        found = {
            field.name: with_bit_neurons(getattr(layer, field.name))
            for field in fields(layer)
            if isinstance(getattr(layer, field.name), LevelMatrix)
        }
        nodes.append(replace(node, layer=replace(layer, **found)))
    return replace(network, nodes=tuple(nodes))


def with_bit_neurons(matrix: LevelMatrix) -> LevelMatrix:
    """A matrix whose thresholds are limits of neurons of 1 bit."""
    limits = (matrix.thresholds.astype(np.int64) + 1).astype(np.int32)[:, None]
    return replace(matrix, neurons=CodeNeurons(limits))
