"""The verbs of an input kind."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import DataError
from pimsim.workload.signals import Shape


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

    def n_steps(self, features: tuple[int, ...]) -> int:
        """Time steps of features of a shape; 1 where there are no time steps."""
        return 1

    def numbers(self, features: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Standardised encoder inputs on `INPUT_GRID`, (n, [n_steps,] *places, width).

        Parameters
        ----------
        features : (n, n_frames, n_bands) or (n, height, width) uint8
            Log-mel frames or grey pixels.

        Raises
        ------
        DataError
            If the features do not have the shape that the network was trained on.
        """
        raise NotImplementedError

    @property
    def description(self) -> str:
        """Processing of the features, in one line."""
        raise NotImplementedError


def require_pixels(features: NDArray[np.uint8]) -> None:
    """Raise a DataError unless features are 3-D arrays of bytes."""
    if features.ndim != 3 or features.dtype != np.uint8:
        raise DataError(
            f"features must be a 3-D uint8 array, not {features.ndim}-D {features.dtype}"
        )
