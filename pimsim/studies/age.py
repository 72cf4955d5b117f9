"""Accuracy against the time since programming, with and without drift compensation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pimsim.config import load_setup
from pimsim.errors import ConfigError, MappingError, Place
from pimsim.studies.points import Progress
from pimsim.studies.sweep import Point, sweep
from pimsim.units import parse_quantity

AGES = ("1 s", "1 minute", "1 hour", "1 day", "1 month", "1 year", "10 years")
AGE, COMPENSATED = "time_since_programming", "device.drift.compensated"


def age(
    model: str,
    folder: Path,
    *,
    devices: Sequence[str] = (),
    ages: Sequence[str] = AGES,
    options: Mapping[str, Any] | None = None,
    assignments: Sequence[str] = (),
    threads: int | None = None,
    progress: Progress = lambda stage, total, done: None,
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
    options, assignments
        As `pimsim.studies.prepare.prepare` takes them.

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
    labels = []
    for device in devices or (None,):
        chosen = {**(options or {}), "device": device}
        described = load_setup(model, chosen, assignments).device
        drifts = described.drift.model != "none"
        for compensation in ("on", "off") if drifts else ("none",):
            for text, at in zip(ages, seconds, strict=True):
                point = {AGE: text} | ({"device": device} if device is not None else {})
                if drifts:
                    point[COMPENSATED] = str(compensation == "on").lower()
                points.append(point)
                labels.append({"device": described.name, "compensation": compensation,
                               "age": text, "age_s": at})  # fmt: skip
    rows = sweep(
        model, points, folder, options=options, assignments=assignments, threads=threads,
        progress=progress,
    )  # fmt: skip
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
    if found <= 0:
        raise ConfigError(f"is {text!r}; it must be greater than 0", place=place)
    return found
