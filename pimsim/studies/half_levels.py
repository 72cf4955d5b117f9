"""Decisions that noise flips with half-level thresholds, and without."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from pimsim.config import NoiseConfig
from pimsim.studies.prepare import Prepared
from pimsim.studies.probe import Probe
from pimsim.workload.formats import with_whole_levels


class HalfLevels(NamedTuple):
    """Effect of half-level thresholds.

    Attributes
    ----------
    flipped, flipped_without : float
        Share of decisions that differ from the exact network's at its inputs, under all noise of
        the run: with half-level thresholds, and with whole ones.
    rows : int
        Rows that are always on for them, over all layers.
    """

    flipped: float
    flipped_without: float
    rows: int


def half_levels(probed: Probe, noise: NoiseConfig) -> HalfLevels | None:
    """Compare half-level thresholds to whole ones on the same chip; None without them."""
    prepared = probed.prepared
    raised = (
        tile.read_out.coding.raised(part.matrix)
        for tile in prepared.layout.tiles
        if tile.read_out.tosses_ties
        for part in tile.matrices
    )
    if not any(raised):
        return None
    plain = _without(prepared)
    return HalfLevels(
        _flipped(probed, noise),
        _flipped(replace(probed, prepared=plain), noise),
        sum(tile.n_always_on for tile in prepared.layout.tiles)
        - sum(tile.n_always_on for tile in plain.layout.tiles),
    )


def _without(prepared: Prepared) -> Prepared:
    chip = prepared.setup.chip
    coding = chip.weight_coding.of_whole_levels
    setup = replace(prepared.setup, chip=chip.model_copy(update={"weight_coding": coding}))
    return replace(prepared, setup=setup, network=with_whole_levels(prepared.network))


def _flipped(probed: Probe, noise: NoiseConfig) -> float:
    return float(np.mean([error.flipped for error in probed.errors(noise).values()]))
