"""Folders that no other user can change, for files that are trusted when they are read again."""

from __future__ import annotations

import atexit
import os
import shutil
import stat
import sys
import tempfile
from functools import cache
from pathlib import Path

ROOT_USER = 0


def trouble_with(folder: Path) -> str:
    """Why other users could change what a folder holds; empty where they cannot.

    The folder must be the user's own and writable by nobody else. Each folder above it must belong
    to the user or to root, and be writable by nobody else, except where the sticky bit keeps names
    in it with their owners, as in /tmp. A folder that does not exist yet is judged by those above
    it, and links are followed. Without users as POSIX has them there is nothing to tell.
    """
    if not hasattr(os, "getuid"):
        return ""
    own = os.getuid()
    try:
        place = folder.resolve()
        for path in (place, *place.parents):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            is_itself = path == place
            if status.st_uid != own and (is_itself or status.st_uid != ROOT_USER):
                return f"{path} belongs to another user"
            if _is_open(status, is_itself):
                return f"{path} can be written by other users"
            if is_itself and not stat.S_ISDIR(status.st_mode):
                return f"{path} is no folder"
    except (OSError, RuntimeError) as error:
        return f"{folder} cannot be looked at ({error})"
    return ""


def _is_open(status: os.stat_result, is_itself: bool) -> bool:
    """Whether others may change entries of a folder."""
    by_others = status.st_mode & stat.S_IWOTH
    by_group = status.st_mode & stat.S_IWGRP
    if is_itself:
        return bool(by_others or by_group)
    if status.st_mode & stat.S_ISVTX:
        return False
    # many systems give each user a group of its own
    return bool(by_others or (by_group and status.st_gid not in (os.getgid(), ROOT_USER)))


def make_private(folder: Path) -> None:
    """Make a folder and those that are missing above it, for the user alone.

    Raises
    ------
    OSError
        If one cannot be made.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)


def remove_private(folder: Path) -> None:
    """Remove a folder with all that it holds, where it is the user's own."""
    if not trouble_with(folder):
        shutil.rmtree(folder, ignore_errors=True)


def temporary_folder(prefix: str) -> Path:
    """A new folder for the user alone, which is removed when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def matplotlib_folders() -> list[Path]:
    """Folders in which matplotlib looks for settings, styles and its list of fonts."""
    chosen = os.environ.get("MPLCONFIGDIR")
    if chosen:
        return [Path(chosen)]
    try:
        home = Path.home()
    except RuntimeError:  # matplotlib makes a folder of its own then
        return []
    if not sys.platform.startswith(("linux", "freebsd")):
        return [home / ".matplotlib"]
    roots = {"XDG_CONFIG_HOME": home / ".config", "XDG_CACHE_HOME": home / ".cache"}
    return [Path(os.environ.get(key) or root) / "matplotlib" for key, root in roots.items()]


@cache
def guard_matplotlib() -> str:
    """Give matplotlib a folder of this process where others could change its own; returns why.

    Called before matplotlib is imported.
    """
    found = next(filter(None, map(trouble_with, matplotlib_folders())), "")
    if found:
        os.environ["MPLCONFIGDIR"] = str(temporary_folder("pimsim-matplotlib-"))
    return found
