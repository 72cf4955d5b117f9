"""Content of a device file: levels, their variation, and their drift."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pimsim.config import Certainty, DeviceConfig, NoiseConfig, bundled_names, load_device
from pimsim.config.sources import block_sources
from pimsim.devices import CellModel, cell_model, neighbour_errors
from pimsim.errors import ConfigError, Place
from pimsim.report.documents import DeviceDocument
from pimsim.report.documents.device import AgedFacts, LevelsFacts, NamedAgeFacts
from pimsim.report.documents.provenance import SourceFacts

YEAR = 365.25 * 86_400.0
# ages of the table, and what the drawn curves lie between [s]
AGES = {
    "1 s": 1.0,
    "1 minute": 60.0,
    "1 hour": 3600.0,
    "1 day": 86_400.0,
    "1 month": YEAR / 12,
    "1 year": YEAR,
    "10 years": 10 * YEAR,
}
CURVE_POINTS = 61
# cells of 7-level weights
USUAL_LEVELS = 4


def device_rows() -> list[dict[str, Any]]:
    """One row for each bundled device."""
    rows = []
    for name in bundled_names("device"):
        device = load_device(name)
        cell = cell_model(device, _usual_levels(device), NoiseConfig())
        rows.append(
            {
                "name": name,
                "device": device.name,
                "states": len(device.states.mean),
                "top_current_a": device.read.top_current,
                "largest_spread": float(cell.sigma.max()),
                "drift": device.drift.model,
                "states_certainty": device.states.certainty.value,
                "assumed": [
                    entry.block
                    for entry in block_sources(device)
                    if entry.certainty is Certainty.ASSUMED
                ],
            }
        )
    return rows


def device_document(
    name: str | Path, n_levels: int | None = None, age: float | None = None
) -> DeviceDocument:
    """Levels of a device now and at other ages, with the sources of its numbers.

    Parameters
    ----------
    name
        Device file, or the name of a bundled one.
    n_levels
        Levels per cell; those of 7-level weights where None, fewer if the cell has fewer.
    age
        Time since programming [s]; the device file's where None.

    Raises
    ------
    PimsimError
        If there is no such device, or it has fewer states.
    """
    device = load_device(name, Place("NAME"))
    n_levels = _usual_levels(device) if n_levels is None else n_levels
    if n_levels < 2:
        raise ConfigError(f"is {n_levels}; a cell has two levels at least", place=Place("--levels"))
    age = device.time_since_programming if age is None else age

    def at(seconds: float) -> CellModel:
        return cell_model(device, n_levels, NoiseConfig(), seconds, Place(name))

    now = at(age)
    curve = np.geomspace(AGES["1 s"], AGES["10 years"], CURVE_POINTS)
    return DeviceDocument(
        device=device.name,
        description=" ".join(device.description.split()),
        n_levels=n_levels,
        age_s=age,
        choice=now.choice.text,
        full_scale_current_a=now.full_scale_current,
        cell_area_m2=device.cell.area,
        levels=_levels(now),
        ages=[
            NamedAgeFacts(age=word, **dict(_aged(at(seconds)))) for word, seconds in AGES.items()
        ],
        curve=[_aged(at(float(seconds))) for seconds in curve],
        sources=[SourceFacts(**entry._asdict()) for entry in block_sources(device)],
    )


def describe_device(
    name: str | Path, n_levels: int | None = None, age: float | None = None
) -> dict[str, Any]:
    """Device document as plain data."""
    return device_document(name, n_levels, age).as_dict()


def _usual_levels(device: DeviceConfig) -> int:
    return min(USUAL_LEVELS, len(device.states.mean))


def _levels(cell: CellModel) -> LevelsFacts:
    """Levels in fractions of full scale, level 0 at its own current."""
    return LevelsFacts(
        ideal=cell.ideal.tolist(),
        mean=cell.mean.tolist(),
        spread=cell.sigma.tolist(),
        parts={name: part.tolist() for name, part in cell.sigmas.items()},
        error_to_next=neighbour_errors(cell).tolist(),
    )


def _aged(cell: CellModel) -> AgedFacts:
    return AgedFacts(
        age_s=cell.age,
        mean=cell.mean.tolist(),
        spread=cell.sigma.tolist(),
        error_to_next=neighbour_errors(cell).tolist(),
    )
