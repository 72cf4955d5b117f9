"""Tiles: the arrays of one layer, as laid out, and with the noise of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pimsim.chip.characteristic import Characteristic, Quantiser
from pimsim.chip.pulses import Pulses
from pimsim.circuits.wires import Wires
from pimsim.config.faults import Faults
from pimsim.config.variation import Variation
from pimsim.devices import CellModel
from pimsim.mapping import CellPlan, Placement
from pimsim.workload.graph import Node
from pimsim.workload.matrix import LevelMatrix

if TYPE_CHECKING:
    from pimsim.chip.read_out.base import ReadOut


@dataclass(frozen=True)
class MatrixLayout:
    """One weight matrix in its cells, and its lines among those of the tile."""

    name: str
    matrix: LevelMatrix
    cells: CellPlan
    columns: slice

    @property
    def n_lines(self) -> int:
        return int(self.columns.stop - self.columns.start)


@dataclass(frozen=True)
class TileLayout:
    """Arrays and read-out of one layer; all its matrices share word lines.

    `index` is the node's, and keys its random numbers.

    Attributes
    ----------
    input_bits, output_bits : int
        Bits of the widest number that drives its word lines, and of those that it hands on.
    pulses : Pulses
        Pulses by which these numbers come to the word lines.
    read_out : ReadOut
        What reads its lines: a chip may have a second kind, for layers that are too tall.
    place : (n_rows,) int64
        Place of each row along the bit lines, 0 nearest to the read-out.
    """

    name: str
    index: int
    node: Node
    matrices: tuple[MatrixLayout, ...]
    placement: Placement
    input_bits: int
    output_bits: int
    pulses: Pulses
    read_out: ReadOut
    place: NDArray[np.int64]

    @property
    def row_at(self) -> NDArray[np.int64]:
        """Row at each place, (n_rows,)."""
        return np.argsort(self.place)

    @property
    def groups(self) -> int:
        """Groups of columns that are read one after the other."""
        return self.node.layer.groups

    @property
    def n_outputs(self) -> int:
        """Number of neurons."""
        return sum(part.matrix.n_columns for part in self.matrices)

    @property
    def outputs_each(self) -> int:
        """Number of neurons whose outputs are decided or looked up in an operation."""
        return self.n_outputs // self.groups

    @property
    def lines_each(self) -> int:
        """Number of lines that an operation reads: those of a group, and reference columns."""
        references = sum(part.cells.n_references for part in self.matrices)
        return (self.placement.n_lines - references) // self.groups + references

    def reads(self) -> list[NDArray[np.int64]]:
        """Lines of each read of all columns: one read, or one for each group."""
        return [
            np.concatenate([lines_of_group(part, self.groups, group) for part in self.matrices])
            for group in range(self.groups)
        ]

    @property
    def n_always_on(self) -> int:
        """Rows that are on in every read."""
        return self.placement.n_rows - self.matrices[0].matrix.n_rows


def lines_of_group(part: MatrixLayout, groups: int, group: int) -> NDArray[np.int64]:
    """Lines of a tile that a read of one group of columns uses, reference columns included."""
    each, owner = part.matrix.n_columns // groups, part.cells.owner
    own = (owner // each == group) | (owner >= part.matrix.n_columns)
    return np.asarray(part.columns.start + np.flatnonzero(own))


@dataclass(frozen=True)
class MatrixOnChip(MatrixLayout):
    """A matrix with the statistics of its cells and of its read-out."""

    cell: CellModel
    read_out: Characteristic

    @property
    def quantum_ampere(self) -> float:
        """Current of one quantum [A]."""
        return self.cell.full_scale_current / self.read_out.full_scale_quanta


@dataclass(frozen=True)
class Tile(TileLayout):
    """A tile with the noise of a run, before any device is drawn.

    Attributes
    ----------
    wires : Wires or None
        Wires of its columns, where the voltage lost along them changes sums.
    faults : Faults or None
        Probabilities of faults, where there are any.
    variation : Variation or None
        What its cells have in common, where they have anything.
    level_scale : (n_rows,) float64 or None
        Factor on the current of each row's levels above level 0, where it makes up for losses.
    """

    matrices: tuple[MatrixOnChip, ...]
    wires: Wires | None = None
    faults: Faults | None = None
    variation: Variation | None = None
    level_scale: NDArray[np.float64] | None = None

    @property
    def is_converted(self) -> bool:
        """Whether sums become codes before anything is decided."""
        return isinstance(self.matrices[0].read_out, Quantiser)

    @property
    def is_shared(self) -> bool:
        """Whether all drawn chips have the same currents, in whole level steps."""
        return (
            self.faults is None
            and self.level_scale is None
            and all(
                matrix.cell.has_uniform_steps
                and matrix.read_out.offset_units == matrix.read_out.mismatch == 0
                for matrix in self.matrices
            )
        )
