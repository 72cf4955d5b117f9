"""The metric of a network over chips, for documents of which each holds that of one metric."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from pimsim.report.documents.base import Fraction, Part, Unit
from pimsim.workload.metrics import METRICS, Metric

# an accuracy, or a value of another metric
Value = Annotated[float, Unit("fraction or bits")]


class YieldFacts(Part):
    """Share of chips that reach a target."""

    target: Value = Field(description="accuracy, or other metric, that a good chip has")
    share: Fraction = Field(description="chips that are as good or better")
    ci95: tuple[Fraction, Fraction] = Field(
        description="95 % confidence interval of the share (Clopper and Pearson)"
    )


class MetricFacts(Part):
    """Accuracy, or another metric, over chips."""

    ideal: Value = Field(
        description="the exact network: no error, no noise, no fixed-point rounding"
    )
    mean: Value = Field(description="mean over chips")
    std: Value | None = Field(
        description="standard deviation of `per_chip` (n - 1); null for one chip"
    )
    min: Value = Field(description="smallest of a chip")
    max: Value = Field(description="largest of a chip")
    ci95: tuple[Value, Value] | None = Field(
        description="95 % confidence interval of the mean over chips (Student's t); it may leave "
        "0 to 1 where chips are few; null for one chip"
    )
    until_ci95: Value | None = Field(description="half width of `ci95` that was asked for")
    is_precise: bool = Field(
        description="whether `ci95` is as narrow as was asked for; after 100 blocks of chips a run "
        "ends without"
    )
    n_reads: int = Field(
        ge=1, description="times that a chip read every sequence, each time with new noise"
    )
    std_reads: Value | None = Field(
        description="standard deviation between reads of one chip, pooled over chips; null for "
        "one read"
    )
    std_chips: Value | None = Field(
        description="standard deviation between chips, freed of that between reads (one-way "
        "analysis of variance); null for one chip or one read"
    )
    yield_: YieldFacts | None = Field(
        validation_alias="yield",
        serialization_alias="yield",
        description="share of chips that reach a target, see below; null where none was named",
    )
    per_chip: list[Value] = Field(
        min_length=1,
        description="one for each chip, in the order of their index, mean over its reads",
    )

    def worst(self, metric: Metric) -> float:
        """Value of the worst chip."""
        return self.min if metric.is_more_better else self.max


class OfMetric:
    """A document with a field for each of `METRICS`, of which one is there."""

    @property
    def metric(self) -> Metric:
        """The metric that it holds."""
        found = metrics_in(self)
        assert found
        return found[0]

    @property
    def measured(self) -> MetricFacts:
        """Values of that metric."""
        facts: MetricFacts = getattr(self, self.metric.key)
        return facts


def metrics_in(document: Any) -> list[Metric]:
    """Metrics of which a document, or a row of figures, holds values."""
    return [metric for key, metric in METRICS.items() if getattr(document, key) is not None]


def require_one_metric(document: Any) -> None:
    """Raise a ValueError unless a document holds one metric."""
    if len(metrics_in(document)) != 1:
        raise ValueError(f"holds none or several of {', '.join(METRICS)}")


def without_absent(document: Any, said: dict[str, Any]) -> dict[str, Any]:
    """Content of a document without the keys of metrics that it does not hold."""
    own = metrics_in(document) or list(METRICS.values())[:1]
    others = [key for key, metric in METRICS.items() if metric not in own]
    absent = {
        field
        for field in type(document).model_fields
        if any(field == other or field.startswith(f"{other}_") for other in others)
    }
    return {key: value for key, value in said.items() if key not in absent}
