"""Where data sets are found."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from data_files import IMAGES, write_digits

from pimsim.data import catalog, load
from pimsim.errors import DataError


def test_unknown_name_is_told_the_nearest(no_data: Path) -> None:
    with pytest.raises(DataError, match=r"'syntetic-speech'.* Did you mean 'synthetic"):
        load("syntetic-speech")


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("speech-commands-test", "Get it with `pimsim data get speech-commands-test`, or set PIMS"),
        ("mnist-test", "Get it with `pimsim data get mnist`, or set PIMSIM_DATA"),
    ],
)
def test_missing_set_says_where_it_looked_and_how_to_get_it(
    no_data: Path, name: str, remedy: str
) -> None:
    with pytest.raises(DataError, match=rf"'{name}' is not on this machine; .*user-data") as caught:
        load(name)
    assert caught.value.remedy.startswith(remedy)


def test_training_material_is_not_for_evaluation(no_data: Path) -> None:
    assert "speech-commands-training" not in catalog.names()
    with pytest.raises(DataError, match="Set PIMSIM_DATA to the folder that has train_logmel"):
        catalog.load_training()


def test_folder_of_speech_is_recognised(speech_folder: Path) -> None:
    assert load(str(speech_folder)).name == speech_folder.name
    assert load("speech", base=speech_folder.parent).kind == "speech"


def test_folder_of_digits_is_recognised(tmp_path: Path) -> None:
    write_digits(tmp_path, IMAGES, np.array([1, 2, 3]))
    assert load(tmp_path).kind == "image"


def test_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no data that pimsim reads\. Name an npz file"):
        load(tmp_path)


@pytest.mark.parametrize("subfolder", ["", "speech_commands"])
@pytest.mark.parametrize("layout", ["folder", "archive"])
def test_environment_names_a_folder_of_data_sets(
    speech_folder: Path,
    no_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    subfolder: str,
    layout: str,
) -> None:
    root = tmp_path / "sets"
    target = root / subfolder
    if layout == "folder":
        shutil.copytree(speech_folder, target)
    else:
        target.mkdir(parents=True)
        packed = shutil.make_archive(str(tmp_path / "set"), "gztar", speech_folder)
        Path(packed).rename(target / "speech_commands_test_set_v0.02.tar.gz")
    monkeypatch.setenv(catalog.ENVIRONMENT, str(root))
    named = load("speech-commands-test")
    assert len(named) == 24
    assert named.name == "speech-commands-test"
    assert named.description.endswith(", a subset of the 4,890 in the official set")


def test_downloads_are_found_without_environment(no_data: Path) -> None:
    (no_data / "mnist").mkdir(parents=True)
    write_digits(no_data / "mnist", IMAGES, np.array([1, 2, 3]))
    assert catalog.find("mnist-test") == no_data / "mnist"
    assert catalog.find("mnist-train") is None
    # what is asked for by the name of MNIST is MNIST, or refused
    with pytest.raises(DataError, match=r"3 images of 28 x 28 in 4 classes .* not the digits of M"):
        load("mnist-test")
    assert len(load(no_data / "mnist")) == 3


@pytest.mark.parametrize("name", ["table.csv", "features.npy", "no-ending"])
def test_file_of_something_else_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("1, 2, 3")
    with pytest.raises(DataError, match=rf"{name} holds no data that pimsim reads\. Name an npz"):
        load(tmp_path / name)
