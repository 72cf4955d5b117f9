"""Bits on their way from layer to layer, in the form that a kernel takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pimsim.chip import Chip
from pimsim.kernels.lanes import Block, pack_blocks
from pimsim.kernels.registers import LANES, WORDS

Bits = NDArray[np.uint8]
Words = NDArray[np.uint64]


class Signals:
    """Bits of a batch of sequences, the same for all chips or one set for each.

    Held as bytes, or packed with 128 sequences side by side; made from the other on demand.

    Parameters
    ----------
    n : int
        Sequences.
    bytes : (1 or n_chips, n, *places, n_bits) uint8, optional
    lanes : (1 or n_chips, n_blocks, *places, n_bits, WORDS) uint64, optional
        Bit i of word w is sequence 64 w + i of its block; 0 beyond the last sequence.
    """

    def __init__(self, n: int, bytes: Bits | None = None, lanes: Words | None = None) -> None:
        self.n = n
        self._bytes = bytes
        self._lanes = lanes

    @property
    def bytes(self) -> Bits:
        if self._bytes is None:
            assert self._lanes is not None
            self._bytes = unpack(self._lanes, self.n)
        return self._bytes

    @property
    def lanes(self) -> Words:
        if self._lanes is None:
            assert self._bytes is not None
            self._lanes = pack(self._bytes)
        return self._lanes

    @property
    def n_places(self) -> int:
        """Time steps, or positions of a map, at which there are bits."""
        if self._bytes is not None:
            return int(np.prod(self._bytes.shape[2:-1]))
        return int(np.prod(self.lanes.shape[2:-2]))

    @property
    def last_step(self) -> Signals:
        """Bits of the last time step, (1 or n_chips, n, n_bits)."""
        if self._bytes is None:
            assert self._lanes is not None
            return Signals(self.n, lanes=self._lanes[:, :, -1])
        return Signals(self.n, self._bytes[:, :, -1])


def n_blocks(n: int) -> int:
    """Blocks of 128 that hold so many sequences."""
    return -(-n // LANES)


def pack(bits: Bits) -> Words:
    """Bytes (k, n, ...) as words (k, n_blocks, ..., WORDS)."""
    k, n = bits.shape[:2]
    words = np.empty((k, n_blocks(n), *bits.shape[2:], WORDS), np.uint64)
    flat = np.ascontiguousarray(bits).reshape(k, n, -1)
    pack_blocks(flat, words.reshape(k, -1, flat.shape[2], WORDS))
    return words


def unpack(words: Words, n: int) -> Bits:
    """Inverse of `pack`, for the first n sequences."""
    octets = np.ascontiguousarray(words).astype("<u8", copy=False).view(np.uint8)
    bits = np.moveaxis(np.unpackbits(octets, axis=-1, bitorder="little"), -1, 2)
    whole = bits.reshape(len(words), words.shape[1] * LANES, *words.shape[2:-1])
    return np.ascontiguousarray(whole[:, :n])


def block_of(samples: NDArray[np.int64]) -> Block:
    """What the kernels need to know of a batch's sequences."""
    n = len(samples)
    padded = np.zeros((n_blocks(n), LANES), np.uint32)
    padded.ravel()[:n] = samples
    valid = np.ones((1, n, 1), np.uint8)
    return Block(padded, pack(valid).reshape(-1, WORDS))


def room_for_classes(chip: Chip, n_chips: int, n_sequences: int) -> NDArray[np.unsignedinteger]:
    """An empty array (n_chips, n_sequences) of the smallest type that holds a class."""
    dtype = np.min_scalar_type(len(chip.network.classes) - 1)
    return np.empty((n_chips, n_sequences), dtype)
