"""Layer kinds: one file each, with the same verbs (`base.Layer`)."""

from pimsim.workload.layers.base import Layer, Span
from pimsim.workload.layers.conv2d import Conv2d
from pimsim.workload.layers.dense import Dense
from pimsim.workload.layers.gru import Gru
from pimsim.workload.layers.maxpool import MaxPool

# layer kinds by the word that network files use
LAYERS: dict[str, type[Layer]] = {layer.kind: layer for layer in (Dense, Conv2d, MaxPool, Gru)}

__all__ = ["LAYERS", "Conv2d", "Dense", "Gru", "Layer", "MaxPool", "Span"]
