"""A network of pimsim from a trained one: weights as levels, functions as limits of whole sums."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pimsim.data.dataset import Dataset
from pimsim.importers import check, float_run, layers
from pimsim.importers.activations import function
from pimsim.importers.codes import (
    Format,
    Line,
    arguments,
    fitted_format,
    limits_of,
    named_format,
)
from pimsim.importers.first_layer import FirstLayer
from pimsim.importers.groups import Group, groups_of
from pimsim.importers.lstm import lstm, symbol_code
from pimsim.importers.nodes import Nodes
from pimsim.importers.ops import (
    INPUT,
    Add,
    Concat,
    Conv,
    Dense,
    Flatten,
    Gru,
    GruWithoutReset,
    LastStep,
    Lstm,
    NetworkImportError,
    Pool,
    Real,
    Thermometer,
    Trained,
)
from pimsim.importers.scores import output_of, output_of_codes
from pimsim.importers.signal import Signal
from pimsim.workload import Network, Output
from pimsim.workload import layers as kinds
from pimsim.workload.code_neurons import CodeNeurons
from pimsim.workload.formats import with_half_levels
from pimsim.workload.metrics import ACCURACY, BITS_PER_CHARACTER

# samples whose signals are looked at to choose ranges
CALIBRATION = 256


@dataclass(frozen=True)
class Choices:
    """Choices that the trained network leaves open.

    Attributes
    ----------
    bits : int
        Bits of codes where the network names no format.
    weight_bits : int
        Bits of weights, sign included, where they are no whole numbers: 2^n - 1 levels.
    input_bits : int
        Bits of inputs that drive arrays.
    """

    bits: int = 8
    weight_bits: int = 8
    input_bits: int = 8


def network(
    trained: Trained,
    data: Dataset,
    *,
    bits: int = 8,
    weight_bits: int = 8,
    input_bits: int = 8,
    half_levels: bool = False,
    name: str = "imported",
) -> Network:
    """Build a network, choose ranges on data, and check it against the trained one.

    Parameters
    ----------
    trained : Trained
    data : Dataset
        Features (n, [n_steps,] *sizes) as the trained network takes them; bytes stand for 0 to 1.
    bits, weight_bits, input_bits : int
        As in `Choices`.
    half_levels : bool
        Whether cells hold thresholds of bits half-way between two sums (`LevelMatrix`).
    name : str

    Raises
    ------
    NetworkImportError
        If something has no counterpart, named by its place in the trained network; or if a network
        whose numbers are all whole gives other classes than the trained one.
    """
    choices = Choices(bits, weight_bits, input_bits)
    found = Builder(trained, data, choices).network(name)
    if half_levels:
        found = with_half_levels(found)
    return check.checked(found, trained, data)


class Builder:
    """Builds node after node, with the codes of some samples beside it."""

    def __init__(self, trained: Trained, data: Dataset, choices: Choices) -> None:
        self.trained, self.data, self.choices = trained, data, choices
        self.groups = groups_of(trained)
        samples = data.limit(min(CALIBRATION, len(data)))
        self.first = FirstLayer(trained, samples, self._without_flattened_input())
        self.values = _seen(trained, self.first.values, {group.name for group in self.groups})
        self.signals: dict[str, Signal] = {}
        self.nodes = Nodes()
        self.output: Output | None = None

    def network(self, name: str) -> Network:
        for group in self.groups:
            self._add_group(group)
        if self.output is None:
            last = self.signals[self.groups[-1].name]
            identity = np.eye(last.shape.size), np.zeros(last.shape.size)
            self.output = output_of_codes(last, self.trained.every_step) or self._output(
                *identity, last
            )
        encoder = self.first.encoder
        if encoder is None or not self.nodes.found:
            raise NetworkImportError(
                "the network has no layer for an array: its only layer gives the scores, which a "
                "digital unit computes",
                remedy="Import a network of two layers or more",
            )
        return Network(
            name=name,
            input=self.first.input,
            encoder=encoder,
            nodes=tuple(self.nodes.found),
            output=self.output,
            classes=_classes(self.data, self.output.weights.shape[1]),
            provenance={"import": dict(self.trained.source)},
        )

    def _without_flattened_input(self) -> Flatten | None:
        """Leave out the operation that flattens an input map before all others; returns it."""
        for group in self.groups:
            if isinstance(group.head, Flatten) and group.source == (INPUT,):
                self.groups.remove(group)
                for other in self.groups:
                    other.source = tuple(INPUT if s == group.name else s for s in other.source)
                return group.head
        return None

    # -- groups

    def _source(self, name: str) -> Signal:
        if name == INPUT and INPUT not in self.signals:
            if self.data.kind == "text":
                self.signals[INPUT] = self.first.one_hot(*self._code_of_symbols())
            else:
                self.signals[INPUT] = self.first.of_range(self.choices.input_bits)
        return self.signals[name]

    def _code_of_symbols(self) -> tuple[int, float]:
        """Bits of the code of a symbol's line, and the value of one of its steps.

        Beside a state with a sign they are those of its codes above 0.
        """
        reader = next(group for group in self.groups if INPUT in group.source)
        head, bits = reader.head, self.choices.bits
        if isinstance(head, Lstm) and head.codes is not None:
            return symbol_code(head.codes)
        if isinstance(head, Gru | Lstm) and bits > 1:
            return bits - 1, 1 / (2 ** (bits - 1) - 1)
        return 1, 1.0

    def _add_group(self, group: Group) -> None:
        named = named_format(group)
        signal: Signal | None
        if group.head is None and group.source == (INPUT,) and named is not None:
            signal = self._input(group, named)
        elif type(group.head) not in SIGNALS:
            raise NetworkImportError(f"{group.title} is no operation that pimsim imports")
        else:
            signal = SIGNALS[type(group.head)](self, group, group.head)
        if signal is not None:
            self.signals[group.name] = signal

    def _input(self, group: Group, named: Format) -> Signal:
        """A function of the input, before all layers."""
        if self.first.encoder is not None:
            raise NetworkImportError(
                f"{group.title} is a second function of the input", remedy="Let all layers read one"
            )
        return self.first.of_function(group, named)

    def _thermometer(self, group: Group, head: Thermometer) -> Signal:
        return self.first.thermometer(group, head)

    def _flatten(self, group: Group, head: Flatten) -> Signal:
        return self._source(group.source[0]).flattened(head.channels_first)

    def _last_step(self, group: Group, head: LastStep) -> Signal:
        return self._source(group.source[0])

    def _dense(self, group: Group, head: Dense) -> Signal | None:
        if group is self.groups[-1] and layers.ends_with_scores(group):
            source = self._source(group.source[0])
            line = layers.through(group.norms, Line(np.ones(len(head.bias)), head.bias))
            self.output = self._output(head.weight * line.slope, line.constant, source)
            return None
        return self._weights(group, head)

    def _weights(self, group: Group, head: Dense | Conv) -> Signal:
        """A layer of weights: in arrays, or of a digital unit where it reads real numbers."""
        named = named_format(group)
        if not self._is_digital(group, named):
            return self._matrix(group, head)
        assert named is not None
        signal = self.first.digital(group, head, named)
        return self._pooled(self.nodes.name(group.title), group, signal)

    def _pooled(self, name: str, group: Group, signal: Signal) -> Signal:
        return signal if group.pool is None else self.nodes.pool(name, group.pool, signal)

    def _format(self, group: Group) -> Format:
        """Format of a group's codes: its own, or one whose range suits its values."""
        named = named_format(group)
        if named is not None:
            return named
        activation = group.activation
        is_positive = activation is not None and function(activation).is_positive
        for norm in group.rescale:
            is_positive = is_positive and bool((np.asarray(norm.shift) >= 0).all())
        return fitted_format(self.values[group.name], self.choices.bits, is_positive)

    def _is_digital(self, group: Group, named: Format | None) -> bool:
        """Whether a digital unit computes a first layer: it reads real numbers and gives bits."""
        n_readers = sum(other.source.count(INPUT) for other in self.groups)
        return (
            group.source == (INPUT,)
            and self.first.encoder is None
            and n_readers == 1
            and named is not None
            and named.bits == 1
        )

    def _matrix(self, group: Group, head: Dense | Conv) -> Signal:
        sources, given = [self._source(name) for name in group.source], self._format(group)
        product = layers.product(head, sources, self.choices.weight_bits)
        inner = layers.through(group.norms, product.line)
        # columns whose values fall with their sums have their weights turned
        product = product.turned(inner.slope < 0)
        line = layers.through(group.norms_after, Line(np.abs(inner.slope), inner.constant))
        limits, falls = limits_of(line, arguments(group, given))
        matrix = layers.matrix(product, CodeNeurons(limits, given.zero))
        name = self.nodes.name(group.title)
        layer: kinds.Layer = (
            kinds.Dense(matrix)
            if isinstance(head, Dense)
            else kinds.Conv2d(
                matrix,
                (head.weight.shape[0], head.weight.shape[1]),
                head.stride,
                head.padding,
                head.dilation,
                head.groups,
            )
        )
        signal = self.nodes.add(name, layer, sources, given, falls)
        return self._pooled(f"{name}_pool", group, signal)

    def _sum(self, group: Group, head: Add | None) -> Signal:
        """A sum of signals, on codes."""
        if len(group.source) == 1:
            raise NetworkImportError(
                f"{group.title} is a further function of codes, and a chip has none of one signal "
                "alone",
                remedy="Let the layer before it give these codes, or leave one of both roundings "
                "out",
            )
        sources, given = [self._source(name) for name in group.source], self._format(group)
        factors, step = layers.ratios(group.title, sources)
        constant = np.sum([source.offset for source in sources], axis=0)
        width = sources[0].shape.width
        line = Line(np.broadcast_to(step, width), np.broadcast_to(constant, width))
        line = layers.through(group.norms, line)
        limits, falls = limits_of(line, arguments(group, given))
        layer = kinds.Add(factors, CodeNeurons(limits, given.zero))
        return self.nodes.add(self.nodes.name(group.title), layer, sources, given, falls)

    def _concat(self, group: Group, head: Concat) -> Signal:
        return self.nodes.joined(group.title, [self._source(name) for name in group.source])

    def _pool(self, group: Group, head: Pool) -> Signal:
        source = self._source(group.source[0])
        if (source.scale < 0).any():
            raise NetworkImportError(
                f"{group.title} pools a signal whose codes fall with its values",
                remedy="Put the pool before the normalisation and the activation",
            )
        return self.nodes.pool(self.nodes.name(group.title), head, source)

    def _recurrent(self, group: Group, head: Gru | GruWithoutReset | Lstm) -> Signal:
        name, choices = group.source[0], self.choices
        source = self._source(name)
        values = self.first.values if name == INPUT else self.values[name]
        bits = choices.bits, choices.weight_bits
        layer: kinds.Layer
        if isinstance(head, GruWithoutReset):
            layer, given = layers.gru(head, source, choices.weight_bits)
        elif isinstance(head, Lstm):
            layer, given = lstm(head, source, values, *bits)
        else:
            layer, given = layers.reset_gru(head, source, values, self.values[group.name], *bits)
        falls = np.zeros(head.n_hidden, bool)
        return self.nodes.add(self.nodes.name(group.title), layer, [source], given, falls)

    def _output(self, weights: Real, biases: Real, source: Signal) -> Output:
        # labels of several steps are the next symbols of a text
        foretells = self.data.labels.ndim > 1 and self.trained.every_step
        metric = BITS_PER_CHARACTER.key if foretells else ACCURACY.key
        return output_of(weights, biases, source, self.trained.every_step, metric)


# how a group becomes a signal, by the operation at its head
SIGNALS: dict[type, Callable[[Builder, Group, Any], Signal | None]] = {
    Dense: Builder._dense,
    Conv: Builder._weights,
    Gru: Builder._recurrent,
    GruWithoutReset: Builder._recurrent,
    Lstm: Builder._recurrent,
    Thermometer: Builder._thermometer,
    Flatten: Builder._flatten,
    LastStep: Builder._last_step,
    Concat: Builder._concat,
    Pool: Builder._pool,
    Add: Builder._sum,
    type(None): Builder._sum,
}


def _seen(trained: Trained, inputs: Real, wanted: set[str]) -> dict[str, Real]:
    """Outputs of some operations for the samples."""
    kept: dict[str, list[Real]] = {}

    def see(name: str, values: Real) -> None:
        if name in wanted:
            kept.setdefault(name, []).append(values.astype(np.float32))

    float_run.scores(trained, inputs, see)
    return {name: np.concatenate(values) for name, values in kept.items()}


def _classes(data: Dataset, n: int) -> tuple[str, ...]:
    names = data.classes
    return names if len(names) == n else (*names, *map(str, range(len(names), n)))[:n]
