"""Base class of trainable networks: the interface for trainer and export."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from pimsim.nn.quantize import Quantizer
from pimsim.train.layers import Matrix, Mode
from pimsim.train.thermometer import ThermometerBits, ThermometerLayer
from pimsim.workload import ENCODER, Layer, LevelMatrix, Node, chain

# name of the first layer where it is in arrays
FIRST = "first"


class TorchNetwork(nn.Module):
    """Base class of trainable networks: the interface for trainer and export.

    Attributes
    ----------
    mode : Mode
        Present mode.
    batch_axis : int
        Axis of the inputs that counts sequences or images.
    encoder : module with `weight` and `bias`, or None
        The real-valued encoder; None where arrays read thermometer bits from the first epoch on.
    thermometer : ThermometerBits or None
        What gives them.
    in_arrays : Tensor () bool
        Whether the first layer is in arrays.
    output : module with `weight` and `bias`
        The real-valued output layer.
    """

    batch_axis = 0
    encoder: nn.Linear | nn.Conv2d | None
    thermometer: ThermometerBits | None
    in_arrays: Tensor
    output: nn.Linear

    def __init__(
        self, encoder: nn.Linear | nn.Conv2d, thermometer: ThermometerBits | None, later: bool
    ) -> None:
        super().__init__()
        self.mode = Mode()
        self.thermometer = thermometer
        self.encoder = encoder if thermometer is None or later else None
        in_arrays = torch.tensor(thermometer is not None and not later)
        # kept in checkpoints of networks that change
        self.register_buffer("in_arrays", in_arrays, persistent=later)

    @property
    def first(self) -> ThermometerLayer | None:
        """First layer in arrays that reads thermometer bits alone, if there is one."""
        layer = self.thermometer
        return layer if isinstance(layer, ThermometerLayer) and self.in_arrays else None

    @torch.no_grad()
    def move_to_arrays(self, inputs: Tensor, quantizer: Quantizer) -> None:
        """From now on arrays read thermometer bits, with levels that imitate the encoder's sums.

        Parameters
        ----------
        inputs : Tensor
            Examples.
        quantizer : Quantizer
            Of the levels.
        """
        encoder, layer = self.encoder, self.thermometer
        assert encoder is not None
        assert isinstance(layer, ThermometerLayer)
        layer.choose_limits(inputs)
        layer.imitate(inputs, encoder(inputs), quantizer)
        self.in_arrays.fill_(True)

    def choose_limits(self, inputs: Tensor) -> None:
        """Set what depends on the distribution of the inputs, before training."""
        if self.thermometer is not None:
            self.thermometer.choose_limits(inputs)

    def preactivations(self, inputs: Tensor) -> Tensor:
        """Pre-activations of the first layer, in the present mode."""
        first, encoder = self.first, self.encoder
        if first is not None:
            bits: Tensor = first(inputs, self.mode)
            return bits
        assert encoder is not None
        sums: Tensor = encoder(inputs)
        return sums

    def keep_first(self, sums: Tensor, bits: Tensor) -> None:
        """Store what the first layer gives, if the mode asks for it."""
        if self.first is None:
            self.mode.keep("encoder", None, bits)
        else:
            self.mode.keep(FIRST, sums, bits)

    @torch.no_grad()
    def thresholds(self, name: str) -> Tensor | None:
        """Thresholds (n_columns,) of a matrix [levels], as float; None where they are 0."""
        return self.first.thresholds() if self.first is not None and name == FIRST else None

    def nodes(self, matrices: dict[str, LevelMatrix]) -> tuple[Node, ...]:
        """Nodes of the exported network, from its matrices by their names."""
        raise NotImplementedError

    def matrices(self) -> dict[str, Matrix]:
        """Array matrices by their names in `Network.matrices`, in order."""
        raise NotImplementedError

    def chained(self, layers: list[Layer], first: Layer | None) -> tuple[Node, ...]:
        """Layers one after the other, behind the first one where that is in arrays."""
        nodes = chain(layers)
        if first is None:
            return nodes
        second = dataclasses.replace(nodes[0], inputs=(FIRST,))
        return (Node(FIRST, first, (ENCODER,)), second, *nodes[1:])
