"""Inputs of an imported network: as codes on word lines, or through a digital first layer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.data.dataset import Dataset
from pimsim.importers import check, layers
from pimsim.importers.codes import Format, Line, arguments, fitted_format
from pimsim.importers.groups import Group
from pimsim.importers.ops import (
    INPUT,
    Conv,
    Dense,
    Flatten,
    NetworkImportError,
    Real,
    Thermometer,
    Trained,
)
from pimsim.importers.signal import Signal
from pimsim.workload import (
    ENCODER,
    Input,
    OneHotEncoder,
    TensorInput,
    TextInput,
    ThermometerEncoder,
    to_grid,
)
from pimsim.workload.ends import ConvEncoder, DenseEncoder, Encoder
from pimsim.workload.grid import INPUT_GRID, INPUT_LIMIT, WEIGHT_GRID, WEIGHT_LIMIT
from pimsim.workload.quantiser import QuantiserEncoder
from pimsim.workload.signals import Shape

# weights of a digital unit are scaled to this: scale changes no bit
LARGEST_WEIGHT = 4.0


class FirstLayer:
    """Input and encoder of the network that is built.

    Parameters
    ----------
    trained : Trained
    data : Dataset
        Samples.
    flat : Flatten or None
        Operation that flattens the input before anything else.
    """

    def __init__(self, trained: Trained, data: Dataset, flat: Flatten | None) -> None:
        self.trained, self.data, self.flat = trained, data, flat
        self.values = check.as_numbers(trained, data)
        self.encoder: Encoder | None = None
        largest = float(np.abs(self.values).max(initial=0.0)) or 1.0
        # a power of two that brings inputs into half of their range, where their grid is fine
        self.reach = float(INPUT_LIMIT / 2 * 2.0 ** -np.ceil(np.log2(largest)))
        if data.kind == "text":
            # lines are 0 or 1, whatever reads them
            self.reach = 1.0

    @property
    def input(self) -> Input:
        if self.data.kind == "text":
            return TextInput(self.trained.sizes[-1])
        sizes, scale = self.trained.sizes, check.input_scale(self.data) * self.reach
        width = sizes[-1]
        return TensorInput(
            sizes,
            np.zeros(width, np.float32),
            np.full(width, scale, np.float32),
            self.trained.has_steps,
        )

    @property
    def shape(self) -> Shape:
        sizes = self.trained.sizes
        return Shape(sizes[-1], sizes[:-1], self.trained.has_steps)

    def of_range(self, bits: int) -> Signal:
        """Inputs as codes of their own range."""
        if self.data.features.dtype == np.uint8 and bits == 8:
            # a byte is its own code
            least = [((code - 0.5) / 255, False) for code in range(1, 256)]
            given = Format(8, 1 / 255, 0.0, 0, least)
        else:
            given = fitted_format(self.values, bits, bool(self.values.min() >= 0))
        return self._quantised(Line(np.ones(1), np.zeros(1)), given, given.least)

    def one_hot(self, bits: int, scale: float) -> Signal:
        """Symbols, of which one is 1: its line has the largest code of so many bits, others 0."""
        self._require_first()
        self.encoder = OneHotEncoder(bits)
        given = Format(bits, scale, 0.0, 0, [])
        return Signal.of(ENCODER, self.encoder.shape(self.shape), given, np.zeros(1, bool))

    def of_function(self, group: Group, given: Format) -> Signal:
        """Inputs as codes of a function that the network begins with."""
        width = self.shape.width
        for norm in group.norms:
            if np.size(norm.scale) not in (1, width):
                raise NetworkImportError(
                    f"{norm.name} scales each number of a flattened input by itself",
                    remedy="Scale by channel before it is flattened, or scale the data",
                )
        line = layers.through(group.norms, Line(np.ones(width), np.zeros(width)))
        least = arguments(group, given)
        if self.data.kind == "text" and given.has_zero:
            off, on = (
                {
                    sum(_reaches(x, *each) for each in least)
                    for x in number * line.slope + line.constant
                }
                for number in (0.0, 1.0)
            )
            steps = int(max(on)) - given.zero
            # the number 0 is the code of 0, and 1 the largest code of so many bits
            if off == {given.zero} and len(on) == 1 and steps > 0 and steps & (steps + 1) == 0:
                return self.one_hot(steps.bit_length(), given.scale)
        return self._quantised(line, given, least)

    def _quantised(self, line: Line, given: Format, least: list[tuple[float, bool]]) -> Signal:
        self._require_first()
        arguments_of = np.array([argument for argument, _ in least])
        edges = (arguments_of - line.constant[:, None]) / line.slope[:, None] * self.reach
        falls = line.slope < 0
        # codes of falling channels are counted from the top: what lies beyond the edge
        strict = np.array([strict for _, strict in least]) ^ falls[:, None]
        limits = np.sort(_at_or_above(edges, strict), axis=1)
        self.encoder = QuantiserEncoder(limits, given.zero)
        return self._flattened(Signal.of(ENCODER, self.encoder.shape(self.shape), given, falls))

    def _require_first(self) -> None:
        if self.encoder is not None:
            raise NetworkImportError(
                "two functions of the input are read, and a network begins with one",
                remedy="Let all layers read the output of one",
            )

    def _flattened(self, signal: Signal) -> Signal:
        return signal if self.flat is None else signal.flattened(self.flat.channels_first)

    def thermometer(self, group: Group, head: Thermometer) -> Signal:
        """Bits of comparators."""
        if group.source != (INPUT,) or self.encoder is not None:
            raise NetworkImportError(
                f"{head.name} compares numbers that no other function of the input may have given",
                remedy="Put one thermometer at the beginning of the network, and no other rounding",
            )
        if self.flat is not None and self.shape.places:
            raise NetworkImportError(
                f"{head.name} compares the numbers of a flattened map, each with limits of its own",
                remedy="Put it before the map is flattened: limits belong to channels",
            )
        # limits are numbers of few bits, and the grid of inputs is fine enough for them
        while not np.array_equal(head.limits * self.reach, self._on_input_grid(head.limits)):
            self.reach *= 2
        limits = self._on_input_grid(head.limits).astype(np.float32)
        self.encoder = ThermometerEncoder(limits, head.channel.astype(np.int32))
        shape = replace(self.encoder.shape(self.shape), codes=layers.BIT)
        plain = Format(1, 1.0, 0.0, 0, [])
        return Signal.of(ENCODER, shape, plain, np.zeros(1, bool))

    def _on_input_grid(self, limits: Real) -> Real:
        return np.round(limits * self.reach / INPUT_GRID) * INPUT_GRID

    def digital(self, group: Group, head: Dense | Conv, given: Format) -> Signal:
        """Bits of a first layer of real weights, which a digital unit computes."""
        inner = layers.through(group.norms, Line(np.ones(len(head.bias)), head.bias))
        line = layers.through(group.norms_after, Line(np.abs(inner.slope), inner.constant))
        ((argument, _),) = arguments(group, given)
        if (line.slope == 0).any() or not np.isfinite(argument):
            raise NetworkImportError(f"{group.title} has a column whose bit never changes")
        # slope (x w) + constant > argument; columns that fall with x w have their weights turned
        turned = np.where(inner.slope < 0, -1.0, 1.0)
        thresholds = (argument - line.constant) / line.slope
        encoder = self._encoder(group, head, head.weight * turned / self.reach, thresholds)
        self.encoder = encoder
        shape = replace(encoder.shape(self.shape), codes=layers.BIT)
        return Signal.of(ENCODER, shape, given, line.slope < 0)

    def _encoder(
        self, group: Group, head: Dense | Conv, weights: Real, thresholds: Real
    ) -> DenseEncoder | ConvEncoder:
        largest = max(np.abs(weights).max(), np.abs(thresholds).max(), 1e-30)
        own, limits = (_on_grid(v * (LARGEST_WEIGHT / largest)) for v in (weights, thresholds))
        if isinstance(head, Dense):
            plain = Format(1, 1.0, 0.0, 0, [])
            source = self._flattened(Signal.of(INPUT, self.shape, plain, np.zeros(1, bool)))
            return DenseEncoder(source.rows(own), limits)
        is_plain = head.groups == 1 and head.dilation == (1, 1) and len(self.trained.sizes) == 3
        sides = (head.weight.shape[:2], head.stride, head.padding)
        if not is_plain or any(len(set(side)) > 1 for side in sides):
            raise NetworkImportError(
                f"{group.title} is a first convolution in groups, dilated or not square, which the "
                "digital unit does not compute",
                remedy="Put a rounding (such as to 8 bits) before it: it is then in the arrays",
            )
        return ConvEncoder(own, limits, head.stride[0], head.padding[0])


def _reaches(number: float, limit: float, strict: bool) -> bool:
    return number > limit or (number == limit and not strict)


def _at_or_above(edges: Real, strict: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The least finite float32 at or above each edge; above it where the edge is strict."""
    bound = np.finfo(np.float32).max
    found = np.clip(edges, -bound, bound).astype(np.float32)
    is_below = (found < edges) | (strict & (found == edges))
    return np.where(is_below & (found < bound), np.nextafter(found, bound), found)


def _on_grid(values: Real) -> NDArray[Any]:
    return to_grid(values, WEIGHT_GRID, WEIGHT_LIMIT).astype(np.float32)
