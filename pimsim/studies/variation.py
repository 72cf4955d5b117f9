"""Variation that the cells of a drawn chip have in common: variogram of errors, and gradients."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pimsim.chip.tile import Tile
from pimsim.chip.variation import chip_gain, correlation, deviates, gains, variogram
from pimsim.config.variation import Variation
from pimsim.report.documents.noise import VariationFacts, VariogramFacts
from pimsim.streams import Purpose, normals
from pimsim.studies.run import RunResult

LAGS = (1, 2, 3, 5, 8, 13, 21, 34, 55)
MAX_CHIPS = 1000


def variation_facts(result: RunResult) -> VariationFacts | None:
    """Facts of the first chip, in its layer with most cells; None where nothing is in common."""
    tiles = [tile for tile in result.chip.tiles if tile.variation is not None]
    if not tiles:
        return None
    tile = max(tiles, key=lambda tile: tile.placement.n_rows * tile.placement.n_lines)
    variation, seed = tile.variation, result.prepared.setup.run.seed
    assert variation is not None
    of_places = gains(tile, variation, seed, 0)
    n_chips = min(len(result.sample.per_chip), MAX_CHIPS)
    return VariationFacts(
        layer=tile.name,
        neighbours=variation.neighbours,
        neighbour_length=variation.neighbour_length,
        variogram=_variogram(tile, variation, seed),
        lowest_gain=1.0 if of_places is None else float(of_places.min()),
        highest_gain=1.0 if of_places is None else float(of_places.max()),
        chip_gains=[chip_gain(variation, seed, index) for index in range(n_chips)],
    )


def _variogram(tile: Tile, variation: Variation, seed: int) -> list[VariogramFacts]:
    """Along the bit lines and the word lines of the first array of a tile."""
    plane = errors_as_they_lie(tile, variation, seed)
    plane = plane[: tile.read_out.config.array.rows]
    n_sides = len(tile.matrices[0].cells.sides)
    plane = plane[:, : tile.placement.lines_of_array * n_sides]
    r = correlation(variation)

    def at(lag: int, axis: int) -> float | None:
        if lag >= plane.shape[axis]:
            return None
        return float(variogram(plane, np.array([lag]), axis)[0])

    return [
        VariogramFacts(
            lag=lag,
            along_bit_line=at(lag, 0),
            along_word_line=at(lag, 1),
            expected=1 - variation.neighbours * r**lag,
        )
        for lag in LAGS
        if lag < max(plane.shape)
    ]


def errors_as_they_lie(tile: Tile, variation: Variation, seed: int) -> NDArray[np.float64]:
    """Errors of the cells of the first chip [standard deviations], (n_rows, n_bit_lines)."""
    placed, n_sides = tile.placement, len(tile.matrices[0].cells.sides)
    shape = (2, placed.n_rows, placed.n_lines)
    own = normals(seed, Purpose.CELL, 0, tile.index, shape)
    mixed = deviates(tile, variation, own, seed, 0)[:n_sides]
    return np.moveaxis(mixed, 0, 2).reshape(placed.n_rows, -1)
