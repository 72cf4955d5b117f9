"""Blocks with time steps: GRU and LSTM."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from torch import nn as torch_nn

from pimsim import nn
from pimsim.errors import PimsimError
from pimsim.train.block_keys import Before, BlockKeys, Deviation, Width
from pimsim.train.neuron_keys import BitsKeys, CodesKeys


class GruBlock(BlockKeys):
    """A GRU without reset gate (`pimsim.nn.Gru`) over time steps."""

    kind: Literal["gru"]
    units: Width
    levels: int | None = 7
    bias: bool = True
    cell_error: Deviation = 0.0
    sum_noise: Deviation = 0.0
    neuron: Annotated[BitsKeys | CodesKeys, Field(discriminator="kind")] = BitsKeys(kind="bits")

    def build(self, before: Before) -> list[torch_nn.Module]:
        require_steps(before)
        neuron: Any = self.neuron.module()
        noise = (self.cell_error, self.sum_noise)
        n_in = before.signal.shape[-1]
        return [nn.Gru(n_in, self.units, self.levels, neuron, self.bias, *noise)]


class LstmBlock(BlockKeys):
    """An LSTM (`pimsim.nn.Lstm`) over time steps; codes of a quantiser before it are its inputs."""

    kind: Literal["lstm"]
    units: Width
    levels: int | None = 15
    bits: int | None = 4
    sum_bits: int | None = None
    inputs: CodesKeys | None = None
    bias: bool = True
    cell_error: Deviation = 0.0
    sum_noise: Deviation = 0.0
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0

    def build(self, before: Before) -> list[torch_nn.Module]:
        require_steps(before)
        inputs: Any = None if self.inputs is None else self.inputs.module()
        last = before.modules[-1] if before.modules else None
        if self.bits is not None and isinstance(last, nn.Quantiser):
            if inputs is not None:
                raise PimsimError(
                    "has 'inputs', and the quantiser before it gives codes already",
                    remedy="Leave one of both out",
                )
            inputs = last.step
        elif last is None and not (self.bits is None or inputs or before.inputs.every_step):
            raise PimsimError(
                "reads real numbers, and has codes",
                remedy="Put a quantiser before it, or give it 'inputs' of kind codes",
            )
        return [
            nn.Lstm(
                before.signal.shape[-1],
                self.units,
                self.levels,
                self.bits,
                self.sum_bits,
                inputs,
                self.bias,
                self.cell_error,
                self.sum_noise,
                self.dropout,
            )
        ]


def require_steps(before: Before) -> None:
    """Raise a PimsimError unless there are time steps."""
    if not before.has_steps:
        raise PimsimError("needs time steps", remedy="Set the recipe's layout to steps")
