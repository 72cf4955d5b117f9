"""Maps of cepstral coefficients of speech, as networks of keyword spotting read them.

The ten first coefficients of the mean of two neighbouring log-mel frames: 49 steps of 20 ms, as in
MicroNets (Banbury et al., MLSys 2021), whose frames have 40 ms, and AnalogNets (Zhou et al., IEEE
Micro 2022).
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from pimsim.data.dataset import Dataset
from pimsim.workload.inputs import Features, mfcc

FRAME_AVERAGE = 2
# mean and standard deviation of each coefficient over the training clips of Speech Commands
# [pixels of a log-mel], rounded to halves
MEAN = (536.0, 63.0, -1.5, -7.5, -7.5, -6.0, -7.5, -6.5, -8.5, -6.5)
DEVIATION = (281.5, 77.0, 51.5, 41.0, 34.0, 26.0, 23.5, 20.0, 19.5, 17.5)
N_COEFFICIENTS = len(MEAN)
_CHUNK = 1024


def cepstra(logmels: Features) -> NDArray[np.float32]:
    """Standardised coefficients (n, 49, 10) of log-mels (n, 98, 40)."""
    found = np.empty((len(logmels), logmels.shape[1] // FRAME_AVERAGE, N_COEFFICIENTS), np.float32)
    # in parts, for the transform has all coefficients in double precision
    for first in range(0, len(logmels), _CHUNK):
        part = slice(first, first + _CHUNK)
        coefficients = mfcc(logmels[part], FRAME_AVERAGE)[:, :, :N_COEFFICIENTS]
        found[part] = (coefficients - MEAN) / DEVIATION
    return found


def with_cepstra(speech: Dataset, name: str) -> Dataset:
    """A data set of speech with maps of coefficients in the place of its log-mels."""
    return dataclasses.replace(
        speech,
        features=cepstra(speech.features),
        name=name,
        kind="tensor",
        description=f"{speech.description}, 10 cepstral coefficients of 49 steps",
    )
