"""Characteristic numbers of a read-out for a matrix, and its errors on one chip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Characteristic:
    """A one-bit read-out, for the columns of one matrix.

    One unit of pre-activation is `volts_per_unit` at the read-out's input and
    `quanta_per_unit` in simulated current, or in whole numbers where nothing is a current.

    Attributes
    ----------
    volts_per_unit : float
        0 where no current is read, as the other numbers of the input are.
    capacitance : float
        C_IN + C_BL per side [F].
    sigma_volts, offset_volts : float
        Standard deviations of a decision's dynamic noise and of the offsets at the input [V], as
        the circuit has them, whether or not the run has them switched on.
    sigma_units : float
        Dynamic noise that is on, sigma_eval included [units of pre-activation].
    offset_units : float
        Standard deviation of offsets that are on [units of pre-activation].
    full_scale_quanta : int
        Full scale of a cell (top level less level 0) [quanta]: L x a power of two.
    quanta_per_unit : float
    quantum_to_noise : float
        One quantum over the smallest standard deviation of a level, an offset or a decision; 0
        without noise.
    widest : int
        Bound of a column's differential current less its offset [quanta]: no draw
        lies beyond 7 standard deviations.
    mismatch : float
        Standard deviation of the ratio of the currents of both sides of a pair that is on.
    """

    volts_per_unit: float = 0.0
    capacitance: float = 0.0
    sigma_volts: float = 0.0
    offset_volts: float = 0.0
    sigma_units: float
    offset_units: float
    full_scale_quanta: int
    quanta_per_unit: float
    quantum_to_noise: float
    widest: int
    mismatch: float

    @property
    def is_exact(self) -> bool:
        """Whether no error of the read-out can change a result."""
        return self.sigma_units == self.offset_units == self.mismatch == 0

    @property
    def sigma_quanta(self) -> float:
        return self.sigma_units * self.quanta_per_unit

    @property
    def offset_quanta(self) -> float:
        return self.offset_units * self.quanta_per_unit


@dataclass(frozen=True, kw_only=True)
class Quantiser(Characteristic):
    """A read-out of several bits, from a summed current to a code, for the columns of one matrix.

    Attributes
    ----------
    code_quanta : int
        Current of one code [quanta].
    top : int
        Largest code; sums beyond it are clipped.
    step : float
        Step between two codes [cell levels]; 1 where the ADC resolves every sum.
    sigma : float
        Dynamic noise of a conversion that is on [quanta].
    offset, gain, bow : float
        Standard deviations over the ADCs (0 if switched off): offset [quanta], gain error, peak
        nonlinearity [quanta].
    sigma_codes : float
        Dynamic noise of a conversion that is on and adds to its code, after rounding [codes].
    level_bow : float
        Standard deviation of the peak bow of the rows' DACs (0 if there are none, or if switched
        off) [steps of the drive].
    signed : bool
        Whether codes have a sign: those of pairs do.
    level0_current : float
        Current of level 0 that a single line carries for each active row, on an ideal cell
        [levels]; it cancels in pairs.
    """

    code_quanta: int
    top: int
    step: float
    sigma: float
    offset: float
    gain: float
    bow: float
    sigma_codes: float
    level_bow: float
    signed: bool
    level0_current: float

    @property
    def is_exact(self) -> bool:
        """Whether every sum of levels is its own code."""
        errors = (self.sigma, self.sigma_codes, self.offset, self.gain, self.bow, self.mismatch)
        return self.step == 1 and not any((*errors, self.level_bow, self.level0_current))


class StaticErrors(NamedTuple):
    """Errors of a read-out on one drawn chip.

    Attributes
    ----------
    subtracted : (n_lines,) int64
        Current subtracted from each line's sum before it is read out [quanta].
    arrays : dict of name -> (n_blocks, n_lines) float64
        Further errors that the read-out's kernel takes, for each array below the others; of
        `levels`, (n_rows,), the bows of the rows' DACs.
    """

    subtracted: NDArray[np.int64]
    arrays: dict[str, NDArray[np.float64]]
