"""Random telegraph noise as a process: which cells hold a trap, and what it does when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from pimsim.config.device import TwoStateNoise
from pimsim.streams import Purpose, uniforms

Plane = NDArray[np.float64]
# below any use of a factor, above the last bits in which two machines may differ
_GRID = 2.0**-24


@dataclass(frozen=True)
class Telegraph:
    """Two-state noise seen at the last of some reads.

    Attributes
    ----------
    model : TwoStateNoise
    times : tuple of float
        Times of the reads so far [s], rising; cells are looked at at the last.
    """

    model: TwoStateNoise
    times: tuple[float, ...]

    @property
    def highest(self) -> float:
        """A factor that no cell's current exceeds."""
        return 1 + self.model.occupancy

    def factors(self, seed: int, chip: int, layer: int, shape: tuple[int, int, int]) -> Plane:
        """What each cell's current is multiplied by, mean 1 over time.

        Parameters
        ----------
        shape
            (n_sides, n_rows, n_columns) of the layer's cells.

        Notes
        -----
        A trap of occupancy p and correlation time tau is found taking current, d after it
        was found in state s (0 or 1), with probability p + (s - p) exp(-d / tau): Machlup,
        J. Appl. Phys. 25 (1954). The random numbers of a cell are keyed by chip, layer, row,
        column and the number of the read, so the state at a read does not depend on which
        cells, chips or threads it is computed with; it does on the times of the reads
        before it, all of which must be given.
        """
        model, n_sides = self.model, shape[0]
        drawn = uniforms(seed, Purpose.TRAP, chip, layer, (3 * n_sides, *shape[1:]))
        trapped = drawn[:n_sides] < model.share
        amplitude = model.amplitude * np.exp(
            model.amplitude_spread * ndtri(drawn[n_sides : 2 * n_sides])
        )
        tau = model.switching_time * np.exp(model.switching_spread * ndtri(drawn[2 * n_sides :]))
        reads = uniforms(seed, Purpose.TRAP_STATE, chip, layer,
                         (len(self.times) * n_sides, *shape[1:]))  # fmt: skip
        p = model.occupancy
        state = reads[:n_sides] < p
        for read, gap in enumerate(np.diff(self.times), start=1):
            kept = np.exp(-gap / tau)
            fresh = reads[read * n_sides : (read + 1) * n_sides]
            state = fresh < p + (state - p) * kept
        taken = np.where(trapped, np.minimum(amplitude, 1.0), 0.0)
        return np.asarray(np.round((1 - taken * (state - p)) / _GRID) * _GRID)
