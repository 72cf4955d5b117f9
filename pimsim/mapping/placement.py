"""Where matrices stand: how many arrays, how many stacked on one bit line."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.config.chip import Array
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
    n_pairs : int
        Column pairs used; single bit lines where `lines_each` is 1.
    n_stacked : int
        Arrays joined on one bit line; with converters, arrays whose numbers are added.
    n_side_by_side : int
        Stacks next to each other.
    rows_on_bit_line : int
        Cells hanging on one bit line, used or not: they make its capacitance.
    lines_each : int
        Bit lines of a pair: 2, or 1 where weights are held without a minus cell.
    """

    name: str
    n_rows: int
    n_pairs: int
    n_stacked: int
    n_side_by_side: int
    rows_on_bit_line: int
    lines_each: int = 2

    @property
    def n_arrays(self) -> int:
        return self.n_stacked * self.n_side_by_side


def place_matrix(
    name: str, n_rows: int, n_pairs: int, array: Array, place: Place | None = None
) -> Placement:
    """Arrays for a matrix of `n_rows` x `n_pairs` weights.

    Raises
    ------
    MappingError
        If the rows do not fit on one bit line: binary outputs of two arrays
        cannot be added afterwards, so such a matrix is never split by rows.
    """
    n_stacked = -(-n_rows // array.rows)
    if n_stacked > array.max_stack:
        raise MappingError(
            f"is too small: layer {name} has {n_rows} rows, and {array.max_stack} stacked arrays "
            f"of {array.rows} hold {array.max_stack * array.rows}; all rows of a one-bit read-out "
            "must meet on one bit line",
            place=place,
            remedy="Raise array.rows or array.max_stack, or take a narrower network",
        )
    pairs_per_array = array.columns // 2
    return Placement(
        name=name,
        n_rows=n_rows,
        n_pairs=n_pairs,
        n_stacked=n_stacked,
        n_side_by_side=-(-n_pairs // pairs_per_array),
        rows_on_bit_line=n_stacked * array.rows,
    )


def place_slices(
    name: str, n_rows: int, n_pairs: int, array: Array, lines_each: int = 2
) -> Placement:
    """Arrays for a matrix that is read out as numbers: rows may be split, and are added later."""
    return Placement(
        name=name,
        n_rows=n_rows,
        n_pairs=n_pairs,
        n_stacked=-(-n_rows // array.rows),
        n_side_by_side=-(-n_pairs // (array.columns // lines_each)),
        rows_on_bit_line=array.rows,
        lines_each=lines_each,
    )
