"""Backend `bit_serial`: chips with ADCs, pulse by pulse and slice by slice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from pimsim.chip import Chip, MatrixOnChip, ProgrammedTile, Quantiser, Tile
from pimsim.chip.read_out.adc_sums import reference_weight
from pimsim.circuits import dac
from pimsim.kernels import bit_serial
from pimsim.kernels.bit_serial import Activations, Lines, Pulses, row_blocks
from pimsim.kernels.conversions import HALVES, Adcs
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
from pimsim.simulate.signals import Signals
from pimsim.streams import Purpose, tag
from pimsim.workload.neurons import Activation

NO_TRACE = np.empty((0,) * 4, np.uint8)
# grid of the noise table: coarser than the last bits in which two machines may differ
NOISE_GRID = 2.0**-20


class BitSerialOperand(NamedTuple):
    """A tile of a group of chips: its lines, their pulses and ADCs, and its activation units.

    `padding` is the code of word lines that no input drives.
    """

    lines: Lines
    pulses: Pulses
    adcs: Adcs
    activations: Activations
    keys: Keys
    padding: int


class BitSerial:
    """Sums rows for each bit of their codes, or by their levels, converts, shifts and adds.

    It also runs the tiles of chips of bits whose sums are converted.
    """

    name = "bit_serial"
    takes_words = False
    substitute = None

    def refuses(self, chip: Chip, n_sequences: int | None) -> str | None:
        return refuses_numbers(chip, "codes")

    def load(
        self,
        chip: Chip,
        tile: Tile,
        programmed: Sequence[ProgrammedTile],
        seed: int,
    ) -> BitSerialOperand:
        cells = np.stack([p.cells for p in programmed])
        activation = Activation(chip.layout.drive.bits, chip.network.temperature)
        return BitSerialOperand(
            _lines(tile, cells, chip.config.array.rows),
            _pulses(chip, tile, programmed),
            _adcs(tile, programmed),
            _activations(tile, activation, chip.network.shapes[tile.name].zero),
            keys_of(seed, Purpose.CONVERSION, tile),
            chip.network.input_shapes(tile.node)[0].zero,
        )

    def read(
        self, operand: BitSerialOperand, wiring: Wiring, signals: Signals, batch: Batch
    ) -> Read:
        codes = flat_values(signals)
        n_chips, (n_positions, n_rows) = len(batch.chips), wiring.shape
        if operand.padding and (wiring < 0).any():
            edge = np.full((*codes.shape[:2], 1), operand.padding, np.uint8)
            wiring = np.where(wiring < 0, codes.shape[2], wiring)
            codes = np.concatenate([codes, edge], axis=2)
        n_outputs = len(operand.activations.scale)
        out = np.empty((n_chips, signals.n, n_positions, n_outputs), np.uint8)
        driven = np.zeros((n_chips, signals.n, n_rows), np.int64)
        clipped = _none_clipped(operand, n_chips, signals.n)
        bit_serial.read(
            operand.lines,
            operand.pulses,
            operand.adcs,
            operand.activations,
            codes,
            padded_wiring(wiring, codes.shape[2]),
            operand.keys.streams(batch),
            out,
            driven,
            clipped,
        )
        done = Signals(signals.n, out), driven.sum(axis=1)
        return Read(*done, clipped=clipped.sum(axis=(0, 1)))

    def recur(
        self, operand: BitSerialOperand, logic: Any, signals: Signals, batch: Batch, keep: bool
    ) -> Read:
        below = np.ascontiguousarray(signals.values)
        shape = (len(batch.chips), *below.shape[1:3])
        n_outputs = len(operand.activations.scale)
        outputs = Outputs(
            state=np.empty((*shape, logic.n_state), np.uint8),
            trace=np.empty((*shape, n_outputs), np.uint8) if keep else NO_TRACE,
            rows_driven=np.zeros((*shape[:2], logic.n_state + below.shape[3]), np.int64),
            flips=np.zeros(shape[:2], np.int64),
        )
        clipped = _none_clipped(operand, *shape[:2])
        bit_serial.recur(
            operand.lines,
            operand.pulses,
            operand.adcs,
            operand.activations,
            below,
            operand.keys.streams(batch),
            logic,
            outputs,
            clipped,
        )
        return Read(
            Signals(signals.n, outputs.state),
            outputs.rows_driven.sum(axis=1),
            int(outputs.flips.sum()),
            outputs.trace if keep else None,
            clipped.sum(axis=(0, 1)),
        )


def _none_clipped(operand: BitSerialOperand, n_chips: int, n: int) -> NDArray[np.int64]:
    """Counts of clipped conversions before a read (n_chips, n, n_lines)."""
    return np.zeros((n_chips, n, operand.lines.cells.shape[3]), np.int64)


def _quantisers(tile: Tile) -> list[Quantiser]:
    """ADCs as each matrix of a tile has them."""
    return [part.read_out for part in tile.matrices if isinstance(part.read_out, Quantiser)]


def _lines(tile: Tile, cells: NDArray[np.int32], block_rows: int) -> Lines:
    """Lines of a tile with cells (n_chips, n_rows, n_lines)."""
    sum_indices, references, first, first_reference = [], [], 0, tile.n_outputs
    for part in tile.matrices:
        plan, n_columns = part.cells, part.matrix.n_columns
        # sums of reference columns come after those of the outputs; a count is the last
        is_own = plan.owner < n_columns
        of_lines = np.where(is_own, first, first_reference - n_columns) + plan.owner
        sum_indices.append(of_lines)
        if plan.reference is not None:
            references.append(first_reference + plan.reference)
        else:
            references.append(np.full(n_columns, cells.shape[2] if plan.is_counted else -1))
        first, first_reference = first + n_columns, first_reference + plan.n_references
    return Lines(
        cells=row_blocks(cells, block_rows),
        weight=np.hstack([part.cells.weight_of_line for part in tile.matrices]),
        sum_index=np.concatenate(sum_indices).astype(np.int64),
        reference=np.concatenate(references).astype(np.int64),
        reference_weight=np.hstack(
            [_reference_weight(*of) for of in zip(tile.matrices, _quantisers(tile), strict=True)]
        ),
    )


def _reference_weight(matrix: MatrixOnChip, quantiser: Quantiser) -> NDArray[np.float64]:
    """Weight of the count of active rows in each sum of codes, (n_blocks, n_columns).

    Whole numbers, unless level 0 draws a current.  A reference column counts in codes, logic in
    rows.
    """
    cells, level0 = matrix.cells, quantiser.level0_current
    if not cells.is_counted:
        return reference_weight(cells, level0)
    of_lines = cells.summed(cells.weight_of_line)
    return np.asarray((cells.correction - level0 * of_lines) / quantiser.step)


def _pulses(chip: Chip, tile: Tile, programmed: Sequence[ProgrammedTile]) -> Pulses:
    """Pulses of a tile, and the levels of its rows on each chip."""
    own, drive = tile.pulses, chip.layout.drive
    weight = np.array(own.converted, np.float64)
    if not chip.config.drive.whole_codes:
        return Pulses(weight, np.empty((0, 1, 1, 1)), own.subtracted)
    codes = np.tile(np.arange(2**tile.input_bits)[:, None], len(own.subtracted))
    meant = [each.T for each in drive.amplitudes(tile, codes)]
    bows = [p.errors.arrays.get("levels") for p in programmed]
    levels = [
        [each if bow is None else dac.levels(each, own.largest, bow) for bow in bows[: _n(bows)]]
        for each in meant
    ]
    found = np.array(levels, np.float64)
    if own.joined:
        # what is subtracted before the one conversion
        found = np.tensordot(np.array(own.weights, np.float64), found, axes=1)[None]
    return Pulses(weight, found, own.subtracted)


def _n(bows: Sequence[NDArray[np.float64] | None]) -> int:
    """Chips whose levels differ."""
    return 1 if bows[0] is None else len(bows)


def _adcs(tile: Tile, programmed: Sequence[ProgrammedTile]) -> Adcs:
    """ADCs of a tile on each chip, and a table of the noise of its first matrix."""
    own = _quantisers(tile)
    n_lines, first = [part.n_lines for part in tile.matrices], own[0]
    share = np.repeat([q.sigma / (first.sigma or 1.0) for q in own], n_lines)
    offset, gain, bow = (
        np.stack([p.errors.arrays[name] for p in programmed]) for name in ("offset", "gain", "bow")
    )
    return Adcs(
        code_quanta=np.repeat([float(q.code_quanta) for q in own], n_lines),
        low=float(-first.top if first.signed else 0),
        top=float(first.top),
        noise=noise_table(first.sigma),
        noise_share=np.pad(share, (0, -len(share) % 8)),
        after=noise_table(first.sigma_codes),
        after_share=np.pad(np.ones(len(share)), (0, -len(share) % 8)),
        after_tag=np.uint64(tag(Purpose.CODE, tile.index)),
        offset=offset,
        gain=gain,
        bow=bow,
        is_plain=not any(q.offset or q.gain or q.bow for q in own),
    )


def noise_table(sigma: float) -> NDArray[np.float64]:
    """Normal noise for every 16-bit word, in the unit of `sigma`; empty without noise."""
    if sigma <= 0:
        return np.empty(0)
    table = ndtri((np.arange(HALVES) + 0.5) / HALVES) * sigma
    return np.asarray(np.round(table / NOISE_GRID) * NOISE_GRID)


def _activations(tile: Tile, activation: Activation, zero: int) -> Activations:
    """Limits of whole sums where every code is a level, of estimated sums otherwise.

    What is subtracted from codes before they become levels is added to the sums: a constant of
    each column, which the limits have in them.
    """
    limits, scales, own_adcs = [], [], _quantisers(tile)
    for part, quantiser in zip(tile.matrices, own_adcs, strict=True):
        is_whole = quantiser.step == 1 and not quantiser.level0_current
        neurons, n_columns = tile.read_out.neurons(part.matrix), part.matrix.n_columns
        if neurons is not None:
            # a sum between two whole numbers is rounded to the nearer one
            of_matrix = neurons.limits.astype(np.float64) - (0.0 if is_whole else 0.5)
            # zero points are formats of a network, which then has neurons of its own
            of_matrix -= _subtracted(tile, part)[:, None]
            scale = 1.0 if is_whole else quantiser.step
        else:
            unit = activation.unit(part.matrix)
            own = activation.integer_limits(unit) if is_whole else activation.value_limits()
            of_matrix = np.tile(own.astype(np.float64), (n_columns, 1))
            scale = 1.0 if is_whole else quantiser.step * unit
        limits.append(of_matrix)
        scales.append(np.full(n_columns, scale))
    # columns with fewer bits than others never reach more
    most = max(of_matrix.shape[1] for of_matrix in limits)
    padded = [
        np.pad(of_matrix, ((0, 0), (0, most - of_matrix.shape[1])), constant_values=np.inf)
        for of_matrix in limits
    ]
    gates = limits[0].shape[1]
    return Activations(np.concatenate(scales), np.concatenate(padded), gates, zero)


def _subtracted(tile: Tile, part: MatrixOnChip) -> NDArray[np.int64]:
    """Share of each column's sum that the codes subtracted before the array would have made."""
    return np.asarray(tile.pulses.subtracted @ part.matrix.levels.astype(np.int64))
