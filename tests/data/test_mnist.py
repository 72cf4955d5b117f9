"""The idx files of MNIST."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from data_files import IMAGES, idx, write_digits

from pimsim.data import load
from pimsim.data.mnist import load_idx, load_mnist, read_idx
from pimsim.errors import DataError


@pytest.mark.parametrize("zipped", [True, False])
def test_digits_are_read(tmp_path: Path, zipped: bool) -> None:
    write_digits(tmp_path, IMAGES, np.array([7, 2, 1]), zipped)
    dataset = load_idx(tmp_path)
    assert np.array_equal(dataset.features, IMAGES)
    assert dataset.labels.tolist() == [7, 2, 1]
    assert dataset.kind == "image"


GOOD = idx(np.arange(10, dtype=np.uint8))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"x\.gz starts with nothing; an idx file of bytes in 1 dimensions"),
        (idx(IMAGES), r"x\.gz starts with 00000803; .* starts with 00000801\. Download it again"),
        (GOOD[:6], r"x\.gz ends within its header"),
        (GOOD[:-3], r"x\.gz promises 10 bytes and ends after 7"),
        (GOOD + b"\0", r"x\.gz goes on after the 10 bytes that it promises"),
        (idx(np.zeros(0, np.uint8), (2**32 - 1,)), r"x\.gz promises .*, more than 128 MiB"),
    ],
)
def test_bad_idx_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(content))
    with pytest.raises(DataError, match=message):
        read_idx(path, 1)


def test_gzip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    bomb = tmp_path / "x.gz"
    bomb.write_bytes(gzip.compress(GOOD + bytes(200_000_000), compresslevel=1))
    with pytest.raises(DataError, match=r"goes on after the 10 bytes"):
        read_idx(bomb, 1)


def test_damaged_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(GOOD)[:-12])
    with pytest.raises(DataError, match=r"x\.gz is a damaged gzip file"):
        read_idx(path, 1)


@pytest.mark.parametrize("name", ["x.gz", "x"])
@pytest.mark.parametrize("content", [GOOD, gzip.compress(GOOD)], ids=["plain", "gzipped"])
def test_the_first_bytes_say_whether_a_file_is_gzipped(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    assert read_idx(tmp_path / name, 1).tolist() == list(range(10))


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_names_with_dots_are_found(tmp_path: Path, ending: str) -> None:
    write_digits(tmp_path, IMAGES, np.array([7, 2, 1]), zipped=bool(ending))
    for path in list(tmp_path.iterdir()):
        path.rename(path.with_name(path.name.replace("-idx", ".idx")))
    assert (tmp_path / f"t10k-images.idx3-ubyte{ending}").is_file()
    assert load(tmp_path).labels.tolist() == [7, 2, 1]


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ("labels", r"does not hold t10k-labels-idx1-ubyte, the labels of its images, gzipped"),
        ("images", r"does not hold t10k-images-idx3-ubyte, the images of its labels, gzipped"),
    ],
)
def test_the_file_that_is_missing_is_named(tmp_path: Path, lost: str, message: str) -> None:
    write_digits(tmp_path, IMAGES, np.array([1, 2, 3]))
    next(tmp_path.glob(f"*{lost}*")).unlink()
    with pytest.raises(DataError, match=message):
        load(tmp_path)


def test_a_whole_split_goes_before_half_of_another(tmp_path: Path) -> None:
    write_digits(tmp_path, IMAGES, np.array([1, 2, 3]))
    for path in list(tmp_path.iterdir()):
        path.rename(path.with_name(path.name.replace("t10k", "train")))
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(b"")
    assert len(load(tmp_path)) == 3


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"x cannot be read \(No such file"):
        read_idx(tmp_path / "x", 1)
    with pytest.raises(DataError, match=r"does not hold t10k-images-idx3-ubyte and t10k-labels"):
        load_idx(tmp_path)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (IMAGES, np.array([1, 2]), "holds 2 labels for 3 images"),
        (IMAGES[:0], np.zeros(0), "the image set '.*' is empty"),
    ],
)
def test_files_that_do_not_fit_are_refused(
    tmp_path: Path, images: np.ndarray, labels: np.ndarray, message: str
) -> None:
    write_digits(tmp_path, images, labels)
    with pytest.raises(DataError, match=message):
        load_idx(tmp_path)


@pytest.mark.parametrize(("height", "width"), [(28, 28), (20, 31)])
def test_other_images_go_by_the_name_of_their_folder(
    tmp_path: Path, height: int, width: int
) -> None:
    folder = tmp_path / "fabric"
    folder.mkdir()
    images = np.arange(4 * height * width).astype(np.uint8).reshape(4, height, width)
    write_digits(folder, images, np.array([0, 12, 3, 3]))
    found = load(folder)
    assert found.name == "fabric"
    assert found.description == f"4 images of {height} x {width} in 13 classes (idx files)"
    assert found.classes == tuple(str(k) for k in range(13))
    assert found.kind == ("image" if height == width == 28 else "tensor")
    with pytest.raises(DataError, match="13 classes .* which are not the digits of MNIST"):
        load_mnist(folder)


def test_training_images_are_read_where_there_are_no_others(tmp_path: Path) -> None:
    write_digits(tmp_path, IMAGES, np.array([1, 2, 3]))
    for path in list(tmp_path.iterdir()):
        path.rename(path.with_name(path.name.replace("t10k", "train")))
    assert len(load(tmp_path)) == 3


def test_mnist_is_known_by_its_content(real: Callable[[str], Path]) -> None:
    found = load(real("mnist-test"))
    assert found.name == "mnist-test"
    assert found.description == "10000 handwritten digits of the MNIST test set"
    assert found.sha256 == load("mnist-test").sha256


def test_embedded_digits_are_the_first_of_the_test_set(real: Callable[[str], Path]) -> None:
    real("mnist-test")
    whole, embedded = load("mnist-test"), load("mnist-1000")
    assert len(whole) == 10_000
    assert np.array_equal(whole.features[:1000], embedded.features)
    assert np.array_equal(whole.labels[:1000], embedded.labels)
