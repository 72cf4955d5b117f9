"""Costs in the document of a run: cycles, energy, area, and whether the chip can be built."""

from __future__ import annotations

from pydantic import Field, model_validator

from pimsim.report.documents.base import (
    Fraction,
    Hertz,
    Joule,
    Kelvin,
    Part,
    PerSecond,
    Second,
    SquareMetre,
    Volt,
    Watt,
)


class PhaseFacts(Part):
    """A phase of a tile's operation."""

    phase: str = Field(description="name of the phase")
    delay_s: Second = Field(description="delay of the circuit")
    cycles: int = Field(description="whole cycles that it gets")
    repeats: int = Field(description="column pairs that share a sense amplifier, decided in turn")


class ComponentCycles(Part):
    """Cycles of a stage of the pipeline, or of a link."""

    component: str = Field(description="encoder, layer, output, or `a to b` for a link")
    operations: int = Field(description="time steps, pixels or tokens that it worked on")
    cycles_per_operation: int = Field(description="cycles of each operation")
    busy_cycles: int = Field(description="at work")
    starved_cycles: int = Field(description="waiting for inputs")
    blocked_cycles: int = Field(description="waiting for room in the next buffer")
    utilisation: Fraction = Field(description="at work, of all cycles of the simulation")

    @property
    def is_link(self) -> bool:
        return " to " in self.component


class LatencyFacts(Part):
    """Duration of inferences on the chip."""

    clock_hz: Hertz = Field(description="from the chip file")
    frame_interval_s: Second | None = Field(
        description="time between inputs in real time; null where they are always at hand"
    )
    first_cycles: int = Field(description="from the first input to the first scores")
    first_s: Second = Field(description="the same in time")
    after_last_input_cycles: int = Field(
        description="from the last input of an inference to its scores"
    )
    after_last_input_s: Second = Field(description="the same in time")
    cycles_per_inference: int = Field(
        description="initiation interval: between the scores of two inferences, the pipeline "
        "being full"
    )
    interval_s: Second = Field(gt=0, description="the same in time")
    inferences_per_s: PerSecond = Field(description="throughput, its inverse")
    awake_s: Second = Field(description="time awake in an interval")
    asleep_s: Second = Field(description="time asleep in an interval")
    duty_cycle: Fraction = Field(description="awake, of the interval")
    wakes: int = Field(description="number of times that the chip wakes in an interval")
    highest_clock_hz: Hertz = Field(
        description="fastest clock at which no phase of a tile, and no link, takes more cycles "
        "than now"
    )
    critical_path: str = Field(description="phase and layer that set the highest clock")
    slowest: str = Field(description="component that is busy longest, the first of several")
    bottleneck: list[str] = Field(
        default_factory=list,
        description="what sets the interval: `inputs` that come in real time; every component or "
        "link that is at work throughout; or those that wait for each other, as a buffer between "
        "them holds too little",
    )
    phases: list[PhaseFacts] = Field(
        description="phases of an operation of the tile that is busy longest"
    )
    components: list[ComponentCycles] = Field(
        min_length=1,
        description="stages of the pipeline and the links between them, in order",
    )


class EnergyItem(Part):
    """A line of the energy bill."""

    component: str = Field(description="component, as in `actions`, or `clock`, `leakage`, `power`")
    action: str = Field(
        description="an action; of `array` a matrix, whose count is the current that it drew, "
        "summed over reads [quanta]"
    )
    count: int | float = Field(
        description="in all inferences of the main run; of leakage, seconds; of the "
        "clock, flip-flops times cycles"
    )
    each_j: Joule = Field(description="energy of one")
    per_inference_j: Joule = Field(description="count times energy over the number of inferences")


class FeatureExtractorFacts(Part):
    """Published extractor of speech features, which stands before the chip."""

    name: str = Field(description="authors or circuit, venue and year")
    node_m: float = Field(description="technology node [m]")
    kind: str = Field(description="circuits and features")
    power_w: Watt = Field(description="its power, always on")
    source: str = Field(description="source of the figure")
    certainty: str = Field(description="quality of the source")


class EnergyFacts(Part):
    """Energy of the counted actions."""

    per_inference_j: Joule = Field(description="the sum")
    by_component_j: dict[str, Joule] = Field(description="the same by component")
    items: list[EnergyItem] = Field(description="line by line")
    by_adc_account_j: dict[str, Joule] = Field(
        description="`per_inference_j` by each published ADC cost model that covers the bits of "
        "the chip's ADCs; empty for chips without ADCs"
    )
    not_counted: list[str] = Field(description="costs that are not included")
    outside: list[str] = Field(
        default_factory=list,
        description="steps from sound to features of speech, which are no part of the chip either",
    )
    feature_extractors: list[FeatureExtractorFacts] = Field(
        default_factory=list,
        description="published circuits that do so (hwconfigs/silicon.yaml); empty for images",
    )


class AreaItemFacts(Part):
    """A line of the area bill."""

    component: str = Field(
        description="component, as in `energy`, or `bit_line`, `register`, `buffer`, `wiring`, "
        "`programming_periphery`, `spare_pairs`"
    )
    part: str = Field(description="layer, link, or part of a unit")
    count: int = Field(description="number of instances")
    each_m2: SquareMetre = Field(description="area of one")
    area_m2: SquareMetre = Field(description="area of all instances")
    leakage_w: Watt = Field(description="leakage of all instances")


class AreaFacts(Part):
    """Area and leakage of the chip."""

    total_m2: SquareMetre = Field(description="the chip")
    by_component_m2: dict[str, SquareMetre] = Field(description="the same by component")
    leakage_w: Watt = Field(
        description="leakage of the chip when awake, at `leakage_temperature_k`"
    )
    leakage_asleep_w: Watt = Field(description="leakage of the bits that are kept in sleep")
    leakage_temperature_k: Kelvin = Field(description="temperature of the chip")
    items: list[AreaItemFacts] = Field(description="line by line")


class ScopeFacts(Part):
    """Efficiency of a part of the chip, with the bits of its operands."""

    scope: str = Field(
        description="`macro` (cells, drivers, lines, read-out), `chip without encoder` or `chip`"
    )
    per_inference_j: Joule = Field(description="its energy")
    operations_per_inference: int = Field(description="its operations")
    operands: str = Field(description="bits of inputs and weights; n levels have log2 n bits")
    tops_per_w: float = Field(description="operations per joule [10^12/J], of these operands")


class SiliconFacts(Part):
    """Published silicon beside the arrays of the run."""

    name: str = Field(description="authors, venue, year")
    node_m: float = Field(description="technology node [m]")
    kind: str = Field(description="cells and operands")
    energy_per_mac_j: Joule | None = Field(
        description="energy of a column over its rows, on or off"
    )
    cells_per_m2: float | None = Field(description="cells over the area of the macro [1/m2]")
    source: str = Field(description="source of the figure")
    certainty: str = Field(description="quality of the source")


class EfficiencyFacts(Part):
    """Operations per second, joule and area."""

    operation: str = Field(description="definition of an operation")
    operations_per_inference: int = Field(description="operations of the network on this chip")
    tops: float = Field(description="operations [10^12/s] at the interval of `latency`")
    tops_per_w: float = Field(description="operations per joule of `energy` [10^12/J]")
    tops_per_mm2: float = Field(description="`tops` over the area")
    scopes: list[ScopeFacts] = Field(
        default_factory=list, description="macro, chip without encoder, chip"
    )
    mean_power_w: Watt | None = Field(
        default=None,
        description="energy over the interval of inferences that come in real time; null where a "
        "model file gives no `frame_interval`",
    )
    energy_per_mac_j: Joule | None = Field(
        default=None, description="of the macro: its energy over its products"
    )
    cells_per_m2: float | None = Field(
        default=None,
        description="cells over the area of arrays, drivers, lines, read-out, programming [1/m2]",
    )
    silicon: list[SiliconFacts] = Field(
        default_factory=list, description="published arrays (hwconfigs/silicon.yaml)"
    )

    @model_validator(mode="after")
    def _has_a_macro(self) -> EfficiencyFacts:
        if self.energy_per_mac_j is not None and not self.scopes:
            raise ValueError("has the energy of a macro's products, and no macro in `scopes`")
        return self


class CheckFacts(Part):
    """A limit of a layer's tile, and whether it is kept."""

    check: str = Field(
        description="`IR drop`, `line current` (mean over an operation) or `integration` (time "
        "needed and given)"
    )
    layer: str = Field(description="layer of the tile")
    value: float = Field(description="value found")
    limit: float = Field(description="value allowed")
    unit: str = Field(description="unit of value and limit")
    passes: bool = Field(description="whether it is within the limit")


class PlacementFacts(Part):
    """Arrays of a layer."""

    layer: str = Field(description="name")
    n_rows: int = Field(description="word lines used, rows that are always on included")
    n_pairs: int = Field(
        description="column pairs used; single bit lines, reference columns included, where "
        "weights have an offset"
    )
    n_arrays: int = Field(description="arrays taken")
    n_stacked: int = Field(
        description="arrays that its rows are spread over: joined on one bit line, or, where sums "
        "are numbers, each read out for itself"
    )
    read_out: str | None = Field(
        default=None, description="kind of its read-out; null in documents of before"
    )
    clipped_share: float | None = Field(
        default=None,
        description="of the conversions of its ADCs, those whose sum is beyond the range; null "
        "without ADCs, and in documents of before",
    )


class LayerWritingFacts(Part):
    """One write of a layer's cells."""

    layer: str = Field(description="name")
    cells: int = Field(description="cells that hold a weight or a threshold")
    levels: int = Field(description="levels of a cell")
    pulses_each: float = Field(description="mean number of pulses of a cell, each with a check")
    pulses_most: int = Field(description="pulses that suffice for 99 % of the cells of any level")
    energy_j: Joule = Field(description="of pulses and checks")
    time_s: Second = Field(description="row by row")


class WritingFacts(Part):
    """One write of the network."""

    cells: int = Field(gt=0, description="cells that are written")
    bits: float = Field(gt=0, description="bits that they hold; n levels have log2 n bits")
    pulses: float = Field(description="of all cells, mean")
    pulse_energy_j: Joule = Field(description="of pulses, by the efficiency of their supply")
    check_energy_j: Joule = Field(description="of checks, one after each pulse")
    energy_j: Joule = Field(description="the sum")
    time_s: Second = Field(description="layer after layer")
    cycles: float = Field(description="cycles of endurance of a cell, at most, of 99 % of them")
    layers: list[LayerWritingFacts] = Field(description="layer by layer")


class ProgrammingFacts(Part):
    """Writing the network into the chip, which no energy of an inference has in it."""

    missing: str = Field(description="why `once` is null; else empty")
    area_m2: SquareMetre = Field(description="of `programming_periphery`, which is in `area`")
    lifetime_s: Second = Field(description="from the model file")
    writes: int = Field(description="times that the network is written in it")
    inferences: float = Field(description="in the lifetime, at the interval of `latency`")
    once: WritingFacts | None = Field(description="one write; null without data")
    per_inference_j: Joule | None = Field(
        description="energy of all writes over all inferences; null without data"
    )
    endurance_cycles: float | None = Field(description="that a cell bears; null if not known")
    writes_borne: float | None = Field(
        description="writes of the network that its cells bear; null if not known"
    )
    reads: float = Field(description="of the array that is read most, in the lifetime")
    reads_tested: float | None = Field(
        description="reads for which cells were seen to keep their levels; null if not known"
    )
    reads_tested_v: Volt | None = Field(description="voltage of these reads")

    @property
    def is_worn(self) -> bool:
        """Whether cells bear fewer writes than are asked for."""
        return self.writes_borne is not None and self.writes > self.writes_borne
