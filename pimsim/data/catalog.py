"""Catalog of data sets: in the package, in the user's folder, or in the download folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import platformdirs
from numpy.typing import NDArray

from pimsim.data import cepstra, cifar10, har, mnist, speech_commands, speech_folders, text
from pimsim.data.archives import is_archive
from pimsim.data.arrays import read_npz
from pimsim.data.dataset import Dataset
from pimsim.data.images import FORMATS, is_image_folder, load_image_folder
from pimsim.data.npz import load_npz
from pimsim.errors import DataError, Place, nearest
from pimsim.files import entries, is_file, is_folder, look

ENVIRONMENT = "PIMSIM_DATA"
# number of clips in the published sets, to tell a subset from the whole set
OFFICIAL_SIZES = {"speech-commands-test": 4890, "speech-cepstra-test": 4890}
_SPLITS: tuple[Literal["test", "train"], ...] = ("test", "train")
_SPEECH_LICENCE = "CC BY 4.0 (P. Warden 2018)"


@dataclass(frozen=True)
class Embedded:
    """A data set in the package: an npz file with `features` and `labels`."""

    description: str
    file: str
    kind: Literal["speech", "image", "text"]
    classes: tuple[str, ...]
    licence: str
    is_synthetic: bool


@dataclass(frozen=True)
class OnDisk:
    """A named data set on disk, too large for the package.

    Parameters
    ----------
    description
        One line for lists.
    subfolder
        Name of its subfolder in a folder of data sets.
    find
        Function that looks for it in a folder; returns the folder or archive to read, or None.
    load
        Function that reads the result of `find`; None for data that only training reads.
    licence
        Licence, or what is known of it, with the work to cite.
    how_to_get
        Remedy if it is missing.
    """

    description: str
    subfolder: str
    find: Callable[[Path], Path | None]
    load: Callable[[Path], Dataset] | None
    licence: str
    how_to_get: str


def data_home() -> Path:
    """Default folder for downloads; it need not exist."""
    return Path(platformdirs.user_data_dir("pimsim", appauthor=False))


def places(subfolder: str) -> list[Path]:
    """Folders that are searched for a data set: $PIMSIM_DATA first, then `data_home`."""
    chosen = os.environ.get(ENVIRONMENT)
    roots = [expanded(chosen)] if chosen else []
    return [folder for root in (*roots, data_home()) for folder in (root, root / subfolder)]


def expanded(path: str | Path) -> Path:
    """A path whose ~ stands for a home folder; unchanged where there is no such user."""
    return Path(os.path.expanduser(path))  # noqa: PTH111


def find(name: str) -> Path | None:
    """Find the folder or archive of a set of `ON_DISK`; None if it is not on this machine."""
    wanted = ON_DISK[name]
    found = (wanted.find(folder) for folder in places(wanted.subfolder))
    return next((path for path in found if path is not None), None)


def locate(name: str) -> Path:
    """Find the folder or archive of a set of `ON_DISK`.

    Raises
    ------
    DataError
        If it is not on this machine; the error says which folders were searched.
    """
    path = find(name)
    if path is not None:
        return path
    looked = ", ".join(str(folder) for folder in places(ON_DISK[name].subfolder))
    raise DataError(
        f"the data set '{name}' is not on this machine; looked in {looked}",
        remedy=ON_DISK[name].how_to_get,
    )


def names() -> tuple[str, ...]:
    """All names that `load` accepts."""
    return (*EMBEDDED, *(name for name, wanted in ON_DISK.items() if wanted.load is not None))


# where no other place is known
_NAMED = Place("data")


def load(spec: str | Path, base: Path | None = None, place: Place = _NAMED) -> Dataset:
    """Load a data set by its name or its path.

    Parameters
    ----------
    spec
        One of `names`, or a path: an npz file (`pimsim.data.npz`), a text (``.txt``), a folder of
        speech, the archive of one, a folder with the archive of the test set in it, a folder of idx
        files (the test set, if both are there), or a folder with images in a subfolder for each
        class.
    base
        Folder that a relative path starts from; the working directory if None.
    place
        Where the name stands, for errors.

    Raises
    ------
    DataError
        If there is no such set, or it is damaged.
    """
    name = str(spec)
    if name in EMBEDDED:
        return _load_embedded(name)
    wanted = ON_DISK.get(name)
    if wanted is not None and wanted.load is not None:
        return _by_name(name, wanted.load(locate(name)))
    path = (base or Path()) / expanded(spec)
    if look(path, DataError) is None:
        raise DataError(
            f"names '{spec}', and there is no data set, file or folder called so",
            place=place,
            remedy=nearest(name, names()),
        )
    if not is_file(path, DataError) and not is_folder(path, DataError):
        raise DataError("is no file and no folder", place=Place(path), remedy="Name one")
    if path.suffix == ".npz":
        return load_npz(path)
    if is_file(path, DataError):
        if path.suffix == ".txt":
            return text.load_text(path)
        if is_archive(path):
            return speech_folders.load_speech_archive(path)
    else:
        speech = _find_speech(path)
        if speech is not None:
            return _load_speech(speech)
        # of two splits, one that is complete goes before one of which half is there
        for is_there in (mnist.find_idx, mnist.has_idx):
            for split in _SPLITS:
                if is_there(path, split):
                    return mnist.load_idx(path, split)
        if speech_folders.is_speech_folder(path):
            return speech_folders.load_speech_folder(path)
        if is_image_folder(path):
            return load_image_folder(path)
    raise DataError(
        "holds no data that pimsim reads",
        place=Place(path),
        remedy="Name an npz file with features and labels, a text (.txt), a folder with images "
        f"({' '.join(FORMATS)}) or wav files in a folder for each class, a tar.gz or tar.xz of "
        "such a folder of wav files, one with t10k-images-idx3-ubyte.gz and "
        f"t10k-labels-idx1-ubyte.gz, or one of these sets: {', '.join(names())}.",
    )


def load_training() -> tuple[speech_commands.TrainingClips, speech_commands.TrainingClips]:
    """Load the training and validation log-mels of Speech Commands."""
    return speech_commands.load_training_logmels(locate("speech-commands-training"))


def load_background() -> NDArray[np.uint8]:
    """Load log-mels of the background recordings of Speech Commands."""
    return speech_commands.load_background(locate("speech-commands-background"))


def _load_embedded(name: str) -> Dataset:
    embedded = EMBEDDED[name]
    path = Path(__file__).parent / "embedded" / embedded.file
    features, labels = read_npz(path, ("features", "labels"))
    return Dataset(
        name=name,
        kind=embedded.kind,
        features=features,
        labels=labels,
        classes=embedded.classes,
        description=embedded.description,
        is_synthetic=embedded.is_synthetic,
        source={"path": f"pimsim.data.embedded/{embedded.file}", "licence": embedded.licence},
    )


def _cepstra(path: Path) -> Dataset:
    return cepstra.with_cepstra(_load_speech(path), "speech-cepstra-test")


def _find_file(folder: Path, *files: str) -> Path | None:
    return next((folder / name for name in files if is_file(folder / name, DataError)), None)


def _find_speech(folder: Path) -> Path | None:
    """Folder or archive of the test set of Speech Commands in a folder."""
    for candidate in (folder, folder / "speech_commands_test_set_v0.02"):
        if speech_commands.is_test_folder(candidate):
            return candidate
    return _find_file(folder, "speech_commands_test_set_v0.02.tar.gz", "test_set_v0.02_half.tar.xz")


def _by_name(name: str, data: Dataset) -> Dataset:
    """Give a set its official name; the description says if it is a subset."""
    whole = OFFICIAL_SIZES.get(name, len(data))
    share = "" if len(data) == whole else f", a subset of the {whole:,} in the official set"
    return replace(data, name=name, description=data.description + share)


def _load_speech(path: Path) -> Dataset:
    if is_folder(path, DataError):
        return speech_commands.load_test_folder(path)
    return speech_commands.load_test_archive(path)


def _find_training(folder: Path) -> Path | None:
    names = (path.name for path in entries(folder / "yes", DataError))
    if any("_nohash_" in name and name.endswith(".jpg") for name in names):
        return folder
    return _find_file(folder, "train_logmel_jpeg.tar.xz")


def _find_background(folder: Path) -> Path | None:
    return _find_file(folder, "background_noise.tar.xz", "background_noise.tar.gz")


def _find_mnist(split: mnist.Split, folder: Path) -> Path | None:
    return folder if mnist.find_idx(folder, split) is not None else None


def _mnist(split: mnist.Split, description: str) -> OnDisk:
    return OnDisk(
        description=description,
        subfolder="mnist",
        find=partial(_find_mnist, split),
        load=partial(mnist.load_mnist, split=split),
        licence="CC BY-SA 3.0 (Y. LeCun, C. Cortes, C. Burges)",
        how_to_get="Get it with `pimsim data get mnist`, or set PIMSIM_DATA to the folder that "
        "has its idx files.",
    )


def _cifar10(split: cifar10.Split, description: str) -> OnDisk:
    return OnDisk(
        description=description,
        subfolder="cifar10",
        find=partial(cifar10.find_archive, split=split),
        load=partial(cifar10.load_cifar10, split=split),
        licence=f"{cifar10.LICENCE} ({cifar10.CITATION})",
        how_to_get=f"Set PIMSIM_DATA to the folder that has cifar10_{split}_jpeg.tar.xz.",
    )


def _har(split: har.Split, description: str) -> OnDisk:
    return OnDisk(
        description=description,
        subfolder="har",
        find=lambda folder: _find_file(folder, har.FILE),
        load=partial(har.load_har, split=split),
        licence=f"{har.LICENCE} ({har.CITATION})",
        how_to_get=f"Set PIMSIM_DATA to the folder that has {har.FILE}.",
    )


def _text(split: text.Split, description: str) -> OnDisk:
    return OnDisk(
        description=description,
        subfolder="war_and_peace",
        find=partial(text.find_war_and_peace, split=split),
        load=partial(text.load_war_and_peace, split=split),
        licence=text.LICENCE,
        how_to_get="Set PIMSIM_DATA to the folder that has war_and_peace/train.txt, valid.txt and "
        "test.txt, or name any text file in UTF-8.",
    )


EMBEDDED = {
    "synthetic-speech": Embedded(
        description="648 words from the synthesiser espeak-ng, in the 12 classes of Speech "
        "Commands; no recordings",
        file="synthetic_speech.npz",
        kind="speech",
        classes=speech_commands.CLASSES,
        licence="Apache-2.0",
        is_synthetic=True,
    ),
    "mnist-1000": Embedded(
        description="the first 1,000 handwritten digits of the MNIST test set",
        file="mnist_1000.npz",
        kind="image",
        classes=mnist.CLASSES,
        licence="CC-BY-SA-3.0",
        is_synthetic=False,
    ),
    "war-and-peace-excerpt": Embedded(
        description="30,000 characters from the beginning of the test part of War and Peace",
        file="war_and_peace_excerpt.npz",
        kind="text",
        classes=text.names_of(text.WAR_AND_PEACE),
        licence=text.LICENCE,
        is_synthetic=False,
    ),
}

ON_DISK = {
    "speech-commands-test": OnDisk(
        description="recorded words: the 12-class test set of Speech Commands v0.02",
        subfolder="speech_commands",
        find=_find_speech,
        load=_load_speech,
        licence=_SPEECH_LICENCE,
        how_to_get="Get it with `pimsim data get speech-commands-test`, or set PIMSIM_DATA to "
        "the folder that has its wav folders or archive.",
    ),
    "speech-cepstra-test": OnDisk(
        description="the same words as maps of 49 x 10 cepstral coefficients",
        subfolder="speech_commands",
        find=_find_speech,
        load=_cepstra,
        licence=_SPEECH_LICENCE,
        how_to_get="It is made from speech-commands-test: get that with `pimsim data get "
        "speech-commands-test`, or set PIMSIM_DATA to the folder that has its wav folders or "
        "archive.",
    ),
    "mnist-test": _mnist("test", "the 10,000 handwritten digits of the MNIST test set"),
    "mnist-train": _mnist("train", "the 60,000 handwritten digits of the MNIST training set"),
    "cifar10-test": _cifar10("test", "the 10,000 colour pictures of the CIFAR-10 test set"),
    "cifar10-train": _cifar10("train", "the 50,000 colour pictures of the CIFAR-10 training set"),
    "har-test": _har("test", "human activities: 2,996 windows of 9 persons, 561 features each"),
    "har-train": _har("train", "human activities: 7,415 windows of the other 21 persons"),
    "war-and-peace-test": _text("test", "320,000 characters of a novel, its last tenth"),
    "war-and-peace-valid": _text("valid", "320,000 characters of a novel, its last tenth but one"),
    "war-and-peace-train": _text("train", "2,560,000 characters of a novel, its beginning"),
    "speech-commands-training": OnDisk(
        description="log-mels of recorded words, for training only",
        subfolder="speech_commands",
        find=_find_training,
        load=None,
        licence=_SPEECH_LICENCE,
        how_to_get="Set PIMSIM_DATA to the folder that has train_logmel_jpeg.tar.xz.",
    ),
    "speech-commands-background": OnDisk(
        description="recordings of background noise, for training only",
        subfolder="speech_commands",
        find=_find_background,
        load=None,
        licence=_SPEECH_LICENCE,
        how_to_get="Set PIMSIM_DATA to the folder that has background_noise.tar.xz, or take "
        "`recordings` out of the recipe's augmentation.",
    ),
}
