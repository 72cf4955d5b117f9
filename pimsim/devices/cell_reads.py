"""Measured reads sorted by level, cell and time, and the levels that are too small to fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.devices.measurements import Measurements
from pimsim.devices.moments import Moments, moments_of, time_groups
from pimsim.devices.telegraph_fit import TelegraphFit, fit_telegraph
from pimsim.errors import DataError, Place

Values = NDArray[np.float64]
Indices = NDArray[np.int64]

# a level is left out if it has fewer cells than this, and than this share of the median level
MIN_CELLS = 8
MIN_SHARE = 0.1


class LevelReads(NamedTuple):
    """Reads of one level.

    Attributes
    ----------
    number : int
        Of the level in the file.
    value : (n_reads,) float64
        Current or conductance [A or S].
    x : (n_reads,) float64
        ln(t / t0); 0 before t0, and without times.
    group, cell : (n_reads,) int64
        Time group and programmed cell of each read, from 0.
    moments : Moments
    """

    number: int
    value: Values
    x: Values
    group: Indices
    cell: Indices
    moments: Moments

    @property
    def n_cells(self) -> int:
        """Number of programmed cells."""
        return int(self.cell.max()) + 1


class CellReads(NamedTuple):
    """Reads of a file, level by level.

    Attributes
    ----------
    levels : list of LevelReads
        From low to high mean at the first time.
    times : (n_times,) float64
        Of the time groups [s]; a single 0 without times.
    has_times : bool
    start : float
        t0 [s]: the earliest time after 0.
    telegraph : TelegraphFit
    left_out : tuple of (int, int)
        Number and cells of each level of too few cells.
    """

    levels: list[LevelReads]
    times: Values
    has_times: bool
    start: float
    telegraph: TelegraphFit
    left_out: tuple[tuple[int, int], ...]


def sort_reads(data: Measurements, levels: Sequence[int] | None = None) -> CellReads:
    """Sort the reads of a file.

    Parameters
    ----------
    levels
        Numbers of the levels to take. None takes all but those that have fewer than 8 cells and
        less than a tenth of the median level's.

    Raises
    ------
    DataError
        If a wanted level is not there, or a level has a single row.
    """
    columns, place = data.columns, Place(data.path)
    number, time = columns["level"].astype(np.int64), columns.get("time")
    event = _events(columns)
    known, n_cells = _cells_by_level(number, event)
    taken, left_out = _choose(known, n_cells, levels, place)
    times, group = np.zeros(1), np.zeros(len(number), np.int64)
    x, start = np.zeros(len(number)), 1.0
    if time is not None:
        group, times = time_groups(time)
        start = float(time[time > 0].min()) if (time > 0).any() else 1.0
        x = np.log(np.maximum(time, start) / start)
    sorted_levels = []
    residual, of_level = np.full(len(number), np.nan), np.zeros(len(number), np.int64)
    rows_of = {int(k): np.flatnonzero(number == k) for k in taken}
    for k, rows in rows_of.items():
        if len(rows) < 2:
            raise DataError(f"has one row of level {k}; two are needed", place=place)
        _, cell = np.unique(event[rows], return_inverse=True)
        value = columns[data.value][rows]
        moments = moments_of(value, group[rows], cell, len(times))
        level = LevelReads(k, value, x[rows], group[rows], cell, moments)
        residual[rows] = _course_taken_off(level)
        sorted_levels.append(level)
    sorted_levels.sort(key=lambda level: float(level.moments.mean[level.moments.first]))
    for index, level in enumerate(sorted_levels):
        of_level[rows_of[level.number]] = index
    usable = np.isfinite(residual)
    _, cells = np.unique(event[usable], return_inverse=True)
    telegraph = fit_telegraph(
        residual[usable], cells, None if time is None else time[usable], of_level[usable],
        len(sorted_levels),
    )  # fmt: skip
    return CellReads(sorted_levels, times, time is not None, start, telegraph, left_out)


def _choose(
    known: Indices, n_cells: Indices, wanted: Sequence[int] | None, place: Place
) -> tuple[Indices, tuple[tuple[int, int], ...]]:
    """Levels that are fitted, and those of too few cells."""
    if wanted is not None:
        if missing := sorted(set(wanted) - set(known.tolist())):
            raise DataError(
                f"has no level {', '.join(map(str, missing))}", place=place,
                remedy=f"Its levels: {', '.join(map(str, known.tolist()))}",
            )  # fmt: skip
        return np.array(sorted(set(wanted))), ()
    few = (n_cells < MIN_CELLS) & (n_cells < MIN_SHARE * np.median(n_cells))
    return known[~few], tuple(zip(known[few].tolist(), n_cells[few].tolist(), strict=True))


def _cells_by_level(number: Indices, event: Indices) -> tuple[Indices, Indices]:
    """Levels, and how many programmed cells each has."""
    _, first = np.unique(event, return_index=True)
    return np.unique(number[first], return_counts=True)


def _events(columns: dict[str, Values]) -> Indices:
    """Index of the programmed cell of each row."""
    n = len(columns["level"])
    if "cell" not in columns:
        return np.arange(n)
    keys = [columns[name] for name in ("cycle", "cell", "level") if name in columns]
    order = np.lexsort(keys)
    differs = np.zeros(n, bool)
    for key in keys:
        differs[1:] |= np.diff(key[order]) != 0
    event = np.empty(n, np.int64)
    event[order] = np.cumsum(differs)
    return event


def _course_taken_off(level: LevelReads) -> Values:
    """Deviation of each read from its cell's course in time, relative; NaN where it means nothing.

    The course is the level's common one, if there are `MIN_CELLS` or more to know it from, and a
    line of each cell in ln t. It is taken off before traps are looked for, so that relaxation is
    not taken for one.
    """
    value, cell, group, x = level.value, level.cell, level.group, level.x
    n = np.bincount(cell)
    mean = np.bincount(cell, value) / n
    away = value / np.where(mean > 0, mean, np.nan)[cell] - 1
    is_usable = np.isfinite(away) & (n > 1)[cell]
    if level.n_cells >= MIN_CELLS:
        n_read = np.bincount(group[is_usable], minlength=len(level.moments.n))
        common = np.bincount(group[is_usable], away[is_usable], minlength=len(level.moments.n))
        away = away - (common / np.maximum(n_read, 1))[group]
    away = away - (np.bincount(cell, np.nan_to_num(away)) / n)[cell]
    dx = x - (np.bincount(cell, x) / n)[cell]
    sxx = np.bincount(cell, dx * dx)
    sxy = np.bincount(cell, dx * np.nan_to_num(away))
    slope = np.divide(sxy, sxx, out=np.zeros(len(n)), where=sxx > 1e-12)
    return np.where(is_usable, away - slope[cell] * dx, np.nan)
