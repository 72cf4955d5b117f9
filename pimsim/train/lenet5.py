"""LeNet5 on bits: two convolutions with pooling, two hidden dense layers, one output layer."""

from __future__ import annotations

from torch import Tensor, nn

from pimsim.nn import fused
from pimsim.nn.neurons import fire, fire_and_pool
from pimsim.train.layers import Matrix
from pimsim.train.thermometer import ThermometerLayer
from pimsim.train.torch_network import FIRST, TorchNetwork
from pimsim.workload import Conv2d, Dense, Layer, LevelMatrix, MaxPool, Node

KERNEL, POOL, IMAGE = 5, 2, 28


def _kernels(weights: Tensor) -> Tensor:
    """Kernels for conv2d from a matrix with rows over (kernel y, kernel x, channel in)."""
    shape = KERNEL, KERNEL, len(weights) // KERNEL**2, -1
    return weights.view(shape).permute(3, 2, 0, 1)


class ThermometerConvolution(ThermometerLayer):
    """First convolution on thermometer bits of pixels (n, 1, height, width)."""

    channel_axis = -3
    n_places = KERNEL**2

    def sums(self, bits: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
        return nn.functional.conv2d(bits, _kernels(weights)) + bias.view(-1, 1, 1)

    def rows(self, bits: Tensor) -> Tensor:
        n, n_bits = len(bits), bits.shape[1]
        patches = nn.functional.unfold(bits, KERNEL).view(n, n_bits, KERNEL**2, -1)
        return patches.permute(0, 3, 2, 1).reshape(-1, self.n_places * n_bits)


class Lenet5(TorchNetwork):
    """28 x 28 pixels -> convolution, pool -> convolution, pool -> dense, dense -> scores.

    The first convolution has real-valued inputs and is the encoder, or it reads thermometer bits of
    the pixels; the output layer is real valued.  The layers between them have no biases.  LeCun et
    al. 1998; Ma et al., section 5.
    """

    def __init__(
        self,
        channels: tuple[int, int],
        dense: tuple[int, int],
        n_classes: int,
        thermometer: ThermometerConvolution | None = None,
        later: bool = False,
    ) -> None:
        super().__init__(nn.Conv2d(1, channels[0], KERNEL), thermometer, later)
        first, second = channels
        side = ((IMAGE - KERNEL + 1) // POOL - KERNEL + 1) // POOL
        rows = (KERNEL**2 * first, side**2 * second, dense[0])
        columns = (second, *dense)
        self.arrays = nn.ModuleList(
            Matrix(n, m, 2.0 * n**-0.5) for n, m in zip(rows, columns, strict=True)
        )
        self.output = nn.Linear(dense[1], n_classes)

    def matrices(self) -> dict[str, Matrix]:
        names = ("conv2d1", "dense3", "dense4")
        found = {} if self.first is None else {FIRST: self.first.matrix}
        found.update(zip(names, self._arrays(), strict=True))
        return found

    def _arrays(self) -> list[Matrix]:
        return list(self.arrays)  # type: ignore[arg-type]

    def nodes(self, matrices: dict[str, LevelMatrix]) -> tuple[Node, ...]:
        found = dict(matrices)
        first = found.pop(FIRST, None)
        convolution, *dense = found.values()
        pool = MaxPool(POOL, POOL)
        layers: list[Layer] = [pool, Conv2d(convolution, KERNEL), pool, *map(Dense, dense)]
        return self.chained(layers, None if first is None else Conv2d(first, KERNEL))

    def forward(self, images: Tensor) -> Tensor:
        """Images (n, 1, 28, 28) -> scores (n, n_classes)."""
        mode = self.mode
        if mode.operands is not None:
            return self._forward_fast(images)
        convolution, *dense = (matrix.used(mode) for matrix in self._arrays())
        sums = self.preactivations(images)
        self._keep_map("encoder" if self.first is None else FIRST, sums)
        maps = fire_and_pool(sums, mode.neuron, mode.source, POOL)
        mode.keep("maxpool0", None, maps.permute(0, 2, 3, 1))
        sums = self._started(0, nn.functional.conv2d(maps, _kernels(convolution)))
        self._keep_map("conv2d1", sums)
        maps = fire_and_pool(sums, mode.neuron, mode.source, POOL).permute(0, 2, 3, 1)
        mode.keep("maxpool2", None, maps)
        bits = maps.flatten(1)
        for index, name in enumerate(("dense3", "dense4")):
            sums = self._started(1 + index, bits @ dense[index])
            bits = fire(sums, mode.neuron, mode.source)
            mode.keep(name, sums, bits)
        scores: Tensor = self.output(bits)
        return scores

    def _forward_fast(self, images: Tensor) -> Tensor:
        """Forward pass in fused kernels, for training only."""
        mode = self.mode
        convolution, *dense = (matrix.used(mode) for matrix in self._arrays())
        maps = fused.fire_and_pool(self.preactivations(images), mode.neuron, mode.source, POOL)
        sums = self._started(0, nn.functional.conv2d(maps, _kernels(convolution)))
        maps = fused.fire_and_pool(sums, mode.neuron, mode.source, POOL)
        bits = maps.permute(0, 2, 3, 1).flatten(1)
        for index, weights in enumerate(dense):
            sums = self._started(1 + index, bits @ weights)
            bits = fused.fire(sums, mode.neuron, mode.source, fused.SINGLE)
        scores: Tensor = self.output(bits)
        return scores

    def _started(self, index: int, sums: Tensor) -> Tensor:
        """Sums of an array with what they begin with."""
        start = self._arrays()[index].start(self.mode)
        return sums if start is None else sums + start

    def _keep_map(self, name: str, sums: Tensor) -> None:
        """Store a noise-free feature map before pooling, as (n, height, width, channel)."""
        if self.mode.bits is not None or self.mode.sums is not None:
            sums = sums.permute(0, 2, 3, 1)
            kept = None if name == "encoder" else sums
            self.mode.keep(name, kept, self.mode.neuron.value(sums, None))
