"""Small random networks of codes in their own formats."""

from __future__ import annotations

import dataclasses

import numpy as np
from networks import grid, random_matrix

from pimsim.workload import LevelMatrix, Network, Node, Output, TensorInput
from pimsim.workload.code_neurons import CodeNeurons
from pimsim.workload.layers import (
    Add,
    AveragePool,
    Concat,
    Conv2d,
    Dense,
    Flatten,
    Gru,
    Lstm,
    MaxPool,
    ResetGru,
)
from pimsim.workload.quantiser import QuantiserEncoder


def neurons(rng, n_columns: int, bits: int, reach: float, zero: int = 0) -> CodeNeurons:
    """Neurons whose limits lie within so much of 0."""
    limits = np.sort(rng.normal(0, reach, (n_columns, 2**bits - 1)).round(), axis=1)
    return CodeNeurons(limits.astype(np.int32), zero)


def coded_matrix(
    rng, n_rows: int, n_columns: int, bits: int, input_bits: int, n_levels: int = 7, zero: int = 0
) -> LevelMatrix:
    """A random matrix whose neurons give codes all over their range."""
    matrix = random_matrix(rng, n_rows, n_columns, n_levels)
    reach = matrix.levels.std() * np.sqrt(n_rows) * 2**input_bits / 3
    own = neurons(rng, n_columns, bits, reach, zero)
    middle = matrix.levels.sum(axis=0, dtype=np.int64) * (2**input_bits - 1) // 2
    own = CodeNeurons((own.limits + middle[:, None]).astype(np.int32), zero)
    thresholds = own.limits[:, 0] - 1 if bits == 1 else np.zeros(n_columns, np.int32)
    return dataclasses.replace(matrix, neurons=own, thresholds=thresholds.astype(np.int32))


def inputs(sizes, has_steps: bool = False) -> TensorInput:
    n = sizes[-1]
    return TensorInput(
        tuple(sizes), np.full(n, 128, np.float32), np.full(n, 1 / 64, np.float32), has_steps
    )


def quantiser(bits: int, zero: int = 0) -> QuantiserEncoder:
    edges = np.linspace(-2, 2, 2**bits + 1)[1:-1]
    return QuantiserEncoder(edges.astype(np.float32)[None], zero)


def output(rng, n_in: int, top: int) -> Output:
    """Scores that are equal in the middle of the codes."""
    weights = rng.normal(size=(n_in, 4)) / 4 / top
    return Output(grid(weights), grid(-weights.sum(axis=0) * top / 2))


def network(name, source, encoder, nodes, last, rng) -> Network:
    layer = nodes[-1].layer
    top = 2 ** _bits(layer) - 1
    return Network(name, source, encoder, tuple(nodes), output(rng, last, top), tuple("abcd"))


def _bits(layer) -> int:
    if isinstance(layer, ResetGru):
        return layer.candidate.bits
    if isinstance(layer, Lstm):
        return layer.hidden_bits
    return layer.matrix.neurons.bits


def coded_cnn(seed: int = 0, bits: int = 4, n_levels: int = 7) -> Network:
    """Padding of a zero point, strides, dilation, groups, residual sum, pools, concatenation."""
    rng = np.random.default_rng(seed)

    def conv(name, below, rows, channels, zero=0, in_bits=bits, **window):
        matrix = coded_matrix(rng, rows, channels, bits, in_bits, n_levels, zero)
        return Node(name, Conv2d(matrix, **window), below)

    nodes = [
        conv("stem", ("encoder",), 27, 6, kernel=3, padding=1, stride=2),
        conv("deep", ("stem",), 9, 6, kernel=3, padding=1, groups=6),
        conv("wide", ("deep",), 18, 6, zero=3, kernel=(1, 3), padding=(0, 2), dilation=(1, 2)),
        Node(
            "sum",
            Add(np.array([3, -2], np.int32), neurons(rng, 6, bits, 20, 3)),
            ("stem", "wide"),
        ),
        Node("both", Concat(), ("sum", "wide")),
        Node("largest", MaxPool((2, 1), (2, 1)), ("both",)),
        conv("pairs", ("largest",), 2 * 12 // 2, 8, kernel=(1, 2), groups=2),
        Node("mean", AveragePool(2, 1), ("pairs",)),
        Node("row", Flatten(), ("mean",)),
    ]
    size = 1 * 3 * 8
    nodes.append(Node("fc", Dense(coded_matrix(rng, size, 10, bits, bits, n_levels)), ("row",)))
    return network("cnn", inputs((8, 10, 3)), quantiser(bits, 7 % 2**bits), nodes, 10, rng)


def coded_residual(seed: int = 0, bits: int = 1, n_levels: int = 3) -> Network:
    """A skip connection on the bit lines, and a sequence as a map of height 1."""
    rng = np.random.default_rng(seed)
    first = coded_matrix(rng, 9, 5, bits, bits, n_levels)
    second = coded_matrix(rng, 15 + 5, 5, bits, bits, n_levels)
    nodes = [
        Node("a", Conv2d(first, kernel=(1, 3)), ("encoder",)),
        Node("b", Conv2d(second, kernel=(1, 3), padding=(0, 1)), ("a", "a")),
        Node("pool", MaxPool((1, 2), (1, 2)), ("b",)),
        Node("fc", Dense(coded_matrix(rng, 20, 7, bits, bits, n_levels)), ("pool",)),
    ]
    return network("residual", inputs((10, 3)), quantiser(bits), nodes, 7, rng)


def coded_gru(seed: int = 0, bits: int = 4) -> Network:
    rng, n, zero = np.random.default_rng(seed), 6, 2 ** (bits - 1)

    def matrix(zero):
        return coded_matrix(rng, n + 5, n, bits, bits, zero=zero)

    nodes = [
        Node("gru", Gru(matrix(0), matrix(zero)), ("encoder",)),
        Node("fc", Dense(coded_matrix(rng, n, 4, bits, bits)), ("gru",)),
    ]
    return network("gru", inputs((5,), True), quantiser(bits, zero), nodes, 4, rng)


def coded_reset_gru(seed: int = 0, bits: int = 4, sum_bits: int = 6) -> Network:
    rng, n, zero = np.random.default_rng(seed), 6, 2 ** (bits - 1)
    parts = [coded_matrix(rng, n + 5, n, bits, bits) for _ in range(2)]
    parts += [
        coded_matrix(rng, n + 5, n, sum_bits, bits, zero=2 ** (sum_bits - 1)) for _ in range(2)
    ]
    candidate = neurons(rng, n, bits, 2 ** (bits + sum_bits - 2), zero)
    nodes = [Node("gru", ResetGru(*parts, candidate), ("encoder",))]
    return network("reset", inputs((5,), True), quantiser(bits), nodes, n, rng)


def coded_lstm(seed: int = 0, bits: int = 4, cell_bits: int = 8, tables: int = 1) -> Network:
    """Two layers with 8-bit gates, of which the second reads the state of the first."""
    rng, n, zero = np.random.default_rng(seed), 6, 2 ** (bits - 1)
    top = 2**cell_bits - 1

    def layer(n_below):
        parts = [coded_matrix(rng, n + n_below, n, 8, bits) for _ in range(3)]
        parts.append(coded_matrix(rng, n + n_below, n, 8, bits, zero=128))
        cell = neurons(rng, tables, 8, top / 3, 128)
        return Lstm(*parts, cell, cell_bits, 4.0, 1, bits, zero, 8 - bits)

    nodes = [
        Node("first", layer(5), ("encoder",)),
        Node("second", layer(n), ("first",)),
    ]
    return network("lstm", inputs((5,), True), quantiser(bits, zero), nodes, n, rng)


def features_of(network: Network, n: int, seed: int = 1, n_steps: int = 7):
    sizes = network.input.sizes
    steps = (n_steps,) if network.input.has_steps else ()
    return np.random.default_rng(seed).integers(0, 256, (n, *steps, *sizes)).astype(np.uint8)


def coded_depthwise(seed: int = 0, bits: int = 1, n_levels: int = 3) -> Network:
    """Columns in groups, of bits too."""
    rng = np.random.default_rng(seed)
    first = coded_matrix(rng, 9 * 3, 6, bits, bits, n_levels)
    second = coded_matrix(rng, 9, 6, bits, bits, n_levels)
    nodes = [
        Node("a", Conv2d(first, kernel=3, padding=1), ("encoder",)),
        Node("b", Conv2d(second, kernel=3, stride=2, groups=6), ("a",)),
        Node("pool", MaxPool(2, 1), ("b",)),
        Node("fc", Dense(coded_matrix(rng, 2 * 3 * 6, 7, bits, bits, n_levels)), ("pool",)),
    ]
    return network("depthwise", inputs((7, 9, 3)), quantiser(bits), nodes, 7, rng)
