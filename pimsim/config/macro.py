"""Schema of a macro workload: one multiplication of random inputs with random weights."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from pimsim.config.schema import Ratio, Sourced

# numbers that are drawn for the weights, or for the bits of the inputs: tens of bytes each
MAX_DRAWN = 1 << 21


class Macro(Sourced):
    """A single array layer without a network around it, as chips of one macro are measured."""

    inputs: int = Field(strict=True, ge=1, le=65536, description="rows that inputs drive")
    outputs: int = Field(strict=True, ge=1, le=65536, description="columns of weights")
    levels: int = Field(
        strict=True, ge=2, le=255, description="levels of a weight, all equally frequent"
    )
    active_inputs: Ratio = Field(
        gt=0, le=1, description="probability of a 1, for every bit of an input"
    )
    samples: int = Field(
        default=64, strict=True, ge=1, le=100_000, description="input vectors that are drawn"
    )

    @field_validator("levels")
    @classmethod
    def _two_or_odd(cls, levels: int) -> int:
        if levels > 2 and levels % 2 == 0:
            raise ValueError(f"is {levels}; weights have 2 levels, or an odd number of them")
        return levels

    @model_validator(mode="after")
    def _fits_in_memory(self) -> Macro:
        for what, number in (
            ("weights (inputs x outputs)", self.inputs * self.outputs),
            ("inputs of all samples", self.inputs * self.samples),
            ("outputs of all samples", self.outputs * self.samples),
        ):
            if number > MAX_DRAWN:
                raise ValueError(f"has {number:,} {what}; {MAX_DRAWN:,} are the most")
        return self
