"""The document of a comparison: comparison.json."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from pimsim.report.documents.base import (
    Document,
    Joule,
    Part,
    Percent,
    Points,
    Second,
    SquareMetre,
)
from pimsim.report.documents.costs import CheckFacts
from pimsim.report.documents.measured import (
    MetricFacts,
    OfMetric,
    require_one_metric,
    without_absent,
)
from pimsim.report.documents.provenance import Provenance
from pimsim.workload.metrics import METRICS, Metric


class CaseFacts(Part, OfMetric):
    """One of the runs that are compared."""

    case: str = Field(description="its name: the settings that differ between the cases")
    network: str = Field(description="name in the network file")
    chip: str = Field(description="name in the chip file")
    device: str = Field(description="name in the device file")
    n_chips: int = Field(description="chips drawn")
    seed: int = Field(description="seed of every random number")
    accuracy: MetricFacts | None = Field(default=None, description="accuracy, as in report.json")
    bits_per_character: MetricFacts | None = Field(default=None, description="as in report.json")
    energy_per_inference_j: Joule = Field(description="the sum")
    energy_by_component_j: dict[str, Joule] = Field(description="the same by component")
    area_m2: SquareMetre = Field(description="area of the chip")
    area_by_component_m2: dict[str, SquareMetre] = Field(description="the same by component")
    interval_s: Second = Field(description="initiation interval (1 / throughput)")
    after_last_input_s: Second = Field(description="latency from the last input to the scores")
    tops_per_w: float = Field(description="operations per joule [10^12/J]")
    tops_per_mm2: float = Field(description="operations per second and area [10^12/s/mm2]")
    doubtful: list[CheckFacts] = Field(
        description="entries of `plausibility` that are not within their limit"
    )

    @model_validator(mode="after")
    def _one_metric(self) -> CaseFacts:
        require_one_metric(self)
        return self

    @model_serializer(mode="wrap")
    def _own_metric(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return without_absent(self, handler(self))


class DifferenceFacts(Part):
    """Differences of a case from the first one."""

    case: str = Field(description="name of the case")
    from_: str = Field(
        validation_alias="from", serialization_alias="from", description="name of the first case"
    )
    accuracy_points: Points | None = Field(
        default=None, description="difference of mean accuracy from the first case"
    )
    bits_per_character: float | None = Field(
        default=None, description="difference of mean bits per character, where those are measured"
    )
    p_value: float | None = Field(
        description="probability of such a difference by the draw of chips alone (Student's t); "
        "null where a case has one chip"
    )
    is_paired: bool = Field(description="whether both ran the same chips")
    energy_per_inference_percent: Percent = Field(description="more than the first")
    area_percent: Percent = Field(description="more than the first")
    interval_percent: Percent = Field(description="more than the first")
    after_last_input_percent: Percent = Field(description="more than the first")

    def difference(self, metric: Metric) -> float:
        """Difference of the mean metric, as it is shown."""
        found: float = getattr(self, metric.difference_key)
        return found

    @model_serializer(mode="wrap")
    def _own_metric(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        keys = {metric.difference_key for metric in METRICS.values()}
        said = handler(self)
        return {key: value for key, value in said.items() if value is not None or key not in keys}


class ComparisonDocument(Document):
    """Cases side by side, and each against the first."""

    schema_: Literal["pimsim.comparison/1"] = Field(
        default="pimsim.comparison/1",
        validation_alias="schema",
        serialization_alias="schema",
        description="kind and version of the document",
    )
    pimsim: str = Field(description="version that wrote it")
    data: str = Field(description="name of the data set")
    is_synthetic_data: bool = Field(description="whether the data are synthetic, as in report.json")
    n_sequences: int = Field(description="clips, images or other samples run on each chip")
    cases: list[CaseFacts] = Field(min_length=1, description="the runs")
    differences: list[DifferenceFacts] = Field(description="every case but the first")
    provenance: list[Provenance] = Field(
        min_length=1, description="provenance of every case, as in report.json"
    )

    @model_validator(mode="after")
    def _of_one_metric(self) -> ComparisonDocument:
        if len({case.metric.key for case in self.cases}) > 1:
            raise ValueError("has cases of several metrics")
        key = self.metric.difference_key
        if any(getattr(entry, key) is None for entry in self.differences):
            raise ValueError(f"has a difference without '{key}'")
        return self

    @property
    def metric(self) -> Metric:
        """Metric of all cases."""
        return self.cases[0].metric
