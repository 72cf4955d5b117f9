"""Neurons of a recipe's blocks: their keys, and the modules that they stand for."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pimsim import nn

Course = float | tuple[float, float]
# products of two such numbers are within float32
SMALLEST, LARGEST = 1e-15, 1e15


class Strict(BaseModel):
    """Base of a recipe's tables: unknown keys are refused, and numbers that float32 cannot bear."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*")
    @classmethod
    def _within_bounds(cls, value: Any) -> Any:
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, float) and number and not SMALLEST <= abs(number) <= LARGEST:
                raise ValueError(f"must be 0, or of a size from {SMALLEST:g} to {LARGEST:g}")
        return value


class BitsKeys(Strict):
    """Neurons of bits (`pimsim.nn.Bits`)."""

    kind: Literal["bits"]
    method: Literal["nna", "ste", "mixed"] = "mixed"
    sigma: Course = 0.2
    temperature: Course = (1.0, 0.5)
    share: Course = (0.0, 1.0)
    steepness: Course = (1.0, 3.0)

    def module(self) -> nn.BlockNeuron:
        return nn.Bits(**self.model_dump(exclude={"kind"}))


class CodesKeys(Strict):
    """Neurons of codes (`pimsim.nn.Codes`)."""

    kind: Literal["codes"]
    bits: int = 4
    signed: bool = False
    range: Literal["learned"] | float = "learned"

    def module(self) -> nn.BlockNeuron:
        return nn.Codes(self.bits, self.signed, self.range)


class RealKeys(Strict):
    """No activation, such as for scores."""

    kind: Literal["real"] = "real"

    def module(self) -> nn.BlockNeuron:
        return nn.Real()


class ReluKeys(Strict):
    """Rectified linear units of real numbers, such as in the float twin of a network."""

    kind: Literal["relu"]

    def module(self) -> nn.BlockNeuron:
        return nn.Relu()


NeuronKeys = Annotated[BitsKeys | CodesKeys | RealKeys | ReluKeys, Field(discriminator="kind")]
