"""The document of a sensitivity study: what a step of each parameter does to every figure."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pimsim.report.documents.base import (
    Document,
    Joule,
    Origin,
    Part,
    Percent,
    Second,
    SquareMetre,
)


class FiguresFacts(Part):
    """Figures of the model as it is."""

    metric: float = Field(description="mean over chips, of the network's metric")
    energy_per_inference_j: Joule = Field(description="the sum")
    area_m2: SquareMetre = Field(description="area of the chip")
    interval_s: Second = Field(description="initiation interval")
    assumed: list[Literal["energy", "area", "latency"]] = Field(
        default=[], description="those of these figures that rest on assumed numbers"
    )


class StepFacts(Part):
    """A parameter that was changed by one step, alone."""

    value: str = Field(description="what it was set to")
    error: str | None = Field(default=None, description="why it cannot be run")
    metric_change: float | None = Field(
        default=None, description="of the mean over chips: share, or bits per character"
    )
    metric_ci95_half_width: float | None = Field(
        default=None,
        description="half of the 95 % interval of that change, over the same chips; null for one",
    )
    energy_percent: Percent | None = Field(default=None, description="change of the energy")
    area_percent: Percent | None = Field(default=None, description="change of the area")
    interval_percent: Percent | None = Field(default=None, description="change of the time")

    @property
    def is_significant(self) -> bool:
        """Whether the change of the metric is beyond its interval."""
        half = self.metric_ci95_half_width
        return half is not None and abs(self.metric_change or 0.0) > half


class ParameterFacts(Part):
    """A parameter and its two steps."""

    key: str = Field(description="as `--set` takes it")
    value: str = Field(description="as it stands in the file")
    certainty: str | None = Field(description="of its block; null where it has no source")
    low: StepFacts = Field(description="a step down")
    high: StepFacts = Field(description="a step up")
    influence: float = Field(
        description="largest change of any figure [%, or percentage points of accuracy]; ranks"
    )


class SensitivityDocument(Document):
    """Parameters of a device and a chip, ranked by what a step of each does."""

    schema_: Literal["pimsim.sensitivity/1"] = Field(
        default="pimsim.sensitivity/1",
        validation_alias="schema",
        serialization_alias="schema",
        description="kind and version of the document",
    )
    pimsim: str = Field(description="version that wrote it")
    model: str = Field(description="model file, as it was named")
    metric: Literal["accuracy", "bits_per_character"] = Field(description="metric of the network")
    step: float = Field(gt=0, lt=1, description="relative step")
    n_chips: int = Field(ge=1, description="chips drawn, the same ones at each step")
    is_synthetic_data: bool = Field(
        default=False, description="whether the data are synthetic, as in report.json"
    )
    base: FiguresFacts = Field(description="without a change")
    parameters: list[ParameterFacts] = Field(min_length=1, description="the most influential first")
    provenance: Origin = Field(description="date, command and versions")
