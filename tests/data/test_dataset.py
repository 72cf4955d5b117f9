"""Labelled sets and the ones inside the package."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest

import pimsim
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


def test_features_and_labels_are_enough() -> None:
    data = pimsim.Dataset(features=np.ones((3, 4, 2)), labels=np.array([0, 2, 1], np.uint8))
    assert data.features.dtype == np.float32
    assert data.labels.dtype == np.int64
    assert data.classes == ("0", "1", "2")
    assert (data.name, data.kind) == ("own data", "tensor")
    assert data.description == "3 samples of 4 x 2 numbers in 3 classes"


def test_classes_may_be_a_list_and_arrays_lists() -> None:
    data = Dataset([[0.5, 1.5], [2, 3]], [1, 0], ["off", "on"])  # type: ignore[arg-type]
    assert data.classes == ("off", "on")
    assert data.features.tolist() == [[0.5, 1.5], [2, 3]]


@pytest.mark.parametrize("what", ["nan", "inf", "too large"])
def test_numbers_that_are_not_finite_are_refused(what: str) -> None:
    features = np.ones((5, 3))
    features[3, 1] = {"nan": np.nan, "inf": -np.inf, "too large": 1e39}[what]
    with pytest.raises(DataError, match=r"in features\[3, 1\]; numbers must be finite"):
        Dataset(features, np.zeros(5, int))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "the name of a data set is ''. Give a text of one line"),
        ({"name": 3}, "the name of a data set is 3"),
        ({"description": "a\nb"}, "the description of a data set is"),
        ({"classes": "ab"}, "the classes of a data set are 'ab'. Give a list"),
        ({"classes": ("a", 1)}, "the class name of a data set is 1"),
        ({"classes": ("a", "a")}, "has two classes called 'a'"),
        ({"source": {"sha256": "0"}}, "names a sha256, which is computed"),
        ({"kind": "sound"}, "the kind of a data set is 'sound'. Known here: speech, image, dire"),
    ],
)
def test_what_a_report_cannot_say_is_refused(changes: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Dataset(np.ones((2, 3)), np.zeros(2, int), **changes)


def test_selected_samples_keep_their_noise() -> None:
    data = small(np.arange(9) % 3)
    mask = data.labels == 1
    kept = data.select(mask)
    assert kept.sample_indices.tolist() == [1, 4, 7]
    assert kept.select(np.array([2, 0])).sample_indices.tolist() == [7, 1]
    with pytest.raises(DataError, match="cannot select from the image set 'small': .*bounds"):
        data.select(np.array([9]))
    with pytest.raises(DataError, match="is empty"):
        data.select(np.zeros(9, bool))


def test_digests_tell_numbers_from_bytes() -> None:
    labels = np.zeros(2, int)
    as_bytes = Dataset(np.zeros((2, 4), np.uint8), labels)
    as_numbers = Dataset(np.zeros((2, 1), np.float32), labels)
    assert as_bytes.sha256 != as_numbers.sha256
    assert as_numbers.sha256 == Dataset(np.zeros((2, 1), ">f8"), labels).sha256


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
