"""What a network's layers come to on a backend: wiring of word lines, logic, pooling."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.kernels.logic import GruLogic
from pimsim.simulate.backends import Wiring
from pimsim.simulate.signals import Signals, Words
from pimsim.workload.layers import Conv2d, Dense, Gru, MaxPool
from pimsim.workload.patches import patches, pool


def wiring_of(layer: Dense | Conv2d, shape: tuple[int, ...]) -> tuple[Wiring, tuple[int, ...]]:
    """Input that drives each word line at every position, and the shape of the positions.

    Parameters
    ----------
    shape
        Of the inputs: (n,), or (height, width, channels).

    Returns
    -------
    wiring : (n_positions, n_rows) int64
        Index into the flattened inputs; -1 for padding.
    places : tuple
        (height, width) of the outputs of a convolution, () of a dense layer.
    """
    numbers = np.arange(1, 1 + int(np.prod(shape)), dtype=np.int64).reshape(1, *shape)
    if isinstance(layer, Dense):
        return numbers.reshape(1, -1) - 1, ()
    cut = patches(numbers, kernel=layer.kernel, stride=layer.stride, padding=layer.padding)[0] - 1
    return cut.reshape(-1, cut.shape[-1]), cut.shape[:-1]


def logic_of(layer: Gru) -> Any:
    """Logic between the decided columns and the state."""
    return GruLogic(layer.n_hidden)


def max_pool(layer: MaxPool, maps: Signals, *, takes_words: bool) -> Signals:
    """Maximum of values over windows; of bits, whether any is 1."""
    if takes_words:
        return Signals(maps.n, words=_pool_words(layer, maps.words))
    values = maps.values
    out = pool(values.reshape(-1, *values.shape[2:]), layer.size, layer.stride)
    return Signals(maps.n, out.reshape(*values.shape[:2], *out.shape[1:]))


def _pool_words(layer: MaxPool, words: Words) -> Words:
    height, width = words.shape[2:4]
    ends = height - layer.size + 1, width - layer.size + 1
    windows: list[NDArray[np.uint64]] = [
        words[:, :, y : y + ends[0] : layer.stride, x : x + ends[1] : layer.stride]
        for y in range(layer.size)
        for x in range(layer.size)
    ]
    return np.asarray(np.bitwise_or.reduce(windows))
