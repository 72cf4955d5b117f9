"""A device file from measurements, with the file's hash as its source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from pimsim.config import Certainty, DeviceConfig, NoiseConfig
from pimsim.config.schema import validate
from pimsim.config.source import YamlSource
from pimsim.devices import cell_model
from pimsim.devices.agreement import MANY_CELLS, RATIOS, Agreement, compare
from pimsim.devices.fit import DeviceFit, fit_device
from pimsim.devices.measurements import Measurements, read_measurements
from pimsim.devices.shape import DEVIATES, lognormal_shape, quantile_shape
from pimsim.errors import ConfigError, DataError, Place
from pimsim.files import write_text
from pimsim.studies.device_blocks import (
    block,
    choice,
    drift_text,
    left_out,
    pooled_shapes,
    read_noise_text,
    states_block,
    telegraph_text,
)

# an age for files without times, where nothing is known to drift
NO_TIME = "1 day"
# temperatures of one device file
WIDEST_K = 10.0
# cells of a level that are drawn, evenly over its normal deviates, and ages of its curves
POINTS = 200
CURVE_POINTS = 61
# keys of a level in the document; "sigma" of a field is called otherwise there
LEVEL_KEYS = (
    "level", "n_reads", "n_cells", "mean", "spread", "normal", "lognormal", "nu", "nu_error",
    "nu_spread", "read_spread",
)  # fmt: skip
DEFAULTS = {"cell_area": "0.05 um2", "temperature": "300 K"}
# read voltage of cells whose measurements name none [V]
ASSUMED_VOLTAGE = 0.2


@dataclass(frozen=True)
class FittedDevice:
    """Measurements, the fit, and the device file made from it.

    `agreement` is that of the file's cells, as chips are drawn from it, with the measurements.
    """

    data: Measurements
    fit: DeviceFit
    device: DeviceConfig
    tree: dict[str, Any]
    agreement: Agreement


def fit_file(
    path: Path,
    *,
    name: str | None = None,
    units: Mapping[str, str] | None = None,
    read_voltage: float | None = None,
    cell_area: str | None = None,
    temperature: str | None = None,
    levels: Sequence[int] | None = None,
    law: str | None = None,
) -> FittedDevice:
    """Fit a device to the measurements of a CSV file.

    Parameters
    ----------
    units
        Units of columns whose headings have none.
    read_voltage
        That conductances were, or will be, read at [V].
    cell_area, temperature
        For the device file, as quantities; assumed where None.
    levels
        Numbers of the levels to take; all but those of too few cells where None.
    law
        Of the change in time (`pimsim.devices.fit.LAWS`); chosen by the test where None.

    Raises
    ------
    PimsimError
        If the file is no table of measurements, or they make no device.
    """
    data = read_measurements(path, units)
    fit = fit_device(data, levels, law)
    source = f"{path.name}, SHA-256 {data.sha256}"
    tree = {
        "schema": "pimsim.device/2",
        "name": name or path.stem,
        "description": (
            f"Fitted to {sum(f.n_reads for f in fit.levels):,} reads of "
            f"{sum(f.n_cells for f in fit.levels):,} programmed "
            f"cells in {len(fit.levels)} levels ({path.name})."
        ),
        "time_since_programming": (NO_TIME if fit.last_time is None else f"{fit.last_time:.6g} s"),
        "temperature": temperature or _temperature(data),
        "cell": block(
            {"area": cell_area or DEFAULTS["cell_area"], "fins": 1},
            "given with the measurements" if cell_area else "not measured; give --cell-area",
            Certainty.NOTES if cell_area else Certainty.ASSUMED,
        ),
        "read": _read(data, fit.top, read_voltage, source),
        "states": states_block(fit, source),
        "drift": drift_text(fit, source),
        "rtn": telegraph_text(fit, source),
        "read_noise": read_noise_text(fit, source),
    }
    device = validate(YamlSource(path, tree), DeviceConfig)
    return FittedDevice(data, fit, device, tree, _agreement(device, fit))


def _agreement(device: DeviceConfig, fit: DeviceFit) -> Agreement:
    """Cells of the device, currents below zero clipped, beside the measured ones."""
    found = [_at_age(device, fit, float(time), is_clipped=True) for time in fit.times]
    mean, sigma = (np.array(columns).T for columns in zip(*found, strict=True))
    return compare(mean, sigma, None, [f.moments for f in fit.levels], fit.top)


def _at_age(
    device: DeviceConfig, fit: DeviceFit, age: float, *, is_clipped: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means and standard deviations of all levels at an age, in the measured quantity."""
    cell = cell_model(device, len(fit.levels), NoiseConfig(), age)
    unit = cell.full_scale_current / device.read.top_current * fit.top
    mean, sigma = cell.clipped if is_clipped else (cell.mean, cell.sigma)
    return mean * unit, sigma * unit


def refuse_misfit(fitted: FittedDevice) -> None:
    """Refuse a device whose cells are far from those that were measured.

    Raises
    ------
    DataError
        With the worst misfit.
    """
    if fitted.agreement.is_far:
        raise DataError(
            f"has cells that the fitted device does not follow: {'; '.join(worst(fitted))}",
            place=Place(fitted.data.path),
            remedy="Look at them with --accept-misfit, leave levels out with --levels, or take "
            "--drift tabulated",
        )


def worst(fitted: FittedDevice) -> list[str]:
    """The worst misfits, in words."""
    fit, agreement = fitted.fit, fitted.agreement
    said = []
    if (at := agreement.worst_ratio()) is not None:
        few = "" if agreement.n[at] >= MANY_CELLS else f" of {agreement.n[at]} cells"
        said.append(
            f"standard deviation{few} {agreement.ratio[at]:.3g} times the measured one "
            f"({_where(fit, at)}; {RATIOS[0]:g} to {RATIOS[1]:g} is wanted for {MANY_CELLS} cells "
            "or more)"
        )
    if (at := agreement.worst_mean()) is not None:
        said.append(
            f"mean off by {100 * agreement.off[at]:+.2g} % of the top level, "
            f"{abs(agreement.errors[at]):.2g} standard errors ({_where(fit, at)})"
        )
    return said


def _where(fit: DeviceFit, at: tuple[int, int]) -> str:
    level = f"level {fit.levels[at[0]].level}"
    return level if fit.first_time is None else f"{level} at {fit.times[at[1]]:.4g} s"


def check_device_path(path: Path) -> None:
    """Refuse a name that no device file can have, before the work."""
    if path.suffix != ".yaml":
        raise ConfigError(f"is '{path}'", place=Place("--out"),
                          remedy="Name a file that ends in .yaml")  # fmt: skip


def write_device(fitted: FittedDevice, path: Path) -> Path:
    """Write the device file."""
    check_device_path(path)
    text = yaml.safe_dump(fitted.tree, sort_keys=False, width=10_000, default_flow_style=None)
    return write_text(path, text)


def _temperature(data: Measurements) -> str:
    if "temperature" not in data.columns:
        return DEFAULTS["temperature"]
    low, high = (float(f(data.columns["temperature"])) for f in (np.min, np.max))
    if high - low > WIDEST_K:
        raise DataError(
            f"has temperatures from {low:.1f} to {high:.1f} K; a device file stands for one",
            place=Place(data.path),
            remedy="Fit a file for each temperature",
        )
    return f"{(low + high) / 2:.6g} K"


def _read(
    data: Measurements, top: float, read_voltage: float | None, source: str
) -> dict[str, Any]:
    voltage = read_voltage or ASSUMED_VOLTAGE
    if data.value == "current":
        current, text = top, f"{source}; highest level"
    else:
        siemens = f"{top * 1e6:.4g} uS of the highest level"
        current, text = top * voltage, f"{source}; {siemens}, read at {voltage:g} V"
    if read_voltage is None:
        text += f"; a read voltage of {voltage:g} V is assumed, give --read-voltage"
    entries = {
        "kind": "resistor",
        "voltage": f"{voltage:g} V",
        "top_current": f"{current * 1e6:.6g} uA",
        "shot_noise": "100 %",
    }
    certainty = Certainty.ASSUMED if read_voltage is None else Certainty.MEASURED
    return block(entries, f"{text}; full shot noise is an upper bound", certainty)


def describe_fit(fitted: FittedDevice) -> dict[str, Any]:
    """Fit and data side by side, for terminal and figure; in the measured quantity (A or S)."""
    fit, data = fitted.fit, fitted.data
    ages = _curve_ages(fit)
    curve = [_at_age(fitted.device, fit, age, is_clipped=False) for age in ages]
    levels = []
    for row, level in enumerate(fit.levels):
        n = len(level.sample)
        last = ndtri(1 - 0.5 / n)
        ranks = n * ndtr(np.linspace(-last, last, POINTS))
        seen = np.unique(np.clip(ranks, 0, n - 1).astype(int))
        z = ndtri((seen + 0.5) / n)
        was = np.flatnonzero(level.moments.n if fit.first_time is not None else [])
        levels.append(
            {
                **{key: getattr(level, key.replace("spread", "sigma")) for key in LEVEL_KEYS},
                "target": data.targets[level.level] if data.targets else None,
                "deviates": z.tolist(),
                "cells": level.sample[seen].tolist(),
                "fitted_cells": (level.mean + level.sigma * _shape(fitted, row, z)).tolist(),
                "times_s": fit.times[was].tolist(),
                "means": level.moments.mean[was].tolist(),
                "spreads": np.nan_to_num(level.moments.sigma[was]).tolist(),
                "fitted_means": [float(mean[row]) for mean, _ in curve],
                "fitted_spreads": [float(sigma[row]) for _, sigma in curve],
            }
        )
    return {
        "device": fitted.device.name,
        "file": data.path.name,
        "sha256": data.sha256,
        "quantity": data.value,
        "n_reads": len(data),
        "ignored": list(data.ignored),
        "distribution": fit.distribution,
        "law": fit.law,
        "choice": choice(fit) if len(ages) else "",
        "curve_s": ages,
        "left_out": left_out(fit),
        "pooled": pooled_shapes(fit),
        "worst": worst(fitted),
        "ages": _rows(fitted) if fit.first_time is not None else [],
        "rtn": fitted.device.rtn.source,
        "levels": levels,
    }


def _curve_ages(fit: DeviceFit) -> list[float]:
    """Ages of the drawn curves [s], from the first to the last time, the measured ones included."""
    positive = fit.times[fit.times > 0]
    if len(fit.times) < 2 or not len(positive):
        return []
    ages = {*fit.times.tolist(), *np.geomspace(positive[0], positive[-1], CURVE_POINTS).tolist()}
    return sorted(ages)


def _rows(fitted: FittedDevice) -> list[dict[str, Any]]:
    """Device beside the cells at each time: fewest cells, ratios and largest shift of a mean."""
    agreement, rows = fitted.agreement, []
    for k, time in enumerate(fitted.fit.times):
        ratio, off = agreement.ratio[:, k], agreement.off[:, k]
        known = np.isfinite(ratio)
        if known.any():
            rows.append(
                {
                    "time_s": float(time),
                    "cells": int(agreement.n[known, k].min()),
                    "lowest_ratio": float(ratio[known].min()),
                    "highest_ratio": float(ratio[known].max()),
                    "off": float(off[known][np.abs(off[known]).argmax()]),
                }
            )
    return rows


def _shape(fitted: FittedDevice, row: int, z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Deviations of the fitted distribution, in its standard deviations."""
    states, level = fitted.device.states, fitted.fit.levels[row]
    if states.distribution == "lognormal":
        return np.interp(z, DEVIATES, lognormal_shape(level.mean, level.sigma))
    if states.quantiles is not None and states.probabilities is not None:
        quantiles = np.array([current.value for current in states.quantiles[row]])
        return np.interp(z, DEVIATES, quantile_shape(np.array(states.probabilities), quantiles))
    return z
