"""Accuracy on chips of several devices, and the loss from each noise source (Fig. 4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.config import SOURCES
from pimsim.studies.options import RunOptions
from pimsim.studies.points import Points
from pimsim.studies.prepare import Prepared, Shared, prepare
from pimsim.studies.progress import Progress, labelled
from pimsim.studies.run import MAX_CHIPS_PER_SOURCE, run_prepared
from pimsim.studies.statistics import summary

EVERYTHING = "all sources"


def device_rows(
    model: str,
    paper: Mapping[str, str],
    options: RunOptions,
    points: Points,
    progress: Progress,
) -> list[dict[str, Any]]:
    """One row for each device and source, all sources together first.

    Parameters
    ----------
    paper
        Devices, and what the paper says of all sources together.
    options
        `chips` are drawn for all sources together; single sources are looked at on a few of them.
    """
    rows = []
    shared = Shared()
    for device in paper:
        for source in (EVERYTHING, *SOURCES):
            chosen = _options_of(device, source, options)
            prepared = prepare(model, chosen.replaced_keys(), chosen.assignments, shared)
            if not _differs(prepared):
                continue
            name = prepared.setup.device.name
            compute = _compute(prepared, chosen, labelled(progress, f"{name}, {source}"))
            accuracy = points.values(_content(prepared, source), compute)
            rows.append(
                {
                    "device": name,
                    "noise": source,
                    "chips": len(accuracy),
                    "paper": paper[device] if source == EVERYTHING else "",
                    **summary(accuracy),
                    "per_sample": accuracy.tolist(),
                }
            )
    return rows


def _options_of(device: str, source: str, options: RunOptions) -> RunOptions:
    """A device with all sources as the model file has them, or with one alone on a few chips."""
    chosen = replace(options, device=device, noise_sources=False)
    if source == EVERYTHING:
        return chosen
    switches = tuple(f"noise.{each}={'on' if each == source else 'off'}" for each in SOURCES)
    chips = min(options.chips or MAX_CHIPS_PER_SOURCE, MAX_CHIPS_PER_SOURCE)
    return replace(chosen, chips=chips, assignments=switches)


def _differs(prepared: Prepared) -> bool:
    """Whether device and chip have numbers for the sources that are on."""
    noise = prepared.setup.noise
    return noise.fixed_point or not prepared.chip(noise).is_exact


def _compute(
    prepared: Prepared, options: RunOptions, progress: Progress
) -> Callable[[], NDArray[np.float64]]:
    return lambda: run_prepared(prepared, options, progress).accuracy.per_chip


def _content(prepared: Prepared, source: str) -> str:
    """All that determines a point, in words."""
    setup = prepared.setup
    digests = (
        prepared.network_digest, setup.chip_source.digest, setup.device_source.digest,
        setup.technology_source.digest,
    )  # fmt: skip
    return ", ".join(
        (
            " ".join(digest[:16] for digest in digests),
            source,
            f"{setup.run.chips} chips",
            f"seed {setup.run.seed}",
            f"{len(prepared.data)} of {prepared.data.name}",
        )
    )
