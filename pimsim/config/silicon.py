"""Schema of the file of published silicon that reports show beside a run."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pimsim.config.schema import Description, Energy, Length, Power, Sourced


class Silicon(Sourced):
    """Figures of one published array."""

    name: str = Field(min_length=1, description="authors, venue and year")
    node: Length = Field(gt=0)
    kind: str = Field(min_length=1, description="cells and operands")
    energy_per_mac: Energy | None = Field(
        default=None, gt=0, description="energy of a column over its rows, on or off"
    )
    cells_per_area: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="cells of the macro over its area, per mm2"
    )


class FeatureExtractor(Sourced):
    """Power of one published extractor of speech features."""

    name: str = Field(min_length=1, description="authors or circuit, venue and year")
    node: Length = Field(gt=0)
    kind: str = Field(min_length=1, description="circuits and features")
    power: Power = Field(gt=0, description="always on")


class SiliconConfig(Description):
    """Published arrays, and what stands before a chip of speech."""

    schema_: Literal["pimsim.silicon/1"] = Field(alias="schema")
    arrays: list[Silicon] = Field(min_length=1)
    feature_extractors: list[FeatureExtractor] = Field(min_length=1)
