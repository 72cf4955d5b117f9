"""One array for all layers, which use it in turn."""

from __future__ import annotations

from collections.abc import Sequence

from pimsim.chip.tile import TileLayout
from pimsim.circuits.bill import Bill
from pimsim.config.array import Array
from pimsim.errors import MappingError, Place


def check_one_array(tiles: Sequence[TileLayout], array: Array, place: Place | None) -> None:
    """Refuse layers that do not stand side by side in one array.

    Raises
    ------
    MappingError
        If one has more rows than the array, or all together more bit lines.
    """
    tallest = max(tiles, key=lambda tile: tile.placement.n_rows)
    n_rows = tallest.placement.n_rows
    n_lines = sum(tile.placement.n_lines * tile.placement.lines_each for tile in tiles)
    for what, needed, there in (
        (f"rows of layer {tallest.name}", n_rows, array.rows),
        ("bit lines of all layers", n_lines, array.columns),
    ):
        if needed > there:
            raise MappingError(
                f"is too small: array.shared puts all layers into one array, and the {needed} "
                f"{what} are more than its {there}",
                place=place,
                remedy="Take array.shared: false, a larger array, or a smaller network",
            )


def first_lines(tiles: Sequence[TileLayout]) -> dict[str, int]:
    """Bit line at which each tile begins in the one array."""
    found, first = {}, 0
    for tile in tiles:
        found[tile.name] = first
        first += tile.placement.n_lines * tile.placement.lines_each
    return found


def parts_once(bills: Sequence[Bill]) -> list[Bill]:
    """Bills of tiles that are one: only the largest has parts, and all have their prices."""

    def area(bill: Bill) -> float:
        return sum(part.count * part.area for part in bill.parts)

    largest = max(bills, key=area)
    return [bill if bill is largest else Bill((), bill.prices) for bill in bills]
