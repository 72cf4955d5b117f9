"""The documents of a reproduced figure or table of the paper."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pimsim.report.documents.base import (
    Document,
    Fraction,
    Joule,
    Origin,
    Part,
    Second,
    SquareMetre,
)

MetricKey = Literal["accuracy", "bits_per_character"]


class SampleFacts(Part):
    """Accuracy over samples of the noise, or over chips."""

    mean: Fraction = Field(description="over samples")
    std: Fraction = Field(description="standard deviation (n - 1); 0 for one")
    min: Fraction = Field(description="smallest")
    max: Fraction = Field(description="largest")
    per_sample: list[Fraction] = Field(min_length=1, description="each sample")


class CurvePoint(SampleFacts):
    """A point of a curve."""

    curve: str = Field(description="label of the curve")
    network: str = Field(description="bundled network")
    neurons: Literal["sigmoids", "bits"] = Field(description="that it runs with")
    sigma_eval: float = Field(description="noise of every decision [units]")
    samples: int = Field(description="number of samples of the noise")


class DevicePoint(SampleFacts):
    """A device with some of its noise sources on."""

    device: str = Field(description="name in the device file")
    noise: str = Field(description="the source that is on, or `all sources`")
    chips: int = Field(description="chips drawn")
    paper: str = Field(description="value in the paper, if given")


class VariantPoint(SampleFacts):
    """A network on a chip of its own."""

    label: str = Field(description="label of the row")
    network: str = Field(description="its file, without folder and ending")
    device: str = Field(description="name in the device file")
    replaced: list[str] = Field(description="keys of the model and its chip that were replaced")
    paper: str = Field(description="value in the paper, if given")
    chips: int = Field(description="chips drawn")
    bit_lines: int = Field(description="bit lines that hold weights or correct them, all layers")
    conversions: float = Field(description="conversions of an inference")
    settings: int = Field(description="different settings of ADCs, DACs and weights over layers")
    clipped: list[Fraction] = Field(description="share of clipped conversions, layer by layer")
    interval_s: Second | None = Field(
        default=None, description="from one inference to the next, in a row of them"
    )
    operations_per_joule: float | None = Field(
        default=None, description="two for each product of a weight; whole chip"
    )
    macro_operations_per_joule: float | None = Field(
        default=None, description="of the arrays with what stands at them"
    )
    energy_j: Joule = Field(description="energy of an inference")
    area_m2: SquareMetre = Field(description="area of the chip")
    energy_parts_j: dict[str, Joule] = Field(description="energy by component")
    area_parts_m2: dict[str, SquareMetre] = Field(description="area by component")
    assumed: list[str] = Field(
        default_factory=list,
        description="those of `energy`, `area` and `latency` that rest on assumed numbers; empty "
        "in documents of before",
    )


class MissingRow(Part):
    """A row that is not computed yet, for want of its network."""

    label: str = Field(description="label of the row")
    network: str = Field(description="its file, without folder and ending")
    paper: str = Field(description="value in the paper, if given")


class PenaltyRow(Part):
    """Loss penalty Pg + Pc of a network."""

    label: str = Field(description="label of the row")
    network: str = Field(description="bundled network")
    temperature: float = Field(description="tau of its neurons")
    paper: float = Field(description="relative penalty in the paper")
    with_tau: float = Field(description="eq. 13 and 14 with tau in the neuron's slope")
    without_tau: float = Field(description="the same times tau^2")
    as_sigmoids: float = Field(description="with tau = 1")
    with_tau_relative: float = Field(description="over the first row")
    without_tau_relative: float = Field(description="over the first row")
    as_sigmoids_relative: float = Field(description="over the first row")


class SettingPoint(Part):
    """A point of a curve over a setting."""

    curve: str = Field(description="label of the curve")
    network: str = Field(description="its file, without folder and ending")
    setting: str = Field(description="what `x` is")
    x: float = Field(description="value of the setting")
    mean: float = Field(description="metric over samples; of accuracy, a fraction")
    std: float = Field(description="standard deviation (n - 1); 0 for one")
    min: float = Field(description="smallest")
    max: float = Field(description="largest")
    per_sample: list[float] = Field(min_length=1, description="each sample")


class ChipRow(Part):
    """A network on a chip."""

    chip: str = Field(description="name in the chip file")
    network: str = Field(description="its file, without folder and ending")
    operands: str = Field(description="bits of inputs and weights of the arrays")
    value: float = Field(description="metric over the chips that were drawn")
    energy_per_step_j: Joule = Field(description="of a time step")
    energy_per_inference_j: Joule = Field(description="of a sequence")
    step_s: Second = Field(description="from one time step to the next, in a row of them")
    latency_s: Second = Field(description="from the first input of a sequence to its scores")
    area_m2: SquareMetre = Field(description="of the whole chip")
    operations_per_joule: float = Field(description="two for each weight and step; whole chip")
    macro_operations_per_joule: float = Field(description="of the arrays with what stands at them")
    operations_per_second_per_m2: float = Field(description="throughput over area")
    assumed: list[str] = Field(
        default_factory=list,
        description="those of `energy`, `area` and `latency` that rest on assumed numbers; empty "
        "in documents of before",
    )


class PublishedChip(Part):
    """A chip of others."""

    name: str = Field(description="what it is")
    operations_per_joule: tuple[float, float] = Field(description="smallest and largest")
    area_m2: SquareMetre | None = Field(description="as published, if it is")
    source: str = Field(description="where the numbers were found")


class _Reproduction(Document):
    schema_: Literal["pimsim.reproduction/1"] = Field(
        default="pimsim.reproduction/1",
        validation_alias="schema",
        serialization_alias="schema",
        description="kind and version of the document",
    )
    pimsim: str = Field(description="version that wrote it")
    name: str = Field(description="such as `fig3a`")
    title: str = Field(description="title of the figure or table")
    source: str = Field(description="figure or table of the paper")
    paper_says: list[str] = Field(description="sentences")
    data: str = Field(description="name of the data set")
    is_synthetic_data: bool = Field(
        default=False, description="whether the data are synthetic, as in report.json"
    )
    n_sequences: int = Field(description="clips, images or other samples")
    seed: int = Field(description="seed of every random number")
    wall_s: Second = Field(description="time of this call; finished points cost none")
    networks: dict[str, str] = Field(description="SHA-256 of every network file")


class CurvesDocument(_Reproduction):
    """Accuracy against sigma_eval for several networks."""

    kind: Literal["sweep"] = Field(default="sweep", description="`sweep`")
    samples: int = Field(description="samples of the noise for each point")
    points: list[CurvePoint] = Field(min_length=1, description="every curve, point by point")
    provenance: Origin = Field(description="date, command and versions")


class DevicesDocument(_Reproduction):
    """Accuracy of one model on chips of several devices."""

    kind: Literal["devices"] = Field(default="devices", description="`devices`")
    samples: int = Field(description="chips of each device")
    points: list[DevicePoint] = Field(min_length=1, description="every device and source")
    provenance: Origin = Field(description="date, command and versions")


class VariantsDocument(_Reproduction):
    """Networks on chips of their own, side by side."""

    kind: Literal["variants"] = Field(default="variants", description="`variants`")
    samples: int = Field(description="chips of each row")
    our_choice: list[str] = Field(
        default_factory=list, description="sentences: what the paper leaves open"
    )
    points: list[VariantPoint] = Field(description="every network and chip")
    missing: list[MissingRow] = Field(
        default_factory=list, description="rows that are not computed yet: no such network"
    )
    provenance: Origin = Field(description="date, command and versions")


class PenaltyDocument(_Reproduction):
    """Loss penalties relative to the first network's."""

    kind: Literal["table"] = Field(default="table", description="`table`")
    points: list[PenaltyRow] = Field(min_length=1, description="every row")
    provenance: Origin = Field(description="date, command and versions")


class SettingsDocument(_Reproduction):
    """The metric of several networks against settings of their training, or of their chips."""

    kind: Literal["settings"] = Field(default="settings", description="`settings`")
    metric: MetricKey = Field(description="what `mean` and its companions are")
    samples: int = Field(description="chips of each point that differ")
    reference: float | None = Field(description="of the float network, on the same data")
    our_choice: list[str] = Field(description="sentences: what the paper leaves open")
    points: list[SettingPoint] = Field(min_length=1, description="every curve, point by point")
    provenance: Origin = Field(description="date, command and versions")


class ChipsDocument(_Reproduction):
    """Energy, area and time of networks on several chips, beside published ones."""

    kind: Literal["chips"] = Field(default="chips", description="`chips`")
    metric: MetricKey = Field(description="what `value` is")
    our_choice: list[str] = Field(description="sentences: what the paper leaves open")
    points: list[ChipRow] = Field(min_length=1, description="every network on every chip")
    published: list[PublishedChip] = Field(description="chips of others, as published")
    provenance: Origin = Field(description="date, command and versions")


ReproductionDocument = (
    CurvesDocument
    | DevicesDocument
    | VariantsDocument
    | PenaltyDocument
    | SettingsDocument
    | ChipsDocument
)
# by the document's `kind`
KINDS: dict[object, type[ReproductionDocument]] = {
    "sweep": CurvesDocument,
    "devices": DevicesDocument,
    "variants": VariantsDocument,
    "table": PenaltyDocument,
    "settings": SettingsDocument,
    "chips": ChipsDocument,
}
