"""Costs, places and times of a run's layers, in its document."""

from __future__ import annotations

from pydantic import Field, model_validator

from pimsim.mapping.floorplan import Floorplan, Rectangle
from pimsim.report.documents.base import Fraction, Joule, Metre, Part, SquareMetre


class LayerFacts(Part):
    """Energy and area of a layer, a digital unit or a link."""

    layer: str = Field(
        description="name, as in `latency.components`; `whole chip` has what belongs to no part"
    )
    energy_by_component_j: dict[str, Joule] = Field(
        description="energy per inference, with its share of the leakage"
    )
    area_by_component_m2: dict[str, SquareMetre] = Field(description="area")
    cells_used: Fraction | None = Field(
        description="cells that hold a weight or a threshold, of all cells of its arrays; null "
        "without arrays of its own"
    )


class RectangleFacts(Part):
    """A part of the floorplan."""

    kind: str = Field(description="component, or `weights` for cells that hold a matrix")
    label: str = Field(description="layer, matrix or unit")
    x_m: Metre = Field(description="left edge")
    y_m: Metre = Field(description="lower edge")
    width_m: Metre = Field(ge=0, description="width")
    height_m: Metre = Field(ge=0, description="height")


class FloorplanFacts(Part):
    """A sketch of the chip to scale; its areas are those of `area`."""

    width_m: Metre = Field(gt=0, description="width of the chip")
    height_m: Metre = Field(gt=0, description="height of the chip")
    rectangles: list[RectangleFacts] = Field(
        min_length=1, description="parts, later ones upon earlier ones"
    )

    @property
    def plan(self) -> Floorplan:
        """The floorplan as it is drawn."""
        return Floorplan(
            self.width_m,
            self.height_m,
            tuple(
                Rectangle(r.kind, r.label, r.x_m, r.y_m, r.width_m, r.height_m)
                for r in self.rectangles
            ),
        )


class StageFacts(Part):
    """A component during the first inference."""

    component: str = Field(description="as in `components`")
    first_cycle: int = Field(ge=0, description="in which its first operation starts")
    last_cycle: int = Field(ge=0, description="after its last operation")
    at_work: list[Fraction] = Field(
        min_length=1, description="share of the cycles at work, in equal parts of those shown"
    )


class TimelineFacts(Part):
    """The first inference, through an empty pipeline."""

    first_cycle: int = Field(ge=0, description="in which the first operation starts")
    last_cycle: int = Field(gt=0, description="after which its scores are there")
    stages: list[StageFacts] = Field(min_length=1, description="components in order, no links")

    @model_validator(mode="after")
    def _has_equal_parts(self) -> TimelineFacts:
        if len({len(stage.at_work) for stage in self.stages}) > 1:
            raise ValueError("has stages with parts that differ in number")
        if self.last_cycle <= self.first_cycle:
            raise ValueError("ends before it begins")
        return self
