"""Floorplan of a chip: rectangles to scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Rectangle:
    """A part of the chip.

    Attributes
    ----------
    kind : str
        Component, or `weights` for the cells of an array that hold a matrix.
    label : str
    x, y, width, height : float
        Lower left corner and size [m].
    """

    kind: str
    label: str
    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        return self.width * self.height

    def moved(self, x: float, y: float) -> Rectangle:
        return replace(self, x=self.x + x, y=self.y + y)


@dataclass(frozen=True)
class Floorplan:
    """All rectangles of a chip, and its outline [m]."""

    width: float
    height: float
    rectangles: tuple[Rectangle, ...]


@dataclass(frozen=True)
class TilePlan:
    """Numbers from which the plan of a tile is drawn.

    Attributes
    ----------
    name : str
    n_stacked, n_side_by_side : int
        Arrays.
    rows, columns : int
        Rows and columns of one array.
    cell : float
        Area of a cell, taken as a square [m2].
    drivers : sequence of (kind, area)
        Components that drive the rows, from the left to the arrays [m2].
    beside : float
        Area of all programming periphery, right of the arrays [m2].
    strips : sequence of (kind, area)
        Circuits below the bit lines, top down: loads, read-out, logic [m2].
    used_rows : int
        From the first row of the first array on.
    matrices : sequence of (label, first column, number of columns)
        Bit lines that hold a matrix, counted through all arrays side by side.
    """

    name: str
    n_stacked: int
    n_side_by_side: int
    rows: int
    columns: int
    cell: float
    drivers: Sequence[tuple[str, float]]
    beside: float
    strips: Sequence[tuple[str, float]]
    used_rows: int
    matrices: Sequence[tuple[str, int, int]]


def plan_tile(tile: TilePlan) -> list[Rectangle]:
    """A tile: drivers left of each array, what programs it at the right, read-out below."""
    pitch = math.sqrt(tile.cell)
    width, height = tile.columns * pitch, tile.rows * pitch
    all_heights = tile.n_stacked * tile.n_side_by_side * height
    driver = sum(area for _, area in tile.drivers) / all_heights
    beside = tile.beside / all_heights
    each = driver + width + beside
    across = tile.n_side_by_side * each
    found, y = [], 0.0
    for kind, area in reversed(tile.strips):
        found.append(Rectangle(kind, tile.name, 0.0, y, across, area / across))
        y += area / across
    for stack in range(tile.n_side_by_side):
        x = stack * each
        for level in range(tile.n_stacked):
            bottom = y + level * height
            left = x
            for kind, area in tile.drivers:
                own = area / all_heights
                found.append(Rectangle(kind, tile.name, left, bottom, own, height))
                left += own
            found.append(Rectangle("array", tile.name, x + driver, bottom, width, height))
            if beside:
                found.append(
                    Rectangle("programming_periphery", tile.name, x + driver + width, bottom,
                              beside, height)
                )  # fmt: skip
            rows = min(tile.rows, max(0, tile.used_rows - level * tile.rows))
            for label, first, count in tile.matrices:
                begin = max(first, stack * tile.columns) - stack * tile.columns
                end = min(first + count, (stack + 1) * tile.columns) - stack * tile.columns
                if end > begin and rows:
                    found.append(
                        Rectangle("weights", label, x + driver + begin * pitch,
                                  bottom + (tile.rows - rows) * pitch * (level == 0),
                                  (end - begin) * pitch, rows * pitch)
                    )  # fmt: skip
    return found


def plan_chip(
    tiles: Sequence[TilePlan], blocks: Sequence[tuple[str, float]], area: float
) -> Floorplan:
    """Tiles side by side, digital blocks below them, wiring in between.

    Parameters
    ----------
    tiles
        Placed on shelves, the tallest first.
    blocks : sequence of (kind, area)
        Placed as slices of a strip of the chip's width [m2].
    area : float
        Area of the whole chip, wiring included; parts are moved apart to take it up [m2].
    """
    plans = [plan_tile(tile) for tile in tiles]
    sizes = [_size(plan) for plan in plans]
    order = sorted(range(len(plans)), key=lambda index: -sizes[index][1])
    room = max(math.sqrt(area), *(width for width, _ in sizes))
    # blocks that keep their shape while they are moved apart
    groups: list[tuple[float, float, list[Rectangle]]] = []
    digital = sum(size for _, size in blocks)
    strip = digital / room
    x = 0.0
    for kind, size in blocks:
        groups.append((x, 0.0, [Rectangle(kind, kind, 0.0, 0.0, size / strip, strip)]))
        x += size / strip
    x, y, shelf = 0.0, strip, 0.0
    for index in order:
        width, height = sizes[index]
        if x > 0 and x + width > room * (1 + 1e-9):
            x, y, shelf = 0.0, y + shelf, 0.0
        groups.append((x, y, plans[index]))
        x, shelf = x + width, max(shelf, height)
    across = max(x + _size(plan)[0] for x, _, plan in groups)
    up = max(y + _size(plan)[1] for _, y, plan in groups)
    apart = max(1.0, math.sqrt(area / (across * up)))
    rectangles = []
    for x, y, plan in groups:
        width, height = _size(plan)
        # the gap is shared by both sides
        dx = x * apart + width * (apart - 1) / 2
        dy = y * apart + height * (apart - 1) / 2
        rectangles += [part.moved(dx, dy) for part in plan]
    return Floorplan(across * apart, up * apart, tuple(rectangles))


def _size(plan: Sequence[Rectangle]) -> tuple[float, float]:
    return max(r.x + r.width for r in plan), max(r.y + r.height for r in plan)
