"""Layers of a network on arrays, by whichever kernel: sums and bits are the same by each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.kernels import array, lanes
from pimsim.kernels.decisions import Streams
from pimsim.kernels.lanes import Block
from pimsim.kernels.registers import WORDS
from pimsim.simulate.operands import Operands
from pimsim.simulate.signals import Bits, Signals, Words, unpack
from pimsim.workload.layers import Conv2d, Dense, Gru, MaxPool
from pimsim.workload.patches import patches, pool

NO_TRACE = np.empty((0,) * 4, np.uint8)
NO_LANES = np.empty((0,) * 5, np.uint64)


class Work(NamedTuple):
    """What a batch is run with, beside its bits.

    Attributes
    ----------
    chips : (n_chips,) int64
    samples : (n,) int64
        Index of each sequence in its data set.
    block : Block
        The same for kernels with sequences side by side.
    """

    chips: NDArray[np.int64]
    samples: NDArray[np.int64]
    block: Block


class Read(NamedTuple):
    """What a layer did.

    Attributes
    ----------
    bits : Signals
    driven : (n_chips, n_rows) int64
        How often each word line was on.
    flips : int
        Register bits flipped, of a GRU.
    trace : (n_chips, n, n_steps, 2 n_hidden) uint8 or None
        Gate and candidate bits, where asked for.
    """

    bits: Signals
    driven: NDArray[np.int64]
    flips: int = 0
    trace: Bits | None = None


def run_gru(layer: Gru, operand: Operands, below: Signals, work: Work, keep_bits: bool) -> Read:
    """A GRU layer over all steps."""
    streams = operand.streams(work.chips, work.samples)
    if operand.in_lanes:
        return _gru_in_lanes(layer, operand, below, work, streams, keep_bits)
    bits = below.bytes
    n_chips, (n, n_steps), n_hidden = len(work.chips), bits.shape[1:3], layer.n_hidden
    hidden = np.empty((n_chips, n, n_steps, n_hidden), np.uint8)
    trace = np.empty((n_chips, n, n_steps, 2 * n_hidden), np.uint8) if keep_bits else NO_TRACE
    driven = np.zeros((n_chips, layer.gate.n_rows), np.int64)
    flips = np.zeros(n_chips, np.int64)
    done = (hidden, trace, driven, flips)
    cells, start, chances = operand.cells, operand.start, operand.chances
    array.run_gru(cells, start, bits, chances, streams, not keep_bits, *done)
    return Read(Signals(n, hidden), driven, int(flips.sum()), trace if keep_bits else None)


def _gru_in_lanes(
    layer: Gru, operand: Operands, below: Signals, work: Work, streams: Streams, keep_bits: bool
) -> Read:
    bits = below.lanes
    n_chips, (n_blocks, n_steps), n_hidden = len(work.chips), bits.shape[1:3], layer.n_hidden
    shape = (n_chips, n_blocks, n_steps, n_hidden, WORDS)
    hidden = np.empty(shape, np.uint64)
    trace = np.empty((*shape[:3], 2 * n_hidden, WORDS), np.uint64) if keep_bits else NO_LANES
    driven = np.zeros((n_chips * n_blocks, layer.gate.n_rows), np.int64)
    flips = np.zeros(n_chips * n_blocks, np.int64)
    lanes.run_gru(
        operand.tables,
        bits,
        operand.limits,
        operand.chances,
        streams,
        work.block,
        not keep_bits,
        hidden,
        trace,
        driven,
        flips,
    )
    return Read(
        Signals(below.n, lanes=hidden),
        driven.reshape(n_chips, n_blocks, -1).sum(axis=1),
        int(flips.sum()),
        unpack(trace, below.n) if keep_bits else None,
    )


def read(layer: Dense | Conv2d, operand: Operands, last: Signals, work: Work) -> Read:
    """A dense or a convolution layer."""
    streams = operand.streams(work.chips, work.samples)
    n_chips, n_columns = len(work.chips), layer.matrix.n_columns
    if operand.in_lanes:
        return _read_in_lanes(layer, operand, last, work, streams)
    bits = last.bytes
    inputs = _cut(layer, bits)
    flat = np.ascontiguousarray(inputs).reshape(len(inputs), last.n, -1, inputs.shape[-1])
    out = np.empty((n_chips, last.n, flat.shape[2], n_columns), np.uint8)
    driven = np.zeros((n_chips, inputs.shape[-1]), np.int64)
    array.read_layer(operand.cells, operand.start, flat, operand.chances, streams, out, driven)
    return Read(Signals(last.n, out.reshape(*out.shape[:2], *inputs.shape[2:-1], -1)), driven)


def _read_in_lanes(
    layer: Dense | Conv2d, operand: Operands, last: Signals, work: Work, streams: Streams
) -> Read:
    bits = last.lanes
    n_blocks, places = bits.shape[1], bits.shape[2:-1]
    numbers = np.arange(1, 1 + int(np.prod(places)), dtype=np.int64).reshape(1, 1, *places)
    # one bit beyond the last is 0, and stands for the padding around a map
    wiring = _cut(layer, numbers)[0, 0] - 1
    positions = wiring.shape[:-1]
    flat = bits.reshape(len(bits), n_blocks, -1, WORDS)
    flat = np.concatenate([flat, np.zeros_like(flat[:, :, :1])], axis=2)
    rows = wiring.reshape(-1, wiring.shape[-1])
    n_chips, n_columns = len(work.chips), layer.matrix.n_columns
    out = np.empty((n_chips, n_blocks, len(rows), n_columns, WORDS), np.uint64)
    driven = np.zeros((n_chips * n_blocks, rows.shape[1]), np.int64)
    lanes.read_layer(
        operand.tables,
        flat,
        rows,
        operand.limits,
        operand.chances,
        streams,
        work.block,
        out,
        driven,
    )
    return Read(
        Signals(last.n, lanes=out.reshape(n_chips, n_blocks, *positions, n_columns, WORDS)),
        driven.reshape(n_chips, n_blocks, -1).sum(axis=1),
    )


def _cut(layer: Dense | Conv2d, maps: NDArray[np.generic]) -> NDArray[np.generic]:
    """Inputs of every read: (k, n, *positions, n_rows); a dense layer has one position."""
    if isinstance(layer, Dense):
        return maps.reshape(*maps.shape[:2], -1)
    flat = maps.reshape(-1, *maps.shape[2:])
    out = patches(flat, kernel=layer.kernel, stride=layer.stride, padding=layer.padding)
    return out.reshape(*maps.shape[:2], *out.shape[1:])


def max_pool(layer: MaxPool, maps: Signals, in_lanes: bool) -> Signals:
    """Maximum of bits over windows: whether any is 1."""
    if in_lanes:
        return Signals(maps.n, lanes=_pool_lanes(layer, maps.lanes))
    bits = maps.bytes
    out = pool(bits.reshape(-1, *bits.shape[2:]), layer.size, layer.stride)
    return Signals(maps.n, out.reshape(*bits.shape[:2], *out.shape[1:]))


def _pool_lanes(layer: MaxPool, words: Words) -> Words:
    height, width = words.shape[2:4]
    ends = height - layer.size + 1, width - layer.size + 1
    windows = [
        words[:, :, y : y + ends[0] : layer.stride, x : x + ends[1] : layer.stride]
        for y in range(layer.size)
        for x in range(layer.size)
    ]
    return np.asarray(np.bitwise_or.reduce(windows))
