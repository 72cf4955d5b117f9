"""The network with sigmoid neurons: what binary activations are compared with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pimsim.workload.inputs import encoder_inputs
from pimsim.workload.layers import Conv2d, ConvEncoder, Dense, Gru, MaxPool
from pimsim.workload.network import Network
from pimsim.workload.patches import patches, pool

Values = NDArray[np.float32]

# pre-activations -> their noise
Noise = Callable[[tuple[int, ...]], Values]


@dataclass(frozen=True)
class SmoothRun:
    """What a network of sigmoids does.

    Attributes
    ----------
    scores : (n, n_classes) float32
    predictions : (n,) int64
    penalty : dict of layer name -> (gate, candidate)
        Mean of Pg and of Pc (eq. 13 and 14) over sequences, steps and units of each
        GRU layer.
    """

    scores: Values
    predictions: NDArray[np.int64]
    penalty: dict[str, tuple[float, float]]


def sigmoid(x: Values) -> Values:
    """1 / (1 + exp(-x)), without overflow."""
    shares: Values = np.float32(0.5) * (np.tanh(np.float32(0.5) * x) + np.float32(1.0))
    return shares


def gaussian(sigma: float, seed: int, *counter: int) -> Noise | None:
    """Noise of eq. 3: a stream of its own for every seed and counter; None for sigma 0."""
    if sigma == 0:
        return None
    generator = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, *counter])))

    def draw(shape: tuple[int, ...]) -> Values:
        return generator.standard_normal(shape, np.float32) * np.float32(sigma)

    return draw


def run_smooth(
    network: Network,
    features: NDArray[np.uint8],
    temperature: float = 1.0,
    noise: Noise | None = None,
) -> SmoothRun:
    """Run with y = sigmoid((a + n) / temperature) for every neuron (eq. 3).

    The encoder is a digital unit, and has no noise here as on a chip.

    Parameters
    ----------
    workload : Network
        Full-precision weights are used where its matrices have them.
    features : (n, ...) uint8
        Stored features, as `run_reference` takes them.
    temperature : float
        1 for the float baseline.
    noise
        Gives n for pre-activations of a shape; None for none.
    """
    rate = np.float32(1 / temperature)

    def fire(sums: Values) -> Values:
        if noise is not None:
            sums = sums + noise(sums.shape)
        return sigmoid(sums * rate)

    penalty = {}
    encoder = network.encoder
    last: Values = encoder_inputs(network, features).astype(np.float32)
    weights = encoder.weights
    if isinstance(encoder, ConvEncoder):
        last = patches(last, weights.shape[0], encoder.stride, encoder.padding)
        weights = weights.reshape(-1, weights.shape[-1])
    last = sigmoid((last @ weights - encoder.thresholds) * rate)
    for index, layer in enumerate(network.layers):
        if isinstance(layer, Gru):
            last, penalty[network.layer_name(index)] = _run_gru(layer, last, fire, rate)
        elif isinstance(layer, Conv2d):
            cut = patches(last, layer.kernel, layer.stride, layer.padding)
            last = fire(cut @ layer.matrix.real_weights)
        elif isinstance(layer, MaxPool):
            last = pool(last, layer.size, layer.stride)
        elif isinstance(layer, Dense):
            last = fire(last.reshape(len(last), -1) @ layer.matrix.real_weights)
    final = last[:, -1] if network.is_recurrent else last.reshape(len(last), -1)
    scores = final @ network.output.weights + network.output.biases
    return SmoothRun(scores, scores.argmax(axis=1), penalty)


def _run_gru(
    layer: Gru, below: Values, fire: Callable[[Values], Values], rate: np.float32
) -> tuple[Values, tuple[float, float]]:
    """Hidden states (n, n_steps, n_hidden), and the means of Pg and Pc.

    sigmoid'(a / tau) = y (1 - y) / tau is taken from the neuron's output.
    """
    n, n_steps, _ = below.shape
    n_hidden = layer.n_hidden
    weights = np.concatenate([layer.gate.real_weights, layer.candidate.real_weights], axis=1)
    from_below = below @ weights[n_hidden:]
    hidden = np.empty((n, n_steps, n_hidden), np.float32)
    state = np.zeros((n, n_hidden), np.float32)
    gates = candidates = 0.0
    for step in range(n_steps):
        fired = fire(from_below[:, step] + state @ weights[:n_hidden])
        gate, candidate = fired[:, :n_hidden], fired[:, n_hidden:]
        slope = fired * (1 - fired) * rate
        gates += float(np.square((state - candidate) * slope[:, :n_hidden]).mean())
        candidates += float(np.square((1 - gate) * slope[:, n_hidden:]).mean())
        state = candidate + gate * (state - candidate)
        hidden[:, step] = state
    return hidden, (gates / n_steps, candidates / n_steps)
