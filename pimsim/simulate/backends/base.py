"""The verbs of a backend, which runs programmed tiles on signals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from pimsim.chip import Chip, ProgrammedTile, Tile
from pimsim.kernels.decisions import Streams
from pimsim.simulate.signals import Signals, Values
from pimsim.streams import Purpose, key_words, tag

OperandT = TypeVar("OperandT")
Wiring = NDArray[np.int64]


class Batch(NamedTuple):
    """Chips and sequences of one call; the indices key their noise.

    Attributes
    ----------
    chips : (n_chips,) int64
        Index of each chip of the group.
    samples : (n,) int64
        Index of each sequence in its data set.
    """

    chips: NDArray[np.int64]
    samples: NDArray[np.int64]


class Read(NamedTuple):
    """Results of a tile on a batch.

    Attributes
    ----------
    signals : Signals
        Outputs (n_chips, n, n_positions or n_steps, n_columns or n_state).
    driven : (n_chips, n_rows) int64
        Pulses on each word line: reads in which it is on, over all bits of codes; of lines with
        levels, the sum of their amplitudes.
    flips : int
        Register bits that flip in a recurrent tile.
    trace : (n_chips, n, n_steps, n_columns) uint8 or None
        Decided columns of a recurrent tile, if asked for.
    clipped : (n_lines,) int64 or None
        Conversions of each line beyond the range of codes, over all chips.
    """

    signals: Signals
    driven: NDArray[np.int64]
    flips: int = 0
    trace: Values | None = None
    clipped: NDArray[np.int64] | None = None


class Backend(Protocol[OperandT]):
    """One way to compute reads; backends differ in speed, never in results."""

    @property
    def name(self) -> str:
        """Key in `BACKENDS`."""

    @property
    def takes_words(self) -> bool:
        """Whether it runs on packed bits (`Signals.words`)."""

    @property
    def substitute(self) -> Backend[Any] | None:
        """Backend of the tiles that this one cannot load."""

    def refuses(self, chip: Chip, n_sequences: int | None) -> str | None:
        """Reason why this backend does not run a chip; None if it does.

        Parameters
        ----------
        n_sequences
            Sequences of the run, too few of which make a backend slow; None if it runs anyway.
        """

    def load(
        self,
        chip: Chip,
        tile: Tile,
        programmed: Sequence[ProgrammedTile],
        seed: int,
    ) -> OperandT | None:
        """Arrange a tile for the kernels; None where this backend cannot run it.

        Parameters
        ----------
        chip : Chip
        tile : Tile
        programmed
            The tile of each chip of a group, or of one where all are equal.
        seed : int
        """

    def read(self, operand: OperandT, wiring: Wiring, signals: Signals, batch: Batch) -> Read:
        """Read a tile once at each position.

        Parameters
        ----------
        wiring : (n_positions, n_rows) int64
            Index of the value that drives each word line, into the flattened values of a sequence.
            -1, or one past the last, for none: padding, which is 0.
        """

    def recur(
        self, operand: OperandT, logic: Any, signals: Signals, batch: Batch, keep: bool
    ) -> Read:
        """Run a recurrent tile over all time steps.

        Parameters
        ----------
        logic : one of `pimsim.kernels.logic`
        signals : Signals
            Inputs, with time steps as places.  Word lines are the state, then the inputs.
        keep : bool
            Return the trace; all decisions are then drawn.
        """


class Keys(NamedTuple):
    """Random key of a run, and tag of a tile's draws."""

    key: NDArray[np.uint64]
    tag: np.uint64

    def streams(self, batch: Batch) -> Streams:
        """Counters of a batch's draws."""
        chips, samples = (np.ascontiguousarray(indices) for indices in batch)
        return Streams(self.key, self.tag, chips, samples)


def keys_of(seed: int, purpose: Purpose, tile: Tile) -> Keys:
    """Keys of a tile's draws for a purpose."""
    return Keys(np.array(key_words(seed), np.uint64), np.uint64(tag(purpose, tile.index)))


def padded_wiring(wiring: Wiring, n_values: int) -> NDArray[np.uint64]:
    """Wiring with the index past the last value wherever nothing drives a line."""
    return np.where(wiring < 0, n_values, wiring).astype(np.uint64)


def flat_values(signals: Signals) -> Values:
    """Values of each sequence in one row, (1 or n_chips, n, n_values)."""
    values = np.ascontiguousarray(signals.values)
    return values.reshape(*values.shape[:2], -1)


def refuses_numbers(chip: Chip, wanted: str) -> str | None:
    """Reason why a backend for `wanted` numbers does not run a chip; None if it does."""
    found = chip.layout.drive.numbers.name
    return None if found == wanted else f"its layers pass on {found}, and not {wanted}"
