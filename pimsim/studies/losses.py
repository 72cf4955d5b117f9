"""Losses along wires that are expected of the layers of a chip, with what makes up for them."""

from __future__ import annotations

import numpy as np

from pimsim.chip.scaled_levels import expected_losses
from pimsim.report.documents.noise import LossFacts
from pimsim.studies.run import RunResult


def loss_facts(result: RunResult) -> list[LossFacts]:
    """Facts of each layer whose columns lose voltage; none where losses are left out."""
    chip, found = result.chip, []
    for tile in chip.tiles:
        if tile.wires is None:
            continue
        scale = tile.level_scale
        lost = expected_losses(tile, chip.config.limits.active_rows)
        found.append(
            LossFacts(
                layer=tile.name,
                least=float(lost.min()),
                largest=float(lost.max()),
                held_ends=chip.layout.lines.ends,
                moved_rows=int((tile.place != np.arange(len(tile.place))).sum()),
                first_order_error=result.first_order_errors.get(tile.name),
                lowest_scale=1.0 if scale is None else float(scale.min()),
            )
        )
    return found
