"""Facts that blocks of a recipe's network are made from, and the base of their keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from torch import Tensor
from torch import nn as torch_nn

from pimsim import nn
from pimsim.errors import PimsimError
from pimsim.nn.array import ArrayBlock
from pimsim.train.neuron_keys import Strict

Width = Annotated[int, Field(ge=1, le=65_536)]
Side = Annotated[int, Field(ge=1, le=4096)]
Sides = Side | tuple[Side, Side]
Edge = Annotated[int, Field(ge=0, le=4096)]
Edges = Edge | tuple[Edge, Edge]
Deviation = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0, le=255)]


@dataclass(frozen=True)
class Inputs:
    """Facts of the training data that blocks are made for.

    Attributes
    ----------
    mean, deviation : (n_channels,) float32
        Of each channel.
    quantiles : (n_quantiles, n_channels) float32
        Numbers that divide the values of each channel into equal shares, smallest and largest
        included.
    has_steps : bool
        Whether samples are time steps (n_steps, width).
    n_classes : int
    every_step : bool
        Whether there are scores of every time step, not of the last one alone.
    """

    mean: Tensor
    deviation: Tensor
    quantiles: Tensor
    has_steps: bool
    n_classes: int
    every_step: bool = False


@dataclass(frozen=True)
class Before:
    """Blocks so far, for those that depend on them.

    Attributes
    ----------
    inputs : Inputs
    signal : Tensor
        Output of the blocks so far for one sample of zeros; its shape is what counts.
    modules : list of modules
    steps_follow : bool
        Whether a later block needs time steps.
    """

    inputs: Inputs
    signal: Tensor
    modules: list[torch_nn.Module]
    steps_follow: bool

    @property
    def has_steps(self) -> bool:
        """Whether the signal still has time steps."""
        return self.inputs.has_steps and self.signal.ndim == 3

    def is_real(self) -> bool:
        """Whether the signal is of rectified linear units, such as in a float twin."""
        return isinstance(self._neuron(), nn.Relu)

    def _neuron(self) -> nn.BlockNeuron | None:
        """Neurons of the last block that has some."""
        parts = [part for module in self.modules for part in module.modules()]
        own = (part for part in reversed(parts) if isinstance(part, ArrayBlock | nn.Gru | nn.Lstm))
        return next((part.neuron for part in own), None)

    def codes(self) -> nn.Codes:
        """Neurons of the last block with codes; raises a PimsimError if it has others."""
        neuron = self._neuron()
        if isinstance(neuron, nn.Codes):
            return neuron
        raise PimsimError(
            "takes the mean of signals that are no codes",
            remedy="Give the block before it neurons of kind codes, or take maxpool",
        )


class BlockKeys(Strict):
    """A block of a network."""

    def build(self, before: Before) -> list[torch_nn.Module]:
        """Modules of the block; raises a PimsimError if it does not fit what is before it."""
        raise NotImplementedError
