"""Layers with time steps: GRU and LSTM."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pimsim.importers.onnx.node import Node
from pimsim.importers.onnx.values import STEPS, Axis, Signal
from pimsim.importers.ops import Gru, LastStep, Lstm, Real


class _Weights(NamedTuple):
    """Weights of one direction: (n_in or n_hidden, n_columns), and both biases (n_columns,)."""

    below: Real
    recurrent: Real
    below_bias: Real
    recurrent_bias: Real


def gru(node: Node) -> tuple[Signal, Signal]:
    """GRU: its states at all time steps, and the last one."""
    x = _steps(node, ["Sigmoid", "Tanh"], "GRU")
    if not node.attribute("linear_before_reset", 0):
        raise node.refuse(
            "applies its reset gate before the product with the recurrent weights "
            "(linear_before_reset = 0), which takes a second read of the arrays in each time step",
            "Train a GRU with the reset gate after the product, as that of PyTorch, or reset_after "
            "of Keras",
        )
    _check_states(node, (5,))
    # ONNX has (update, reset, candidate)
    found = _weights(node, x, (1, 0, 2))
    return _states(node, x, node.emit(Gru, x, **found._asdict()), len(found.recurrent))


def lstm(node: Node) -> tuple[Signal, Signal]:
    """LSTM: its states at all time steps, and the last one."""
    x = _steps(node, ["Sigmoid", "Tanh", "Tanh"], "LSTM")
    node.require("input_forget", 0, "Train an LSTM with input and forget gates of their own")
    _check_states(node, (5, 6))
    peepholes = node.constant(7)
    if peepholes is not None and np.any(peepholes.values):
        raise node.refuse("has gates that read the cell (peepholes)", "Train an LSTM without them")
    # ONNX has (input, output, forget, candidate)
    found = _weights(node, x, (2, 0, 1, 3))
    weight = np.vstack([found.recurrent, found.below])
    bias = found.below_bias + found.recurrent_bias
    name = node.emit(Lstm, x, weight=weight, bias=bias)
    return _states(node, x, name, len(found.recurrent))


def _steps(node: Node, activations: list[str], kind: str) -> Signal:
    """Signal of time steps that a layer of one direction reads."""
    x = node.signal()
    if x.axes != STEPS:
        raise node.refuse(
            f"reads {x}; it needs time steps, items and numbers in this order",
            f"Feed the network's input, dense layers or another {kind} to it; places of a "
            "convolution are no time steps in pimsim",
        )
    node.require("direction", "forward", f"Export {'an' if kind == 'LSTM' else 'a'} {kind} of one "
                 "direction")  # fmt: skip
    found = node.attribute("activations", activations)
    if [a.lower() for a in found] != [a.lower() for a in activations]:
        raise node.refuse(
            f"has the activations {found}", "Keep those of the standard, Sigmoid and Tanh"
        )
    node.require("layout", 0, "Export it with time steps first")
    return x


def _check_states(node: Node, inputs: tuple[int, ...]) -> None:
    """Refuse lengths of sequences, and states at the beginning that are not 0."""
    if node.tensor(4) is not None:
        raise node.refuse(
            "reads the lengths of sequences", "Export it without them, for sequences of one length"
        )
    for index in inputs:
        state = node.constant(index, takes_sizes=True)
        if state is not None and np.any(state.values):
            raise node.refuse("starts from a state that is not zero", "Start it from zeros")


def _weights(node: Node, x: Signal, order: tuple[int, ...]) -> _Weights:
    """Weights and biases, with their groups of columns in another order."""
    weight, recurrent, times = node.numbers(1), node.numbers(2), len(order)
    n_hidden = int(node.attribute("hidden_size", recurrent.shape[-1]))
    shapes = (1, times * n_hidden, x.channels), (1, times * n_hidden, n_hidden)
    if (weight.shape, recurrent.shape) != shapes:
        raise node.refuse(
            f"has weights of shapes {weight.shape} and {recurrent.shape} instead of {shapes[0]} "
            f"and {shapes[1]}",
            "Export it again",
        )
    biases = np.zeros((1, 2 * times * n_hidden))
    if node.constant(3) is not None:
        biases = node.numbers(3)
    if biases.shape != (1, 2 * times * n_hidden):
        raise node.refuse(f"has biases of shape {biases.shape}", "Export it again")

    def sorted_rows(rows: Real) -> Real:
        parts = np.split(rows, times)
        return np.concatenate([parts[i] for i in order])

    of_below, of_state = np.split(biases[0], 2)
    return _Weights(
        sorted_rows(weight[0]).T, sorted_rows(recurrent[0]).T, sorted_rows(of_below),
        sorted_rows(of_state),
    )  # fmt: skip


def _states(node: Node, x: Signal, name: str, n_hidden: int) -> tuple[Signal, Signal]:
    """Signals of all states and of the last one."""
    time, items, _ = x.sizes
    axes = (Axis.TIME, Axis.SINGLE, Axis.BATCH, Axis.CHANNEL)
    steps = Signal(name, axes, (time, 1, items, n_hidden))
    last = node.emit(LastStep, steps, suffix=".last")
    return steps, Signal(last, (Axis.SINGLE, Axis.BATCH, Axis.CHANNEL), (1, items, n_hidden))
