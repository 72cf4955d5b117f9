"""Layer kinds: one file each, with the same verbs (`base.Layer`)."""

from pimsim.workload.layers.add import Add
from pimsim.workload.layers.averagepool import AveragePool
from pimsim.workload.layers.base import Layer
from pimsim.workload.layers.concat import Concat, Flatten
from pimsim.workload.layers.conv2d import Conv2d
from pimsim.workload.layers.dense import Dense
from pimsim.workload.layers.gru import Gru
from pimsim.workload.layers.lstm import Lstm
from pimsim.workload.layers.maxpool import MaxPool
from pimsim.workload.layers.reset_gru import ResetGru
from pimsim.workload.windows import Span

# layer kinds by the word that network files use
LAYERS: dict[str, type[Layer]] = {
    layer.kind: layer
    for layer in (Dense, Conv2d, MaxPool, AveragePool, Add, Concat, Flatten, Gru, ResetGru, Lstm)
}

__all__ = [
    "LAYERS",
    "Add",
    "AveragePool",
    "Concat",
    "Conv2d",
    "Dense",
    "Flatten",
    "Gru",
    "Layer",
    "Lstm",
    "MaxPool",
    "ResetGru",
    "Span",
]
