"""The exact network: plain integer numpy, the measure of every chip without errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pimsim.workload.inputs import encoder_inputs
from pimsim.workload.layers import (
    Conv2d,
    ConvEncoder,
    Dense,
    Encoder,
    Gru,
    LevelMatrix,
    MaxPool,
    Output,
)
from pimsim.workload.network import Network
from pimsim.workload.patches import patches, pool

Bits = NDArray[np.uint8]


@dataclass(frozen=True)
class ReferenceRun:
    """Every bit of a run.

    Attributes
    ----------
    bits : dict of name -> uint8 array, sequences first
        `encoder` and one entry per array layer; a GRU layer `gru0` gives
        `gru0.gate`, `gru0.candidate` and `gru0.hidden`, each (n, n_steps, n_hidden).
    scores : (n, n_classes) float64
    predictions : (n,) int64
        Class of the largest score, the first of equals.
    """

    bits: dict[str, Bits]
    scores: NDArray[np.float64]
    predictions: NDArray[np.int64]


def encode(encoder: Encoder, inputs: NDArray[np.float64]) -> Bits:
    """Bits of the input layer: 1 where x . w > threshold, exact on the binary grids."""
    weights = np.asarray(encoder.weights, np.float64)
    if isinstance(encoder, ConvEncoder):
        inputs = patches(inputs, weights.shape[0], encoder.stride, encoder.padding)
        weights = weights.reshape(-1, weights.shape[-1])
    return (inputs @ weights > np.asarray(encoder.thresholds, np.float64)).astype(np.uint8)


def decide(matrix: LevelMatrix, bits: Bits) -> Bits:
    """Noise-free neurons of one matrix: 1 where sum(k x) > threshold, strictly."""
    # float64 holds these integers exactly and is quicker than integer matmul
    sums = bits.astype(np.float64) @ matrix.levels.astype(np.float64)
    return (sums > matrix.thresholds).astype(np.uint8)


def run_gru(layer: Gru, below: Bits) -> dict[str, Bits]:
    """One GRU layer over all steps, eq. 7-11: a gate bit of 1 keeps the old hidden bit.

    `below` is (n, n_steps, n_below); H(0) is all zeros.
    """
    n, n_steps, _ = below.shape
    out = {
        k: np.empty((n, n_steps, layer.n_hidden), np.uint8) for k in ("gate", "candidate", "hidden")
    }
    hidden = np.zeros((n, layer.n_hidden), np.uint8)
    for step in range(n_steps):
        rows = np.concatenate([hidden, below[:, step]], axis=1)
        gate, candidate = decide(layer.gate, rows), decide(layer.candidate, rows)
        hidden = np.where(gate, hidden, candidate).astype(np.uint8)
        out["gate"][:, step], out["candidate"][:, step], out["hidden"][:, step] = (
            gate,
            candidate,
            hidden,
        )
    return out


def score(output: Output, bits: Bits) -> NDArray[np.float64]:
    """(n, n_in) bits -> (n, n_classes) scores."""
    return bits.astype(np.float64) @ np.asarray(output.weights, np.float64) + output.biases


def run_reference(network: Network, features: NDArray[np.uint8]) -> ReferenceRun:
    """Run the network without any non-ideality on stored features (n, ...) uint8."""
    bits = {"encoder": encode(network.encoder, encoder_inputs(network, features))}
    last = bits["encoder"]
    for index, layer in enumerate(network.layers):
        name = network.layer_name(index)
        if isinstance(layer, Gru):
            for part, values in run_gru(layer, last).items():
                bits[f"{name}.{part}"] = values
            last = bits[f"{name}.hidden"]
            continue
        if isinstance(layer, Conv2d):
            last = decide(layer.matrix, patches(last, layer.kernel, layer.stride, layer.padding))
        elif isinstance(layer, MaxPool):
            last = pool(last, layer.size, layer.stride)
        elif isinstance(layer, Dense):
            last = decide(layer.matrix, last.reshape(len(last), -1))
        bits[name] = last
    final = last[:, -1] if network.is_recurrent else last.reshape(len(last), -1)
    scores = score(network.output, final)
    return ReferenceRun(bits, scores, scores.argmax(axis=1))
