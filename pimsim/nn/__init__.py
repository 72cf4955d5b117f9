"""Blocks of trainable networks for arrays of few levels, as torch modules.

They go into any `torch.nn.Module` and any training loop. In training mode, weights are rounded with
straight-through gradients, neurons are noisy or smooth, and cells have errors. In evaluation mode a
block computes exactly what is deployed: integer levels, bits, and whole multiples of a step. Max
pooling is torch's own.
"""

from pimsim.nn.activations import (
    Bits,
    BlockNeuron,
    Codes,
    Real,
    Relu,
    anneal,
    carry_state,
    draw_from,
    set_noise,
)
from pimsim.nn.adcs import SharedGain, UniformScale
from pimsim.nn.avgpool2d import AvgPool2d
from pimsim.nn.conv2d import Conv2d
from pimsim.nn.dense import Dense
from pimsim.nn.gru import Gru
from pimsim.nn.lstm import Lstm
from pimsim.nn.quantiser import Quantiser
from pimsim.nn.residual import ResidualConv2d
from pimsim.nn.thermometer import Thermometer
from pimsim.nn.uniform import make_uniform, share_gain

__all__ = [
    "AvgPool2d",
    "Bits",
    "BlockNeuron",
    "Codes",
    "Conv2d",
    "Dense",
    "Gru",
    "Lstm",
    "Quantiser",
    "Real",
    "Relu",
    "ResidualConv2d",
    "SharedGain",
    "Thermometer",
    "UniformScale",
    "anneal",
    "carry_state",
    "draw_from",
    "make_uniform",
    "set_noise",
    "share_gain",
]
