"""Speech: cepstral coefficients of stored log-mel frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import DataError
from pimsim.workload.grid import INPUT_GRID, INPUT_LIMIT, require, to_grid
from pimsim.workload.inputs.base import Features, Input, require_pixels
from pimsim.workload.inputs.running import Running
from pimsim.workload.signals import Shape

# the transform's entries stand on this grid: sums over bands are then exact in
# double precision, the same on every machine and for a clip alone or among others
COSINE_GRID = 2.0**-24


@dataclass(frozen=True)
class SpeechInput(Input):
    """Log-mel frames -> standardised MFCC or log-mel frames on `INPUT_GRID`.

    `frame_average` neighbouring frames are averaged first; `mean` and `deviation`
    (n_coefficients,) come from the training set.

    Attributes
    ----------
    level : float or None
        Each clip is normalised, and this is the level of its loudest frame: the mean over the
        bands [pixels].
    running : Running or None
        Normalisation by the level and the means so far, not by those of the whole clip.
    transform : str or None
        "none": the features are the bands themselves, not their cosine transform.
    """

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]
    frame_average: int = 1
    level: float | None = None
    running: Running | None = None
    transform: str | None = None
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
        require(
            self.running is None or self.level is not None,
            "running normalisation needs a level to normalise to",
        )
        require(
            self.transform in (None, "cosine", "none"),
            f"transform is '{self.transform}'; it is 'cosine' or 'none'",
        )

    @property
    def shape(self) -> Shape:
        return Shape(len(self.mean), (), has_steps=True)

    @property
    def has_transform(self) -> bool:
        """Whether features are cepstral coefficients, not bands."""
        return self.transform != "none"

    @property
    def normalisation(self) -> str:
        if self.level is None:
            return "none"
        return "clip" if self.running is None else "running"

    @property
    def outside(self) -> tuple[str, ...]:
        transform = ("cosine transform",) if self.has_transform else ()
        return ("filter bank", "logarithm", *transform)

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
        what = "MFCC" if self.has_transform else "log-mel bands"
        how = "" if self.running is None else " by a running level and mean"
        level = "" if self.level is None else f"clips normalised to level {self.level:g}{how}, "
        return (
            f"{len(self.mean)} {what} per step, {self.frame_average} frames averaged, {level}"
            "standardised"
        )


def cosine_transform(n_bands: int) -> NDArray[np.float64]:
    """Matrix of the orthonormal DCT-II, (n_bands, n_coefficients), rounded to `COSINE_GRID`."""
    band = np.arange(n_bands)[:, None] + 0.5
    order = np.arange(n_bands)[None, :]
    matrix = np.cos(np.pi / n_bands * band * order) * np.sqrt(2 / n_bands)
    matrix[:, 0] /= np.sqrt(2)
    return np.asarray(np.round(matrix / COSINE_GRID) * COSINE_GRID)


def averaged_bands(logmel: Features, frame_average: int = 1) -> NDArray[np.float64]:
    """Means of `frame_average` neighbouring frames, (n, n_frames // frame_average, n_bands).

    Frames left over at the end are dropped.
    """
    n, n_frames, n_bands = logmel.shape
    steps = n_frames // frame_average
    kept = logmel[:, : steps * frame_average].astype(np.float64)
    averaged: NDArray[np.float64] = kept.reshape(n, steps, frame_average, n_bands).mean(axis=2)
    return averaged


def mfcc(logmel: Features, frame_average: int = 1) -> NDArray[np.float64]:
    """Cepstral coefficients: orthonormal DCT-II over the bands of each (averaged) frame.

    Parameters
    ----------
    logmel : (n, n_frames, n_bands) uint8
        Log-mel values as `pimsim.data.frontend` gives them.
    frame_average : int
        Neighbouring frames averaged into one.

    Returns
    -------
    (n, n_frames // frame_average, n_bands) float64
    """
    averaged = averaged_bands(logmel, frame_average)
    coefficients: NDArray[np.float64] = averaged @ cosine_transform(logmel.shape[2])
    return coefficients


def speech_inputs(logmel: Features, scaling: SpeechInput) -> NDArray[np.float64]:
    """Standardised cepstral coefficients or log-mel bands on `INPUT_GRID`.

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
    bands = averaged_bands(logmel, scaling.frame_average)
    standardised = (normalised(bands, scaling) - scaling.mean) / scaling.deviation
    return to_grid(standardised, INPUT_GRID, INPUT_LIMIT)


def normalised(bands: NDArray[np.float64], scaling: SpeechInput) -> NDArray[np.float64]:
    """Coefficients or bands of averaged frames, normalised in loudness and colour.

    Parameters
    ----------
    bands : (n, n_steps, n_bands) float64
        Averaged frames [pixels].
    scaling : SpeechInput
        Without a level, only its transform counts.

    Returns
    -------
    (n, n_steps, n_bands) float64
    """
    level = scaling.level
    if level is None:
        return bands @ cosine_transform(len(scaling.mean)) if scaling.has_transform else bands
    if scaling.running is not None:
        relative = scaling.running.normalised(bands, band_means(scaling))
    elif scaling.has_transform:
        coefficients = bands @ cosine_transform(len(scaling.mean))
        loudness, others = coefficients[:, :, 0], coefficients[:, :, 1:]
        loudness += level * np.sqrt(len(scaling.mean)) - loudness.max(axis=1, keepdims=True)
        others += scaling.mean[1:] - others.mean(axis=1, keepdims=True)
        return coefficients
    else:
        relative = relative_to_clip(bands)
    if scaling.has_transform:
        relative = relative @ cosine_transform(len(scaling.mean))
    normal: NDArray[np.float64] = relative + normal_means(scaling)
    return normal


def relative_to_clip(bands: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bands less their colour and the level of the loudest frame, both of the whole clip."""
    loudness = (
        bands.mean(axis=(1, 2), keepdims=True) - bands.mean(axis=2).max(axis=1)[:, None, None]
    )
    relative: NDArray[np.float64] = bands - bands.mean(axis=1, keepdims=True) + loudness
    return relative


def normal_means(scaling: SpeechInput) -> NDArray[np.float64]:
    """Features (n_bands,) that stand for the level and the training set's colour."""
    means = np.asarray(scaling.mean, np.float64)
    level = 0.0 if scaling.level is None else scaling.level
    if not scaling.has_transform:
        return np.asarray(means - means.mean() + level)
    normal = means.copy()
    normal[0] = level * np.sqrt(len(means))
    return normal


def band_means(scaling: SpeechInput) -> NDArray[np.float64]:
    """Means (n_bands,) of the log-mel bands on the training set [pixels]."""
    if not scaling.has_transform:
        return np.asarray(scaling.mean, np.float64)
    # on a grid, so that the sums are the same on every machine
    means = np.round(np.asarray(scaling.mean, np.float64) * 2.0**12) * 2.0**-12
    return cosine_transform(len(means)) @ means
