"""Named sets that are read where a user has them: CIFAR-10 and human activities."""

from __future__ import annotations

import io
import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pimsim.data import catalog, load
from pimsim.data.cifar10 import CLASSES, load_cifar10
from pimsim.data.har import load_har, persons
from pimsim.errors import DataError


def archive(path: Path, files: dict[str, tuple[int, int]], mode: str = "RGB") -> Path:
    """An archive of one-coloured JPEGs of these sizes."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, size in files.items():
            out = io.BytesIO()
            colour = (len(name) * 7,) * len(mode)
            Image.new(mode, size, colour if len(mode) > 1 else colour[0]).save(out, "JPEG")
            member = tarfile.TarInfo(name)
            member.size = len(out.getvalue())
            tar.addfile(member, io.BytesIO(out.getvalue()))
    path.write_bytes(lzma.compress(packed.getvalue(), preset=0))
    return path


def pictures(**sizes: tuple[int, int]) -> dict[str, tuple[int, int]]:
    return {f"test/{name}/{k}.jpg": (32, 32) for name in reversed(CLASSES) for k in (1, 0)} | sizes


def test_pictures_are_sorted_by_class(no_data: Path, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "cifar10").mkdir()
    archive(tmp_path / "cifar10/cifar10_test_jpeg.tar.xz", pictures())
    monkeypatch.setenv(catalog.ENVIRONMENT, str(tmp_path))
    found = load("cifar10-test")
    assert found.features.shape == (20, 32, 32, 3)
    assert found.labels.tolist() == np.repeat(np.arange(10), 2).tolist()
    assert found.classes == CLASSES
    assert found.name == "cifar10-test"
    assert "A. Krizhevsky 2009" in found.source["citation"]
    assert catalog.find("cifar10-train") is None
    with pytest.raises(DataError, match="Set PIMSIM_DATA to the folder that has cifar10_train_jp"):
        load("cifar10-train")


@pytest.mark.parametrize(
    ("files", "mode", "message"),
    [
        ({"test/cat/0.jpg": (32, 32)}, "RGB", "holds pictures of cat; the classes are airplane, a"),
        ({}, "RGB", "holds pictures of nothing"),
        (pictures(**{"test/cow/0.jpg": (32, 32)}), "RGB", "holds pictures of airplane, .*, cow, d"),
        (pictures(**{"test/ship/2.jpg": (32, 31)}), "RGB", r"ship/2\.jpg has 31 x 32 x 3 values"),
        (dict.fromkeys(pictures(), (16, 16)), "RGB", "holds pictures of 16 x 16 x 3 bytes; those"),
        (pictures(), "L", "holds pictures of 32 x 32 bytes"),
    ],
)
def test_other_archives_are_refused(tmp_path: Path, files: dict, mode: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_cifar10(archive(tmp_path / "a.tar.xz", files, mode))


def test_real_pictures(real: Callable[[str], Path]) -> None:
    real("cifar10-test")
    found = load("cifar10-test")
    assert found.features.shape == (10_000, 32, 32, 3)
    assert np.bincount(found.labels).tolist() == [1000] * 10
    # as published, to what JPEG leaves of it
    mean = found.features.mean(axis=(0, 1, 2)) / 255
    assert mean == pytest.approx([0.491, 0.482, 0.447], abs=0.01)


def activities(path: Path, **changes: np.ndarray) -> Path:
    rng = np.random.default_rng(0)
    arrays = {
        "features": rng.integers(-32767, 32768, (12, 561)).astype(np.int16),
        "activity": np.tile(np.arange(1, 7), 2).astype(np.int8),
        "subject": np.repeat([2, 5, 7], 4).astype(np.int8),
        "is_test": np.repeat([True, False], [4, 8]),
    }
    np.savez(path, **arrays | changes)
    return path


def test_activities_are_split_by_persons(tmp_path: Path) -> None:
    path = activities(tmp_path / "har_features.npz")
    test, train = load_har(path, "test"), load_har(path, "train")
    assert (len(test), len(train)) == (4, 8)
    assert train.features.dtype == np.float32
    assert np.abs(train.features).max() <= 1
    with np.load(path) as stored:
        assert np.array_equal(np.rint(test.features * 32767), stored["features"][:4])
        assert test.labels.tolist() == (stored["activity"][:4] - 1).tolist()
    assert test.classes[0] == "walking"
    assert "ESANN 2013" in test.source["citation"]
    assert set(persons(path, "test")) == {2}
    # a validation set of persons that were not trained on
    of_person = persons(path, "train")
    kept = train.select(of_person == 7)
    assert kept.sample_indices.tolist() == [4, 5, 6, 7]
    assert np.array_equal(kept.features, train.features[4:])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"features": np.zeros((12, 560), np.int16)},
            r"'features' as int16 of shape \(12, 560\); ",
        ),
        ({"features": np.int16(3)}, r"'features' as int16 of shape \(\)"),
        ({"activity": np.ones(12, np.int64)}, r"'activity' as int64 .*; int8 of shape \(12,\)"),
        ({"activity": np.full(12, 7, np.int8)}, "has a label 6; labels run from 0 to 5"),
        ({"is_test": np.zeros(11, bool)}, r"'is_test' as bool of shape \(11,\)"),
        ({"is_test": np.zeros(12, bool)}, "the data set 'har-test' is empty"),
    ],
)
def test_other_activities_are_refused(tmp_path: Path, changes: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_har(activities(tmp_path / "har_features.npz", **changes))


def test_real_activities(real: Callable[[str], Path]) -> None:
    path = real("har-test")
    test, train = load("har-test"), load("har-train")
    assert (len(test), len(train)) == (2996, 7415)
    assert np.unique(persons(path, "test")).tolist() == [2, 4, 9, 10, 12, 13, 18, 20, 24]
    assert not set(persons(path, "test")) & set(persons(path, "train"))
    assert len(persons(path, "train")) == len(train)
