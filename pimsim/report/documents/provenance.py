"""Provenance in the document of a run: files, sources and versions."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from pimsim.report.documents.base import (
    Origin,
    Part,
)


class FileFacts(Part):
    """A file that was read."""

    name: str = Field(description="name of the file")
    sha256: str = Field(description="SHA-256 of its bytes")


class DataFacts(Part):
    """Origin of the data; some sets give more than their digest."""

    model_config = ConfigDict(extra="allow")

    sha256: str = Field(description="SHA-256 of features and labels")


class SourceFacts(Part):
    """Source of the numbers of a block of a hardware file."""

    block: str = Field(description="block of the file")
    source: str = Field(description="source as quoted in the file")
    certainty: str = Field(description="quality of the source")


class Provenance(Origin):
    """Files, sources and versions behind the numbers."""

    overrides: list[str] = Field(description="every `--set`")
    files: dict[str, FileFacts] = Field(
        description="`model` (if there was a file), `network`, `chip`, `technology`, `device`: "
        "each with `name` and `sha256` of the file; of an object, the SHA-256 of the file that the "
        "network would be, or of the description as JSON"
    )
    data: DataFacts = Field(
        description="`sha256` of features and labels, and what the data say of themselves: `path`, "
        "`licence`, `citation`, `source`"
    )
    network: dict[str, Any] = Field(description="the network file's own provenance, free-form")
    sources: dict[str, list[SourceFacts]] = Field(
        description="for `device`, `chip` and `technology`, the blocks of the file in order: "
        "`block`, `source`, `certainty`"
    )
    rests_on: dict[str, dict[str, list[str]]] = Field(
        description="for `energy`, `area` and `latency`, by component or phase (`transfer` is a "
        "link's): the blocks of `sources` that its figure rests on, such as `chip.link`"
    )
