"""From a recipe's network block to a network."""

from __future__ import annotations

from pimsim.train.gru import GruNetwork
from pimsim.train.recipe import GruShape, Lenet5Shape

Network = GruNetwork


def build_network(shape: GruShape | Lenet5Shape, n_classes: int) -> Network:
    """A fresh network; its weights come from torch's global generator."""
    assert isinstance(shape, GruShape)
    return GruNetwork(shape.inputs, shape.hidden, shape.layers, n_classes)
