"""Signals between layers: bits or codes, in the form that a backend takes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pimsim.kernels.lanes import pack, unpack

Values = NDArray[np.uint8]
Words = NDArray[np.uint64]


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
