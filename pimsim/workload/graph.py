"""A network: named nodes and the names of their inputs, checked to fit together."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pimsim.errors import PimsimError, shown
from pimsim.workload.ends import Encoder, Output
from pimsim.workload.grid import require
from pimsim.workload.inputs import Input
from pimsim.workload.layers import Layer
from pimsim.workload.matrix import LevelMatrix
from pimsim.workload.metrics import METRICS, Metric
from pimsim.workload.signals import CodeFormat, Shape

# the name by which nodes refer to the output of the input layer
ENCODER = "encoder"

# Names of nodes become names of tensors and arrays in files: without dots none can meet that of
# another node's matrix or signal, and these words name other arrays or arguments there.
NAME_LENGTH = 80
_NAME = re.compile(rf"[A-Za-z0-9_-]{{1,{NAME_LENGTH}}}")
_TAKEN = frozenset(
    (ENCODER, "input", "output", "labels", "predictions", "samples", "facts", "file",
     "allow_pickle")
)  # fmt: skip


@dataclass(frozen=True)
class Node:
    """A layer in a network, and the nodes (or `ENCODER`) that it reads."""

    name: str
    layer: Layer
    inputs: tuple[str, ...]

    def matrices(self) -> list[tuple[str, LevelMatrix]]:
        """(name, matrix) of its matrices in arrays, such as `gru0.gate`, in column order."""
        return [(self.named(label), matrix) for label, matrix in self.layer.matrices.items()]

    def named(self, label: str) -> str:
        """Name of one of its matrices or signals."""
        return f"{self.name}.{label}" if label else self.name

    @property
    def output(self) -> str:
        """Name of its output signal in files and reports, such as `gru0.hidden`."""
        return self.named(self.layer.output)


def _check_name(name: str) -> None:
    require(
        _NAME.fullmatch(name) is not None,
        f"a node is named {shown(name)}; names are up to 80 letters, digits, '_' and '-'",
    )
    require(
        name not in _TAKEN,
        f"a node is named {name}, a name that files of pimsim give to something else",
    )


def chain(layers: Iterable[Layer]) -> tuple[Node, ...]:
    """Layers one after the other, named by kind and place such as `gru0` or `dense3`."""
    nodes: list[Node] = []
    for index, layer in enumerate(layers):
        below = nodes[-1].name if nodes else ENCODER
        nodes.append(Node(f"{layer.kind}{index}", layer, (below,)))
    return tuple(nodes)


@dataclass(frozen=True)
class Network:
    """A trained network in its deployed form, without torch.

    Attributes
    ----------
    name : str
    input : Input
    encoder : Encoder
        Real numbers in, bits (or codes) out.
    nodes : tuple of Node
        Each after the nodes that it reads; the output layer reads the last one.
    output : Output
    classes : tuple of str
    temperature : float
        Temperature of the sigmoids in training; it sets the codes of neurons with
        several bits.
    provenance : dict
        Free-form JSON: recipe, training data, accuracies at export (with what they were measured
        on), git commit.
    """

    name: str
    input: Input
    encoder: Encoder
    nodes: tuple[Node, ...]
    output: Output
    classes: tuple[str, ...]
    temperature: float = 1.0
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require(bool(self.matrices()), "a network needs at least one layer with weights in arrays")
        require(1e-6 < self.temperature < 1e6, f"temperature is {self.temperature}")
        require(
            len(self.classes) == self.output.weights.shape[1] or not self.output.has_scores,
            f"{len(self.classes)} class names for {self.output.weights.shape[1]} outputs",
        )
        require(
            all((m.neurons is not None) == self.has_formats for _, m in self.matrices()),
            "either all matrices have neurons of codes, or none",
        )
        last = self.shapes[self.nodes[-1].name]
        try:
            self.output.check(last)
        except PimsimError as error:
            raise PimsimError(f"output layer {error.message}") from error
        read = {name for node in self.nodes for name in node.inputs}
        for node in self.nodes[:-1]:
            require(node.name in read, f"nothing reads the output of {node.name}")

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """Shape of every signal by its node's name, that of the encoder included.

        Raises
        ------
        PimsimError
            If layers do not fit together, or a node reads one that does not come before it.
        """
        first = self.encoder.shape(self.input.shape)
        if self.has_formats and first.codes is None:
            # a real-valued first layer gives bits
            first = replace(first, codes=CodeFormat(1))
        found = {ENCODER: first}
        for node in self.nodes:
            _check_name(node.name)
            require(node.name not in found, f"two nodes are named {node.name}")
            for name in node.inputs:
                require(
                    name in found,
                    f"{node.name} reads {shown(name)}, which is no node that stands before",
                )
            require(len(node.inputs) > 0, f"{node.name} reads nothing")
            try:
                found[node.name] = node.layer.shape(*(found[name] for name in node.inputs))
            except PimsimError as error:
                raise PimsimError(f"{node.name} {error.message}") from error
        return found

    @cached_property
    def has_formats(self) -> bool:
        """Whether the network gives its codes their formats; if not, a chip does."""
        return any(matrix.neurons is not None for _, matrix in self.matrices())

    @cached_property
    def is_of_bits(self) -> bool:
        """Whether all its signals can be bits."""
        return all(shape.codes is None or shape.codes.bits == 1 for shape in self.shapes.values())

    def input_shapes(self, node: Node) -> tuple[Shape, ...]:
        """Shapes of the signals that a node reads."""
        return tuple(self.shapes[name] for name in node.inputs)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Layers of its nodes, in order."""
        return tuple(node.layer for node in self.nodes)

    @property
    def metric(self) -> Metric:
        """Metric of its scores."""
        return METRICS[self.output.metric]

    def n_predictions(self, n_steps: int) -> int:
        """Predictions for each sequence of so many time steps.

        A class, or one for every step; without an output layer, every output.
        """
        if not self.output.has_scores:
            return self.shapes[self.nodes[-1].name].size
        return n_steps if self.output.every_step else 1

    @property
    def has_steps(self) -> bool:
        """Whether its inputs are sequences of time steps."""
        return self.input.shape.has_steps

    def matrices(self) -> list[tuple[str, LevelMatrix]]:
        """(name, matrix) of all matrices in arrays, in order."""
        return [entry for node in self.nodes for entry in node.matrices()]

    def save(self, path: Path | str) -> Path:
        """Write the network to a `.safetensors` file, whole or not at all; returns its path."""
        # the reader of files knows this class, so that it cannot be known here before
        from pimsim.workload.storage import write_network

        return write_network(self, path)

    def last_reader(self, name: str) -> int:
        """Index of the last node that reads a signal; the number of nodes for the last one."""
        readers = [i for i, node in enumerate(self.nodes) if name in node.inputs]
        return len(self.nodes) if name == self.nodes[-1].name else max(readers, default=-1)
