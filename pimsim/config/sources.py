"""Sources of the numbers of a description, block by block."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import BaseModel

from pimsim.config.schema import Certainty, Sourced


class BlockSource(NamedTuple):
    """Source of one block of a file."""

    block: str
    source: str
    certainty: Certainty


def block_sources(description: BaseModel) -> list[BlockSource]:
    """Sources of every block of a device or chip, in the file's order."""
    return [
        BlockSource(name, " ".join(block.source.split()), block.certainty)
        for name in type(description).model_fields
        if isinstance(block := getattr(description, name), Sourced)
    ]
