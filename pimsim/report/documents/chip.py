"""The document of a chip: its kinds of circuits and its numbers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pimsim.report.documents.base import Document, Part
from pimsim.report.documents.provenance import SourceFacts


class ValueFacts(Part):
    """A number or word of a chip file."""

    key: str = Field(description="path of the key, as `--set chip.` takes it")
    value: str = Field(description="as it stands in the file")
    certainty: str | None = Field(description="of the block; null where it has no source")


class ChipDocument(Document):
    """A chip: kinds of its circuits, numbers, and the sources of the numbers."""

    schema_: Literal["pimsim.chip_summary/1"] = Field(
        default="pimsim.chip_summary/1",
        validation_alias="schema",
        serialization_alias="schema",
        description="kind and version of the document",
    )
    chip: str = Field(description="name in the chip file")
    description: str = Field(description="description in the chip file")
    technology: str = Field(description="name of the technology file")
    network: str = Field(description="which of a model's networks it runs")
    rows: int = Field(ge=1, description="rows of an array")
    columns: int = Field(ge=1, description="columns of an array")
    kinds: dict[str, str] = Field(description="kind of each block that comes in several")
    values: list[ValueFacts] = Field(description="every number and word of the file")
    sources: list[SourceFacts] = Field(description="sources of every block of the file")
