"""Exact machines: a network in plain numpy, with bits, codes or sigmoids.

They are the measure of every chip: without errors, a chip equals the machine of its numbers in
every layer, step and code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.workload.ends import Encoder
from pimsim.workload.forward import forward
from pimsim.workload.graph import Network, Node
from pimsim.workload.inputs import Features
from pimsim.workload.layers import Layer
from pimsim.workload.matrix import LevelMatrix
from pimsim.workload.neurons import Activation, decide, sigmoid, weighted_sums
from pimsim.workload.signals import (
    BITS,
    MAX_CODE_BITS,
    REALS,
    Bits,
    CodeNumbers,
    Codes,
    Numbers,
    Shape,
    Values,
)

# sequences that are run at once: memory, not results
BATCH = 256

# pre-activations' shape -> their noise
Noise = Callable[[tuple[int, ...]], Values]


@dataclass(frozen=True)
class ExactRun:
    """Every signal of a run.

    Attributes
    ----------
    signals : dict of name -> array, sequences first
        `encoder` and the output of every node; of a GRU `gru0` the decisions `gru0.gate` and
        `gru0.candidate` and the output `gru0.hidden`, each (n, n_steps, n_hidden).
    scores : (n, [n_steps,] n_classes) float
        Scores of the output layer, at every step if it gives them; for codes, times the largest
        code.
    predictions : (n,) or (n, n_steps) int64
        Class of the largest score, the first of equals.
    """

    signals: dict[str, NDArray[Any]]
    scores: NDArray[Any]
    predictions: NDArray[np.int64]

    @property
    def bits(self) -> dict[str, Bits]:
        """The signals, of a network of bits."""
        return self.signals

    @property
    def codes(self) -> dict[str, Codes]:
        """The signals, of a network of codes."""
        return self.signals


class ExactMachine:
    """Computes nodes in plain numpy; subclasses define the neuron.

    Attributes
    ----------
    numbers : Numbers
        Numbers that its signals carry.
    """

    numbers: Numbers

    def __init__(self, network: Network) -> None:
        self.network = network

    def neurons(self, matrix: LevelMatrix, rows: Any) -> Any:
        """Outputs (..., n_columns) of the neurons of a matrix for inputs (..., n_rows)."""
        raise NotImplementedError

    def numbers_of(self, layer: Layer) -> Numbers:
        """Numbers that the gates of a layer with a state are."""
        return self.numbers

    def decisions(self, layer: Layer, rows: Any) -> list[Any]:
        """Outputs of the neurons of all matrices of a layer, one array for each."""
        return [self.neurons(matrix, rows) for matrix in layer.matrices.values()]

    def read(self, layer: Layer, rows: Any) -> Any:
        """Outputs of the one matrix of a layer for rows (..., n_places * groups, n_rows)."""
        (matrix,), groups = layer.matrices.values(), layer.groups
        each = matrix.n_columns // groups
        parts = [
            self.neurons(
                matrix.of_columns(slice(g * each, (g + 1) * each)), rows[..., g::groups, :]
            )
            for g in range(groups)
        ]
        return parts[0] if groups == 1 else np.concatenate(parts, axis=-1)

    def first_layer(self, encoder: Encoder, inputs: NDArray[np.float64]) -> Any:
        """Outputs of the input layer."""
        raise NotImplementedError

    def observe(self, node: Node, decided: Sequence[Any], state: Any) -> None:
        """Record a time step: the decisions, and the state before it."""

    def encode(self, network: Network, features: Features) -> Any:
        inputs = network.input.numbers(features)
        if not network.encoder.has_weights:
            return network.encoder.codes(inputs, self.numbers.one).astype(self.numbers.dtype)
        return self.first_layer(network.encoder, inputs)

    def run(self, node: Node, inputs: list[Any]) -> tuple[Any, dict[str, Any]]:
        layer, shapes = node.layer, self.network.input_shapes(node)
        if not layer.matrices:
            return layer.combine(inputs, shapes), {}
        rows = word_lines(layer, inputs, shapes)
        if layer.has_state:
            return self._steps(node, rows)
        out = self.read(layer, rows)
        return out.reshape(*out.shape[:-2], *self.network.shapes[node.name].places, -1), {}

    def _steps(self, node: Node, rows: Any) -> tuple[Any, dict[str, Any]]:
        """Run a layer with a state over all time steps of rows (n, n_steps, 1, n_rows)."""
        layer = node.layer
        n, n_steps = rows.shape[:2]
        dtype = self.numbers.dtype
        out = np.empty((n, n_steps, layer.n_states), dtype)
        kept = {
            node.named(label): np.empty((n, n_steps, matrix.n_columns), dtype)
            for label, matrix in layer.matrices.items()
        }
        state = np.full((n, layer.n_states), self.network.shapes[node.name].zero, dtype)
        memory = np.zeros((n, layer.n_memory), np.int64)
        for step in range(n_steps):
            lines = np.concatenate([state, rows[:, step, 0]], axis=1)
            decided = self.decisions(layer, lines)
            self.observe(node, decided, state)
            for signal, values in zip(kept.values(), decided, strict=True):
                signal[:, step] = values
            state = layer.next_state(decided, state, memory, self.numbers_of(layer))
            out[:, step] = state
        return out, kept

    def scores(self, last: Any) -> Any:
        """Scores (..., n_classes) of the output layer for its inputs (..., n_in)."""
        return self.network.output.scores(last, self.numbers.one)

    def result(self, features: Features) -> ExactRun:
        """Run the network on stored features (n, ...)."""
        last, signals = forward(self.network, self, features)
        shape = self.network.shapes[self.network.nodes[-1].name]
        scores = self.scores(self.network.output.inputs(last, shape))
        return ExactRun(signals, scores, scores.argmax(axis=-1))

    def in_batches(self, features: Features) -> ExactRun:
        """Run the network on many sequences; the results are those of `result`."""
        runs = [self.result(features[i : i + BATCH]) for i in range(0, len(features), BATCH)]
        return ExactRun(
            {name: np.concatenate([run.signals[name] for run in runs]) for name in runs[0].signals},
            np.concatenate([run.scores for run in runs]),
            np.concatenate([run.predictions for run in runs]),
        )


class BitMachine(ExactMachine):
    """Binary neurons: 1 where a sum is greater than its threshold."""

    numbers = BITS

    def neurons(self, matrix: LevelMatrix, rows: Bits) -> Bits:
        return decide(matrix, rows)

    def first_layer(self, encoder: Encoder, inputs: NDArray[np.float64]) -> Bits:
        return encode(encoder, inputs)


class CodeMachine(ExactMachine):
    """Neurons of several bits: sigmoids of integer sums, rounded to codes."""

    def __init__(self, network: Network, activation: Activation) -> None:
        super().__init__(network)
        self.activation = activation
        self.numbers = CodeNumbers(activation.bits)

    def neurons(self, matrix: LevelMatrix, rows: Codes) -> Codes:
        activation = self.activation
        sums = weighted_sums(rows, matrix.levels, activation.top)
        return activation.of_sums(sums, activation.unit(matrix))

    def first_layer(self, encoder: Encoder, inputs: NDArray[np.float64]) -> Codes:
        return self.activation.of_values(encoder.preactivations(inputs))


class FormatMachine(ExactMachine):
    """Neurons of codes whose formats the network itself gives."""

    # scores are of codes as they are: steps and zero points are in the output's weights
    numbers = CodeNumbers(1)

    def numbers_of(self, layer: Layer) -> Numbers:
        gates = next(iter(layer.matrices.values())).neurons
        assert gates is not None
        return CodeNumbers(gates.bits)

    def neurons(self, matrix: LevelMatrix, rows: Codes) -> Codes:
        assert matrix.neurons is not None
        return matrix.neurons.of_sums(weighted_sums(rows, matrix.levels, 2**MAX_CODE_BITS - 1))

    def first_layer(self, encoder: Encoder, inputs: NDArray[np.float64]) -> Codes:
        return encode(encoder, inputs)


class SigmoidMachine(ExactMachine):
    """Sigmoids y = sigmoid((a + n) / temperature) of real pre-activations (eq. 3).

    Full-precision weights are used where matrices have them.  The encoder is a digital unit, and
    has no noise here as on a chip.

    Attributes
    ----------
    penalties : dict of node name -> list of (gate, candidate)
        Means of Pg and of Pc (eq. 13 and 14) over sequences and units, step by step.
    """

    numbers = REALS

    def __init__(self, network: Network, temperature: float, noise: Noise | None) -> None:
        super().__init__(network)
        self.rate, self.noise = np.float32(1 / temperature), noise
        self.penalties: dict[str, list[tuple[float, float]]] = {}

    def decisions(self, layer: Layer, rows: Values) -> list[Values]:
        matrices = list(layer.matrices.values())
        # one product, and one draw of noise, for all columns
        sums = rows @ np.concatenate([matrix.real_weights for matrix in matrices], axis=1)
        if self.noise is not None:
            sums = sums + self.noise(sums.shape)
        ends = np.cumsum([matrix.n_columns for matrix in matrices])[:-1]
        return np.split(sigmoid(sums * self.rate), ends, axis=-1)

    def read(self, layer: Layer, rows: Values) -> Values:
        (out,) = self.decisions(layer, rows)
        return np.asarray(of_groups(out, layer.groups))

    def first_layer(self, encoder: Encoder, inputs: NDArray[np.float64]) -> Values:
        rows, weights = encoder.rows(inputs).astype(np.float32), encoder.columns
        sums = np.asarray(rows @ weights.astype(np.float32) - encoder.thresholds, np.float32)
        return sigmoid(sums * self.rate)

    def scores(self, last: Values) -> Values:
        return np.asarray(last @ self.network.output.weights + self.network.output.biases)

    def observe(self, node: Node, decided: Sequence[Values], state: Values) -> None:
        gate, candidate = decided
        # sigmoid'(a / tau) = y (1 - y) / tau is taken from the neuron's output
        at_gate, at_candidate = (y * (1 - y) * self.rate for y in decided)
        found = (
            float(np.square((state - candidate) * at_gate).mean()),
            float(np.square((1 - gate) * at_candidate).mean()),
        )
        self.penalties.setdefault(node.name, []).append(found)


@dataclass(frozen=True)
class SmoothRun(ExactRun):
    """A run of a network of sigmoids.

    Attributes
    ----------
    penalty : dict of node name -> (gate, candidate)
        Mean of Pg and of Pc (eq. 13 and 14) over sequences, steps and units of each
        GRU layer.
    """

    penalty: dict[str, tuple[float, float]]


def word_lines(layer: Layer, inputs: Sequence[Any], shapes: Sequence[Shape]) -> Any:
    """Numbers on the word lines, (n, [n_steps,] n_places, n_rows), state rows left out."""
    wiring = layer.wiring(*shapes)
    leading = 2 if any(shape.has_steps for shape in shapes) else 1
    flat = [signal.reshape(*signal.shape[:leading], -1) for signal in inputs]
    below = flat[0] if len(flat) == 1 else np.concatenate(flat, axis=-1)
    if wiring.shape[0] == 1 and np.array_equal(wiring[0], np.arange(below.shape[-1])):
        return below[..., None, :]
    if (wiring < 0).any():
        below = np.concatenate([below, np.full_like(below[..., :1], shapes[0].zero)], axis=-1)
    return np.take(below, wiring, axis=-1)


def of_groups(decided: Any, groups: int) -> Any:
    """Decisions (..., n_places * groups, n_columns): of each group, those of its own columns.

    Returns
    -------
    (..., n_places, n_columns)
    """
    if groups == 1:
        return decided
    *leading, n_reads, n_columns = decided.shape
    each = n_columns // groups
    apart = decided.reshape(*leading, n_reads // groups, groups, groups, each)
    own = np.arange(groups)
    return apart[..., own, own, :].reshape(*leading, n_reads // groups, n_columns)


def encode(encoder: Encoder, inputs: NDArray[np.float64]) -> Bits:
    """Bits of the input layer: 1 where x . w > threshold, exact on the binary grids."""
    return (encoder.preactivations(inputs) > 0).astype(np.uint8)


def run_reference(network: Network, features: Features) -> ExactRun:
    """Run a network of bits, or of codes in its own formats, without any non-ideality.

    Parameters
    ----------
    features : (n, ...) uint8 or float32
        Stored features.
    """
    machine = FormatMachine if network.has_formats else BitMachine
    return machine(network).in_batches(features)


def run_quantized(network: Network, features: Features, activation: Activation) -> ExactRun:
    """Run a network of codes by integer arithmetic on stored features (n, ...)."""
    return CodeMachine(network, activation).in_batches(features)


def run_smooth(
    network: Network,
    features: Features,
    temperature: float = 1.0,
    noise: Noise | None = None,
) -> SmoothRun:
    """Run a network of sigmoids on stored features (n, ...).

    Parameters
    ----------
    temperature : float
        1 for the float baseline.
    noise
        Gives the noise of pre-activations of a shape; None for none.
    """
    machine = SigmoidMachine(network, temperature, noise)
    run = machine.result(features)
    penalty = {
        name: (float(np.mean([gate for gate, _ in of_steps])),
               float(np.mean([candidate for _, candidate in of_steps])))
        for name, of_steps in machine.penalties.items()
    }  # fmt: skip
    return SmoothRun(run.signals, run.scores, run.predictions, penalty)


def gaussian(sigma: float, seed: int, *counter: int) -> Noise | None:
    """Noise of eq. 3: a stream of its own for every seed and counter; None for sigma 0."""
    if sigma == 0:
        return None
    generator = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, *counter])))

    def draw(shape: tuple[int, ...]) -> Values:
        return generator.standard_normal(shape, np.float32) * np.float32(sigma)

    return draw
