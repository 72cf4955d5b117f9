"""From summed currents to bits, or to numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Conversion:
    """From a summed current to a code, for the columns of one matrix.

    Attributes
    ----------
    code_quanta : int
        Current that a code stands for [quanta].
    top : int
        Largest code; sums beyond it are clipped.
    step : float
        Sum of cell levels that a code stands for; 1 where the converter resolves every sum.
    sigma : float
        Dynamic noise of a conversion that is on [quanta].
    offset, gain, bow : float
        Deviations over converters that are on: offset and largest nonlinearity [quanta], gain.
    input_bits : int
        Of an activation.
    signed : bool
        Whether codes have a sign: those of pairs do.
    standing : float
        Current of level 0 that a line alone carries for each active row, on an ideal cell
        [levels]; it cancels in pairs.
    """

    code_quanta: int
    top: int
    step: float
    sigma: float
    offset: float
    gain: float
    bow: float
    input_bits: int
    signed: bool = True
    standing: float = 0.0

    @property
    def is_exact(self) -> bool:
        """Whether a sum becomes its own number."""
        errs = (self.sigma, self.offset, self.gain, self.bow, self.standing)
        return self.step == 1 and not any(errs)


@dataclass(frozen=True)
class ReadOut:
    """From summed currents to bits, for the columns of one matrix.

    One unit of pre-activation is `volts_per_unit` at the sense amplifier and
    `quanta_per_unit` in simulated current.

    Attributes
    ----------
    capacitance : float
        C_IN + C_BL per side [F].
    sigma_volts, offset_volts : float
        Dynamic noise of a decision and spread of the offsets at the input [V], as
        the circuit has them, whether or not the run has them switched on.
    sigma_units : float
        Dynamic noise that is on, sigma_eval included [units of pre-activation].
    offset_units : float
        Spread of offsets that is on [units of pre-activation].
    full_scale_quanta : int
        Full scale of a cell (top level less level 0) [quanta]: L x a power of two.
    quanta_per_unit : float
    quantum_to_noise : float
        One quantum over the smallest deviation of a level, an offset or a decision; 0
        without noise.
    widest : int
        Bound of a column's differential current less its offset [quanta]: no draw
        lies beyond 7 deviations.
    conversion : Conversion or None
        Of a chip that reads out numbers.
    """

    volts_per_unit: float
    capacitance: float
    sigma_volts: float
    offset_volts: float
    sigma_units: float
    offset_units: float
    full_scale_quanta: int
    quanta_per_unit: float
    quantum_to_noise: float
    widest: int
    conversion: Conversion | None = None

    @property
    def is_exact(self) -> bool:
        """Whether neither noise nor offset, nor a converter's steps, can touch a result."""
        if self.conversion is not None:
            return self.conversion.is_exact
        return self.sigma_units == self.offset_units == 0

    @property
    def sigma_quanta(self) -> float:
        return self.sigma_units * self.quanta_per_unit

    @property
    def offset_quanta(self) -> float:
        return self.offset_units * self.quanta_per_unit
