"""Operands of kernels for tiles whose columns lose voltage along their wires."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pimsim.chip.program import ProgrammedTile
from pimsim.chip.tile import Tile
from pimsim.circuits.wires import Wires
from pimsim.errors import MappingError
from pimsim.kernels.drop import PARTS, Drop, n_input_blocks, new_profile, weights
from pimsim.kernels.ladder import Ladder, line_currents
from pimsim.kernels.portable import SignedRows, distances, signed_rows
from pimsim.kernels.wired_rows import LadderRows, drop_rows

# blocks of rows of a matrix that fills its lines, and the rows of a block are a multiple of the
# five whose sums a register holds
BLOCKS = 8
ROWS_OF_TABLE = 5
# sum of the mean conductances of all rows, in their unit: it fits 16 bits, with half a unit more
# for each row
FULL_LOAD = 2**15 - 1
# share of the current of a line with all rows on that a first-order loss may take
LARGEST_LOSS = 0.9

TileRows = SignedRows | LadderRows | Drop


def tile_rows(tile: Tile, programmed: Sequence[ProgrammedTile]) -> TileRows:
    """Cells of a tile for `pimsim.kernels.portable`, by the form of its losses.

    Parameters
    ----------
    programmed
        The tile of each chip of a group, or of one where all are equal.

    Raises
    ------
    MappingError
        If the loss is so large that its first-order form does not hold.
    """
    wires = tile.wires
    if wires is not None and wires.form == "exact":
        return LadderRows(
            np.stack([p.plus[tile.row_at] for p in programmed]),
            np.stack([p.minus[tile.row_at] for p in programmed]),
            np.stack([-p.offsets for p in programmed]).astype(np.int32),
            tile.n_always_on,
            tile.place[: tile.placement.n_rows - tile.n_always_on],
            *ladder_of(tile),
        )
    fits_16_bits = all(p.fits_16_bits for p in programmed)
    if wires is not None:
        return drop_rows(drop_of(tile, programmed), fits_16_bits=fits_16_bits)
    cells, start = (np.stack([getattr(p, of) for p in programmed]) for of in ("cells", "start"))
    return signed_rows(cells, start, fits_16_bits=fits_16_bits)


def siemens_per_quantum(tile: Tile) -> NDArray[np.float64]:
    """Conductance of a cell for one quantum of its current, (n_lines,) [1/ohm]."""
    assert tile.wires is not None
    found = np.empty(tile.placement.n_lines)
    for part, chain in tile.read_out.chains(tile):
        found[part.columns] = part.quantum_ampere * chain.drawn / tile.wires.voltage
    return found


def ladder_of(tile: Tile) -> Ladder:
    """Wires of a tile in the units of its kernel."""
    wires = tile.wires
    assert wires is not None
    unit = siemens_per_quantum(tile)
    return Ladder(
        unit * wires.bit, unit * wires.source, wires.length, wires.bit_twice, wires.source_twice
    )


def drop_of(tile: Tile, programmed: Sequence[ProgrammedTile]) -> Drop:
    """Cells, wires and mean conductances of drawn chips.

    Raises
    ------
    MappingError
        If a line loses more than `LARGEST_LOSS` with all rows on.
    """
    wires, n_always = tile.wires, tile.n_always_on
    assert wires is not None
    n_rows = tile.placement.n_rows - n_always
    block_rows = ROWS_OF_TABLE * -(-n_rows // (ROWS_OF_TABLE * BLOCKS))
    firsts = range(0, n_rows, block_rows)
    # place i is i + 1 cells away
    places = [(first + min(first + block_rows, n_rows) + 1) / 2 for first in firsts]
    if n_always:
        places.append((n_rows + 1 + tile.placement.n_rows) / 2)
    unit = siemens_per_quantum(tile)
    means = np.stack([(p.plus + p.minus) / 2 * unit for p in programmed])
    of_rows, of_columns = means.mean(axis=2), means.mean(axis=1)
    full = max(FULL_LOAD - n_rows / 2, 1.0)
    # a tile without any current has no loss either
    units = np.maximum(of_rows[:, :n_rows].sum(axis=1) / full, np.finfo(float).tiny)
    of_tile = np.maximum(of_columns.mean(axis=1), np.finfo(float).tiny)
    always = slice(n_rows, None)
    drop = Drop(
        np.stack([p.cells for p in programmed]),
        np.stack([p.start for p in programmed]).astype(np.int32),
        tile.place[:n_rows],
        block_rows,
        np.array(places),
        np.round(of_rows[:, :n_rows] / units[:, None]).astype(np.int16),
        units,
        of_rows[:, always].sum(axis=1),
        np.stack(
            [(p.plus[always] - p.minus[always]).sum(axis=0, dtype=np.int32) for p in programmed]
        ),
        (of_columns / of_tile[:, None] / PARTS).astype(np.float32),
        wires.bit,
        wires.source,
        wires.length,
        wires.bit_twice,
        wires.source_twice,
    )
    largest = max(_largest_loss(drop, index) for index in range(len(programmed)))
    most = f"{LARGEST_LOSS * 100:.0f} %"
    if largest > LARGEST_LOSS:
        raise MappingError(
            f"columns of {tile.name} lose up to {largest * 100:.0f} % of their current along bit "
            f"and source lines, and noise.ir_drop=first_order holds up to {most}",
            remedy="Set noise.ir_drop=exact, or lower the cells' current or the lines' resistance",
        )
    return drop


def _largest_loss(drop: Drop, index: int) -> float:
    """Largest share that cells of any column lose with all rows on."""
    n_blocks, of_rows = n_input_blocks(drop), drop.conductance[index].astype(np.int64)
    of_places = of_rows[np.argsort(drop.place)]
    loads = np.add.reduceat(of_places, np.arange(n_blocks) * drop.block_rows)[:, None]
    found = np.empty((len(drop.places), 1), np.int32)
    weights(drop, index, loads, new_profile(drop, 1), found)
    return float(found.max(initial=0) * drop.scale[index].max(initial=0))


def exact_currents(
    cells: NDArray[np.float64], on: NDArray[np.bool_], wires: Wires
) -> NDArray[np.float64]:
    """Currents of bit lines with the rows `on` (n_rows,), exactly, (n_columns,) [A].

    Parameters
    ----------
    cells : (n_rows, n_columns) float64
        Currents of the cells at the full read voltage [A], in the order of their places.
    """
    n_columns, rows = cells.shape[1], np.flatnonzero(on)
    # ohms over the read voltage: in the kernel voltages are shares of it
    pieces = [np.full(n_columns, r / wires.voltage) for r in (wires.bit, wires.source)]
    ladder = Ladder(pieces[0], pieces[1], wires.length, wires.bit_twice, wires.source_twice)
    found = np.empty(n_columns)
    line_currents(cells, rows, len(rows), ladder, np.empty((5, n_columns)), found)
    return found


def read_sums(tile: Tile, programmed: ProgrammedTile, rows: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Sums of all lines less their offsets, (n_reads, n_lines) [quanta], on one drawn chip.

    Parameters
    ----------
    rows : (n_reads, n_rows) uint8
        Word lines of each read, without rows that are always on.
    """
    found = np.empty((len(rows), tile.placement.n_lines), np.int64)
    distances(tile_rows(tile, [programmed]), np.ascontiguousarray(rows), found)
    return found
