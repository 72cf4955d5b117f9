"""Download of the official archives, checked against their SHA-256.

The digests of both data sets are those recorded by TensorFlow Datasets
(`url_checksums/speech_commands.txt` and `url_checksums/mnist.txt`).
"""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pimsim.data.catalog import data_home
from pimsim.errors import ConfigError, DataError, Place, nearest
from pimsim.files import is_file, sha256, write_whole

TIMEOUT_SECONDS = 30.0
_CHUNK_BYTES = 1 << 16
_SPEECH_URL = "https://storage.googleapis.com/download.tensorflow.org/data"
_MNIST_URL = "https://storage.googleapis.com/cvdf-datasets/mnist"

# called with a file's name, the bytes so far, and the bytes in all
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class RemoteFile:
    """A file on a server.

    Parameters
    ----------
    url
        Its address.
    n_bytes : int
        Its length.
    sha256
        Its digest, in hexadecimal.
    """

    url: str
    n_bytes: int
    sha256: str

    @property
    def name(self) -> str:
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class RemoteSet:
    """The files of a data set, the folder that they go to, and their licence."""

    subfolder: str
    licence: str
    files: tuple[RemoteFile, ...]


REMOTE_SETS = {
    "speech-commands-test": RemoteSet(
        "speech_commands",
        "P. Warden 2018, CC BY 4.0",
        (
            RemoteFile(
                f"{_SPEECH_URL}/speech_commands_test_set_v0.02.tar.gz",
                112_563_277,
                "cc2a00c1147c2254e9be3fa0f779d8c17421dc349b86366567a8edfa9acd51df",
            ),
        ),
    ),
    "mnist": RemoteSet(
        "mnist",
        "Y. LeCun, C. Cortes, C. Burges, CC BY-SA 3.0",
        (
            RemoteFile(
                f"{_MNIST_URL}/train-images-idx3-ubyte.gz",
                9_912_422,
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            ),
            RemoteFile(
                f"{_MNIST_URL}/train-labels-idx1-ubyte.gz",
                28_881,
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            ),
            RemoteFile(
                f"{_MNIST_URL}/t10k-images-idx3-ubyte.gz",
                1_648_877,
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            ),
            RemoteFile(
                f"{_MNIST_URL}/t10k-labels-idx1-ubyte.gz",
                4_542,
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
        ),
    ),
}


def get(name: str, to: Path | None = None, progress: Progress | None = None) -> Path:
    """Download a data set.

    Parameters
    ----------
    name
        ``speech-commands-test`` or ``mnist``.
    to
        Folder of data sets; the set gets its own subfolder. `data_home` if None.
    progress
        Called with the name, received bytes and total bytes of each file.

    Returns
    -------
    Path
        Folder with the files of the set.

    Raises
    ------
    DataError
        If there is no such set, the download fails, or a file has the wrong digest.
    """
    if name not in REMOTE_SETS:
        raise DataError(f"there is no download called '{name}'", remedy=nearest(name, REMOTE_SETS))
    remote = REMOTE_SETS[name]
    folder = (to or data_home()) / remote.subfolder
    for file in remote.files:
        fetch(file, folder, progress)
    return folder


def fetch(file: RemoteFile, folder: Path, progress: Progress | None = None) -> Path:
    """Download a file into a folder, unless it is already there; incomplete files are removed.

    Raises
    ------
    DataError
        If the file cannot be downloaded or written, or has the wrong digest.
    """
    path = folder / file.name
    if is_file(path) and sha256(path) == file.sha256:
        return path
    show = progress or (lambda name, done, total: None)
    try:
        return write_whole(path, lambda out: _receive(file, out.write, show))
    except ConfigError as error:  # network errors are DataErrors
        remedy = "Name a folder that can be written to with `--to DIR`."
        raise DataError(error.message, place=error.place, remedy=remedy) from error


def _receive(file: RemoteFile, write: Callable[[bytes], object], progress: Progress) -> None:
    digest, done = hashlib.sha256(), 0
    for chunk in _chunks(file):
        done += len(chunk)
        if done > file.n_bytes:
            break
        digest.update(chunk)
        write(chunk)
        progress(file.name, done, file.n_bytes)
    if done != file.n_bytes or digest.hexdigest() != file.sha256:
        found = f"SHA-256 {digest.hexdigest()}" if done == file.n_bytes else f"{done} bytes"
        wanted = f"SHA-256 {file.sha256}" if done == file.n_bytes else f"{file.n_bytes} bytes"
        raise DataError(
            f"came with {found}{' or more' if done > file.n_bytes else ''}; expected {wanted}",
            place=Place(file.url),
            remedy="Nothing was kept. Try again; if it fails again, the server or a proxy "
            "does not deliver the published file.",
        )


def _chunks(file: RemoteFile) -> Iterator[bytes]:
    """Chunks of a file as they arrive; network errors become `DataError`."""
    try:
        with urllib.request.urlopen(file.url, timeout=TIMEOUT_SECONDS) as response:
            while chunk := response.read(_CHUNK_BYTES):
                yield chunk
    # a server may redirect to anything, also to what is no address: that is a ValueError
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = error.reason if type(error) is urllib.error.URLError else error
        raise DataError(
            f"cannot be fetched ({reason})",
            place=Place(file.url),
            remedy=f"Check the network; or fetch {file.name} on another computer and set "
            "PIMSIM_DATA to the folder that it is in. The sets in the package, synthetic-speech "
            "and mnist-1000, need no network.",
        ) from error
