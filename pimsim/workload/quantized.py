"""The network with activations of several bits: what a chip with converters computes, exactly.

Neurons are sigmoids whose values are held as integers 0..2^b - 1; weights are the levels of
the network file, 8 bits where it has 255 of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pimsim.workload.inputs import encoder_inputs
from pimsim.workload.layers import Conv2d, ConvEncoder, Dense, Encoder, Gru, LevelMatrix, MaxPool
from pimsim.workload.network import Network
from pimsim.workload.patches import patches, pool

Codes = NDArray[np.uint8]

# sums below this are exact in float32, in any order
EXACT_FLOAT32 = 2**24
# thresholds are rounded to this before they are made integers, so that the last bits in
# which two machines' logarithms may differ decide nothing
_GRID = 2.0**-20


@dataclass(frozen=True)
class Activation:
    """Sigmoid of an integer sum, rounded to a code.

    Attributes
    ----------
    bits : int
        Of a code, at most 8.
    temperature : float
        Of the sigmoid, as the network was trained.
    """

    bits: int = 8
    temperature: float = 1.0

    @property
    def top(self) -> int:
        """The code of 1."""
        return int(2**self.bits - 1)

    def limits(self) -> NDArray[np.float64]:
        """Pre-activations (top,) from which on a code is reached [units of pre-activation]."""
        halves = (np.arange(1, self.top + 1) - 0.5) / self.top
        return self.temperature * np.log(halves / (1 - halves))

    def integer_limits(self, unit: float) -> NDArray[np.int64]:
        """The same for integer sums that are worth `unit` each."""
        return np.ceil(np.round(self.limits() / unit / _GRID) * _GRID).astype(np.int64)

    def value_limits(self) -> NDArray[np.float64]:
        """The same for real pre-activations, on the grid."""
        return np.asarray(np.round(self.limits() / _GRID) * _GRID)

    def of_values(self, values: NDArray[np.float64]) -> Codes:
        """Codes of real pre-activations."""
        return np.searchsorted(self.value_limits(), values, side="right").astype(np.uint8)

    def of_sums(self, sums: NDArray[np.int64], unit: float) -> Codes:
        """Codes of integer sums."""
        found = np.searchsorted(self.integer_limits(unit), sums, side="right")
        return found.astype(np.uint8)

    def unit(self, matrix: LevelMatrix) -> float:
        """What a sum of levels times codes is worth [units of pre-activation]."""
        return matrix.alpha / matrix.top_level / self.top


@dataclass(frozen=True)
class QuantizedRun:
    """Every code of a run.

    Attributes
    ----------
    codes : dict of name -> uint8 array, sequences first
        As the bits of `ReferenceRun`.
    scores : (n, n_classes) float64
        Times the top code.
    predictions : (n,) int64
    """

    codes: dict[str, Codes]
    scores: NDArray[np.float64]
    predictions: NDArray[np.int64]


def encode_codes(encoder: Encoder, inputs: NDArray[np.float64], activation: Activation) -> Codes:
    """Codes of the input layer, exact on the binary grids."""
    weights = np.asarray(encoder.weights, np.float64)
    if isinstance(encoder, ConvEncoder):
        inputs = patches(inputs, weights.shape[0], encoder.stride, encoder.padding)
        weights = weights.reshape(-1, weights.shape[-1])
    return activation.of_values(inputs @ weights - np.asarray(encoder.thresholds, np.float64))


def weighted_sums(codes: Codes, levels: NDArray[np.int8], top: int) -> NDArray[np.int64]:
    """sum(level x code) over the last axis, exact."""
    largest = int(np.abs(levels.astype(np.int64)).sum(axis=0).max()) * top
    kind = np.float32 if largest < EXACT_FLOAT32 else np.float64
    return np.asarray(codes.astype(kind) @ levels.astype(kind)).astype(np.int64)


def mix(gate: Codes, hidden: Codes, candidate: Codes, top: int) -> Codes:
    """The new hidden codes, G H + (1 - G) C (eq. 11), rounded, half up."""
    g, h, c = (codes.astype(np.int64) for codes in (gate, hidden, candidate))
    return ((g * h + (top - g) * c + top // 2) // top).astype(np.uint8)


def run_quantized(
    network: Network, features: NDArray[np.uint8], activation: Activation
) -> QuantizedRun:
    """Run the network on stored features (n, ...) uint8 by integer arithmetic."""
    top = activation.top
    codes = {"encoder": encode_codes(network.encoder, encoder_inputs(network, features),
                                     activation)}  # fmt: skip
    last = codes["encoder"]
    for index, layer in enumerate(network.layers):
        name = network.layer_name(index)
        if isinstance(layer, Gru):
            last = _run_gru(layer, last, activation)
        elif isinstance(layer, MaxPool):
            last = pool(last, layer.size, layer.stride)
        else:
            last = _read(layer, last, activation)
        codes[name] = last
    final = last[:, -1] if network.is_recurrent else last.reshape(len(last), -1)
    weights = np.asarray(network.output.weights, np.float64)
    scores = final.astype(np.float64) @ weights + top * network.output.biases.astype(np.float64)
    return QuantizedRun(codes, scores, scores.argmax(axis=1))


def _read(layer: Dense | Conv2d, last: Codes, activation: Activation) -> Codes:
    if isinstance(layer, Conv2d):
        rows = patches(last, layer.kernel, layer.stride, layer.padding)
    else:
        rows = last.reshape(len(last), -1)
    matrix = layer.matrix
    sums = weighted_sums(rows, matrix.levels, activation.top)
    return activation.of_sums(sums, activation.unit(matrix))


def _run_gru(layer: Gru, below: Codes, activation: Activation) -> Codes:
    n, n_steps, _ = below.shape
    out = np.empty((n, n_steps, layer.n_hidden), np.uint8)
    hidden = np.zeros((n, layer.n_hidden), np.uint8)
    for step in range(n_steps):
        rows = np.concatenate([hidden, below[:, step]], axis=1)
        gate, candidate = (
            activation.of_sums(
                weighted_sums(rows, matrix.levels, activation.top), activation.unit(matrix)
            )
            for matrix in (layer.gate, layer.candidate)
        )
        hidden = mix(gate, hidden, candidate, activation.top)
        out[:, step] = hidden
    return out
