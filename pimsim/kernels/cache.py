"""The folder of compiled kernels, one for each state of these sources.

Numba looks only at the file of the kernel that it is asked for.  A kernel of this folder calls
those of its neighbours, so a changed neighbour must give another folder, or old code would run.

What numba keeps are pickles with machine code: whoever can write them runs code as the user. So a
folder is used only if it is the user's own and nobody else can change it, and each file ends with
its digest: one that was damaged, as by a loss of power, is compiled anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import llvmlite
import numba
import platformdirs
from numba.core import caching

from pimsim.private import make_private, temporary_folder, trouble_with

ENVIRONMENT = "NUMBA_CACHE_DIR"
SOURCES = Path(__file__).parent
_OWN_FOLDER = re.compile(r"pimsim-kernels-[0-9a-f]{16}")
# the folders used last stay, and all that were used within a day
MAX_FOLDERS, RECENT_S = 5, 86400.0
DIGEST_BYTES = hashlib.sha256().digest_size


def key_of(sources: Path) -> str:
    """Digest of all Python files of a folder and of the compiler's version."""
    digest = hashlib.sha256(f"{numba.__version__} {llvmlite.__version__}".encode())
    for path in sorted(sources.glob("*.py")):
        content = path.read_bytes()
        digest.update(f"\n{path.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def use_folder() -> Path:
    """Make numba keep what it compiles in `find_folder`, or else in a folder of this process.

    Called before any kernel is decorated.
    """
    folder = find_folder() or temporary_folder("pimsim-kernels-")
    caching.IndexDataCacheFile = CheckedFile  # type: ignore[misc]
    numba.config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
    return folder


def find_folder() -> Path | None:
    """The folder of these sources, in `NUMBA_CACHE_DIR` or the user's cache.

    None where neither can be written, or other users could change it.  A new one takes the place of
    old ones.
    """
    for root in roots():
        folder = folder_in(root)
        is_new = not folder.is_dir()
        if not trouble(folder):
            if is_new:
                _remove_old(root)
            return folder
    return None


def roots() -> list[Path]:
    """Folders in which that of these sources is looked for, the chosen one first."""
    chosen = os.environ.get(ENVIRONMENT)
    user = platformdirs.user_cache_path("pimsim", appauthor=False)
    return ([Path(chosen)] if chosen else []) + [user]


def folder_in(root: Path) -> Path:
    """The folder of these sources below one of `roots`."""
    # links above it may lead elsewhere later
    return (root / f"pimsim-kernels-{key_of(SOURCES)}").resolve()


def trouble(folder: Path) -> str:
    """Why a folder of kernels is not used; empty where it is, which is made and marked as used."""
    if found := trouble_with(folder):
        return found
    try:
        make_private(folder)
        os.utime(folder)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        return f"{folder} cannot be written ({error.strerror})"
    # another user may have been quicker
    return trouble_with(folder)


class CheckedFile(caching.IndexDataCacheFile):
    """Index and entries of one kernel, each with its SHA-256 at its end.

    Pickles end before it, so that numba reads such files as its own.
    """

    def _load_index(self) -> dict[Any, Any]:
        if not is_whole(self._index_path):
            return {}
        return super()._load_index()  # type: ignore[no-untyped-call,no-any-return]

    def _load_data(self, name: str) -> Any:
        path = self._data_path(name)  # type: ignore[no-untyped-call]
        if not is_whole(path):
            raise FileNotFoundError(path)  # which numba takes for an entry to compile
        return super()._load_data(name)  # type: ignore[no-untyped-call]

    @contextlib.contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[Any]:
        with super()._open_for_write(filepath) as file:
            digesting = _Digesting(file)
            yield digesting
            file.write(digesting.digest.digest())


class _Digesting:
    """A file that is written to, with the digest of what was."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.digest = file, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self.file.write(data)


def is_whole(path: str | Path) -> bool:
    """Whether a file of the cache is as it was written."""
    try:
        content = Path(path).read_bytes()
    except OSError:
        return False
    body, digest = content[:-DIGEST_BYTES], content[-DIGEST_BYTES:]
    return hashlib.sha256(body).digest() == digest


def n_kernels(folder: Path) -> int:
    """Number of kernels in a folder."""
    return sum(1 for _ in folder.rglob("*.nbi"))


def damaged(folder: Path) -> list[Path]:
    """Files of a folder of kernels that are not as they were written."""
    files = [path for kind in ("nbi", "nbc") for path in sorted(folder.rglob(f"*.{kind}"))]
    return [path for path in files if not is_whole(path)]


def _remove_old(root: Path) -> None:
    """Remove the user's own folders of other sources that were not used for long."""
    found = []
    for path in root.iterdir():
        if _OWN_FOLDER.fullmatch(path.name) and not trouble_with(path):
            with contextlib.suppress(OSError):  # another process was quicker
                found.append((path.stat().st_mtime, path))
    for used, path in sorted(found, reverse=True)[MAX_FOLDERS:]:
        if time.time() - used > RECENT_S:
            shutil.rmtree(path, ignore_errors=True)
