"""The verbs of an input kind."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import DataError
from pimsim.workload.signals import Shape

# stored features of a data set, samples first
Features = NDArray[np.uint8] | NDArray[np.float32]


class Input:
    """An input kind; a frozen dataclass whose fields network files hold.

    Attributes
    ----------
    kind : str
        The word that network files use for it, and data sets for their kind.
    """

    kind: ClassVar[str]

    @property
    def shape(self) -> Shape:
        """Shape of the numbers that the encoder sees."""
        raise NotImplementedError

    @property
    def normalisation(self) -> str:
        """Normalisation of loudness and colour: "none", or the name of a front end."""
        return "none"

    @property
    def outside(self) -> tuple[str, ...]:
        """Steps from the recorded signal to these numbers that are no part of the chip."""
        return ()

    def n_steps(self, features: tuple[int, ...]) -> int:
        """Time steps of features of a shape; 1 where there are no time steps."""
        return 1

    def check(self, features: Features) -> None:
        """Check that features fit the network.

        Raises
        ------
        DataError
            If they do not have the shape and type that the network was trained on; it names both.
        """
        raise NotImplementedError

    def numbers(self, features: Features) -> NDArray[np.float64]:
        """Standardised encoder inputs on `INPUT_GRID`, (n, [n_steps,] *places, width).

        Parameters
        ----------
        features : (n, ...) uint8 or float32
            Log-mel frames (n, n_frames, n_bands), grey pixels (n, height, width), or others.

        Raises
        ------
        DataError
            If `check` refuses them.
        """
        raise NotImplementedError

    def ends(self, bits: int, reach: float) -> tuple[float, float]:
        """Numbers of the first and of the last code where inputs are codes.

        Parameters
        ----------
        bits : int
            Bits of a code.
        reach : float
            Largest magnitude of inputs that may be below 0.
        """
        # as many codes below 0 as above it, and one for 0 itself
        return -reach, reach * (1 - 2.0 ** (1 - bits))

    @property
    def description(self) -> str:
        """Processing of the features, in one line."""
        raise NotImplementedError


def require_pixels(features: Features) -> None:
    """Raise a DataError unless features are 3-D arrays of bytes."""
    if features.ndim != 3 or features.dtype != np.uint8:
        raise DataError(
            f"features must be a 3-D uint8 array, not {features.ndim}-D {features.dtype} "
            f"({sides(features.shape[1:])} each)"
        )


def sides(shape: tuple[int, ...]) -> str:
    """Text of a shape, such as 28 x 28."""
    return " x ".join(map(str, shape))
