"""Google Speech Commands v0.02: the 12-class test set, and log-mels for training.

P. Warden, "Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition" (2018); CC BY 4.0.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pimsim.data.archives import MAX_FILES, MAX_UNPACKED_BYTES, files_in_tar
from pimsim.data.dataset import Dataset
from pimsim.data.frontend import (
    CLIP_SAMPLES,
    HOP_SAMPLES,
    MAX_WAV_BYTES,
    N_BANDS,
    N_FRAMES,
    SAMPLE_RATE,
    decode_wav,
    logmels_of,
    read_wav,
    wav_samples,
)
from pimsim.errors import DataError, Place
from pimsim.files import decoding, entries, is_file, is_folder, read_bytes

CLASSES = (
    "silence",
    "unknown",
    "yes",
    "no",
    "up",
    "down",
    "left",
    "right",
    "on",
    "off",
    "stop",
    "go",
)
FOLDERS = ("_silence_", "_unknown_", *CLASSES[2:])
TEST_FOLDERS = FOLDERS[:2]
BACKGROUND_FOLDER = "_background_noise_"
_TRAINING_FOLDERS = {BACKGROUND_FOLDER: 0, "unknown": 1} | {
    word: label for label, word in enumerate(CLASSES) if label > 1
}
MAX_TEST_CLIPS = 50_000  # the official set has 4,890
_MAX_JPEG_BYTES = 1 << 16
# limits for recordings of background noise; the longest lasts 95 s
_MAX_RECORDING_SAMPLES = 120 * SAMPLE_RATE
_MAX_RECORDING_BYTES = 1 << 22
_MAX_RECORDINGS = 50  # the data set has 6
_WINDOW_STEP = 10 * HOP_SAMPLES  # a tenth of a second
_TRAINING_SHARE = 0.85  # of each recording; the rest is kept out of training
# constant of the data set's split rule: largest number of clips per word
_MAX_CLIPS_PER_WORD = 2**27 - 1

Split = Literal["training", "validation", "testing"]


@dataclass(frozen=True, eq=False)
class TrainingClips:
    """Log-mels of the training or validation split.

    Parameters
    ----------
    features : (n, 98, 40) uint8
        Log-mel frames.
    labels : (n,) int64
        Index into `CLASSES`.
    words : (n,) str
        Spoken word; ``background`` for silence.
    """

    features: NDArray[np.uint8]
    labels: NDArray[np.int64]
    words: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.labels)


def which_set(filename: str) -> Split:
    """Split that a clip belongs to, by the rule of the data set.

    All clips of a speaker are in the same split: it follows from the SHA-1 of the name before
    ``_nohash_``; the first 10 % of its range are validation, the next 10 % testing.
    """
    speaker = Path(filename).name.split("_nohash_")[0]
    value = int(hashlib.sha1(speaker.encode(), usedforsecurity=False).hexdigest(), 16)
    percent = value % (_MAX_CLIPS_PER_WORD + 1) * 100.0 / _MAX_CLIPS_PER_WORD
    if percent < 10.0:
        return "validation"
    return "testing" if percent < 20.0 else "training"


def is_test_folder(folder: Path) -> bool:
    """Whether a folder has clips of one of the two classes that are in the test set alone."""
    return any(wav_files(folder / name) for name in TEST_FOLDERS)


def wav_files(folder: Path, suffix: str = ".wav") -> list[Path]:
    """Recordings of a class in the order of their names, hidden files left out."""
    found = (path for path in entries(folder, DataError) if path.name.endswith(suffix))
    return sorted(found, key=lambda path: path.name)


def load_test_folder(folder: str | Path) -> Dataset:
    """Load the 12-class test set from its folders, as published.

    Parameters
    ----------
    folder
        Folder with ``_silence_``, ``_unknown_`` and one folder for each of the ten words, with wav
        files of 16 kHz, one channel, 16 bit and at most 1 s. Other folders and files are ignored.

    Returns
    -------
    Dataset
        Data set sorted by class, then by file name.

    Raises
    ------
    DataError
        If the folder or one of the class folders is missing or empty, or a file is not such a wav.
    """
    folder = Path(folder)
    if not is_folder(folder, DataError):
        raise DataError("is not a folder", place=Place(folder), remedy=_layout())
    paths = [wav_files(folder / name) for name in FOLDERS]
    _require_all_classes(folder, [len(of_class) for of_class in paths])
    refuse_many(folder, sum(map(len, paths)))
    features = logmels_of(read_wav(path) for of_class in paths for path in of_class)
    labels = np.repeat(np.arange(len(CLASSES)), [len(of_class) for of_class in paths])
    return _test_set(features, labels, folder)


def load_test_archive(path: str | Path) -> Dataset:
    """Load the 12-class test set from a ``.tar.gz`` or ``.tar.xz`` archive of its folders."""
    path = Path(path)
    found: list[tuple[int, str]] = []

    def clips() -> Iterator[NDArray[np.int16]]:
        for folder, name, content in files_in_tar(
            path, ".wav", MAX_WAV_BYTES, lambda folder, name: folder in FOLDERS
        ):
            found.append((FOLDERS.index(folder), name))
            refuse_many(path, len(found))
            yield decode_wav(content, f"{path}/{folder}/{name}")

    features = logmels_of(clips())
    labels = np.array([label for label, _ in found], np.int64)
    _require_all_classes(path, np.bincount(labels, minlength=len(CLASSES)).tolist())
    order = sorted(range(len(found)), key=found.__getitem__)
    return _test_set(features[order], labels[order], path)


def load_training_logmels(source: str | Path) -> tuple[TrainingClips, TrainingClips]:
    """Load log-mels of the training and validation clips from grey JPEGs; needs Pillow.

    Parameters
    ----------
    source
        Archive (``.tar.xz``, ``.tar.gz``) or folder of
        ``<word>/<speaker>_nohash_<n>.<word>.jpg``, 98 rows (frames) by 40 columns (bands), with
        the folders ``unknown`` for other words and ``_background_noise_`` for silence.

    Returns
    -------
    training, validation
        Splits by `which_set`. Windows of noise have no speaker: the same rule on their names puts
        a tenth of them into validation and the rest into training.

    Raises
    ------
    DataError
        If Pillow or the files are missing, or an image is not such a log-mel.
    """
    source = Path(source)
    # one split after the other, so that each is a view of one array and not a copy
    clips = sorted(
        (split == "validation", label, name, content)
        for folder, name, content in _jpegs(source)
        if (label := _TRAINING_FOLDERS.get(folder)) is not None
        and ((split := which_set(name)) != "testing" or label == 0)
    )
    if not clips:
        raise DataError(
            "holds no log-mel JPEGs",
            place=Place(source),
            remedy="Point at the folder or archive with `<word>/<speaker>_nohash_<n>.<word>.jpg`.",
        )
    features = np.empty((len(clips), N_FRAMES, N_BANDS), np.uint8)
    for k, (_, _, name, content) in enumerate(clips):
        features[k] = _decode_jpeg(content, f"{source}/{name}")
    labels = np.array([label for _, label, _, _ in clips], np.int64)
    words = np.array([_word(label, name) for _, label, name, _ in clips])
    n_training = sum(not is_validation for is_validation, *_ in clips)
    training, validation = (
        TrainingClips(features[rows], labels[rows], words[rows])
        for rows in (slice(n_training), slice(n_training, None))
    )
    return training, validation


def load_background(source: str | Path) -> NDArray[np.uint8]:
    """Load log-mels of the background recordings, one window per tenth of a second.

    Parameters
    ----------
    source
        Archive (``.tar.xz``, ``.tar.gz``) of ``_background_noise_/*.wav``: 16 kHz, one channel,
        16 bit, up to two minutes each.

    Returns
    -------
    (n, 98, 40) uint8
        Windows of the first 85 % of each recording, sorted by name.

    Raises
    ------
    DataError
        If there are none, or one is not such a wav.
    """
    source = Path(source)
    recordings = {
        name: wav_samples(content, f"{source}/{name}", _MAX_RECORDING_SAMPLES)
        for folder, name, content in files_in_tar(source, ".wav", _MAX_RECORDING_BYTES)
        if folder == BACKGROUND_FOLDER
    }
    if len(recordings) > _MAX_RECORDINGS:
        raise DataError(
            f"holds {len(recordings)} recordings; {_MAX_RECORDINGS} are the most",
            place=Place(source),
            remedy="Point at the archive of Speech Commands' background recordings.",
        )
    if not recordings:
        raise DataError(
            f"holds no {BACKGROUND_FOLDER}/*.wav",
            place=Place(source),
            remedy="Point at the archive of Speech Commands' background recordings.",
        )
    return logmels_of(
        recordings[name][start : start + CLIP_SAMPLES]
        for name in sorted(recordings)
        for start in range(
            0, int(len(recordings[name]) * _TRAINING_SHARE) - CLIP_SAMPLES, _WINDOW_STEP
        )
    )


def _test_set(features: NDArray[np.uint8], labels: NDArray[np.int64], source: Path) -> Dataset:
    return Dataset(
        name=source.name,
        kind="speech",
        features=features,
        labels=labels,
        classes=CLASSES,
        description=f"{len(labels):,} recorded clips in the 12 classes of Speech Commands",
        source={"path": str(source)},
    )


def _require_all_classes(place: Path, counts: list[int]) -> None:
    missing = [name for name, count in zip(FOLDERS, counts, strict=True) if not count]
    if missing:
        raise DataError(
            f"has no wav files in {', '.join(missing)}", place=Place(place), remedy=_layout()
        )


def refuse_many(place: Path, n_clips: int) -> None:
    """Refuse more clips than a test set has."""
    if n_clips > MAX_TEST_CLIPS:
        raise DataError(
            f"holds more than {MAX_TEST_CLIPS:,} clips; a test set has some thousands",
            place=Place(place),
            remedy=_layout(),
        )


def _layout() -> str:
    return (
        f"A speech set has the folders {' '.join(FOLDERS)} with wav files in each; get one with "
        "`pimsim data get speech-commands-test`."
    )


def _jpegs(source: Path) -> Iterator[tuple[str, str, bytes]]:
    """Folder, name and content of each JPEG in an archive or folder."""
    if is_file(source, DataError):
        yield from files_in_tar(source, ".jpg", _MAX_JPEG_BYTES)
        return
    left = MAX_UNPACKED_BYTES
    for folder in _TRAINING_FOLDERS:
        for path in wav_files(source / folder, ".jpg"):
            content = read_bytes(path, "a JPEG", _MAX_JPEG_BYTES, DataError)
            left -= max(len(content), MAX_UNPACKED_BYTES // MAX_FILES)
            if left < 0:
                raise DataError(
                    "holds more images than any data set",
                    place=Place(source),
                    remedy="Name another",
                )
            yield folder, path.name, content


def _decode_jpeg(content: bytes, name: str) -> NDArray[np.uint8]:
    try:
        from PIL import Image
    except ImportError as error:
        raise DataError(
            "the training log-mels are JPEGs, and Pillow is not installed",
            remedy="Install it with `pip install pillow`.",
        ) from error
    place, again = Place(name), "Copy the file again."
    with (
        decoding(place, again, DataError, "is not a JPEG"),
        Image.open(io.BytesIO(content), formats=("JPEG",)) as image,
    ):
        if image.size == (N_BANDS, N_FRAMES) and image.mode == "L":
            return np.asarray(image)
        raise DataError(
            f"is a {image.mode} image of {image.size[1]} by {image.size[0]} pixels; a grey one "
            f"of {N_FRAMES} rows and {N_BANDS} columns is needed",
            place=place,
            remedy=again,
        )


def _word(label: int, name: str) -> str:
    """Spoken word in the name ``<speaker>_nohash_<n>.<word>.jpg``."""
    return "background" if label == 0 else name.removesuffix(".jpg").rsplit(".", 1)[-1]
