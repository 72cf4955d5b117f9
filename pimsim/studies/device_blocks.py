"""Blocks of a device file as text, from a fit to measurements."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from pimsim.config import Certainty
from pimsim.config.drift import LogarithmicDrift, PowerLawDrift, TabulatedDrift
from pimsim.devices.fit import DeviceFit, LevelFit

Values = NDArray[np.float64]

# probabilities of the quantiles: from where this many cells lie beyond, and the outermost cell
TAILS = (
    *(1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3),
    *(0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4),
)
LEAST_IN_TAIL = 3
# fewest cells of a level for a shape of its own
MIN_SHAPE_CELLS = 30


def block(
    entries: dict[str, Any], source: str, certainty: Certainty = Certainty.MEASURED
) -> dict[str, Any]:
    """A block of a device file with its source."""
    return {**entries, "source": source, "certainty": certainty.value}


def percent(values: Any) -> list[str]:
    """Fractions as text."""
    return [f"{100 * value:.6g} %" for value in values]


def states_block(fit: DeviceFit, source: str) -> dict[str, Any]:
    """Means and distribution of the levels as programmed."""
    top = fit.top
    entries: dict[str, Any] = {
        "mean": percent([f.mean / top for f in fit.levels]),
        "spread": percent([f.sigma / top for f in fit.levels]),
        "distribution": fit.distribution,
    }
    least = {name: min(getattr(f, name) for f in fit.levels) for name in ("normal", "lognormal")}
    why = f"Anderson-Darling, smallest p of {len(fit.levels)} levels: " + ", ".join(
        f"{name} {p:.2g}" for name, p in least.items()
    )
    if fit.distribution == "quantiles":
        probabilities, quantiles = quantile_table(fit)
        entries["probabilities"] = [float(f"{p:.6g}") for p in probabilities]
        entries["quantiles"] = [percent(row / top) for row in quantiles]
        if few := pooled_shapes(fit):
            why += f"; shape of levels {few}: that of all levels together"
    when = "" if fit.first_time is None else f"; at {fit.first_time:.4g} s"
    fewest = min(f.n_cells for f in fit.levels)
    why += f"; fewest cells of a level: {fewest}"
    if fit.left_out:
        why += f"; left out for too few cells: level {left_out(fit)}"
    if fewest == 1:
        unknown = f"{source}{when}; {why}, whose standard deviation is not known and set to 0"
        return block(entries, unknown, Certainty.ASSUMED)
    return block(entries, f"{source}{when}; {why}")


def left_out(fit: DeviceFit) -> str:
    """Levels that were left out, and their cells, in words."""
    return ", ".join(f"{level} ({n} cells)" for level, n in fit.left_out)


def pooled_shapes(fit: DeviceFit) -> str:
    """Levels of too few cells for a shape of their own, in words."""
    if fit.distribution != "quantiles":
        return ""
    return ", ".join(str(f.level) for f in fit.levels if len(f.sample) < MIN_SHAPE_CELLS)


def quantile_table(fit: DeviceFit) -> tuple[Values, Values]:
    """Probabilities, and the quantiles of each level at them.

    The largest level sets how far out they go. Levels of fewer cells are continued as straight
    lines on probability paper; those of less than `MIN_SHAPE_CELLS` have the shape of all levels
    together, around their own mean and with their own standard deviation.
    """
    n = max(len(f.sample) for f in fit.levels)
    tail = _tail(n)
    probabilities = np.array([*tail, 0.5, *(1 - p for p in reversed(tail))])
    pooled = [
        (f.sample - f.sample.mean()) / f.sample.std() for f in fit.levels if f.sample.std() > 0
    ]
    shape = _quantiles(np.concatenate(pooled), probabilities)
    rows = [
        _quantiles(f.sample, probabilities)
        if len(f.sample) >= MIN_SHAPE_CELLS
        else f.sample.mean() + f.sample.std(ddof=min(1, len(f.sample) - 1)) * shape
        for f in fit.levels
    ]
    return probabilities, np.array(rows)


def _tail(n: int) -> list[float]:
    """Probabilities below one half for n cells: the outermost cell, and those of `TAILS`."""
    return [0.5 / n, *(p for p in TAILS if p * n >= LEAST_IN_TAIL)]


def _quantiles(sample: Values, probabilities: Values) -> Values:
    """Quantiles; beyond the outermost cells along the last line on probability paper."""
    own = np.array(_tail(len(sample)))
    own = np.concatenate([own, [0.5], 1 - own[::-1]])
    known = np.quantile(sample, own, method="hazen")
    z, wanted = ndtri(own), ndtri(probabilities)
    found = np.interp(wanted, z, known)
    for end, step in ((0, 1), (-1, -1)):
        slope = (known[end] - known[end + step]) / (z[end] - z[end + step])
        beyond = wanted < z[0] if end == 0 else wanted > z[-1]
        found[beyond] = known[end] + slope * (wanted[beyond] - z[end])
    return np.asarray(found)


def drift_text(fit: DeviceFit, source: str) -> dict[str, Any]:
    """The law of the levels in time."""
    drift = fit.blocks.drift
    if fit.first_time is None or len(fit.times) == 1:
        why = "no times were measured" if fit.first_time is None else "one time was measured"
        return block({"model": "none"}, why, Certainty.ASSUMED)
    span = f"{source}; {fit.first_time:.4g} to {fit.last_time:.4g} s; {choice(fit)}"
    shared: dict[str, Any] = {"model": drift.model}
    table: dict[str, Any]
    if isinstance(drift, PowerLawDrift):
        table = {
            "nu_mean": [float(f"{nu:.5g}") for nu in drift.nu_mean],
            "nu_spread": [float(f"{nu:.5g}") for nu in drift.nu_spread],
        }
    elif isinstance(drift, LogarithmicDrift):
        table = {
            "loss_mean": percent(drift.loss_mean),
            "loss_spread": percent(drift.loss_spread),
        }
    elif isinstance(drift, TabulatedDrift):
        rows = {"shift": drift.shift, "added_spread": drift.added_spread}
        if drift.error_factor is not None:
            rows["error_factor"] = drift.error_factor
        return block(
            shared
            | {"times": [f"{time:.6g} s" for time in drift.times], "at": percent(drift.at)}
            | {name: [percent(row) for row in table] for name, table in rows.items()}
            | {"compensated": False},
            span,
        )
    else:
        return block(shared, span)
    t0 = {"t0": f"{drift.t0:.6g} s", "at": percent(drift.at)}
    return block(shared | t0 | table | {"compensated": False}, span)


def choice(fit: DeviceFit) -> str:
    """Why a law was taken, in words."""
    refused = [f"{_words(law)} p {p:.2g}" for law, p in fit.tried if law != fit.law]
    agrees = "agrees" if fit.agreement.is_close else "does not agree"
    text = f"{_words(fit.law)} {agrees} with mean, standard deviation and noise at every time"
    if fit.law == "tabulated":
        text += f", and holds after {fit.last_time:.4g} s"
    return text + (f"; refused: {', '.join(refused)}" if refused else "")


def _words(law: str) -> str:
    return {"none": "no drift", "tabulated": "a table"}.get(law, law.replace("_", " "))


def telegraph_text(fit: DeviceFit, source: str) -> dict[str, Any]:
    """Telegraph noise, by level where there are traps enough."""
    found, rtn = fit.telegraph, fit.blocks.rtn
    if not found.n_cells:
        why = "no cell was read often enough to tell; contained in the noise below"
        return block({"model": "relative"}, why, Certainty.ASSUMED)
    looked = f"{source}; {len(found.amplitude)} of {found.n_cells} cells sit in two states"
    if rtn.model == "relative":
        return block({"model": "relative"}, looked)
    looked += _pooled(fit.levels, found.pooled_share, "share")
    if rtn.model == "tabulated":
        return block(
            {"model": "tabulated", "at": percent(rtn.at), "spread": percent(rtn.spread)},
            f"{looked}; lumped, no switching times could be told",
        )
    looked += _pooled(fit.levels, found.pooled_amplitude, "amplitude")
    assert rtn.model == "two_state_tabulated"
    entries = {
        "model": rtn.model,
        "at": percent(rtn.at),
        "share": percent(rtn.share),
        "amplitude": percent(rtn.amplitude),
        "amplitude_spread": float(f"{rtn.amplitude_spread:.4g}"),
        "occupancy": f"{100 * rtn.occupancy:.5g} %",
        "switching_time": f"{rtn.switching_time:.5g} s",
    }
    return block(entries, looked)


def _pooled(levels: tuple[LevelFit, ...], pooled: NDArray[np.bool_], what: str) -> str:
    names = [str(f.level) for f, is_pooled in zip(levels, pooled, strict=True) if is_pooled]
    return f"; {what} of levels {', '.join(names)}: that of all together" if names else ""


def read_noise_text(fit: DeviceFit, source: str) -> dict[str, Any]:
    """Noise of the reads of one cell."""
    noise = fit.blocks.read_noise
    if noise.model == "relative":
        why = "no cell was read twice at one time; contained in the standard deviations above"
        return block({"model": "relative"}, why, Certainty.ASSUMED)
    why = f"{source}; reads of one cell, telegraph noise taken off"
    if noise.model == "tabulated":
        entries = {"at": percent(noise.at), "spread": percent(noise.spread)}
        return block({"model": noise.model} | entries, why)
    assert noise.model == "tabulated_over_time"
    return block(
        {
            "model": noise.model,
            "times": [f"{time:.6g} s" for time in noise.times],
            "at": percent(noise.at),
            "spread": [percent(row) for row in noise.spread],
        },
        f"{why}; it changes with time",
    )
