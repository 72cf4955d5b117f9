"""Speech: cepstral coefficients of stored log-mel frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import DataError
from pimsim.workload.grid import INPUT_GRID, INPUT_LIMIT, require, to_grid
from pimsim.workload.inputs.base import Features, Input, require_pixels
from pimsim.workload.signals import Shape

# the transform's entries stand on this grid: sums over bands are then exact in
# double precision, the same on every machine and for a clip alone or among others
COSINE_GRID = 2.0**-24


@dataclass(frozen=True)
class SpeechInput(Input):
    """Log-mel frames -> standardised MFCC frames on `INPUT_GRID`.

    `frame_average` neighbouring frames are averaged before the cosine transform;
    `mean` and `deviation` (n_coefficients,) come from the training set.  With a `level`
    [pixels] each clip is normalised before that: its loudest frame gets this mean over the
    bands, and its other coefficients get the training set's mean as theirs.
    """

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]
    frame_average: int = 1
    level: float | None = None
    kind: ClassVar[str] = "speech"

    def __post_init__(self) -> None:
        require(
            self.mean.ndim == 1 and self.mean.shape == self.deviation.shape,
            "one mean and one deviation each",
        )
        require(bool(np.isfinite(self.mean).all()), "input means must be finite")
        positive = np.isfinite(self.deviation) & (self.deviation > 0)
        require(bool(positive.all()), "input deviations must be positive and finite")
        # a power of two keeps averages on a binary grid, and so every sum exact
        require(
            self.frame_average in (1, 2, 4, 8, 16),
            f"frame_average is {self.frame_average}; it is 1, 2, 4, 8 or 16",
        )
        require(
            self.level is None or 0 <= self.level <= 255,
            f"level is {self.level}; it is a pixel's value, 0 to 255",
        )

    @property
    def shape(self) -> Shape:
        return Shape(len(self.mean), (), has_steps=True)

    def n_steps(self, features: tuple[int, ...]) -> int:
        return features[1] // self.frame_average

    def check(self, features: Features) -> None:
        require_pixels(features)
        if features.shape[1] < self.frame_average:
            raise DataError(
                f"the network averages {self.frame_average} frames and the data have "
                f"{features.shape[1]}"
            )
        if features.shape[2] != len(self.mean):
            raise DataError(
                f"the network expects {len(self.mean)} mel bands and the data have "
                f"{features.shape[2]}"
            )

    def numbers(self, features: Features) -> NDArray[np.float64]:
        self.check(features)
        return speech_inputs(features, self)

    @property
    def description(self) -> str:
        level = "" if self.level is None else f"clips normalised to level {self.level:g}, "
        return (
            f"{len(self.mean)} MFCC per step, {self.frame_average} frames averaged, {level}"
            "standardised"
        )


def cosine_transform(n_bands: int) -> NDArray[np.float64]:
    """Matrix of the orthonormal DCT-II, (n_bands, n_coefficients), rounded to `COSINE_GRID`."""
    band = np.arange(n_bands)[:, None] + 0.5
    order = np.arange(n_bands)[None, :]
    matrix = np.cos(np.pi / n_bands * band * order) * np.sqrt(2 / n_bands)
    matrix[:, 0] /= np.sqrt(2)
    return np.asarray(np.round(matrix / COSINE_GRID) * COSINE_GRID)


def mfcc(logmel: Features, frame_average: int = 1) -> NDArray[np.float64]:
    """Cepstral coefficients: orthonormal DCT-II over the bands of each (averaged) frame.

    Parameters
    ----------
    logmel : (n, n_frames, n_bands) uint8
        Log-mel values as `pimsim.data.frontend` gives them.
    frame_average : int
        Neighbouring frames averaged into one; frames left over at the end are dropped.

    Returns
    -------
    (n, n_frames // frame_average, n_bands) float64
    """
    n, n_frames, n_bands = logmel.shape
    steps = n_frames // frame_average
    kept = logmel[:, : steps * frame_average].astype(np.float64)
    averaged = kept.reshape(n, steps, frame_average, n_bands).mean(axis=2)
    coefficients: NDArray[np.float64] = averaged @ cosine_transform(n_bands)
    return coefficients


def speech_inputs(logmel: Features, scaling: SpeechInput) -> NDArray[np.float64]:
    """Standardised cepstral coefficients on `INPUT_GRID`.

    Parameters
    ----------
    logmel : (n, n_frames, n_bands) uint8
    scaling : SpeechInput

    Returns
    -------
    (n, n_frames // frame_average, n_bands) float64

    Notes
    -----
    With a level, loudness and colour of a clip are taken out.  A gain adds the same to all
    bands of a logarithmic spectrum, so to the zeroth coefficient alone; a microphone or a
    room adds something to the others that is the same in all frames (cepstral mean
    normalisation, Atal 1974).
    """
    coefficients = mfcc(logmel, scaling.frame_average)
    if scaling.level is not None:
        loudness, others = coefficients[:, :, 0], coefficients[:, :, 1:]
        loudness += scaling.level * np.sqrt(logmel.shape[2]) - loudness.max(axis=1, keepdims=True)
        others += scaling.mean[1:] - others.mean(axis=1, keepdims=True)
    standardised = (coefficients - scaling.mean) / scaling.deviation
    return to_grid(standardised, INPUT_GRID, INPUT_LIMIT)
