"""The folder of compiled kernels, one for each state of these sources.

Numba looks only at the file of the kernel that it is asked for.  A kernel of this folder calls
those of its neighbours, so a changed neighbour must give another folder, or old code would run.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import re
import shutil
import tempfile
import time
from pathlib import Path

import llvmlite
import numba
import platformdirs

ENVIRONMENT = "NUMBA_CACHE_DIR"
SOURCES = Path(__file__).parent
_OWN_FOLDER = re.compile(r"pimsim-kernels-[0-9a-f]{16}")
# the folders used last stay, and all that were used within a day
MAX_FOLDERS, RECENT_S = 5, 86400.0


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
    folder = find_folder()
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="pimsim-kernels-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    numba.config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
    return folder


def find_folder() -> Path | None:
    """The folder of these sources, in `NUMBA_CACHE_DIR` or the user's cache.

    None where neither can be written.  A new one takes the place of old ones.
    """
    chosen = os.environ.get(ENVIRONMENT)
    user = platformdirs.user_cache_path("pimsim", appauthor=False)
    for root in ([Path(chosen)] if chosen else []) + [user]:
        folder = root / f"pimsim-kernels-{key_of(SOURCES)}"
        is_new = not folder.is_dir()
        if _is_writable(folder):
            if is_new:
                _remove_old(root)
            return folder
    return None


def _is_writable(folder: Path) -> bool:
    """Make a folder, note that it is used, and tell whether a file can be made in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def _remove_old(root: Path) -> None:
    """Remove folders of other sources that were not used for long."""
    found = []
    for path in root.iterdir():
        if _OWN_FOLDER.fullmatch(path.name):
            with contextlib.suppress(OSError):  # another process was quicker
                found.append((path.stat().st_mtime, path))
    for used, path in sorted(found, reverse=True)[MAX_FOLDERS:]:
        if time.time() - used > RECENT_S:
            shutil.rmtree(path, ignore_errors=True)
