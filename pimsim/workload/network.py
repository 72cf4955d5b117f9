"""A network: its layers in order, checked to fit together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pimsim.errors import PimsimError
from pimsim.workload.layers import (
    ArrayLayer,
    Conv2d,
    ConvEncoder,
    Dense,
    DenseEncoder,
    Encoder,
    Gru,
    ImageInput,
    LevelMatrix,
    MaxPool,
    Output,
    SpeechInput,
    require,
)

IMAGE_SIDE = 28  # pixels, MNIST


@dataclass(frozen=True)
class Network:
    """A trained network in its deployed form; torch ends here.

    `provenance` is free-form JSON: recipe, training data, accuracies at export
    (with what they were measured on), git commit.
    """

    name: str
    input: SpeechInput | ImageInput
    encoder: Encoder
    layers: tuple[ArrayLayer, ...]
    output: Output
    classes: tuple[str, ...]
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require(len(self.layers) > 0, "a network needs at least one array layer")
        require(
            len(self.classes) == self.output.weights.shape[1],
            f"{len(self.classes)} class names for {self.output.weights.shape[1]} outputs",
        )
        self._check_widths()

    @property
    def is_recurrent(self) -> bool:
        return any(isinstance(layer, Gru) for layer in self.layers)

    def layer_name(self, index: int) -> str:
        """Name of an array layer in files and reports, such as `gru0` or `dense3`."""
        return f"{type(self.layers[index]).__name__.lower()}{index}"

    def matrices(self) -> list[tuple[str, LevelMatrix]]:
        """(name, matrix) of everything that goes into crossbars, in order."""
        found: list[tuple[str, LevelMatrix]] = []
        for index, layer in enumerate(self.layers):
            name = self.layer_name(index)
            if isinstance(layer, Gru):
                found += [(f"{name}.gate", layer.gate), (f"{name}.candidate", layer.candidate)]
            elif isinstance(layer, (Dense, Conv2d)):
                found.append((name, layer.matrix))
        return found

    def _check_widths(self) -> None:
        self._check_ends()
        if isinstance(self.encoder, ConvEncoder):
            _check_maps(self)
        elif not self.is_recurrent:
            _check_bits(self, self.encoder.weights.shape[1], 0)
        else:
            require(
                isinstance(self.encoder, DenseEncoder)
                and all(isinstance(layer, Gru) for layer in self.layers),
                "a recurrent network is a dense encoder and GRU layers",
            )
            width = self.encoder.weights.shape[-1]
            for index, layer in enumerate(self.layers):
                assert isinstance(layer, Gru)
                require(
                    layer.gate.n_rows == layer.n_hidden + width,
                    f"{self.layer_name(index)} has {layer.gate.n_rows} rows for "
                    f"{layer.n_hidden} hidden and {width} input bits",
                )
                width = layer.n_hidden
            require(
                self.output.weights.shape[0] == width,
                f"output layer expects {self.output.weights.shape[0]} bits and gets {width}",
            )

    def _check_ends(self) -> None:
        """Input and encoder must fit: kind, width and channels."""
        if isinstance(self.input, SpeechInput):
            require(self.is_recurrent, "speech input needs a recurrent network")
            width = len(self.input.mean)
        else:
            require(not self.is_recurrent, "a recurrent network needs speech input")
            width = 1 if isinstance(self.encoder, ConvEncoder) else IMAGE_SIDE**2
        found = self.encoder.weights.shape[-2]
        require(found == width, f"the encoder takes {found} inputs and gets {width}")


def _check_maps(network: Network) -> None:
    """Follow a feature map through convolutions and pools to the dense layers."""
    encoder = network.encoder
    assert isinstance(encoder, ConvEncoder)
    kernel, _, _, channels = encoder.weights.shape
    side = _cut("the encoder", IMAGE_SIDE, kernel, encoder.stride, encoder.padding)
    for index, layer in enumerate(network.layers):
        name = network.layer_name(index)
        if isinstance(layer, MaxPool):
            side = _cut(name, side, layer.size, layer.stride, 0)
        elif isinstance(layer, Conv2d):
            rows = layer.kernel**2 * channels
            require(
                layer.matrix.n_rows == rows,
                f"{name} has {layer.matrix.n_rows} rows and gets windows of {rows} bits",
            )
            side = _cut(name, side, layer.kernel, layer.stride, layer.padding)
            channels = layer.matrix.n_columns
        else:
            _check_bits(network, side * side * channels, index)
            return
    _check_bits(network, side * side * channels, len(network.layers))


def _cut(name: str, side: int, window: int, stride: int, padding: int) -> int:
    whole = side + 2 * padding
    require(window <= whole, f"{name} cuts {window} x {window} windows from {side} x {side} maps")
    return (whole - window) // stride + 1


def _check_bits(network: Network, width: int, first: int) -> None:
    """Follow a row of bits through dense layers to the output layer."""
    for index in range(first, len(network.layers)):
        layer, name = network.layers[index], network.layer_name(index)
        if not isinstance(layer, Dense):
            raise PimsimError(f"{name} needs feature maps, and gets a row of bits")
        require(
            layer.matrix.n_rows == width,
            f"{name} has {layer.matrix.n_rows} rows and gets {width} bits",
        )
        width = layer.matrix.n_columns
    require(
        network.output.weights.shape[0] == width,
        f"output layer expects {network.output.weights.shape[0]} bits and gets {width}",
    )
