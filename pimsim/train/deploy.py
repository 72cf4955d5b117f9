"""Deployed form of a trained network: bits, integer levels, rounded encoder and output layer."""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pimsim.train.evaluate import running_as
from pimsim.train.layers import bit_mode
from pimsim.train.torch_network import TorchNetwork
from pimsim.workload import WEIGHT_GRID, WEIGHT_LIMIT, to_grid


def deployed(network: TorchNetwork) -> TorchNetwork:
    """A float64 copy with levels and bits, and encoder and output layer on their grids.

    Every matrix of the network must have its quantiser.

    Encoder rows, and the output layer as a whole, are scaled down by powers of two if they
    exceed the range of the grid; neither bits nor the order of scores depend on that.
    """
    twin = copy.deepcopy(network).double()
    twin.mode = bit_mode(quantized=True)
    with torch.no_grad():
        if twin.encoder is not None:
            weight, bias = twin.encoder.weight, twin.encoder.bias
            assert bias is not None
            reach = torch.maximum(weight.flatten(1).abs().amax(dim=1), bias.abs())
            scale = _scale(reach)
            _round(weight, scale.view(-1, *[1] * (weight.ndim - 1)))
            _round(bias, scale)
        weight, bias = twin.output.weight, twin.output.bias
        scale = _scale(torch.maximum(weight.abs().max(), bias.abs().max()))
        _round(weight, scale)
        _round(bias, scale)
    return twin


def _scale(reach: Tensor) -> Tensor:
    """The largest power of two, at most 1, that brings magnitudes below `WEIGHT_LIMIT`."""
    doublings = torch.floor(torch.log2(reach / WEIGHT_LIMIT)) + 1
    return torch.exp2(-doublings.clamp(min=0))


def _round(parameter: Tensor, scale: Tensor) -> None:
    rounded = to_grid((parameter * scale).detach().numpy(), WEIGHT_GRID, WEIGHT_LIMIT)
    parameter.copy_(torch.from_numpy(rounded))


def deployed_forward(
    network: TorchNetwork, inputs: Tensor
) -> tuple[dict[str, NDArray[np.uint8]], dict[str, NDArray[np.float64]], NDArray[np.float64]]:
    """Run a `deployed` network.

    Parameters
    ----------
    network : TorchNetwork
    inputs : Tensor
        Network inputs of a task, on `INPUT_GRID`.

    Returns
    -------
    bits : dict of uint8 arrays
        As `pimsim.workload.ExactRun.signals`: sequences first.
    sums : dict of float64 arrays
        Sums of k x of each matrix [level units].
    scores : (n, n_classes) float64
    """
    mode = network.mode
    mode.bits, mode.sums = {}, {}
    with running_as(network, mode):
        scores = network(inputs.double()).numpy()
    axis = network.batch_axis
    bits = {name: x.transpose(0, axis).numpy().astype(np.uint8) for name, x in mode.bits.items()}
    sums = {name: x.transpose(0, axis).numpy() for name, x in mode.sums.items()}
    mode.bits = mode.sums = None
    return bits, sums, scores
