"""The document of a device: its levels now and as they age."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from pimsim.report.documents.base import (
    Ampere,
    Document,
    Fraction,
    FractionOfFullScale,
    Part,
    Second,
    SquareMetre,
)
from pimsim.report.documents.provenance import SourceFacts


class LevelsFacts(Part):
    """Levels of a cell, from level 0 up."""

    ideal: list[FractionOfFullScale] = Field(description="evenly spaced levels")
    mean: list[FractionOfFullScale] = Field(description="mean current")
    spread: list[FractionOfFullScale] = Field(description="standard deviation")
    parts: dict[str, list[FractionOfFullScale]] = Field(description="the same by noise source")
    error_to_next: list[Fraction] = Field(description="cells that are taken for the next level")


class AgedFacts(Part):
    """Levels at one age."""

    age_s: Second = Field(description="time since programming")
    mean: list[FractionOfFullScale] = Field(description="mean current of each level")
    spread: list[FractionOfFullScale] = Field(description="standard deviation of each level")
    error_to_next: list[Fraction] = Field(description="cells that are taken for the next level")


class NamedAgeFacts(AgedFacts):
    """Levels at an age of the table."""

    age: str = Field(description="in words")


class DeviceDocument(Document):
    """Levels of a device, how they vary and how they age, with the sources of the numbers."""

    schema_: Literal["pimsim.device_summary/1"] = Field(
        default="pimsim.device_summary/1",
        validation_alias="schema",
        serialization_alias="schema",
        description="kind and version of the document",
    )
    device: str = Field(description="name in the device file")
    description: str = Field(description="description in the device file")
    n_levels: int = Field(ge=2, le=256, description="levels per cell")
    age_s: Second = Field(description="time since programming, of `levels`")
    choice: str = Field(description="choice of the levels among the cell's states")
    full_scale_current_a: Ampere = Field(description="top level less level 0")
    cell_area_m2: SquareMetre = Field(description="area of one cell")
    levels: LevelsFacts = Field(description="at `age_s`")
    ages: list[NamedAgeFacts] = Field(description="from 1 s to 10 years")
    curve: list[AgedFacts] = Field(description="the same, many ages")
    sources: list[SourceFacts] = Field(description="sources of every block of the file")

    @model_validator(mode="after")
    def _is_of_its_levels(self) -> DeviceDocument:
        tables: list[LevelsFacts | AgedFacts] = [self.levels, *self.ages, *self.curve]
        rows = [row for table in tables for row in (table.mean, table.spread)]
        rows += [self.levels.ideal, *self.levels.parts.values()]
        if any(len(row) != self.n_levels for row in rows) or any(
            len(table.error_to_next) != self.n_levels - 1 for table in tables
        ):
            raise ValueError(f"has {self.n_levels} levels, and a table of another number of them")
        return self
