"""Schema of the variation that cells of an array, and chips of a wafer, have in common."""

from __future__ import annotations

from pydantic import Field

from pimsim.config.schema import Certainty, Number, Ratio, Sourced


class Variation(Sourced):
    """Correlation of neighbouring cells, and gradients of all currents; nothing by default.

    It does not change the standard deviation of a cell's own error, which is that of its level.
    """

    source: str = Field(default="an option: no source", min_length=3)
    certainty: Certainty = Certainty.ASSUMED
    neighbours: Ratio = Field(
        default=0.0,
        ge=0,
        le=1,
        description="share of the variance of a cell's static error that is correlated with its "
        "neighbours'",
    )
    neighbour_length: Number = Field(
        default=5.0,
        gt=0,
        le=1e6,
        description="cells, along rows and along columns, within which that falls to 1 / e",
    )
    gradient: Ratio = Field(
        default=0.0,
        ge=0,
        le=0.2,
        description="standard deviation, over arrays, of the change of all currents from end to "
        "end of an array, along its rows and along its columns",
    )
    wafer_bow: Ratio = Field(
        default=0.0,
        ge=-1,
        le=1,
        description="change of all currents from the centre of a wafer to its edge, by the square "
        "of the distance",
    )
    wafer_tilt: Ratio = Field(
        default=0.0,
        ge=-1,
        le=1,
        description="change of all currents from one edge of a wafer to the opposite one",
    )

    @property
    def has_gains(self) -> bool:
        """Whether currents change with the place of an array's cell, or of a chip."""
        return bool(self.gradient or self.wafer_bow or self.wafer_tilt)
