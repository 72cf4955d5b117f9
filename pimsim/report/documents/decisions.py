"""Decisions of a run in its document: classes that are taken for others, sums at thresholds."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from pimsim.report.documents.base import Fraction, LevelSteps, Part

Count = Annotated[int, Field(ge=0)]


class ClassesFacts(Part):
    """Right classes and those that the chips found."""

    names: list[str] = Field(min_length=2, description="names of the classes")
    ideal: list[Count] = Field(description="right decisions of the exact network, by class")
    confusion: list[list[Count]] = Field(
        description="a row for each right class: decisions for every class, of all chips and reads"
    )

    @model_validator(mode="after")
    def _is_square(self) -> ClassesFacts:
        n = len(self.names)
        if len(self.ideal) != n or [len(row) for row in self.confusion] != [n] * n:
            raise ValueError("has tables of classes that differ in length")
        return self


class SumsFacts(Part):
    """Sums of a matrix less their thresholds, at the exact network's inputs."""

    matrix: str = Field(description="name")
    first: LevelSteps = Field(description="lower edge of the first bin")
    width: LevelSteps = Field(gt=0, description="width of a bin")
    counts: list[Count] = Field(
        min_length=1, description="exact sums in each bin; the outermost bins have all beyond"
    )
    n_at_threshold: Count = Field(description="those of them exactly at 0")
    noise: LevelSteps = Field(
        ge=0,
        description="standard deviation of the error of a sum on drawn chips, by all that is on",
    )
    flipped: Fraction = Field(description="decisions that this error flips, ties included")
