"""The document of a training: training.json."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field, field_validator

from pimsim.report.documents.base import Document, Fraction, Origin, Part, Second


class EpochFacts(Part):
    """One epoch, as in log.jsonl; it may say more."""

    model_config = ConfigDict(extra="allow")

    stage: str = Field(description="name of the stage")
    epoch: int = Field(description="epoch of the stage, from 1")
    loss: float = Field(description="training loss")
    wall_s: Second = Field(description="time of the epoch")
    smooth: Fraction | None = Field(default=None, description="validation accuracy with sigmoids")
    bits: Fraction | None = Field(default=None, description="validation accuracy with bits")
    bits_average: Fraction | None = Field(
        default=None, description="the same, of the running mean of the weights"
    )
    deployed: Fraction | None = Field(
        default=None, description="validation accuracy of a network of blocks, as it is deployed"
    )
    bits_per_character: float | None = Field(
        default=None, description="the same of a network on text, in bits per character"
    )


class _Stage(Part):
    model_config = ConfigDict(extra="allow")

    epochs: int


class _Recipe(Part):
    model_config = ConfigDict(extra="allow")

    name: str
    seed: int
    stages: list[_Stage]


class TrainingDocument(Document):
    """A training, finished or in progress."""

    schema_: Literal["pimsim.training/1"] = Field(
        default="pimsim.training/1",
        validation_alias="schema",
        serialization_alias="schema",
        description="kind and version of the document",
    )
    pimsim: str = Field(description="version that wrote it")
    recipe: dict[str, Any] = Field(description="the whole recipe")
    log: list[EpochFacts] = Field(description="every epoch")
    provenance: Origin = Field(description="date, command and versions")

    @field_validator("recipe")
    @classmethod
    def _is_recipe(cls, recipe: dict[str, Any]) -> dict[str, Any]:
        _Recipe.model_validate(recipe)
        return recipe

    @property
    def n_planned(self) -> int:
        """Epochs of all stages."""
        return sum(int(stage["epochs"]) for stage in self.recipe["stages"])
