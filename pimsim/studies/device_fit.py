"""A device file from measurements, with the file's hash as its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from pimsim.config import Certainty, DeviceConfig
from pimsim.config.schema import validate
from pimsim.config.source import YamlSource
from pimsim.devices.fit import DeviceFit, fit_device
from pimsim.devices.measurements import Measurements, read_measurements
from pimsim.devices.shape import DEVIATES, lognormal_shape, quantile_shape
from pimsim.errors import ConfigError, DataError, Place
from pimsim.files import write_text

# an age for files without times, where nothing is known to drift
NO_TIME = "1 day"
# probabilities of the quantiles, as far out as three cells of the smallest level lie
TAILS = (1e-5, 1e-4, 1e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4)
LEAST_IN_TAIL = 3
# temperatures of one device file
WIDEST_K = 10.0
# cells of a level that are drawn, evenly over its normal deviates
POINTS = 200
# keys of a level in the document; "sigma" of a field is called otherwise there
LEVEL_KEYS = (
    "level", "n_reads", "n_cells", "mean", "spread", "normal", "lognormal", "nu", "nu_error",
    "nu_spread", "read_spread",
)  # fmt: skip
DEFAULTS = {"cell_area": "0.05 um^2", "temperature": "300 K"}
# read voltage of cells whose measurements name none [V]
ASSUMED_VOLTAGE = 0.2


@dataclass(frozen=True)
class FittedDevice:
    """Measurements, the fit, and the device file made from it."""

    data: Measurements
    fit: DeviceFit
    device: DeviceConfig
    tree: dict[str, Any]


def fit_file(
    path: Path,
    *,
    name: str | None = None,
    units: Mapping[str, str] | None = None,
    read_voltage: float | None = None,
    cell_area: str | None = None,
    temperature: str | None = None,
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

    Raises
    ------
    PimsimError
        If the file is no table of measurements, or they make no device.
    """
    data = read_measurements(path, units)
    fit = fit_device(data)
    source = f"{path.name}, SHA-256 {data.sha256}"
    top = fit.levels[-1].mean
    tree = {
        "schema": "pimsim.device/2",
        "name": name or path.stem,
        "description": (
            f"Fitted to {len(data):,} reads of {sum(f.n_cells for f in fit.levels):,} programmed "
            f"cells in {len(fit.levels)} levels ({path.name})."
        ),
        "time_since_programming": (NO_TIME if fit.last_time is None else f"{fit.last_time:.6g} s"),
        "temperature": temperature or _temperature(data),
        "cell": _block(
            {"area": cell_area or DEFAULTS["cell_area"], "fins": 1},
            "given with the measurements" if cell_area else "not measured; give --cell-area",
            Certainty.NOTES if cell_area else Certainty.ASSUMED,
        ),
        "read": _read(data, top, read_voltage, source),
        "states": _states(fit, source),
        "drift": _drift(fit, source),
        "rtn": _telegraph(fit, source),
        "read_noise": _read_noise(fit, source),
    }
    device = validate(YamlSource(path, tree), DeviceConfig)
    return FittedDevice(data, fit, device, tree)


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


def _block(
    entries: dict[str, Any], source: str, certainty: Certainty = Certainty.MEASURED
) -> dict[str, Any]:
    return {**entries, "source": source, "certainty": certainty.value}


def _percent(values: Any) -> list[str]:
    return [f"{100 * value:.6g} %" for value in values]


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
    return _block(entries, f"{text}; full shot noise is an upper bound", certainty)


def _states(fit: DeviceFit, source: str) -> dict[str, Any]:
    top = fit.levels[-1].mean
    entries: dict[str, Any] = {
        "mean": _percent([f.mean / top for f in fit.levels]),
        "spread": _percent([f.sigma / top for f in fit.levels]),
        "distribution": fit.distribution,
    }
    least = {name: min(getattr(f, name) for f in fit.levels) for name in ("normal", "lognormal")}
    why = f"Anderson-Darling, smallest p of {len(fit.levels)} levels: " + ", ".join(
        f"{name} {p:.2g}" for name, p in least.items()
    )
    if fit.distribution == "quantiles":
        n = min(f.n_cells for f in fit.levels)
        tail = [p for p in TAILS if p * n >= LEAST_IN_TAIL] or [TAILS[-1]]
        probabilities = [*tail, 0.5, *(1 - p for p in reversed(tail))]
        entries["probabilities"] = [float(f"{p:.6g}") for p in probabilities]
        entries["quantiles"] = [
            _percent(np.quantile(f.sample, probabilities) / top) for f in fit.levels
        ]
    when = "" if fit.first_time is None else f"; at {fit.first_time:.4g} s"
    fewest = min(f.n_cells for f in fit.levels)
    why += f"; fewest cells of a level: {fewest}"
    if fewest == 1:
        unknown = f"{source}{when}; {why}, whose standard deviation is not known and set to 0"
        return _block(entries, unknown, Certainty.ASSUMED)
    return _block(entries, f"{source}{when}; {why}")


def _drift(fit: DeviceFit, source: str) -> dict[str, Any]:
    if not fit.has_drift:
        why = "no times were measured" if fit.first_time is None else f"{source}; none was found"
        certainty = Certainty.ASSUMED if fit.first_time is None else Certainty.MEASURED
        return _block({"model": "none"}, why, certainty)
    top = fit.levels[-1].mean
    known = [f for f in fit.levels if f.nu is not None]
    entries: dict[str, Any] = {
        "model": "power_law",
        "t0": f"{fit.first_time:.6g} s",
        "at": _percent([f.mean / top for f in known]),
        "nu_mean": [float(f"{f.nu:.5g}") for f in known],
        "nu_spread": [float(f"{f.nu_sigma:.5g}") for f in known],
        "compensated": True,
    }
    if len(known) == 1:
        # a table needs two ends
        entries |= {key: entries[key] * 2 for key in ("nu_mean", "nu_spread")}
        entries["at"] = ["0 %", "100 %"]
    return _block(entries, f"{source}; {fit.first_time:.4g} to {fit.last_time:.4g} s")


def _telegraph(fit: DeviceFit, source: str) -> dict[str, Any]:
    found = fit.telegraph
    if not found.n_cells:
        why = "no cell was read often enough to tell; contained in the noise below"
        return _block({"model": "relative"}, why, Certainty.ASSUMED)
    looked = f"{source}; {len(found.amplitude)} of {found.n_cells} cells sit in two states"
    if not found.is_present:
        return _block({"model": "relative"}, looked)
    if found.switching_time is None:
        return _block(
            {"model": "relative", "relative": f"{100 * found.lumped:.5g} %"},
            f"{looked}; lumped, no switching times could be told",
        )
    logs = np.log(found.amplitude)
    entries = {
        "model": "two_state",
        "share": f"{100 * found.share:.5g} %",
        "amplitude": f"{100 * float(np.exp(np.median(logs))):.5g} %",
        "amplitude_spread": float(f"{logs.std(ddof=1):.4g}"),
        "occupancy": f"{100 * float(found.occupancy.mean()):.5g} %",
        "switching_time": f"{found.switching_time:.5g} s",
    }
    return _block(entries, looked)


def _read_noise(fit: DeviceFit, source: str) -> dict[str, Any]:
    top = fit.levels[-1].mean
    known = [f for f in fit.levels if f.read_sigma is not None]
    if len(known) < 2:
        why = "no cell was read twice; contained in the standard deviation of the states"
        return _block({"model": "relative"}, why, Certainty.ASSUMED)
    left = [
        np.sqrt(max(0.0, (f.read_sigma or 0.0) ** 2 - (fit.telegraph.lumped * f.mean) ** 2)) / top
        for f in known
    ]
    entries = {"model": "tabulated", "at": _percent([f.mean / top for f in known]),
               "spread": _percent(left)}  # fmt: skip
    return _block(entries, f"{source}; reads of one cell, telegraph noise taken off")


def describe_fit(fitted: FittedDevice) -> dict[str, Any]:
    """Fit and data side by side, for terminal and figure; in the measured quantity (A or S)."""
    fit, data = fitted.fit, fitted.data
    levels = []
    for row, level in enumerate(fit.levels):
        last = ndtri(1 - 0.5 / level.n_cells)
        ranks = level.n_cells * ndtr(np.linspace(-last, last, POINTS))
        seen = np.unique(np.clip(ranks, 0, level.n_cells - 1).astype(int))
        z = ndtri((seen + 0.5) / level.n_cells)
        times = level.trend[:, 0]
        nu = level.nu if fit.has_drift and level.nu is not None else 0.0
        levels.append(
            {
                **{key: getattr(level, key.replace("spread", "sigma")) for key in LEVEL_KEYS},
                "deviates": z.tolist(),
                "cells": level.sample[seen].tolist(),
                "fitted_cells": (level.mean + level.sigma * _shape(fitted, row, z)).tolist(),
                "times_s": times.tolist(),
                "means": level.trend[:, 1].tolist(),
                "fitted_means": (level.mean * (times / (fit.first_time or 1.0)) ** -nu).tolist(),
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
        "has_drift": fit.has_drift,
        "rtn": fitted.device.rtn.source,
        "levels": levels,
    }


def _shape(fitted: FittedDevice, row: int, z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Deviations of the fitted distribution, in its standard deviations."""
    states, level = fitted.device.states, fitted.fit.levels[row]
    if states.distribution == "lognormal":
        return np.interp(z, DEVIATES, lognormal_shape(level.mean, level.sigma))
    if states.quantiles is not None and states.probabilities is not None:
        quantiles = np.array([current.value for current in states.quantiles[row]])
        return np.interp(z, DEVIATES, quantile_shape(np.array(states.probabilities), quantiles))
    return z
