"""Accuracy on chips of several devices, and what each noise source costs there (Fig. 4)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.config import SOURCES
from pimsim.studies.points import Points, Progress, statistics
from pimsim.studies.prepare import Prepared, prepare
from pimsim.studies.run import CONTRIBUTION_CHIPS, run_prepared

EVERYTHING = "all sources"


def device_rows(
    model: str,
    devices: tuple[str, ...],
    paper: dict[str, str],
    data: str,
    chips: int,
    seed: int,
    limit: int | None,
    points: Points,
    threads: int | None,
    progress: Progress,
) -> list[dict[str, Any]]:
    """One row for each device and source, all sources together first.

    Parameters
    ----------
    paper : dict of device -> text
        What the paper says of all sources together.
    chips : int
        Drawn for all sources together; single sources are looked at on a few of them.
    """
    rows = []
    for device in devices:
        for source in (EVERYTHING, *SOURCES):
            switches = [] if source == EVERYTHING else _only(source)
            n = chips if source == EVERYTHING else min(chips, CONTRIBUTION_CHIPS)
            options = {"device": device, "data": data, "chips": n, "seed": seed, "limit": limit}
            prepared = prepare(model, options, switches)
            if not _differs(prepared):
                continue
            label = f"{prepared.setup.device.name}, {source}"

            def show(stage: str, total: int, done: int, label: str = label) -> None:
                progress(f"{label}: {stage}", total, done)

            accuracy = points.get(_key(prepared, source, n), _compute(prepared, threads, show))
            rows.append(
                {
                    "device": prepared.setup.device.name,
                    "noise": source,
                    "chips": len(accuracy),
                    "paper": paper.get(device, "") if source == EVERYTHING else "",
                    **statistics(accuracy),
                    "per_sample": accuracy.tolist(),
                }
            )
    return rows


def _only(source: str) -> list[str]:
    return [f"noise.{other}={'on' if other == source else 'off'}" for other in SOURCES]


def _differs(prepared: Prepared) -> bool:
    """Whether device and chip have anything for the sources that are on."""
    noise = prepared.setup.noise
    return noise.fixed_point or not prepared.chip(noise).is_exact


def _compute(
    prepared: Prepared, threads: int | None, progress: Progress
) -> Callable[[], NDArray[np.float64]]:
    def accuracy() -> NDArray[np.float64]:
        found = run_prepared(
            prepared, contributions=False, threads=threads, progress=progress
        ).accuracy
        return np.asarray(found.per_chip)

    return accuracy


def _key(prepared: Prepared, source: str, chips: int) -> str:
    setup = prepared.setup
    files = (
        setup.network_path, setup.chip_source.path, setup.device_source.path,
        setup.technology_source.path,
    )  # fmt: skip
    return ", ".join(
        (
            " ".join(_digest(path) for path in files),
            source,
            f"{chips} chips",
            f"seed {setup.run.seed}",
            f"{len(prepared.data)} of {prepared.data.name}",
        )
    )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
