"""Accuracy and pre-activations of a network in training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from pimsim.train.layers import Mode
from pimsim.train.torch_network import TorchNetwork

_CHUNK = 512


@contextmanager
def running_as(network: TorchNetwork, mode: Mode) -> Iterator[None]:
    """Context in which a network runs in a mode, without gradients."""
    kept, network.mode = network.mode, mode
    try:
        with torch.no_grad():
            yield
    finally:
        network.mode = kept


def accuracy(network: TorchNetwork, inputs: Tensor, labels: Tensor, mode: Mode) -> float:
    """Share of correct classifications in a mode."""
    chunks = zip(inputs.split(_CHUNK, dim=network.batch_axis), labels.split(_CHUNK), strict=True)
    with running_as(network, mode):
        right = sum(int((network(x).argmax(dim=1) == y).sum()) for x, y in chunks)
    return right / len(labels)


def preactivation_sigma(network: TorchNetwork, inputs: Tensor, mode: Mode) -> float:
    """Standard deviation of the array layers' pre-activations on the first inputs."""
    sums: dict[str, Tensor] = {}
    mode.sums = sums
    with running_as(network, mode):
        network(inputs.split(_CHUNK, dim=network.batch_axis)[0])
    return float(torch.stack([x.var() for x in sums.values()]).mean().sqrt())
