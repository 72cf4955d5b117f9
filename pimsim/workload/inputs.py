"""From stored features (log-mel frames, pixels) to the numbers that an encoder sees."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import DataError
from pimsim.workload.layers import (
    INPUT_GRID,
    INPUT_LIMIT,
    ConvEncoder,
    ImageInput,
    SpeechInput,
    to_grid,
)
from pimsim.workload.network import Network

# the transform's entries stand on this grid: sums over bands are then exact in
# double precision, the same on every machine and for a clip alone or among others
COSINE_GRID = 2.0**-24


def cosine_transform(n_bands: int) -> NDArray[np.float64]:
    """Matrix of the orthonormal DCT-II, (n_bands, n_coefficients), rounded to `COSINE_GRID`."""
    band = np.arange(n_bands)[:, None] + 0.5
    order = np.arange(n_bands)[None, :]
    matrix = np.cos(np.pi / n_bands * band * order) * np.sqrt(2 / n_bands)
    matrix[:, 0] /= np.sqrt(2)
    return np.asarray(np.round(matrix / COSINE_GRID) * COSINE_GRID)


def mfcc(logmel: NDArray[np.uint8], frame_average: int = 1) -> NDArray[np.float64]:
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


def speech_inputs(logmel: NDArray[np.uint8], scaling: SpeechInput) -> NDArray[np.float64]:
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


def encoder_inputs(network: Network, features: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Standardised encoder inputs on `INPUT_GRID`.

    Parameters
    ----------
    features : (n, n_frames, n_bands) or (n, height, width) uint8
        Log-mel frames or grey pixels.

    Returns
    -------
    (n, n_steps, n_in) for sequences, (n, height, width, 1) for images, float64

    Raises
    ------
    DataError
        If the features do not have the shape that the network was trained on.
    """
    scaling = network.input
    if features.ndim != 3 or features.dtype != np.uint8:
        raise DataError(
            f"features must be a 3-D uint8 array, not {features.ndim}-D {features.dtype}"
        )
    if isinstance(scaling, SpeechInput):
        if features.shape[1] < scaling.frame_average:
            raise DataError(
                f"the network averages {scaling.frame_average} frames and the data have "
                f"{features.shape[1]}"
            )
        if features.shape[2] != scaling.mean.shape[0]:
            raise DataError(
                f"the network expects {scaling.mean.shape[0]} mel bands and the data have "
                f"{features.shape[2]}"
            )
        return speech_inputs(features, scaling)
    assert isinstance(scaling, ImageInput)
    pixels = (features.astype(np.float64) / 255.0 - scaling.mean) / scaling.deviation
    images = to_grid(pixels, INPUT_GRID, INPUT_LIMIT)
    return (
        images[..., None]
        if isinstance(network.encoder, ConvEncoder)
        else images.reshape(len(images), 1, -1)
    )
