"""Images in folders, one for each class."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pimsim.data import images, load
from pimsim.errors import DataError

RNG = np.random.default_rng(0)


def pixels(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def put(path: Path, values: np.ndarray, **options: object) -> np.ndarray:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path, **options)
    return values


@pytest.mark.parametrize("shape", [(7, 5), (7, 5, 3)])
@pytest.mark.parametrize("ending", ["png", "bmp", "PNG", "pgm"])
def test_pixels_come_back_sorted_by_class_and_name(tmp_path, shape, ending):
    if ending == "pgm" and len(shape) == 3:
        ending = "ppm"
    b2 = put(tmp_path / "set/b" / f"2.{ending}", pixels(*shape))
    b1 = put(tmp_path / "set/b" / f"1.{ending}", pixels(*shape))
    a = put(tmp_path / "set/a" / f"9.{ending}", pixels(*shape))
    (tmp_path / "set/.git").mkdir()
    (tmp_path / "set/a/.DS_Store").write_text("")
    (tmp_path / "set/README").write_text("beside the folders")
    found = load(tmp_path / "set")
    assert np.array_equal(found.features, [a, b1, b2])
    assert found.features.dtype == np.uint8
    assert found.labels.tolist() == [0, 1, 1]
    assert (found.classes, found.name, found.kind) == (("a", "b"), "set", "tensor")
    colours = "grey" if len(shape) == 2 else "RGB"
    assert found.description == f"3 {colours} images of 7 x 5 pixels in 2 classes"
    assert found.source == {"path": str(tmp_path / "set")}


def test_grey_images_of_the_size_of_digits_are_images(tmp_path):
    put(tmp_path / "0/a.png", pixels(28, 28))
    assert load(tmp_path).kind == "image"


def test_jpegs_are_decoded_the_same_each_time(tmp_path):
    smooth = np.add.outer(np.arange(16), np.arange(16)).astype(np.uint8) * 8
    put(tmp_path / "x/a.jpg", smooth, quality=95)
    put(tmp_path / "x/b.jpeg", smooth, quality=95)
    found = load(tmp_path)
    assert np.abs(found.features.astype(int) - smooth).max() < 12
    assert found.sha256 == load(tmp_path).sha256


def test_a_class_may_be_empty(tmp_path):
    put(tmp_path / "b/a.png", pixels(4, 4))
    (tmp_path / "a").mkdir()
    (tmp_path / "c").mkdir()
    found = load(tmp_path)
    assert (found.classes, found.labels.tolist()) == (("a", "b", "c"), [1])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda at: put(at / "b.png", pixels(4, 5)),
         r"b\.png has 4 x 5 values, and the images before it have 4 x 4\. A set of images"),
        (lambda at: put(at / "b.png", pixels(4, 4, 3)), r"b\.png has 4 x 4 x 3 values, and"),
        (lambda at: put(at / "b.png", pixels(4, 4, 4)), r"colours of the mode RGBA; grey \(L\)"),
        (lambda at: Image.new("P", (4, 4)).save(at / "b.png"), "colours of the mode P"),
        (lambda at: Image.new("1", (4, 4)).save(at / "b.png"), "colours of the mode 1"),
        (lambda at: (at / "b.png").write_bytes(b"nothing"), r"b\.png is no PNG image that can"),
        (lambda at: (at / "b.png").write_bytes(b""), r"b\.png is no PNG image that can be read"),
        (lambda at: (at / "b.jpg").write_bytes((at / "a.png").read_bytes()), "is no JPEG image"),
        (lambda at: (at / "b.png").write_bytes((at / "a.png").read_bytes()[:60]), "is no PNG"),
        (lambda at: (at / "notes.txt").write_text("x"), r"notes\.txt is no image that pimsim"),
        (lambda at: (at / "more").mkdir(), "more is no image that pimsim reads"),
        (lambda at: (at / "b.png").mkdir(), r"b\.png is no file"),
        (lambda at: os.mkfifo(at / "b.png"), r"b\.png is no file\. Name an image"),
        (lambda at: (at / "b.png").symlink_to("gone.png"), r"b\.png cannot be read"),
    ],
)  # fmt: skip
def test_what_is_no_such_image_is_refused_by_its_name(tmp_path, spoil, message):
    put(tmp_path / "x/a.png", pixels(4, 4))
    spoil(tmp_path / "x")
    with pytest.raises(DataError, match=message):
        load(tmp_path)


def test_many_images_and_large_ones_are_refused(tmp_path, monkeypatch):
    for name in "abc":
        put(tmp_path / f"x/{name}.png", pixels(4, 4))
    monkeypatch.setattr(images, "MAX_FILES", 2)
    with pytest.raises(DataError, match="holds 3 images; 1 to 2 are read"):
        load(tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr(images, "MAX_FEATURE_BYTES", 47)
    with pytest.raises(DataError, match=r"a\.png is one of 3 images of 4 x 4 values; .* 47 bytes"):
        load(tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr(images, "MAX_IMAGE_BYTES", 20)
    with pytest.raises(DataError, match=r"a\.png is longer than 20 bytes"):
        load(tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr(images, "MAX_CLASS_FOLDERS", 0)
    with pytest.raises(DataError, match="has more than 0 folders"):
        load(tmp_path)


def test_folders_that_cannot_be_read_are_refused(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    put(tmp_path / "x/a.png", pixels(4, 4))
    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match=r"cannot be read \(Permission denied\)\."):
        images.load_image_folder(tmp_path)
    monkeypatch.undo()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="pipe is no file and no folder"):
        load(tmp_path / "pipe")


def test_an_image_that_promises_many_pixels_is_not_decoded(tmp_path):
    out = io.BytesIO()
    Image.new("L", (40, 98)).save(out, "JPEG")
    plain = bytearray(out.getvalue())
    at = plain.index(b"\xff\xc0") + 5  # start of frame: height and width
    for size in (5_000, 65_500):
        plain[at : at + 4] = size.to_bytes(2, "big") * 2
        (tmp_path / "x").mkdir(exist_ok=True)
        (tmp_path / "x/a.jpg").write_bytes(plain)
        with pytest.raises(DataError, match=r"16777216 pixels each|exceeds limit"):
            load(tmp_path)
