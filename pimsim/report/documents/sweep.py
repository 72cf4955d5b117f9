"""The documents of a sweep, sweep.json, and of a run over the ages of its levels, age.json."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from pydantic import (
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from pimsim.report.documents.base import (
    Document,
    Fraction,
    Joule,
    Origin,
    Part,
    Second,
    SquareMetre,
)
from pimsim.report.documents.measured import metrics_in, require_one_metric, without_absent
from pimsim.workload.metrics import Metric


class Goal(NamedTuple):
    """A figure by which points are judged and drawn.

    Attributes
    ----------
    key : str
        In `RunFigures`.
    best : str
        Words for the best point.
    is_more_better : bool
    unit : str
        Of the figure.
    factor, axis
        What it is multiplied by where it is drawn, and the words beside that axis.
    metric : Metric or None
        Where the figure is that of the networks.
    figure : str
        Of a cost, its name among the origins of numbers.
    """

    key: str
    best: str
    is_more_better: bool
    unit: str
    factor: float
    axis: str
    metric: Metric | None = None
    figure: str = ""

    @classmethod
    def of(cls, metric: Metric) -> Goal:
        """A metric as a goal."""
        extreme = metric.extremes[1]
        best = f"{extreme[0].upper()}{extreme[1:]} {metric.name}"
        more = metric.is_more_better
        return cls(metric.key, best, more, metric.unit, metric.factor, metric.axis, metric)


# beside the metric of the networks
COSTS = (
    Goal("energy_per_inference_j", "Lowest energy per inference", False, "J", 1e9,
         "energy per inference [nJ]", figure="energy"),
    Goal("area_m2", "Smallest area", False, "m2", 1e6, "area [mm\N{SUPERSCRIPT TWO}]",
         figure="area"),
    Goal("interval_s", "Shortest initiation interval", False, "s", 1e6,
         "initiation interval [\N{MICRO SIGN}s]", figure="latency"),
)  # fmt: skip


class RunFigures(Part):
    """Figures of one run in a flat row; null if the point cannot be run."""

    accuracy: Fraction | None = Field(default=None, description="mean over chips")
    accuracy_std: Fraction | None = Field(
        default=None, description="standard deviation; null for one chip"
    )
    accuracy_min: Fraction | None = Field(default=None, description="worst chip")
    accuracy_max: Fraction | None = Field(default=None, description="best chip")
    accuracy_ci95_low: Fraction | None = Field(
        default=None,
        description="95 % confidence interval of the mean, lower end; null for one chip",
    )
    accuracy_ci95_high: Fraction | None = Field(
        default=None, description="upper end of the interval"
    )
    accuracy_ideal: Fraction | None = Field(default=None, description="the exact network")
    accuracy_std_chips: Fraction | None = Field(
        default=None, description="standard deviation between chips, freed of that between reads"
    )
    accuracy_std_reads: Fraction | None = Field(
        default=None, description="standard deviation between reads of one chip"
    )
    bits_per_character: float | None = Field(
        default=None, description="mean over chips, in the place of `accuracy` and what follows it"
    )
    bits_per_character_std: float | None = Field(default=None, description="as of the accuracy")
    bits_per_character_min: float | None = Field(default=None, description="smallest of a chip")
    bits_per_character_max: float | None = Field(default=None, description="largest of a chip")
    bits_per_character_ci95_low: float | None = Field(
        default=None, description="as of the accuracy"
    )
    bits_per_character_ci95_high: float | None = Field(
        default=None, description="as of the accuracy"
    )
    bits_per_character_ideal: float | None = Field(default=None, description="the exact network")
    bits_per_character_std_chips: float | None = Field(
        default=None, description="as of the accuracy"
    )
    bits_per_character_std_reads: float | None = Field(
        default=None, description="as of the accuracy"
    )
    yield_: Fraction | None = Field(
        validation_alias="yield",
        serialization_alias="yield",
        description="share of chips that reach the accuracy asked for",
    )
    yield_ci95_low: Fraction | None = Field(
        description="95 % confidence interval of the share, lower end"
    )
    yield_ci95_high: Fraction | None = Field(description="upper end of the interval")
    # an axis may have the name of one of these two: then it is the text that was asked for
    chips: int | str | None = Field(description="chips drawn")
    energy_per_inference_j: Joule | None = Field(description="the sum")
    area_m2: SquareMetre | None = Field(description="area of the chip")
    interval_s: Second | None = Field(description="initiation interval (1 / throughput)")
    after_last_input_s: Second | None = Field(
        description="latency from the last input to the scores"
    )
    tops_per_w: float | None = Field(description="operations per joule [10^12/J]")
    doubtful: int | None = Field(description="bounds of `plausibility` that are not kept")
    assumed: str | None = Field(
        default=None,
        description="those of `energy`, `area` and `latency` that rest on assumed numbers, with "
        "blanks between them; null in documents of older versions",
    )
    is_synthetic_data: bool | None = Field(
        default=None, description="whether the data are synthetic, as in report.json"
    )
    seed: int | str | None = Field(description="seed of every random number")

    def of(self, metric: Metric, what: str = "") -> float | None:
        """A figure of a metric: its mean, or `std`, `ideal` and others."""
        found: float | None = getattr(self, f"{metric.key}_{what}".rstrip("_"))
        return found

    def is_assumed(self, figure: str) -> bool:
        """Whether `energy`, `area` or `latency` rests on an assumed number."""
        return figure in (self.assumed or "").split()

    @model_serializer(mode="wrap")
    def _own_metric(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return without_absent(self, handler(self))


class SweepPoint(RunFigures):
    """Settings of a point, by the names of the axes, and its figures."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, str]

    error: str | None = Field(default=None, description="why the point cannot be run")
    is_pareto: bool = Field(
        description="whether no other point is as good in every goal and better in one"
    )

    @model_validator(mode="after")
    def _one_metric(self) -> SweepPoint:
        if self.error is None:
            require_one_metric(self)
        return self

    def has_setting(self, axis: str) -> bool:
        """Whether an axis has a value here."""
        return axis in (self.model_extra or {}) or axis in type(self).model_fields

    def setting(self, axis: str) -> str:
        """Value of an axis, as the user gave it."""
        values: dict[str, Any] = self.model_extra or {}
        return str(values[axis] if axis in values else getattr(self, axis))

    @model_serializer(mode="wrap")
    def _settings_first(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        said = without_absent(self, handler(self))
        return {**{key: said[key] for key in self.model_extra or {}}, **said}


class QuestionFacts(Part):
    """A question to a sweep, and its answer; points are named by their place in `points`."""

    where: list[str] = Field(description="conditions, as they were asked")
    kept: list[int] = Field(description="points that keep each condition")
    fitting: list[int] = Field(description="points that keep all of them, the best first")
    best: str | None = Field(description="figure that is to be best, as it was asked")
    best_key: str | None = Field(description="its key in a point")
    answer: int | None = Field(description="the best point; null where none fits")

    @model_validator(mode="after")
    def _counts(self) -> QuestionFacts:
        if len(self.kept) != len(self.where):
            raise ValueError("has another number of conditions than of counts")
        return self


class SearchFacts(Part):
    """Search that chose the points of a sweep."""

    combinations: int = Field(gt=0, description="points of the whole grid of the axes")
    generation: int = Field(gt=0, description="points that were chosen before any of them was run")
    seed: int = Field(ge=0, description="seed of the choices")
    optuna: str = Field(description="version of optuna, whose TPE sampler chose")


class SweepDocument(Document):
    """A model at every point of a grid, or at those that a search chose."""

    schema_: Literal["pimsim.sweep/1"] = Field(
        default="pimsim.sweep/1",
        validation_alias="schema",
        serialization_alias="schema",
        description="kind and version of the document",
    )
    pimsim: str = Field(description="version that wrote it")
    model: str = Field(description="model file, as it was named")
    axes: list[str] = Field(min_length=1, description="keys that the points set")
    points: list[SweepPoint] = Field(
        min_length=1, description="a row for each point: its settings, then its figures"
    )
    question: QuestionFacts | None = Field(
        default=None, description="conditions and the best point, where they were asked for"
    )
    search: SearchFacts | None = Field(
        default=None, description="how the points were chosen, where it was by a search"
    )
    provenance: Origin = Field(description="date, command and versions")

    @model_validator(mode="after")
    def _is_whole(self) -> SweepDocument:
        asked = self.question
        named = [] if asked is None else [*asked.fitting, *filter(None, [asked.answer])]
        if any(not 0 <= index < len(self.points) for index in named):
            raise ValueError("has a question whose answer is none of its points")
        for index, point in enumerate(self.points):
            if point.error is None and any(getattr(point, goal.key) is None for goal in COSTS):
                raise ValueError(f"points[{index}] has no error, and not every figure")
            missing = [axis for axis in self.axes if not point.has_setting(axis)]
            if missing:
                raise ValueError(f"points[{index}] has no value of the axis '{missing[0]}'")
        if len({metric.key for point in self.finished for metric in metrics_in(point)}) != 1:
            raise ValueError("has no point that was run, or points of several metrics")
        return self

    @property
    def metric(self) -> Metric:
        """Metric of the networks of all points."""
        return metrics_in(self.finished[0])[0]

    @property
    def goals(self) -> tuple[Goal, ...]:
        """Figures by which the points are judged."""
        return (Goal.of(self.metric), *COSTS)

    @property
    def finished(self) -> list[SweepPoint]:
        """Points that could be run."""
        return [point for point in self.points if point.error is None]


class AgeLabel(Part):
    """Device, compensation and age of a point of an age study."""

    device: str = Field(description="name in the device file")
    compensation: Literal["on", "off", "none"] = Field(
        description="drift compensation; `none` if no drift is known"
    )
    age: str = Field(description="time since programming, as it was asked for")
    age_s: Second = Field(description="the same")


class AgePoint(RunFigures, AgeLabel):
    """A device at one age of its levels."""

    @model_validator(mode="after")
    def _one_metric(self) -> AgePoint:
        require_one_metric(self)
        return self


class AgeDocument(Document):
    """Accuracy against the time since programming."""

    schema_: Literal["pimsim.age/1"] = Field(
        default="pimsim.age/1",
        validation_alias="schema",
        serialization_alias="schema",
        description="kind and version of the document",
    )
    model: str = Field(description="model file, as it was named")
    points: list[AgePoint] = Field(
        min_length=1, description="for each device by compensation and age"
    )

    @model_validator(mode="after")
    def _one_metric(self) -> AgeDocument:
        if len({metric.key for point in self.points for metric in metrics_in(point)}) != 1:
            raise ValueError("has points of several metrics")
        return self

    @property
    def metric(self) -> Metric:
        """Metric of the network."""
        return metrics_in(self.points[0])[0]
