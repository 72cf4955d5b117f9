"""Base of the backends with 128 sequences side by side in vector registers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from pimsim.chip import ProgrammedTile
from pimsim.kernels import lanes, registers
from pimsim.kernels.decisions import ProbabilityTables
from pimsim.kernels.drop import Drop
from pimsim.kernels.lane_sums import LaneTables
from pimsim.kernels.lanes import blocks_of, unpack
from pimsim.kernels.outputs import Outputs
from pimsim.kernels.registers import WORDS
from pimsim.simulate.backends.base import Batch, Keys, Read, Wiring, padded_wiring
from pimsim.simulate.signals import Signals

# columns of a tile are numbered in 16 bits
MAX_COLUMNS = 2**16
# with fewer sequences most of the lanes would be idle: measured on the shipped networks
FEW_SEQUENCES = 32 if registers.wide else 64
NO_TRACE = np.empty((0,) * 5, np.uint64)


class LaneOperand(NamedTuple):
    """A tile of a group of chips, as tables of the sums of a few rows."""

    sums: LaneTables | Drop
    tables: ProbabilityTables
    keys: Keys


class Lanes:
    """Reads by tables; each backend makes its own tables of a tile."""

    takes_words = True

    def read(self, operand: LaneOperand, wiring: Wiring, signals: Signals, batch: Batch) -> Read:
        words = signals.words
        flat = words.reshape(*words.shape[:2], -1, WORDS)
        # one bit beyond the last is 0, and stands for padding
        padded = np.concatenate([flat, np.zeros_like(flat[:, :, :1])], axis=2)
        (n_chips, n_blocks), (n_positions, n_rows) = (len(batch.chips), flat.shape[1]), wiring.shape
        shape = (n_chips, n_blocks, n_positions, len(operand.tables.reach), WORDS)
        out = np.empty(shape, np.uint64)
        driven = np.zeros((n_chips * n_blocks, n_rows), np.int64)
        lanes.read(
            operand.sums,
            operand.tables,
            padded,
            padded_wiring(wiring, flat.shape[2]),
            operand.keys.streams(batch),
            blocks_of(batch.samples),
            out,
            driven,
        )
        return Read(
            Signals(signals.n, words=out), driven.reshape(n_chips, n_blocks, -1).sum(axis=1)
        )

    def recur(
        self, operand: LaneOperand, logic: Any, signals: Signals, batch: Batch, keep: bool
    ) -> Read:
        below = np.ascontiguousarray(signals.words)
        n_chips, (n_blocks, n_steps, n_below) = len(batch.chips), below.shape[1:4]
        shape = (n_chips, n_blocks, n_steps)
        n_columns = len(operand.tables.reach)
        outputs = Outputs(
            state=np.empty((*shape, logic.n_state, WORDS), np.uint64),
            trace=np.empty((*shape, n_columns, WORDS), np.uint64) if keep else NO_TRACE,
            rows_driven=np.zeros((n_chips * n_blocks, logic.n_state + n_below), np.int64),
            flips=np.zeros(n_chips * n_blocks, np.int64),
        )
        lanes.recur(
            operand.sums,
            operand.tables,
            below,
            operand.keys.streams(batch),
            blocks_of(batch.samples),
            logic,
            not keep,
            outputs,
        )
        return Read(
            Signals(signals.n, words=outputs.state),
            outputs.rows_driven.reshape(n_chips, n_blocks, -1).sum(axis=1),
            int(outputs.flips.sum()),
            unpack(outputs.trace, signals.n) if keep else None,
        )


def refuses_few(n_sequences: int | None) -> str | None:
    """Reason why so few sequences are not run side by side; None if they are."""
    if n_sequences is not None and n_sequences < FEW_SEQUENCES:
        return f"{n_sequences} sequences leave most of the 128 lanes idle"
    return None


def has_few_columns(programmed: Sequence[ProgrammedTile]) -> bool:
    """Whether the columns of a tile can be numbered in 16 bits."""
    return max(len(p.offsets) for p in programmed) <= MAX_COLUMNS
