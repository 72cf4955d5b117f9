"""The document of a validation: published figures beside the models'."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pimsim.report.documents.base import Document, Fraction, Origin, Part


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
    basis: str = Field(description="whether it was predicted, or something was chosen to meet it")
    modelled: float = Field(description="in `unit`")
    error: Fraction = Field(description="modelled over published, less 1")
    passes: bool = Field(description="whether the error is within the tolerance")


class ValidationDocument(Document):
    """Figures of all cases."""

    schema_: Literal["pimsim.validated/1"] = Field(
        default="pimsim.validated/1",
        validation_alias="schema",
        serialization_alias="schema",
        description="kind and version of the document",
    )
    pimsim: str = Field(description="version that wrote it")
    figures: list[FigureFacts] = Field(description="every figure of every case")
    provenance: Origin = Field(description="date, command and versions")

    @property
    def missed(self) -> list[FigureFacts]:
        """Figures outside their stated tolerance."""
        return [figure for figure in self.figures if not figure.passes]
