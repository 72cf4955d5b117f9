"""Speech with classes of its own: a folder of wav files for each class, or an archive of them.

The whole of Speech Commands v0.02 is such a set: its lists say which clips are for testing, and
which for validation.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.data.archives import files_in_tar
from pimsim.data.dataset import Dataset
from pimsim.data.frontend import MAX_WAV_BYTES, decode_wav, logmels_of, read_wav
from pimsim.data.images import class_folders
from pimsim.data.speech_commands import TEST_FOLDERS, load_test_archive, refuse_many, wav_files
from pimsim.errors import DataError, Place
from pimsim.files import is_file, read_bytes

Split = Literal["testing", "validation"]
_MAX_LIST_BYTES = 1 << 22  # that of Speech Commands has 11,005 lines
_LAYOUT = (
    "A speech set has a folder for each class with wav files in it, and may have testing_list.txt "
    "and validation_list.txt of lines FOLDER/NAME.wav beside them"
)
# folder and name
Clip = tuple[str, str]


class _Survey(NamedTuple):
    """Clips of a set, and the text of the list of a split, if it has one."""

    clips: list[Clip]
    listed: bytes | None


def is_speech_folder(folder: Path) -> bool:
    """Whether a subfolder that may be a class holds a wav file."""
    return any(wav_files(path) for path in class_folders(folder) if _is_class(path.name))


def load_speech_folder(folder: str | Path, split: Split = "testing") -> Dataset:
    """Load clips from a folder with a subfolder for each class.

    Parameters
    ----------
    folder
        Folder of ``<class>/<name>.wav``: 16 kHz, one channel, 16 bit and at most 1 s. Files beside
        the subfolders, hidden ones, and subfolders whose name begins with ``_``, are left out.
    split
        Clips to take where the folder has ``testing_list.txt`` or ``validation_list.txt``, as
        Speech Commands has; without the list of the split, all.

    Returns
    -------
    Dataset
        Data set sorted by class, then by file name. Classes are the names of the subfolders that
        hold clips, sorted.

    Raises
    ------
    DataError
        If there are no clips, too many, or one is not such a wav; or if a list names no clip that
        is there.
    """
    folder = Path(folder)
    clips = [
        (path.name, wav.name)
        for path in class_folders(folder)
        if _is_class(path.name)
        for wav in wav_files(path)
    ]
    listed = folder / _list_of(split)
    text = None
    if is_file(listed, DataError):
        text = read_bytes(listed, "a list of clips", _MAX_LIST_BYTES, DataError)
    chosen = _chosen(folder, _Survey(clips, text), split)
    features = logmels_of(read_wav(folder / above / name) for above, name in chosen)
    return _speech_set(folder, features, chosen, clips)


def load_speech_archive(path: str | Path, split: Split = "testing") -> Dataset:
    """Load clips from an archive: the 12-class test set, or as `load_speech_folder` does.

    Raises
    ------
    DataError
        As `load_speech_folder`; or if the archive is damaged or of another kind.
    """
    path = Path(path)
    survey = _survey(path, split)
    if any(folder in TEST_FOLDERS for folder, _ in survey.clips):
        return load_test_archive(path)
    survey = survey._replace(clips=[clip for clip in survey.clips if _is_class(clip[0])])
    chosen = _chosen(path, survey, split)
    wanted, found = set(chosen), list[Clip]()

    def clips() -> Iterator[NDArray[np.int16]]:
        for folder, name, content in files_in_tar(
            path, ".wav", MAX_WAV_BYTES, lambda folder, name: (folder, name) in wanted
        ):
            found.append((folder, name))
            yield decode_wav(content, f"{path}/{folder}/{name}")

    features = logmels_of(clips())
    order = sorted(range(len(found)), key=found.__getitem__)
    return _speech_set(path, features[order], [found[k] for k in order], survey.clips)


def _survey(path: Path, split: Split) -> _Survey:
    """Names of the clips in an archive; their content is not read."""
    clips, listed = list[Clip](), None

    def is_list(folder: str, name: str) -> bool:
        if name.endswith(".wav"):
            clips.append((folder, name))
        return name == _list_of(split)

    for _, _, content in files_in_tar(path, "", _MAX_LIST_BYTES, is_list):
        listed = content
    return _Survey(sorted(clips), listed)


def _is_class(folder: str) -> bool:
    """Whether a folder is a class: background noise is none, nor is what lies in no folder."""
    return not folder.startswith(("_", ".")) and bool(folder)


def _list_of(split: Split) -> str:
    return f"{split}_list.txt"


def _chosen(source: Path, survey: _Survey, split: Split) -> list[Clip]:
    """Clips of a split, sorted."""
    clips = survey.clips
    if survey.listed is not None:
        lines = survey.listed.decode("utf-8", "replace").split()
        listed = {tuple(line.rsplit("/", 2)[-2:]) for line in lines}
        clips = [clip for clip in clips if clip in listed]
    if not clips:
        what = f"none of the clips that {_list_of(split)} names" if survey.clips else "no wav files"
        raise DataError(f"holds {what}", place=Place(source), remedy=_LAYOUT)
    refuse_many(source, len(clips))
    return clips


def _speech_set(
    source: Path, features: NDArray[np.uint8], chosen: list[Clip], clips: list[Clip]
) -> Dataset:
    classes = sorted({folder for folder, _ in clips})
    return Dataset(
        name=source.name,
        kind="speech",
        features=features,
        labels=np.array([classes.index(folder) for folder, _ in chosen], np.int64),
        classes=tuple(classes),
        description=f"{len(chosen):,} recorded clips in {len(classes)} classes",
        source={"path": str(source)},
    )
