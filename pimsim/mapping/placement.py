"""Placement of matrices: number of arrays, and of arrays stacked on one bit line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pimsim.config.array import Array
from pimsim.errors import MappingError, Place


@dataclass(frozen=True)
class Placement:
    """Arrays of one layer.

    Attributes
    ----------
    name : str
        Layer.
    n_rows : int
        Word lines used, always-on rows included.
    n_lines : int
        Lines used, each read out at once: column pairs, or single bit lines.
    lines_each : int
        Bit lines of a line: 2 of a pair, 1 of a single one, the bits of a word.
    lines_of_array : int
        Lines that an array has, used or not.
    n_stacked : int
        Arrays that the rows are spread over.
    n_side_by_side : int
        Stacks next to each other.
    joins_stack : bool
        Whether the arrays of a stack are joined on one bit line; otherwise each is read out for
        itself, and the numbers are added.
    rows_on_bit_line : int
        Cells hanging on one bit line, used or not: they make its capacitance.
    """

    name: str
    n_rows: int
    n_lines: int
    lines_each: int
    lines_of_array: int
    n_stacked: int
    n_side_by_side: int
    joins_stack: bool
    rows_on_bit_line: int

    @property
    def n_arrays(self) -> int:
        return self.n_stacked * self.n_side_by_side

    @property
    def n_read_outs(self) -> int:
        """Rows of read-out circuits: one below each stack, or one below each array."""
        return self.n_side_by_side if self.joins_stack else self.n_arrays

    @property
    def read_outs_each(self) -> int:
        """Number of times that each line is read out for one operation's sum."""
        return 1 if self.joins_stack else self.n_stacked

    def circuits_of_array(self, shared: int) -> int:
        """Circuits below an array of which each serves `shared` lines, the last one the rest."""
        return -(-self.lines_of_array // shared)

    def circuit_of_line(self, shared: int) -> NDArray[np.int64]:
        """Circuit (n_lines,) that each line goes to: no circuit serves lines of two arrays.

        They are numbered through all arrays side by side, those of unused lines included.
        """
        array, place = np.divmod(np.arange(self.n_lines), self.lines_of_array)
        return np.asarray(array * self.circuits_of_array(shared) + place // shared)


def fits_a_stack(n_rows: int, array: Array) -> bool:
    """Whether so many rows may be joined on one bit line."""
    return n_rows <= array.rows * array.max_stack


def place_rows(
    name: str,
    n_rows: int,
    n_lines: int,
    array: Array,
    *,
    lines_each: int = 2,
    joins_stack: bool = True,
    place: Place | None = None,
) -> Placement:
    """Arrays for a layer of `n_rows` x `n_lines`.

    Parameters
    ----------
    joins_stack : bool
        Whether all rows must meet on one bit line.

    Raises
    ------
    MappingError
        If they must and do not fit: binary outputs of two arrays cannot be added afterwards, so
        such a matrix is never split by rows. If a weight has more bit lines than an array.
    """
    n_stacked = -(-n_rows // array.rows)
    if joins_stack and not fits_a_stack(n_rows, array):
        raise MappingError(
            f"is too small: layer {name} has {n_rows} rows, and {array.max_stack} stacked arrays "
            f"of {array.rows} hold {array.max_stack * array.rows}; all rows of a one-bit read-out "
            "must meet on one bit line",
            place=place,
            remedy="Train the layer in groups or narrower; or let ADCs of few bits read it "
            "(tall_layers in the chip file, as in ba_mlw_mixed_16nm), take a chip that adds the "
            "sums of all arrays as numbers (adc_4b_16nm, adc_pim_16nm, digital_cim_16nm), or raise "
            "array.rows or array.max_stack",
        )
    if lines_each > array.columns:
        raise MappingError(
            f"has arrays of {array.columns} columns, and a weight of layer {name} takes "
            f"{lines_each} of them",
            place=place,
            remedy="Raise array.columns",
        )
    lines_of_array = array.columns // lines_each
    return Placement(
        name=name,
        n_rows=n_rows,
        n_lines=n_lines,
        lines_each=lines_each,
        lines_of_array=lines_of_array,
        n_stacked=n_stacked,
        n_side_by_side=-(-n_lines // lines_of_array),
        joins_stack=joins_stack,
        rows_on_bit_line=array.rows * (n_stacked if joins_stack else 1),
    )
