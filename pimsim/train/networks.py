"""Construction of the network of a recipe, and of its quantisers."""

from __future__ import annotations

from pimsim.train.gru import GruNetwork
from pimsim.train.lenet5 import Lenet5, ThermometerConvolution
from pimsim.train.recipe import GruShape, Lenet5Shape
from pimsim.train.thermometer import ThermometerBits, ThermometerLayer
from pimsim.train.torch_network import TorchNetwork
from pimsim.train.weights_recipe import WeightsRecipe


def build_network(shape: GruShape | Lenet5Shape, n_classes: int) -> TorchNetwork:
    """Build a network; its initial weights come from torch's global random generator."""
    later = shape.thermometer is not None and shape.thermometer.from_stage is not None
    if isinstance(shape, GruShape):
        bits: ThermometerBits | None = None
        if shape.thermometer is not None:
            keys = shape.thermometer
            how = keys.counts_of(shape.inputs), keys.spacing, keys.learned
            bits = ThermometerLayer(shape.hidden, *how) if keys.layer else ThermometerBits(*how)
        return GruNetwork(shape.inputs, shape.hidden, shape.layers, n_classes, bits, later)
    first = None
    if shape.thermometer is not None:
        keys = shape.thermometer
        how = keys.counts_of(1), keys.spacing, keys.learned
        first = ThermometerConvolution(shape.channels[0], *how)
    return Lenet5(shape.channels, shape.dense, n_classes, first, later)


def set_quantizers(network: TorchNetwork, weights: WeightsRecipe, ranges: bool = False) -> None:
    """Set the quantiser of each matrix, and its half levels, as the recipe says.

    Parameters
    ----------
    network : TorchNetwork
    weights : WeightsRecipe
    ranges : bool
        Compute clipping ranges from the present weights.
    """
    matrices = network.matrices()
    half_levels = weights.with_half_levels(matrices)
    for name, matrix in matrices.items():
        quantizer = weights.quantizer(name)
        matrix.alpha.requires_grad_(weights.range == "learned")
        if ranges and matrix.quantizer != quantizer:
            matrix.quantize_by(quantizer)
        matrix.quantizer, matrix.half_levels = quantizer, name in half_levels
