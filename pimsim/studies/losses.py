"""Losses along wires that are expected of the layers of a chip, with what makes up for them."""

from __future__ import annotations

import numpy as np

from pimsim.chip import Chip
from pimsim.chip.scaled_levels import expected_losses
from pimsim.report.documents.run import LossFacts


def loss_facts(chip: Chip) -> list[LossFacts]:
    """Facts of each layer whose columns lose voltage; none where losses are left out."""
    found = []
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
                lowest_scale=1.0 if scale is None else float(scale.min()),
            )
        )
    return found
