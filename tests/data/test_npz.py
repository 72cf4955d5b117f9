"""Data of users in npz files."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

import pimsim
from pimsim.data import Dataset, load
from pimsim.data.npz import load_npz
from pimsim.errors import ConfigError, DataError

FEATURES = np.arange(24, dtype=np.float32).reshape(4, 6)
LABELS = np.array([0, 1, 1, 2])


def write(path: Path, **arrays: object) -> Path:
    np.savez(path, **{"features": FEATURES, "labels": LABELS} | arrays)
    return path


def test_features_and_labels_are_enough(tmp_path: Path) -> None:
    found = load(write(tmp_path / "gestures.npz"))
    assert np.array_equal(found.features, FEATURES)
    assert found.labels.dtype == np.int64
    assert (found.name, found.kind, found.classes) == ("gestures", "tensor", ("0", "1", "2"))
    assert found.description == "4 samples of 6 numbers in 3 classes"
    assert found.source == {"path": str(tmp_path / "gestures.npz")}


def test_classes_name_and_source_are_those_of_the_file(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.npz",
        classes=np.array(["left", "right", "none", "both"]),
        name=np.array("gestures of a hand"),
        source=np.array("our laboratory, 2026"),
    )
    found = load("a.npz", base=path.parent)
    assert found.classes == ("left", "right", "none", "both")
    assert found.name == "gestures of a hand"
    assert found.source == {"path": str(path), "source": "our laboratory, 2026"}


@pytest.mark.parametrize("name", ["own", "synthetic-speech", "part"])
def test_what_is_saved_is_read_again(tmp_path: Path, name: str) -> None:
    if name == "own":
        data = pimsim.Dataset(FEATURES.astype("f8"), LABELS.tolist(), source={"licence": "free"})
    else:
        data = load("synthetic-speech")
        data = data.limit(20) if name == "part" else data
    again = load(data.save(tmp_path / "saved.npz"))
    assert again.sha256 == data.sha256
    for key in ("name", "kind", "classes", "description", "is_synthetic"):
        assert getattr(again, key) == getattr(data, key), key
    assert np.array_equal(again.sample_indices, data.sample_indices)
    assert all(text in again.source["source"] for text in data.source.values())
    twice = load(again.save(tmp_path / "again.npz"))
    assert twice.source["source"] == again.source["source"]


def test_a_name_without_npz_is_refused(tmp_path: Path) -> None:
    data = Dataset(FEATURES, LABELS)
    with pytest.raises(DataError, match=r"x\.dat does not end in \.npz\. Name it x\.dat\.npz"):
        data.save(tmp_path / "x.dat")
    assert not any(tmp_path.iterdir())


def test_nothing_half_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", fail)
    with pytest.raises(ConfigError, match="No space"):
        Dataset(FEATURES, LABELS).save(tmp_path / "x.npz")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"features": FEATURES[:3]}, r"is no data set: the data set 'x' holds 3 samples and int64"),
        ({"features": FEATURES[:0], "labels": LABELS[:0]}, "the data set 'x' is empty"),
        ({"features": FEATURES[:, :0]}, r"features of shape \(4, 0\); the first axis counts"),
        ({"features": np.zeros(4, np.float32)}, r"features of shape \(4,\); the first axis"),
        ({"features": np.float32(3)}, r"features of shape \(\)"),
        ({"features": FEATURES.astype(np.int32)}, "int32 features; uint8 or float32 are needed. C"),
        ({"features": FEATURES.astype(complex)}, "complex128 features"),
        ({"features": FEATURES.astype("S8")}, r"\|S8 features"),
        ({"features": np.zeros(4, "i4,f4")}, "features; uint8 or float32"),
        ({"features": FEATURES * np.nan}, r"holds nan in features\[0, 0\]; numbers must be finite"),
        ({"features": np.where(FEATURES == 9, np.inf, 1)}, r"holds inf in features\[1, 3\]"),
        ({"features": np.full((4, 6), 1e300)}, r"holds 1e\+300 in features\[0, 0\]"),
        ({"features": np.array([[{}]] * 4)}, "holds Python objects in 'features'"),
        ({"labels": LABELS.astype(float)}, r"float64 labels of shape \(4,\). Give every sample"),
        ({"labels": LABELS.reshape(2, 2)}, r"int64 labels of shape \(2, 2\)"),
        ({"labels": np.array(["a", "b", "c", "d"])}, r"<U1 labels"),
        ({"labels": LABELS - 1}, "has a label -1; labels run from 0 to 65535"),
        ({"labels": LABELS.astype("u8") * 2**62}, "has a label 9223372036854775808"),
        ({"classes": np.array(["a", "b"])}, "has a label 2; labels run from 0 to 1"),
        ({"classes": np.array([])}, r"'classes' as float64 of shape \(0,\); they are 1 to 65536"),
        ({"classes": np.array("abc")}, r"'classes' as <U3 of shape \(\)"),
        ({"classes": np.array(["a", "b", "a"])}, "has two classes called 'a'"),
        ({"classes": np.array(["a", "b", ""])}, "the class name of a data set is ''"),
        ({"classes": np.array(["a", "b", "\x1b[2J"])}, "the class name of a data set is"),
        ({"classes": np.array(["a", "b", "c" * 2000])}, "one line and at most 1000 characters"),
        ({"classes": np.frombuffer(b"\xff" * 12, "<U1")}, "holds 'classes' that is no text"),
        ({"classes": np.zeros(70_000, "U1")}, r"of shape \(70000,\); they are 1 to 65536 texts"),
        ({"name": np.array(3)}, r"holds 'name' as int64 of shape \(\); it is one text"),
        ({"name": np.array(["x"])}, r"holds 'name' as <U1 of shape \(1,\); it is one text"),
        ({"name": np.array("two\nlines")}, "the name of a data set is 'two"),
        ({"kind": np.array("poem")}, "the kind of a data set is 'poem'. Known here: speech, image"),
        ({"kind": np.array("text")}, r"the text set 'x' holds float32 features of shape \(6,\)"),
        ({"kind": np.array("image")}, r"the image set 'x' holds float32 features of shape \(6,\)"),
        ({"is_synthetic": np.array(1)}, "'is_synthetic' as int64 of shape"),
        ({"taken": np.arange(3)}, r"int64 indices of shape \(3,\) in the whole set"),
        ({"taken": -np.arange(4)}, "from 0 on are needed"),
        ({"taken": np.arange(4.0)}, "has float64 indices"),
        ({"label": LABELS}, "holds 'label', which is not known here. Did you mean 'labels'"),
        ({"weights": LABELS}, "holds 'weights', which is not known here"),
    ],
)
def test_what_is_no_data_set_is_refused(tmp_path: Path, arrays: dict, message: str) -> None:
    path = write(tmp_path / "x.npz", **arrays)
    with pytest.raises(DataError, match=message) as caught:
        load(path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("name", ["features", "labels"])
def test_a_missing_array_is_named(tmp_path: Path, name: str) -> None:
    arrays = {"features": FEATURES, "labels": LABELS}
    del arrays[name]
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(DataError, match=f"lacks an array '{name}'. An npz file of data holds"):
        load(tmp_path / "x.npz")


def npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, array)
    return out.getvalue()


def header(shape: tuple[int, ...], kind: str = "|u1") -> bytes:
    out = io.BytesIO()
    described = {"shape": shape, "fortran_order": False, "descr": kind}
    np.lib.format.write_array_header_1_0(out, described)
    return out.getvalue()


def zipped(path: Path, *members: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


GOOD = ("labels.npy", npy(LABELS))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("members", "message"),
    [
        ((("features.npy", header((2**40,))), GOOD), "promises an array 'features' of 1099511627"),
        ((("features.npy", header((2**27,), "<U9")), GOOD), "promises an array 'features'"),
        ((("features.npy", header((4, 6))), GOOD), "is damaged .* not as long as its header says"),
        ((("features.npy", npy(FEATURES) + b"1"), GOOD), "not as long as its header says"),
        ((("features.npy", b"no array"), GOOD), "is damaged"),
        ((("features.npy", b""), GOOD), "is damaged"),
        ((("features.npy", npy(FEATURES)), ("labels.npy", header((2**25,), "<i8"))), "promises an"),
        ((("features.npy", npy(FEATURES)), GOOD, GOOD), "holds 'labels' twice"),
        ((("features.npy", npy(FEATURES)), GOOD, ("read me.txt", b"")), "holds 'read me.txt'"),
        ((("../features.npy", npy(FEATURES)), GOOD), "holds '../features', which is not known"),
        ((("features", npy(FEATURES)), GOOD), "holds 'features', which is not known"),
    ],
)
def test_hostile_archives_are_refused(tmp_path: Path, members: tuple, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_npz(zipped(tmp_path / "x.npz", *members))
    assert [path.name for path in tmp_path.iterdir()] == ["x.npz"]


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    path.write_bytes(npy(FEATURES))
    with pytest.raises(DataError, match="is damaged"):
        load(path)
    whole = write(tmp_path / "y.npz").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="is damaged"):
        load(path)
    with pytest.raises(DataError, match="names 'none.npz', and there is no data set"):
        load("none.npz")
    os.mkfifo(tmp_path / "pipe.npz")
    with pytest.raises(DataError, match="is no file"):
        load(tmp_path / "pipe.npz")


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple:
            return (os.mkdir, (str(tmp_path / "sprung"),))

    path = write(tmp_path / "x.npz", classes=np.array([Trap()], object))
    with pytest.raises(DataError, match="holds Python objects in 'classes'"):
        load(path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("order", ["<", ">"])
def test_numbers_of_either_byte_order_and_width_are_the_same(tmp_path: Path, order: str) -> None:
    path = write(tmp_path / "x.npz", features=FEATURES.astype(f"{order}f8"),
                 labels=LABELS.astype(f"{order}u2"))  # fmt: skip
    assert load(path).sha256 == Dataset(FEATURES, LABELS).sha256
