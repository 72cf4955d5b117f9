"""Operations of an inference, for figures that chips are compared by."""

from __future__ import annotations

import math

from pimsim.chip import Chip
from pimsim.timing.parts import Part

DEFINITION = (
    "an operation is a multiplication or an addition of the network: two for every weight that is "
    "used, in encoder, arrays and output layer, as if each weight's row were on"
)


def operations(chip: Chip, parts: list[Part]) -> int:
    """Operations of one inference (`DEFINITION`)."""
    network = chip.network
    times = {part.name: len(part.demand.operations) for part in parts}
    encoder = math.prod(network.encoder.weights.shape) * times["encoder"]
    arrays = sum(
        part.matrix.n_rows * part.matrix.n_columns * times[tile.name]
        for tile in chip.tiles
        if tile is not None
        for part in tile.matrices
    )
    return 2 * (encoder + arrays + network.output.weights.size)
