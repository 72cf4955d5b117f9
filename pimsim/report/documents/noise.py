"""Noise in the document of a run: sources, read-out and levels, temperature, losses."""

from __future__ import annotations

from pydantic import Field, model_validator

from pimsim.config import NoiseConfig
from pimsim.report.documents.base import (
    Ampere,
    Femtofarad,
    Fraction,
    FractionOfFullScale,
    Kelvin,
    Millivolt,
    Part,
    PreActivation,
    Quanta,
    RatioOf,
    Second,
    Volt,
)
from pimsim.report.documents.measured import Value


class NoiseSourceFacts(Part):
    """The run with a single noise source on."""

    source: str = Field(description="a key of `switches`")
    is_present: bool = Field(description="false where device and chip have nothing for it")
    n_chips: int = Field(description="chips of this run; 1 where the source differs in no chip")
    mean: Value = Field(description="mean accuracy (or other metric) of these chips")
    std: Value | None = Field(description="standard deviation over them")
    change_from_ideal: Value = Field(
        description="`mean` less that of the ideal network; a draw of the ties is in it"
    )
    change_from_ties: Value | None = Field(
        default=None, description="paired change from ties by coin, on the same sequences"
    )
    ci95_half_width: Value | None = Field(
        default=None,
        description="half of the 95 % interval of `change_from_ties`, over sequences and draws",
    )
    is_significant: bool | None = Field(
        default=None, description="whether that interval leaves out 0; if not, no effect is shown"
    )
    flipped: Fraction | None = Field(
        default=None,
        description="decisions that differ from the exact network's at its inputs, beyond ties",
    )
    size_units: dict[str, PreActivation] = Field(
        default_factory=dict,
        description="standard deviation of the error of a sum, by matrix; of those that sense "
        "amplifiers decide",
    )


class TiesFacts(Part):
    """The chip whose only error is that a sum of exactly 0 is a coin toss."""

    n_draws: int = Field(description="draws of the coins")
    mean: Value = Field(description="mean accuracy (or other metric) over them")
    std: Value | None = Field(description="standard deviation over them")
    share: dict[str, Fraction] = Field(
        description="sums that are exactly at 0, by matrix; likewise"
    )
    flipped: Fraction = Field(description="decisions that the coins flip: half of these")
    level_step_units: dict[str, PreActivation] = Field(
        min_length=1, description="level step of each matrix, for the sizes of the sources"
    )


class HalfLevelFacts(Part):
    """Decisions that half-level thresholds save."""

    flipped: Fraction = Field(
        description="decisions that differ from the exact network's at its inputs, all noise on"
    )
    flipped_without: Fraction = Field(description="the same with whole-level thresholds")
    rows: int = Field(description="rows that are always on for them, over all layers")


class MatrixFacts(Part):
    """Read-out and levels of a weight matrix."""

    matrix: str = Field(description="name")
    full_scale_quanta: Quanta = Field(description="full scale of a cell: top level less level 0")
    quantum_a: Ampere = Field(description="current of one quantum")
    quantum_to_smallest_noise: RatioOf = Field(
        description="quantum over smallest noise of this matrix"
    )
    volts_per_unit: Volt = Field(
        description="differential voltage at the sense amplifier per unit of pre-activation"
    )
    capacitance_ff: Femtofarad = Field(description="of the node that is read, one side")
    sigma_dynamic_mv: Millivolt = Field(
        description="noise of a decision at the sense amplifier of this matrix, on or off"
    )
    sigma_dynamic_units: PreActivation = Field(
        description="noise of a decision of this matrix, as far as it is on"
    )
    offset_units: PreActivation = Field(
        description="standard deviation of the offsets, 0 where switched off"
    )
    level_mean_full_scale: list[FractionOfFullScale] = Field(
        min_length=1,
        description="mean current of each level, from level 0 up",
    )
    level_spread_full_scale: list[FractionOfFullScale] = Field(
        description="standard deviation of each level's static draw"
    )
    level_mean_clipped_full_scale: list[FractionOfFullScale] = Field(
        description="mean of the drawn currents, which are never below zero"
    )
    level_spread_clipped_full_scale: list[FractionOfFullScale] = Field(
        description="standard deviation of the drawn currents"
    )
    levels: str = Field(description="choice of the levels among the cell's states")
    level_spread_parts_full_scale: dict[str, list[FractionOfFullScale]] = Field(
        description="the same by part: `programming`, `drift`, `rtn`, `read_noise`; the standard "
        "deviation is the root of the sum of their squares"
    )

    @model_validator(mode="after")
    def _has_a_row_for_each_level(self) -> MatrixFacts:
        tables = (
            self.level_spread_full_scale,
            self.level_mean_clipped_full_scale,
            self.level_spread_clipped_full_scale,
            *self.level_spread_parts_full_scale.values(),
        )
        if any(len(table) != len(self.level_mean_full_scale) for table in tables):
            raise ValueError("has tables of levels that differ in length")
        return self


class MovedFacts(Part):
    """Something that the temperature of the chip moves."""

    what: str = Field(description="in words")
    factor: RatioOf = Field(description="on it, from `reference_k` to the chip's temperature")
    reference_k: Kelvin = Field(description="temperature at which the files have it")
    block: str = Field(description="block of the hardware files that it rests on; empty if none")


class VariogramFacts(Part):
    """Half of the mean square of differences of two cells' errors at some distance."""

    lag: int = Field(description="distance [cells]")
    along_bit_line: float | None = Field(
        description="from row to row [variances of an error]; null beyond the array"
    )
    along_word_line: float | None = Field(description="from bit line to bit line, likewise")
    expected: float = Field(description="1 - share x correlation at this distance")


class VariationFacts(Part):
    """Variation that cells have in common, of the first chip in the layer with most cells."""

    layer: str = Field(description="name")
    neighbours: Fraction = Field(description="share of the variance that is correlated")
    neighbour_length: float = Field(description="within which it falls to 1 / e [cells]")
    variogram: list[VariogramFacts] = Field(description="of the errors as drawn")
    lowest_gain: RatioOf = Field(description="least factor on a cell's current, by its place")
    highest_gain: RatioOf = Field(description="largest factor")
    chip_gains: list[float] = Field(
        min_length=1,
        description="factor on all currents of each chip, by its place on the wafer; 1000 at most",
    )


class LossFacts(Part):
    """Losses along bit and source lines that are expected of a layer."""

    layer: str = Field(description="name")
    least: Fraction = Field(
        description="expected share of I+ - I- that is missing, in the pair of cells where least "
        "is: lost along the wires, or taken off by scaled levels; rows are on as often as "
        "`limits.active_rows` says"
    )
    largest: Fraction = Field(description="the same in the pair of cells where most is missing")
    first_order_error: Fraction | None = Field(
        description="standard deviation of the difference between sums with first-order and with "
        "exact losses, over that of the sums; of the first chip at the exact network's inputs, at "
        "most 64 reads; null where losses are exact"
    )
    held_ends: int = Field(description="ends of a bit line that a clamp holds")
    moved_rows: int = Field(description="rows that stand elsewhere than in the network's order")
    lowest_scale: Fraction = Field(
        description="smallest factor on the levels of any cell, by which all cells lose the same "
        "share; 1 without `scaled_levels`"
    )


class TemperatureFacts(Part):
    """Effects of the temperature of the chip, and what is taken to be as at any other."""

    moves: list[MovedFacts] = Field(description="what moves, and by which factor")
    does_not_move: list[str] = Field(description="in words, with the reason where there is one")


class NoiseFacts(Part):
    """Noise of the run, and the effect of each source alone."""

    switches: NoiseConfig = Field(description="switches of the noise sources, see below")
    quantum: FractionOfFullScale = Field(description="coarsest quantum of any matrix")
    quantum_to_smallest_noise: RatioOf = Field(
        description="coarsest quantum over the smallest standard deviation of any noise that is "
        "on: of a level, lumped, of offsets, of decisions; 0 without noise"
    )
    sigma_dynamic_units: PreActivation = Field(
        description="standard deviation of a decision's noise as far as it is on, `sigma_eval` "
        "included; the largest of all matrices"
    )
    sigma_dynamic_mv: Millivolt = Field(
        description="noise of a decision at the sense amplifier as the circuit has it, on or off; "
        "the largest of all matrices"
    )
    offset_mv: Millivolt = Field(
        description="standard deviation of the offsets as the circuit has it, on or off"
    )
    clipped_cells: int = Field(
        description="cells of all chips whose draw fell below zero and was clipped"
    )
    programmed_cells: int = Field(ge=0, description="cells of all chips, both cells of every pair")
    time_since_programming_s: Second = Field(description="age of the stored levels")
    device_temperature_k: Kelvin = Field(
        description="from the device file; at which its currents hold"
    )
    drift_temperature_k: Kelvin | None = Field(
        description="at which the device's drift was measured, where the file says so"
    )
    chip_temperature_k: Kelvin = Field(description="from the chip file or the model file")
    temperature: TemperatureFacts | None = Field(
        default=None, description="what that moves; null in documents of earlier versions"
    )
    variation: VariationFacts | None = Field(
        default=None, description="what cells have in common; null where the device file has none"
    )
    losses: list[LossFacts] = Field(
        default=[],
        description="losses along lines that are expected of each layer; empty where `ir_drop` is "
        "none, and in documents of earlier versions",
    )
    levels: str = Field(description="choice of the weight levels among the cell's states")
    contributions: list[NoiseSourceFacts] = Field(
        description="each noise source alone; empty with `--no-noise-sources`"
    )
    ties: TiesFacts | None = Field(
        default=None,
        description="reference of the single sources; null for chips with ADCs, and without them",
    )
    half_levels: HalfLevelFacts | None = Field(
        default=None,
        description="what half-level thresholds save; null for a chip without them",
    )
    matrices: list[MatrixFacts] = Field(
        min_length=1, description="read-out and levels of each weight matrix"
    )

    @property
    def noise_sources(self) -> list[NoiseSourceFacts]:
        return self.contributions

    @property
    def absent_sources(self) -> list[str]:
        """Sources that are on but have no numbers in the hardware files."""
        return [entry.source for entry in self.contributions if not entry.is_present]

    @property
    def clipped_share(self) -> float:
        return self.clipped_cells / max(1, self.programmed_cells)
