"""Outputs of the kernels `recur`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Outputs(NamedTuple):
    """Results of a recurrent tile; the kernels give the shapes.

    Attributes
    ----------
    state : array
        The state after each step, overwritten.
    trace : array, or of size 0
        Decided columns of each step, overwritten where there is memory for them.
    rows_driven : int64
        Counts of steps (of codes: of pulses) in which each word line is on, added to.
    flips : int64
        Counts of register bits that flip, added to.
    """

    state: NDArray[np.unsignedinteger[Any]]
    trace: NDArray[np.unsignedinteger[Any]]
    rows_driven: NDArray[np.int64]
    flips: NDArray[np.int64]
