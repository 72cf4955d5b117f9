"""Binary grids of real inputs and real weights, on which products and sums are exact.

Every product and every sum of an encoder is then exact in double precision, whatever the order:
that is what makes torch, the exact network and the chip agree to the last bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import PimsimError

INPUT_GRID = 2.0**-10
INPUT_LIMIT = 2.0**5
WEIGHT_GRID = 2.0**-20
WEIGHT_LIMIT = 2.0**3
# values that are checked at a time: the file may be large, the memory need not be
_CHUNK = 2**20


def to_grid(values: Any, grid: float, limit: float) -> NDArray[np.float64]:
    """Round to multiples of `grid`, clipped so that the magnitude stays below `limit`."""
    rounded = np.round(np.asarray(values, np.float64) / grid) * grid
    return np.clip(rounded, -limit + grid, limit - grid)


def require(condition: bool, message: str) -> None:
    """Raise a PimsimError with the message unless the condition holds."""
    if not condition:
        raise PimsimError(message)


def require_on_grid(name: str, values: NDArray[np.floating]) -> None:
    """Raise a PimsimError unless all values are finite and on the grid of weights."""
    flat = np.ravel(values)
    chunks = (flat[i : i + _CHUNK].astype(np.float64) for i in range(0, flat.size, _CHUNK))
    on_grid = all(
        np.isfinite(chunk).all()
        and np.array_equal(chunk, to_grid(chunk, WEIGHT_GRID, WEIGHT_LIMIT))
        for chunk in chunks
    )
    require(
        on_grid,
        f"{name} must be multiples of 2^-20 below 8 in magnitude (scale encoder weights and "
        "thresholds by a common factor, then round with workload.to_grid)",
    )
