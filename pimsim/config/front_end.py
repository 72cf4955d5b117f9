"""Block of the unit that normalises features before the input layer."""

from __future__ import annotations

from pydantic import Field

from pimsim.config.schema import Certainty, Sourced


class FrontEnd(Sourced):
    """Unit that normalises speech, where the network wants it; the network says how."""

    bands_per_cycle: int = Field(
        strict=True, ge=1, le=1024, description="bands of a frame that are worked on in a cycle"
    )


# of chip files that say nothing of it
DEFAULT_FRONT_END = FrontEnd(
    bands_per_cycle=10,
    source="not stated in the chip file; 40 bands in the 4 cycles in which an array reads a frame",
    certainty=Certainty.ASSUMED,
)
