"""Neurons that give codes: the number of limits that an integer sum reaches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pimsim.workload.grid import require
from pimsim.workload.signals import MAX_CODE_BITS, CodeFormat, Codes


@dataclass(frozen=True)
class CodeNeurons:
    """Neurons of codes, one for each column of a matrix.

    Attributes
    ----------
    limits : (n_columns, 2^n - 1) int32
        Ascending limits of the integer sum of levels times codes; the code of n bits is the number
        of limits that the sum reaches.  Biases, folded batch normalisation, zero points and the
        activation (any that rises, or that falls with the signs of a column turned) are in them.
    zero : int
        Code that stands for the number 0, such as half of the range for signed numbers.
    """

    limits: NDArray[np.int32]
    zero: int = 0

    def __post_init__(self) -> None:
        require(
            self.limits.dtype == np.int32 and self.limits.ndim == 2,
            f"limits must be a 2-D int32 array, not {self.limits.ndim}-D {self.limits.dtype}",
        )
        n_limits = require_code("a neuron", self.limits)
        require(
            bool((np.diff(self.limits.astype(np.int64), axis=1) >= 0).all()),
            "limits of a neuron must ascend",
        )
        require(
            0 <= self.zero <= n_limits, f"zero is the code {self.zero}, outside of 0 to {n_limits}"
        )

    @property
    def bits(self) -> int:
        return int(self.limits.shape[1]).bit_length()

    @property
    def n_columns(self) -> int:
        return len(self.limits)

    @property
    def format(self) -> CodeFormat:
        """Format of the codes that they give."""
        return CodeFormat(self.bits, self.zero)

    def of_sums(self, sums: NDArray[np.int64]) -> Codes:
        """Codes (..., n_columns) of integer sums (..., n_columns)."""
        return codes_of(self.limits, sums)


# so many limits are compared with faster than searched
FEW = 16


def require_code(what: str, limits: NDArray[np.generic]) -> int:
    """Number of limits (n, n_limits) of a code; raises a PimsimError for none of 1 to 8 bits."""
    n_limits = int(limits.shape[1])
    require(
        (n_limits + 1).bit_count() == 1 and 1 <= n_limits < 2**MAX_CODE_BITS,
        f"{what} has {n_limits} limits; a code of n bits has 2^n - 1, of 1 to {MAX_CODE_BITS} bits",
    )
    return n_limits


def codes_of(limits: NDArray[np.generic], values: NDArray[np.generic]) -> Codes:
    """Number of limits (n_columns or 1, n_limits) that values (..., n_columns) reach, each."""
    # of another type, every search would convert all values
    limits = limits.astype(values.dtype)
    found = np.zeros(values.shape, np.uint8)
    if limits.shape[1] <= FEW:
        reached = np.empty(values.shape, np.bool_)
        for own in limits.T:
            np.greater_equal(values, own, out=reached)
            found += reached.view(np.uint8)
        return found
    if len(limits) == 1:
        found[...] = np.searchsorted(limits[0], values, side="right")
        return found
    for column, own in enumerate(limits):
        one = np.ascontiguousarray(values[..., column])
        found[..., column] = np.searchsorted(own, one, side="right")
    return found
