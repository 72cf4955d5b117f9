"""Maps of cepstral coefficients: shapes, scale, and where they are found."""

from __future__ import annotations

import numpy as np
import pytest

from pimsim.data import catalog, cepstra, load
from pimsim.data.dataset import Dataset
from pimsim.workload.inputs import mfcc


def test_maps_are_standardised_coefficients_of_averaged_frames() -> None:
    logmels = np.random.default_rng(0).integers(0, 256, (3, 98, 40), np.uint8)
    found = cepstra.cepstra(logmels)
    assert found.shape == (3, 49, 10)
    assert found.dtype == np.float32
    again = found.astype(np.float64) * cepstra.DEVIATION + cepstra.MEAN
    assert again == pytest.approx(mfcc(logmels, 2)[:, :, :10], abs=1e-3)
    # a clip is the same among others
    assert np.array_equal(cepstra.cepstra(logmels[1:2]), found[1:2])


def test_a_speech_set_becomes_one_of_maps_with_the_same_labels() -> None:
    speech = Dataset(np.zeros((2, 98, 40), np.uint8), np.array([0, 1]), kind="speech")
    maps = cepstra.with_cepstra(speech, "maps")
    assert (maps.name, maps.kind, maps.features.shape) == ("maps", "tensor", (2, 49, 10))
    assert np.array_equal(maps.labels, speech.labels)


def test_the_test_set_of_maps_is_that_of_speech(speech_folder, monkeypatch) -> None:
    monkeypatch.setenv(catalog.ENVIRONMENT, str(speech_folder))
    speech, maps = load("speech-commands-test"), load("speech-cepstra-test")
    assert maps.name == "speech-cepstra-test"
    assert np.array_equal(maps.features, cepstra.cepstra(speech.features))
    assert np.array_equal(maps.labels, speech.labels)
