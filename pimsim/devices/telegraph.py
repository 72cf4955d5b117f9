"""Random telegraph noise as a process in time: cells with traps, and the traps' states."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from pimsim.config.cell_noise import TelegraphNoise
from pimsim.devices.noise import traps_of
from pimsim.streams import Purpose, on_grid, uniforms

Plane = NDArray[np.float64]
WHOLE: Plane = np.ones((1, 1, 1))


@dataclass(frozen=True)
class Telegraph:
    """Two-state telegraph noise at the last of a series of reads.

    Attributes
    ----------
    model : TwoStateNoise or TabulatedTwoStateNoise
    times : tuple of float
        Times of all reads up to the present one [s], ascending.
    """

    model: TelegraphNoise
    times: tuple[float, ...]

    @property
    def highest(self) -> float:
        """Upper bound on `factors`."""
        return 1 + self.model.occupancy

    def factors(
        self,
        seed: int,
        chip: int,
        layer: int,
        shape: tuple[int, int, int],
        programmed: Plane = WHOLE,
    ) -> Plane:
        """Factor on the current of each cell, with mean 1 over time.

        Parameters
        ----------
        shape
            (n_sides, n_rows, n_columns) of the layer's cells.
        programmed : (n_sides, n_rows, n_columns) float64
            Mean of each cell's level right after programming [fraction of the top current]; that
            of the top level for all if not given.

        Notes
        -----
        A trap with occupancy p and correlation time tau that was in state s (0 or 1; 1 takes
        current) is in state 1 after a time d with probability p + (s - p) exp(-d / tau):
        Machlup, J. Appl. Phys. 25 (1954). Random numbers are keyed by chip, layer, row,
        column and number of the read, so a state does not depend on batches or threads. It
        depends on the times of all earlier reads, so all of them must be given.
        """
        model, n_sides = self.model, shape[0]
        drawn = uniforms(seed, Purpose.TRAP, chip, layer, (3 * n_sides, *shape[1:]))
        share, median = traps_of(model, programmed)
        trapped = drawn[:n_sides] < share
        amplitude = median * np.exp(model.amplitude_spread * ndtri(drawn[n_sides : 2 * n_sides]))
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
        return on_grid(1 - taken * (state - p))
