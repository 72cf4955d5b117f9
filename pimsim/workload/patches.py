"""Windows of feature maps: what a convolution or a pool sees at each position."""

from __future__ import annotations

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


def pool(bits: NDArray[Any], size: int, stride: int) -> NDArray[Any]:
    """Maximum over size x size windows, channel by channel: (n, h, w, c) -> (n, h', w', c)."""
    windows = np.lib.stride_tricks.sliding_window_view(bits, (size, size), axis=(1, 2))
    return np.ascontiguousarray(windows[:, ::stride, ::stride].max(axis=(4, 5)))
