"""A network rounded to fewer levels, without training for them."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np

from pimsim.workload.graph import Network
from pimsim.workload.matrix import LevelMatrix

# clipping ranges that are tried, as shares of the largest weight
CLIPS = np.linspace(0.2, 1, 81)


def rounded(network: Network, n_levels: int) -> Network:
    """The network with every matrix of its nodes rounded to `n_levels` (odd) levels.

    Notes
    -----
    It is not trained for these levels, and is less accurate than a network that is.
    """
    nodes = []
    for node in network.nodes:
        layer: Any = node.layer
        found = {}
        for field in fields(layer):
            value = getattr(layer, field.name)
            if isinstance(value, LevelMatrix):
                found[field.name] = rounded_matrix(value, n_levels)
        nodes.append(replace(node, layer=replace(layer, **found)))
    return replace(network, nodes=tuple(nodes))


def rounded_matrix(matrix: LevelMatrix, n_levels: int) -> LevelMatrix:
    """The matrix with the clipping range of least squared error among `CLIPS`."""
    top, weights = (n_levels - 1) // 2, matrix.real_weights.astype(np.float64)
    best, least = None, np.inf
    for clip in CLIPS * np.abs(weights).max():
        levels = np.clip(np.round(weights / clip * top), -top, top)
        error = float(((weights - levels * clip / top) ** 2).mean())
        if error < least:
            best, least = (levels.astype(np.int8), float(clip)), error
    assert best is not None
    return replace(matrix, levels=best[0], n_levels=n_levels, alpha=best[1])
