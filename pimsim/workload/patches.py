"""Windows of feature maps: the inputs of a convolution or a pool at each position."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def patches(maps: NDArray[Any], kernel: int, stride: int = 1, padding: int = 0) -> NDArray[Any]:
    """Cut feature maps into windows.

    Parameters
    ----------
    maps : (n, height, width, channels)

    Returns
    -------
    (n, height_out, width_out, kernel * kernel * channels), last axis in the order
    (kernel y, kernel x, channel)
    """
    if padding:
        edge = (padding, padding)
        maps = np.pad(maps, ((0, 0), edge, edge, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(maps, (kernel, kernel), axis=(1, 2))
    windows = windows[:, ::stride, ::stride].transpose(0, 1, 2, 4, 5, 3)
    return np.ascontiguousarray(windows).reshape(*windows.shape[:3], -1)


def pool(
    maps: NDArray[Any], size: int, stride: int, largest: Callable[..., Any] = np.maximum
) -> NDArray[Any]:
    """Largest value of size x size windows, channel by channel.

    Parameters
    ----------
    maps : (n, height, width, ...)
    largest : callable
        Larger of two arrays, written to its `out`; `numpy.bitwise_or` for packed bits.

    Returns
    -------
    (n, height_out, width_out, ...)
    """
    height, width = maps.shape[1] - size + 1, maps.shape[2] - size + 1
    windows = [
        maps[:, y : y + height : stride, x : x + width : stride]
        for y in range(size)
        for x in range(size)
    ]
    found = windows[0].copy()
    for window in windows[1:]:
        largest(found, window, out=found)
    return found
