"""Backend `portable`: sums of rows, on any CPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from pimsim.chip import Chip, ProgrammedTile, Tile
from pimsim.chip.wired import TileRows, tile_rows
from pimsim.kernels import portable
from pimsim.kernels.decisions import ProbabilityTables
from pimsim.kernels.outputs import Outputs
from pimsim.simulate.backends.base import (
    Batch,
    Keys,
    Read,
    Wiring,
    flat_values,
    keys_of,
    padded_wiring,
    refuses_numbers,
)
from pimsim.simulate.backends.bit_serial import BitSerial
from pimsim.simulate.backends.decisions import probability_tables
from pimsim.simulate.signals import Signals
from pimsim.streams import Purpose

NO_TRACE = np.empty((0,) * 4, np.uint8)


class PortableOperand(NamedTuple):
    """A tile of a group of chips, by rows."""

    rows: TileRows
    tables: ProbabilityTables
    keys: Keys


class Portable:
    """Adds the rows that are on, one sequence after the other; from step to step only changes."""

    name = "portable"
    takes_words = False
    substitute = BitSerial()

    def refuses(self, chip: Chip, n_sequences: int | None) -> str | None:
        return refuses_numbers(chip, "bits")

    def load(
        self,
        chip: Chip,
        tile: Tile,
        programmed: Sequence[ProgrammedTile],
        seed: int,
    ) -> PortableOperand | None:
        if tile.is_converted:
            return None
        return PortableOperand(
            tile_rows(tile, programmed),
            probability_tables(tile),
            keys_of(seed, Purpose.DECISION, tile),
        )

    def read(
        self, operand: PortableOperand, wiring: Wiring, signals: Signals, batch: Batch
    ) -> Read:
        bits = flat_values(signals)
        n_chips, (n_positions, n_rows) = len(batch.chips), wiring.shape
        out = np.empty((n_chips, signals.n, n_positions, len(operand.tables.reach)), np.uint8)
        driven = np.zeros((n_chips, n_rows), np.int64)
        portable.read(
            operand.rows,
            operand.tables,
            bits,
            padded_wiring(wiring, bits.shape[2]),
            operand.keys.streams(batch),
            out,
            driven,
        )
        return Read(Signals(signals.n, out), driven)

    def recur(
        self, operand: PortableOperand, logic: Any, signals: Signals, batch: Batch, keep: bool
    ) -> Read:
        below = np.ascontiguousarray(signals.values)
        shape = (len(batch.chips), *below.shape[1:3])
        outputs = Outputs(
            state=np.empty((*shape, logic.n_state), np.uint8),
            trace=np.empty((*shape, len(operand.tables.reach)), np.uint8) if keep else NO_TRACE,
            rows_driven=np.zeros((shape[0], logic.n_state + below.shape[3]), np.int64),
            flips=np.zeros(shape[0], np.int64),
        )
        streams = operand.keys.streams(batch)
        portable.recur(operand.rows, operand.tables, below, streams, logic, not keep, outputs)
        return Read(
            Signals(signals.n, outputs.state),
            outputs.rows_driven,
            int(outputs.flips.sum()),
            outputs.trace if keep else None,
        )
