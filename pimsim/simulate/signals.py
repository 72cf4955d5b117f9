"""Signals between layers: bits or codes, in the form that a backend takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.kernels.lanes import pack, unpack

Values = NDArray[np.uint8]
Words = NDArray[np.uint64]


class Flips(NamedTuple):
    """Changes of bits on their way from a component to the next.

    Attributes
    ----------
    wires : int
        From word to word on the wires of a link.
    buffers : int
        From token to token in a buffer.
    """

    wires: int
    buffers: int


def _changes(stream: NDArray[Any], each: int) -> Flips:
    """Changes in a stream (..., n_tokens, n_values), and in its words of `each` values."""
    buffers = _changed(stream)
    n_values = stream.shape[-1]
    if n_values <= each:
        return Flips(buffers, buffers)
    n_words = -(-n_values // each)
    # wires without a bit of the last word are 0
    padding = [(0, 0)] * (stream.ndim - 1) + [(0, n_words * each - n_values)]
    words = np.pad(stream, padding).reshape(*stream.shape[:-2], -1, each)
    return Flips(_changed(words), buffers)


def _changed(stream: NDArray[Any]) -> int:
    first = np.bitwise_count(stream[..., :1, :]).sum(dtype=np.int64)
    later = stream[..., 1:, :] ^ stream[..., :-1, :]
    return int(first + np.bitwise_count(later).sum(dtype=np.int64))


def row_changes(streams: Sequence[NDArray[Any]], n_chips: int) -> NDArray[np.int64]:
    """Changes of each row from operation to operation, over all sequences (n_chips, n_rows).

    Parameters
    ----------
    streams : sequence of (1 or n_chips, n, n_operations, n_rows, ...) uint8 or uint64
        Bits of rows, one stream beside the other; bytes, or 64 sequences in a word. All rows are
        0 before the first operation.
    """
    found = []
    for stream in streams:
        before = np.zeros_like(stream[:, :, :1])
        changed = np.bitwise_count(stream ^ np.concatenate([before, stream[:, :, :-1]], axis=2))
        axes = (1, 2, *range(4, stream.ndim))
        counts = changed.sum(axis=axes, dtype=np.int64)
        found.append(np.broadcast_to(counts, (n_chips, counts.shape[1])))
    return np.concatenate(found, axis=1)


class Signals:
    """Bits or codes of a batch of sequences, the same for all chips or one set for each.

    Held as bytes, or, of bits, packed with 128 sequences side by side; each form is made from the
    other on demand, once.

    Parameters
    ----------
    n : int
        Sequences.
    values : (1 or n_chips, n, *places, n_values) uint8, optional
        Places are time steps, positions of a map, or absent.
    words : (1 or n_chips, n_blocks, *places, n_values, WORDS) uint64, optional
        Bit i of word w is sequence 64 w + i of its block; 0 beyond the last sequence.
    """

    def __init__(self, n: int, values: Values | None = None, words: Words | None = None) -> None:
        assert values is not None or words is not None
        self.n = n
        self._values = values
        self._words = words

    @property
    def values(self) -> Values:
        if self._values is None:
            assert self._words is not None
            self._values = unpack(self._words, self.n)
        return self._values

    @property
    def words(self) -> Words:
        if self._words is None:
            assert self._values is not None
            self._words = pack(self._values)
        return self._words

    @property
    def places(self) -> tuple[int, ...]:
        """Shape of the places at which there are values."""
        if self._values is not None:
            return self._values.shape[2:-1]
        return self.words.shape[2:-2]

    @property
    def n_places(self) -> int:
        """Time steps, or positions of a map, at which there are values."""
        return math.prod(self.places)

    @property
    def n_values(self) -> int:
        """Bits or codes at each place."""
        return int(self._values.shape[-1] if self._values is not None else self.words.shape[-2])

    @property
    def last_step(self) -> Signals:
        """Values of the last time step, (1 or n_chips, n, n_values)."""
        if self._values is None:
            return Signals(self.n, words=self.words[:, :, -1])
        return Signals(self.n, self._values[:, :, -1])

    def flips(self, n_tokens: int, bits: int, width: int) -> Flips:
        """Bits that change while the values of each sequence pass, a token after the other.

        Parameters
        ----------
        n_tokens : int
            Tokens in which the values of a sequence pass; all wires are 0 before the first.
        bits : int
            Bits of a value.
        width : int
            Wires: a token of more bits passes as several words.
        """
        each = max(1, width // bits)
        if self._words is not None:
            words = self._words
            packed = words.reshape(*words.shape[:2], n_tokens, -1, words.shape[-1])
            return _changes(np.moveaxis(packed, -1, 2), each)
        values = self.values
        stream = values.reshape(*values.shape[:2], n_tokens, -1)
        if bits > 1 and width % bits:
            each, places = width, np.arange(bits, dtype=np.uint8)
            ones = (stream[..., None] >> places & 1).astype(np.uint8)
            stream = ones.reshape(*stream.shape[:-1], -1)
        return _changes(stream, each)

    def in_form(self, takes_words: bool) -> NDArray[Any]:
        """Words, or values."""
        return self.words if takes_words else self.values

    @property
    def n_chips(self) -> int:
        """Sets of values: one for each chip, or 1 for all of them."""
        return len(self._words if self._values is None else self._values)  # type: ignore[arg-type]

    def columns(self, own: slice) -> Signals:
        """Some of the values at each place."""
        if self._values is None:
            return Signals(self.n, words=self.words[..., own, :])
        return Signals(self.n, self._values[..., own])

    def copies(self, n_chips: int) -> Signals:
        """The same values, with a set for each of so many chips."""
        if self.n_chips == n_chips:
            return self
        if self._values is None:
            return Signals(self.n, words=np.repeat(self.words, n_chips, axis=0))
        return Signals(self.n, np.repeat(self._values, n_chips, axis=0))

    def placed(self, *places: int) -> Signals:
        """The same values, at places of another shape."""
        if self._values is None:
            words = self.words
            return Signals(
                self.n, words=words.reshape(*words.shape[:2], *places, *words.shape[-2:])
            )
        values = self._values
        return Signals(self.n, values.reshape(*values.shape[:2], *places, values.shape[-1]))

    def leading(self, takes_words: bool) -> tuple[int, ...]:
        """First two axes: chips and sequences, or chips and blocks of packed sequences."""
        return self.words.shape[:2] if takes_words else self.values.shape[:2]

    def of_each(self, n_chips: int) -> Values:
        """Values of each chip, (n_chips, n, *places, n_values); one set may be shared by all."""
        if len(self.values) == n_chips:
            return self.values
        return np.repeat(self.values, n_chips, axis=0)


def joined(signals: Sequence[Signals], *, has_steps: bool, takes_words: bool) -> Signals:
    """Several signals as one: values of each time step, flattened, one signal after the other."""
    if len(signals) == 1:
        return signals[0]
    n, keep = signals[0].n, 3 if has_steps else 2
    if takes_words:
        n_chips = max(len(s.words) for s in signals)
        parts = [
            np.broadcast_to(s.words, (n_chips, *s.words.shape[1:])).reshape(
                n_chips, *s.words.shape[1:keep], -1, s.words.shape[-1]
            )
            for s in signals
        ]
        return Signals(n, words=np.concatenate(parts, axis=-2))
    n_chips = max(len(s.values) for s in signals)
    flat = [s.of_each(n_chips) for s in signals]
    return Signals(n, np.concatenate([v.reshape(*v.shape[:keep], -1) for v in flat], axis=-1))


def side_by_side(signals: Sequence[Signals], *, takes_words: bool) -> Signals:
    """Columns of several signals of the same places, one signal after the other."""
    n = signals[0].n
    if takes_words:
        return Signals(n, words=np.concatenate([s.words for s in signals], axis=-2))
    return Signals(n, np.concatenate([s.values for s in signals], axis=-1))
