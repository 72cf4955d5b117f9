"""The document of a validation: published figures beside the models'."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pimsim.report.documents.base import Document, Fraction, Origin, Part, RatioOf


class FigureFacts(Part):
    """A published figure, and the modelled one."""

    case: str = Field(description="name of the case")
    source: str = Field(description="publication of the figure")
    certainty: str = Field(description="quality of the source")
    quantity: str = Field(description="name of the modelled figure")
    published: float = Field(description="in `unit`")
    unit: str = Field(description="unit of both figures")
    tolerance: Fraction | None = Field(
        gt=0, description="allowed error; null where `factor` says it"
    )
    factor: float | None = Field(
        gt=1,
        description="instead of a tolerance: largest factor between modelled and published",
    )
    basis: str = Field(
        description="predicted (by `pimsim run`, nothing fitted to the chip), calibrated (a number "
        "was fitted to it) or arithmetic (sums of entered numbers)"
    )
    same_as: str | None = Field(
        description="figure that it stands or falls with; the two count once"
    )
    expected: str = Field(description="`pass`, or `fail` for a figure that is known to miss")
    settings: list[str] = Field(description="`--set` assignments for this figure alone")
    chip: str | None = Field(description="model file that was run; null where nothing was")
    from_the_chip: list[str] = Field(description="entered from the chip itself")
    fitted: list[str] = Field(description="numbers that were fitted to a figure of the chip")
    is_independent: bool = Field(description="whether it counts as a prediction of its own")
    factor_off: RatioOf | None = Field(
        description="modelled over published, or published over modelled: whichever is above 1; "
        "null for a figure that is not positive"
    )
    modelled: float = Field(description="in `unit`")
    error: Fraction = Field(description="modelled over published, less 1")
    passes: bool = Field(description="whether the error is within the tolerance")


class KindFacts(Part):
    """Independent predictions of one kind."""

    kind: str = Field(description="energy, latency, area or accuracy")
    n: int = Field(description="their number")
    median_factor: RatioOf = Field(description="median of their `factor_off`")


class PredictionFacts(Part):
    """Independent predictions together."""

    n: int = Field(description="their number")
    n_within: int = Field(description="those within their bound")
    cases: int = Field(description="cases that they belong to")
    median_factor: RatioOf = Field(description="median of `factor_off`")
    worst_factor: RatioOf = Field(description="largest of them")
    worst: str = Field(description="figure and case of the largest")
    kinds: list[KindFacts] = Field(description="the same by kind of figure")


class ValidationDocument(Document):
    """Figures of all cases."""

    schema_: Literal["pimsim.validated/2"] = Field(
        default="pimsim.validated/2",
        validation_alias="schema",
        serialization_alias="schema",
        description="kind and version of the document",
    )
    pimsim: str = Field(description="version that wrote it")
    predictions: PredictionFacts | None = Field(
        description="independent predictions together; null without any"
    )
    figures: list[FigureFacts] = Field(description="every figure of every case")
    provenance: Origin = Field(description="date, command and versions")

    @property
    def missed(self) -> list[FigureFacts]:
        """Figures outside their stated tolerance."""
        return [figure for figure in self.figures if not figure.passes]

    @property
    def unexpected(self) -> list[FigureFacts]:
        """Figures outside their bound that their case file expects within it."""
        return [figure for figure in self.missed if figure.expected == "pass"]
