"""Nodes of a network in the making, and the signals that they give."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.importers import layers
from pimsim.importers.codes import Format
from pimsim.importers.ops import NetworkImportError, Pool
from pimsim.importers.signal import Signal
from pimsim.workload import ENCODER, Node
from pimsim.workload import layers as kinds
from pimsim.workload.code_neurons import CodeNeurons
from pimsim.workload.graph import NAME_LENGTH
from pimsim.workload.layers.base import map_sides
from pimsim.workload.signals import MAX_CODE_BITS, CodeFormat


class Nodes:
    """Nodes in the order of their signals.

    Attributes
    ----------
    found : list of Node
    """

    def __init__(self) -> None:
        self.found: list[Node] = []

    def name(self, title: str) -> str:
        """A name for a node that no other has, from that of an operation."""
        base = re.sub(r"[^A-Za-z0-9_-]+", "_", title).strip("_") or "layer"
        base = base[: NAME_LENGTH - 4]
        taken = {node.name for node in self.found} | {ENCODER, "input", "output"}
        names = (base, *(f"{base}_{count}" for count in range(2, 1000)))
        return next(name for name in names if name not in taken)

    def add(
        self,
        name: str,
        layer: kinds.Layer,
        sources: Sequence[Signal],
        given: Format,
        falls: NDArray[Any],
    ) -> Signal:
        """Add a layer that gives codes of a format.

        Parameters
        ----------
        name : str
        layer : Layer
        sources : sequence of Signal
            What it reads.
        given : Format
        falls : (n_channels,) bool
            Channels whose codes fall with their values.

        Raises
        ------
        NetworkImportError
            If the layer does not take such signals.
        """
        shape = layers.shape_of(name, layer, sources)
        self._append(name, layer, sources)
        return Signal.of(name, shape, given, falls)

    def pool(self, name: str, pool: Pool, source: Signal) -> Signal:
        """Add a pool, which keeps codes as they are."""
        sides = map_sides(source.shape)
        size = sides if pool.size is None else pool.size
        stride = sides if pool.size is None else pool.stride
        layer: kinds.Layer
        if pool.kind == "max":
            layer = kinds.MaxPool(size, stride, pool.padding)
        elif any(pool.padding):
            raise NetworkImportError(f"{pool.name} is a mean over padded windows")
        else:
            layer = kinds.AveragePool(size, stride)
        try:
            shape = layer.shape(source.shape)
        except Exception as error:
            raise NetworkImportError(f"{pool.name} {error}") from error
        self._append(name, layer, [source])
        return replace(source, node=name, shape=shape)

    def joined(self, title: str, signals: Sequence[Signal]) -> Signal:
        """Join channels of signals, whose codes get one format.

        Raises
        ------
        NetworkImportError
            If that would need more bits than a signal has.
        """
        sources = [self._plain(signal) for signal in self._of_one_format(title, signals)]
        name, layer = self.name(title), kinds.Concat()
        shape = layer.shape(*(source.shape for source in sources))
        self._append(name, layer, sources)
        return Signal.joined(name, shape, sources)

    def _append(self, name: str, layer: kinds.Layer, sources: Sequence[Signal]) -> None:
        self.found.append(Node(name, layer, tuple(source.node for source in sources)))

    def _plain(self, signal: Signal) -> Signal:
        """A flattened map as a signal of its own."""
        if not signal.is_flat or not signal.shape.places:
            return signal
        name = self.name(f"{signal.node}_row")
        self._append(name, kinds.Flatten(), [signal])
        return signal.as_row(name)

    def _of_one_format(self, title: str, signals: Sequence[Signal]) -> list[Signal]:
        """Signals whose codes have one format, which holds all codes of each exactly."""
        formats = [signal.shape.codes or CodeFormat(1) for signal in signals]
        if len(set(formats)) == 1:
            return list(signals)
        zero = max(form.zero for form in formats)
        top = zero + max(2**form.bits - 1 - form.zero for form in formats)
        joint = CodeFormat(int(top).bit_length(), zero)
        if joint.bits > MAX_CODE_BITS:
            said = " and ".join(f"{form.bits} bits around {form.zero}" for form in formats)
            raise NetworkImportError(
                f"{title} joins codes of {said}; one format that holds all of them has "
                f"{joint.bits} bits, and {MAX_CODE_BITS} are the most",
                remedy="Give all of them one activation (such as ReLU) or one rounding, or fewer "
                "bits",
            )
        return [
            signal if form == joint else self._widened(signal, form, joint)
            for signal, form in zip(signals, formats, strict=True)
        ]

    def _widened(self, signal: Signal, form: CodeFormat, joint: CodeFormat) -> Signal:
        """A signal in a format that holds all of its codes: code u becomes u + shift."""
        shift = joint.zero - form.zero
        limits = np.arange(1, 2**joint.bits, dtype=np.int32)[None] - np.int32(shift)
        layer = kinds.Add(np.ones(1, np.int32), CodeNeurons(limits, joint.zero))
        name = self.name(f"{signal.node}_wide")
        shape = layers.shape_of(name, layer, [signal])
        self._append(name, layer, [signal])
        # every value stays what it was
        offset = signal.offset - signal.scale * shift
        return replace(signal, node=name, shape=shape, offset=offset)
