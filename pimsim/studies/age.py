"""Accuracy against the time since programming, with and without drift compensation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pimsim.config import load_setup
from pimsim.errors import ConfigError, MappingError, Place
from pimsim.report.documents import AgeDocument
from pimsim.studies.axes import Point
from pimsim.studies.device import AGES
from pimsim.studies.options import DEFAULTS, RunOptions
from pimsim.studies.prepare import Shared
from pimsim.studies.progress import Progress, silent
from pimsim.studies.sweep import sweep
from pimsim.units import parse_quantity

AGE, COMPENSATED = "time_since_programming", "device.drift.compensated"


def age(
    model: str,
    folder: Path,
    *,
    devices: Sequence[str] = (),
    ages: Sequence[str] = tuple(AGES),
    options: RunOptions = DEFAULTS,
    progress: Progress = silent,
) -> list[dict[str, Any]]:
    """Run a model at several ages of its levels.

    Parameters
    ----------
    folder : Path
        Receives points/<key>.json as soon as a point is done; finished ones are kept.
    devices
        Device files or bundled names; the model's own where empty.
    ages
        Times since programming, as quantities.
    options
        Of all points.

    Returns
    -------
    rows : list of dict
        Figures of `pimsim.studies.sweep.row_of` with `device`, `compensation` (on, off, or
        none where nothing drifts), `age` and `age_s`; for each device by compensation and age.

    Raises
    ------
    PimsimError
        If an age is no time, or a point cannot be run; finished ones are kept.
    """
    seconds = [_seconds(text) for text in ages]
    points: list[Point] = []
    labels, shared = [], Shared()
    for device in devices or (None,):
        chosen = replace(options, device=device or options.device)
        described = load_setup(
            model, chosen.replaced_keys(), chosen.assignments, shared.files
        ).device
        drifts = described.drift.model != "none"
        for compensation in ("on", "off") if drifts else ("none",):
            for text, at in zip(ages, seconds, strict=True):
                point = {AGE: text} | ({"device": device} if device is not None else {})
                if drifts:
                    point[COMPENSATED] = str(compensation == "on").lower()
                points.append(point)
                labels.append({"device": described.name, "compensation": compensation,
                               "age": text, "age_s": at})  # fmt: skip
    rows = sweep(model, points, folder, options=options, progress=progress, shared=shared)
    if error := next((row["error"] for row in rows if row.get("error")), None):
        # a curve has no place for a device that the network does not fit
        raise MappingError(error)
    left_out = {"device", "error", "is_pareto", AGE, COMPENSATED}
    return [
        label | {key: value for key, value in row.items() if key not in left_out}
        for label, row in zip(labels, rows, strict=True)
    ]


def _seconds(text: str) -> float:
    place = Place("--ages")
    try:
        found = parse_quantity(text, "second")
    except ValueError as error:
        raise ConfigError(str(error), place=place) from error
    if found < 0:
        raise ConfigError(f"is {text!r}; it must be 0 or more", place=place)
    return found


def age_document(model: str, rows: Sequence[dict[str, Any]]) -> AgeDocument:
    """Rows of `age` as a document."""
    return AgeDocument.model_validate(
        {"schema": "pimsim.age/1", "model": model, "points": list(rows)}
    )
