"""Standardisation and cosine transform folded into what follows them, where that is exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import PimsimError
from pimsim.workload.ends import DenseEncoder
from pimsim.workload.graph import Network
from pimsim.workload.grid import (
    INPUT_GRID,
    INPUT_LIMIT,
    WEIGHT_GRID,
    WEIGHT_LIMIT,
    require,
    to_grid,
)
from pimsim.workload.inputs import SpeechInput, band_means, cosine_transform, normal_means
from pimsim.workload.inputs.running import FRACTION
from pimsim.workload.thermometer import ThermometerEncoder

# largest number that the registers of a front end can differ by [2^-8 pixel]
_REACH = 2 ** (8 + FRACTION + 1)
# what bands are divided by: a power of two, a shift of the point; about their deviation [pixels]
DEVIATION = 32.0


def register_limits(scaling: SpeechInput, encoder: ThermometerEncoder) -> NDArray[np.int32]:
    """Limits of comparators that look at the registers of a running normalisation.

    Parameters
    ----------
    scaling : SpeechInput
        Of bands without a transform, with running means.
    encoder : ThermometerEncoder

    Returns
    -------
    (n_bits,) int32
        A bit is 1 where x - m + g - L reaches its limit [2^-8 pixel].

    Notes
    -----
    Standardised inputs rise with these numbers, rounded or not, so that a comparator of either
    decides alike: neither a subtraction nor a division is left.
    """
    require(
        scaling.running is not None and not scaling.has_transform,
        "limits of registers need a running normalisation, and bands without a transform",
    )
    numbers = np.arange(-_REACH, _REACH + 1)
    offsets = normal_means(scaling)
    found = np.empty(encoder.n_bits, np.int32)
    for channel in np.unique(encoder.channel):
        features = numbers * 2.0**-FRACTION + offsets[channel]
        inputs = (features - scaling.mean[channel]) / scaling.deviation[channel]
        own = encoder.channel == channel
        on_grid = to_grid(inputs, INPUT_GRID, INPUT_LIMIT)
        # strict: the first number whose input is above the limit
        found[own] = np.searchsorted(on_grid, encoder.limits[own], side="right") - _REACH
    return found


def without_transform(network: Network) -> Network:
    """The same network on log-mel bands: the transform moves into its first matrix.

    Parameters
    ----------
    network : Network
        Of cepstral coefficients, with a dense encoder.

    Notes
    -----
    x C / s . w = x . (C (w / s)): both are linear, and so is what a normalisation takes off.
    Weights and bands are rounded to their grids anew, so that a sum may move by some 2^-10: bits
    whose sum stands at the threshold may differ.  A whole-clip or running normalisation of bands
    is that of coefficients.
    """
    scaling, encoder = network.input, network.encoder
    if not (isinstance(scaling, SpeechInput) and scaling.has_transform):
        raise PimsimError("only inputs of cepstral coefficients have a transform to fold")
    if not isinstance(encoder, DenseEncoder):
        raise PimsimError("a transform folds into a dense encoder alone")
    bands = replace(
        scaling,
        mean=band_means(scaling).astype(np.float32),
        deviation=np.full_like(scaling.deviation, DEVIATION),
        transform="none",
    )
    transform = cosine_transform(len(scaling.mean))
    of_coefficients = np.asarray(encoder.weights, np.float64) / scaling.deviation[:, None]
    of_bands = transform @ of_coefficients
    moved = _constants(bands) @ of_bands - _constants(scaling) @ of_coefficients
    weights, thresholds = DEVIATION * of_bands, encoder.thresholds + moved
    require(
        max(np.abs(weights).max(), np.abs(thresholds).max()) < WEIGHT_LIMIT,
        f"the first matrix has weights or thresholds of {WEIGHT_LIMIT:g} or more on bands",
    )
    folded = DenseEncoder(
        to_grid(weights, WEIGHT_GRID, WEIGHT_LIMIT).astype(np.float32),
        to_grid(thresholds, WEIGHT_GRID, WEIGHT_LIMIT).astype(np.float32),
    )
    return replace(network, input=bands, encoder=folded)


def _constants(scaling: SpeechInput) -> NDArray[np.float64]:
    """What standardisation adds to features (n_bands,) before it divides."""
    target = 0.0 if scaling.level is None else normal_means(scaling)
    return np.asarray(target - scaling.mean, np.float64)
