"""Blocks of a device file made from fitted levels: drift, telegraph noise and read noise.

They are not checked here, and their sources are empty; `pimsim.studies.device_fit` writes them out,
and the file is checked as any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from pimsim.config.cell_noise import (
    NoiseOverTime,
    ReadNoise,
    RelativeNoise,
    Rtn,
    TabulatedNoise,
    TabulatedTwoStateNoise,
)
from pimsim.config.drift import Drift, LogarithmicDrift, NoDrift, PowerLawDrift, TabulatedDrift
from pimsim.devices.agreement import MIN_CELLS, SIGNIFICANCE
from pimsim.devices.cell import aged
from pimsim.devices.cell_reads import CellReads
from pimsim.devices.telegraph_fit import TelegraphFit

if TYPE_CHECKING:
    from pimsim.devices.fit import LevelFit

Values = NDArray[np.float64]

# fractions of the top current below which a difference is one of rounding
NOTHING = 1e-7


def rtn_block(found: TelegraphFit, at: Values) -> Rtn:
    """Telegraph noise of levels with the means `at`; lumped if no switching times are known."""
    if not found.is_present:
        return RelativeNoise.model_construct(model="relative", relative=0.0, absolute=0.0)
    if found.switching_time is None:
        return TabulatedNoise.model_construct(
            model="tabulated", at=at.tolist(), spread=(found.lumped_by_level * at).tolist()
        )
    return TabulatedTwoStateNoise.model_construct(
        model="two_state_tabulated",
        at=at.tolist(),
        share=found.share_by_level.tolist(),
        amplitude=found.amplitude_by_level.tolist(),
        amplitude_spread=found.amplitude_spread,
        occupancy=float(found.occupancy.mean()),
        switching_time=found.switching_time,
        switching_spread=0.0,
    )


def read_noise_block(
    levels: Sequence[LevelFit], reads: CellReads, rtn: Rtn, *, is_free: bool
) -> ReadNoise:
    """Noise of the reads of one cell, less telegraph noise.

    `is_free` lets it change with time, if that is seen in the noise at each time.
    """
    top = levels[-1].mean
    means = np.array([f.mean for f in levels]) / top
    known = [k for k, f in enumerate(levels) if f.read_sigma is not None]
    if len(known) < 2:
        return RelativeNoise.model_construct(model="relative", relative=0.0, absolute=0.0)
    _, parts = aged({"rtn": rtn}, means, np.zeros_like(means), float(reads.times[0]), 1.0)
    traps = parts["rtn"]

    def left(noise: Values) -> list[float]:
        return [*map(float, np.sqrt(np.maximum((noise / top) ** 2 - traps[known] ** 2, 0.0)))]

    at = means[known].tolist()
    if is_free and _changes([levels[k] for k in known]):
        after = [k for k, time in enumerate(reads.times) if time > 0]
        rows = np.array([
            _filled(reads.times, levels[k].moments.noise, levels[k].moments.n_repeats >= MIN_CELLS)
            for k in known
        ])  # fmt: skip
        return NoiseOverTime.model_construct(
            model="tabulated_over_time",
            times=reads.times[after].tolist(),
            at=at,
            spread=[left(rows[:, k]) for k in after],
        )
    noise = np.array([levels[k].read_sigma for k in known], np.float64)
    return TabulatedNoise.model_construct(model="tabulated", at=at, spread=left(noise))


def _changes(levels: Sequence[LevelFit]) -> bool:
    """Whether the noise of some level changes with time, by the test of `fit_device`."""
    p_values: list[float] = []
    for fit in levels:
        seen = fit.moments.n_repeats >= MIN_CELLS
        away = (fit.moments.noise - (fit.read_sigma or 0.0))[seen]
        error = np.maximum(fit.moments.noise_error[seen], 1e-300)
        p_values += (2 * ndtr(-np.abs(away) / error)).tolist()
    return bool(p_values) and min(p_values) * len(p_values) < SIGNIFICANCE


def drift_block(
    law: str, levels: Sequence[LevelFit], reads: CellReads, rtn: Rtn, read_noise: ReadNoise
) -> Drift:
    """Drift by a law of `pimsim.devices.fit.LAWS`."""
    top = levels[-1].mean
    if law == "tabulated":
        return _table(levels, reads, rtn, read_noise)
    known = [f for f in levels if f.nu is not None]
    if law == "none" or not known:
        return NoDrift.model_construct(model="none")
    is_power = law == "power_law"
    unit = 1.0 if is_power else top
    columns = [(f.mean / top, (f.nu or 0.0) / unit, (f.nu_sigma or 0.0) / unit) for f in known]
    if len(columns) == 1:
        # a table needs two ends
        columns = [(0.0, *columns[0][1:]), (1.0, *columns[0][1:])]
    at, mean, sigma = (list(column) for column in zip(*columns, strict=True))
    shared: dict[str, Any] = {"model": law, "t0": reads.start, "at": at, "compensated": False}
    if is_power:
        return PowerLawDrift.model_construct(**shared, nu_mean=mean, nu_spread=sigma)
    return LogarithmicDrift.model_construct(**shared, loss_mean=mean, loss_spread=sigma)


def _table(levels: Sequence[LevelFit], reads: CellReads, rtn: Rtn, read_noise: ReadNoise) -> Drift:
    """Measured means and standard deviations at each time after 0.

    With the standard deviation s at a time, noise n and that of programming p, drift adds
    sqrt(s^2 - n^2 - p^2). Where that is below zero the errors of programming have shrunk by the
    factor sqrt(s^2 - n^2) / p, and drift adds nothing.
    """
    top = levels[-1].mean
    means = np.array([f.mean for f in levels]) / top
    programmed = np.array([f.sigma for f in levels]) / top
    measured = [f.moments for f in levels]
    enough = [m.n >= max(2, min(MIN_CELLS, int(m.n.max()) // 2)) for m in measured]
    shift, total = (
        np.array([_filled(reads.times, v, e) for v, e in zip(values, enough, strict=True)]) / top
        for values in ([m.shift for m in measured], [m.sigma for m in measured])
    )
    after = np.flatnonzero(reads.times > 0)
    added, factor = np.empty((len(after), len(means))), np.ones((len(after), len(means)))
    for row, k in enumerate(after):
        time = float(reads.times[k])
        moved = TabulatedDrift.model_construct(
            model="tabulated", times=[1.0], at=means.tolist(), shift=[shift[:, k].tolist()],
            added_spread=[[0.0] * len(means)], error_factor=None, compensated=False,
        )  # fmt: skip
        blocks = {"drift": moved, "rtn": rtn, "read_noise": read_noise}
        _, parts = aged(blocks, means, np.zeros_like(means), time, 1.0)
        needed = total[:, k] ** 2 - parts["rtn"] ** 2 - parts["read_noise"] ** 2
        added[row] = np.sqrt(np.maximum(needed - programmed**2, 0.0))
        added[row, added[row] < NOTHING] = 0.0
        shrunk = np.sqrt(np.maximum(needed, 0.0)) / np.maximum(programmed, 1e-300)
        factor[row] = np.where(programmed > 0, np.minimum(shrunk, 1.0), 1.0)
    has_shrunk = bool((factor < 1 - 1e-9).any())
    return TabulatedDrift.model_construct(
        model="tabulated",
        times=reads.times[after].tolist(),
        at=means.tolist(),
        shift=shift[:, after].T.tolist(),
        added_spread=added.tolist(),
        error_factor=factor.tolist() if has_shrunk else None,
        compensated=False,
    )


def _filled(times: Values, values: Values, is_known: NDArray[np.bool_]) -> Values:
    """Values at all times: those not known lie between the known ones in the logarithm of time."""
    is_known = is_known & np.isfinite(values)
    if not is_known.any():
        return np.nan_to_num(values)
    least = times[times > 0].min(initial=np.inf)
    x = np.log(np.maximum(times, least / 10 if np.isfinite(least) else 1.0))
    return np.interp(x, x[is_known], values[is_known])
