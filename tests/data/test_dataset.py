"""Labelled sets and the ones inside the package."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest

from pimsim.data import Dataset, load
from pimsim.data.catalog import EMBEDDED
from pimsim.errors import DataError


def small(labels: np.ndarray, classes: int = 3) -> Dataset:
    features = np.arange(len(labels) * 784, dtype=np.uint32).astype(np.uint8).reshape(-1, 28, 28)
    names = tuple("abcdef"[:classes])
    return Dataset(features, labels.astype(np.int64), names, name="small", kind="image")


@pytest.mark.parametrize("order", ["sorted", "interleaved"])
def test_limit_keeps_the_classes_balanced(order: str) -> None:
    labels = np.repeat(np.arange(3), 20) if order == "sorted" else np.arange(60) % 3
    kept = small(labels).limit(12)
    assert np.bincount(kept.labels).tolist() == [4, 4, 4]
    assert len(kept) == 12


def test_limit_is_the_same_each_time_and_never_more_than_all() -> None:
    dataset = small(np.arange(50) % 3)
    assert dataset.limit(7).sha256 == dataset.limit(7).sha256
    assert dataset.limit(50) is dataset
    assert dataset.limit(1000) is dataset


@pytest.mark.parametrize("n", [0, -3])
def test_limit_of_nothing_is_refused(n: int) -> None:
    with pytest.raises(DataError, match=rf"cannot take {n} clips or images of 'small'. Ask for 1"):
        small(np.arange(9) % 3).limit(n)


def test_digest_follows_features_and_labels() -> None:
    one, other = small(np.array([0, 1, 2])), small(np.array([0, 1, 1]))
    assert one.sha256 == small(np.array([0, 1, 2])).sha256
    assert one.sha256 != other.sha256


def test_label_without_class_is_refused() -> None:
    with pytest.raises(DataError, match="has a label 3; labels run from 0 to 2"):
        small(np.array([0, 3]))


def test_empty_set_is_refused() -> None:
    with pytest.raises(DataError, match="the image set 'small' is empty"):
        small(np.zeros(0))


def test_other_feature_shape_is_refused() -> None:
    with pytest.raises(DataError, match=r"float64 features of shape \(2,\); uint8 of shape"):
        Dataset(np.zeros((1, 2)), np.zeros(1, np.int64), ("a",), kind="speech")


@pytest.mark.parametrize("name", EMBEDDED)
def test_embedded_files_are_small(name: str) -> None:
    file = resources.files("pimsim.data.embedded") / EMBEDDED[name].file
    assert len(file.read_bytes()) < 2_000_000


def test_embedded_speech_has_enough_clips_of_every_class() -> None:
    dataset = load("synthetic-speech")
    assert dataset.is_synthetic
    assert dataset.kind == "speech"
    assert len(dataset) >= 600
    assert np.bincount(dataset.labels).tolist() == [54] * 12


def test_embedded_digits_are_a_thousand_of_ten_classes() -> None:
    dataset = load("mnist-1000")
    assert not dataset.is_synthetic
    assert dataset.features.shape == (1000, 28, 28)
    assert np.bincount(dataset.labels).min() > 80
    assert dataset.labels[:5].tolist() == [7, 2, 1, 0, 4]
