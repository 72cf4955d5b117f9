"""Files that do harm, and places that cannot be written: each made by a line of a dictionary."""

from __future__ import annotations

import gzip
import lzma
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

from pimsim.data.speech_commands import FOLDERS

Make = Callable[[Path], object]  # makes what stands at a path
NOBODY = 65534


def node(path: Path, minor: int = 3) -> None:
    """A device node of our own, of nothing (3), of zeros (5) or that is always full (7)."""
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, minor))


def listening(path: Path) -> None:
    """A socket; its name is short enough when it is made from within its folder."""
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name[:100])
    finally:
        os.chdir(here)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(5 << 30)  # takes no room on the disk


def links_in_circles(path: Path) -> None:
    path.symlink_to(path.name)


def to_a_pipe(path: Path) -> None:
    os.mkfifo(path.with_name("pipe-" + path.name))
    path.symlink_to("pipe-" + path.name)


def to_a_device(path: Path) -> None:
    node(path.with_name("node-" + path.name), 5)
    path.symlink_to("node-" + path.name)


def folder_of_pipes(*names: str) -> Make:
    """A folder whose files of these names are pipes."""

    def make(path: Path) -> None:
        for name in names:
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            os.mkfifo(path / name)

    return make


def content(data: bytes) -> Make:
    return lambda path: path.write_bytes(data)


def nothing(path: Path) -> None:
    pass


# what is read: as the file at the path
FILES: dict[str, Make] = {
    "missing": nothing,
    "pipe": os.mkfifo,
    "folder": Path.mkdir,
    "socket": listening,
    "device": node,
    "endless device": lambda path: node(path, 5),
    "link to a pipe": to_a_pipe,
    "link to an endless device": to_a_device,
    "link in circles": links_in_circles,
    "dangling link": lambda path: path.symlink_to("nowhere"),
    "endless file": lambda path: path.symlink_to("/proc/self/pagemap"),
    "file of another process": lambda path: path.symlink_to("/proc/self/mem"),
    "folder of images that are pipes": folder_of_pipes("a/1.png", "b/1.png"),
    "folder of clips that are pipes": folder_of_pipes(*(f"{w}/1.wav" for w in FOLDERS)),
    "folder of results that are pipes": folder_of_pipes("report.json", "sweep.json", "points/1"),
    "folder of idx files that are pipes": folder_of_pipes(
        "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"
    ),
    "empty": content(b""),
    "5 GiB of nothing": sparse,
    "zeros": content(bytes(5000)),
    "deep JSON": content(b"[" * 100_000),
    "deep tables": content(b'{"a":' * 50_000),
    "deep YAML": content(b"a: " + b"[" * 3000),
    "words of JSON": content(b'{"schema": 1, "a": NaN, "b": Infinity, "c": 1e999}'),
    "not UTF-8": content("schema: größe".encode("latin-1")),
    "UTF-16": content("schema: pimsim.run/1".encode("utf-16")),
    "half a character": content(b'{"a": "\\ud800"}'),
    "one long line": content(b"a" * 3_000_000),
    "commas": content(b"," * 3_000_000),
    "damaged gzip": content(gzip.compress(bytes(100_000))[:-9]),
    "damaged xz": content(lzma.compress(bytes(100_000))[:-9]),
    "damaged zip": content(b"PK\x03\x04" + bytes(500)),
    "safetensors of 2^63 bytes": content(bytes([255] * 7 + [127]) + b'{"a": 1}'),
    "pickle": content(b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x8c\x06system\x93."),
    "elf": content(b"\x7fELF\x02\x01\x01" + bytes(300)),
}
# what is read: names at which nothing can be made
NAMES = {
    "long name": "n" * 300,
    "long path": "/".join(["folder"] * 900),
    "below a file": "model.yaml/below",
    "home of nobody": "~no-such-user/x",
    "in /proc": "/proc/self/fd/0",
    "working folder": ".",
    "folder above": "..",
    "no name": "",
}
# where is written
TARGETS: dict[str, Make] = {
    "pipe": os.mkfifo,
    "socket": listening,
    "device": node,
    "full device": lambda path: node(path, 7),
    "link to a pipe": to_a_pipe,
    "link to a device": to_a_device,
    "link in circles": links_in_circles,
}
TARGET_NAMES = {
    "long name": "n" * 300,
    "long path": "/".join(["folder"] * 900),
    "below a file": "model.yaml/below",
    "in /proc": "/proc/nothing/x",
    "Latin-1": "gr\udcfcn",
    "no name": "",
}
# a place that another user may not enter, read or write, by the mode of its folder
CLOSED = {"closed folder": 0o000, "folder that may not be read": 0o311, "read-only folder": 0o555}


def is_possible(make: Make, folder: Path) -> bool:
    """Whether this machine and user can make it."""
    try:
        make(folder / "trial")
    except (OSError, AttributeError):
        return False
    return True


def kind_of(path: Path) -> int | None:
    """Kind of what stands at a path, links not followed; None for nothing."""
    try:
        return stat.S_IFMT(path.lstat().st_mode)
    except OSError:
        return None
