"""Safe reading of untrusted archives: in memory, regular files only, sizes bounded."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NoReturn, Self, cast

from pimsim.errors import DataError, Place
from pimsim.files import decoding, open_regular

MAX_UNPACKED_BYTES = 1 << 28  # the largest set but one unpacks to 160 MB
# the whole of Speech Commands has 2.3 GB, and unpacks to 3.4 GB: to less than twice its length
MAX_PACKED_BYTES = 1 << 32
_EXPANDS = 2
MAX_FILES = 120_000  # the whole of Speech Commands has 105,829
_MAX_NAME_BYTES = 1 << 16
# of the dictionary that an xz file asks for; the largest that `xz -9` makes has 64 MiB
_MAX_XZ_BYTES = 1 << 27
_NAMES_IN_BLOCKS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
_CHUNK_BYTES = 1 << 16
_DAMAGED = "Download or copy the archive again."
# first bytes: names may say anything, and some browsers unpack what they download
_GZIP, _XZ, _TAR = b"\x1f\x8b", b"\xfd7zXZ\0", (257, b"ustar")
_OTHERS = {
    b"PK\x03\x04": "a zip archive",
    b"PK\x05\x06": "an empty zip archive",
    b"BZh": "a bzip2 file",
    b"7z\xbc\xaf'\x1c": "a 7z archive",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"Rar!": "a rar archive",
}


def is_archive(path: Path) -> bool:
    """Whether a file begins as an archive does, also as one of a kind that is not read."""
    with open_regular(path, "a file", 1 << 62, DataError) as file:
        head = file.read(512)
    return _is_tar(head) or head.startswith((_GZIP, _XZ, *_OTHERS))


def is_gzip(file: BinaryIO) -> bool:
    """Whether an open file is gzipped, by its first bytes; it is read from its start again."""
    head = file.read(len(_GZIP))
    file.seek(0)
    return head == _GZIP


def _is_tar(head: bytes) -> bool:
    at, magic = _TAR
    return head[at : at + len(magic)] == magic


class _Bounded(io.RawIOBase):
    """A readable stream that refuses to give more than `limit` bytes."""

    def __init__(self, stream: BinaryIO, limit: int, place: Place) -> None:
        self._stream, self._limit, self._left, self._place = stream, limit, limit, place

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > self._left:
            raise DataError(
                f"unpacks to more than {self._limit >> 20} MiB",
                place=self._place,
                remedy="It is not one of the data sets that pimsim reads.",
            )
        content = self._stream.read(size)
        self._left -= len(content)
        return content


class _Xz(io.RawIOBase):
    """The content of an xz file, unpacked with bounded memory, which `lzma.open` does not offer."""

    def __init__(self, packed: BinaryIO) -> None:
        self._packed = packed
        self._unpack = lzma.LZMADecompressor(lzma.FORMAT_XZ, _MAX_XZ_BYTES)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while True:
            packed = b""
            if self._unpack.eof:  # another stream may follow
                rest = self._unpack.unused_data or self._packed.read(_CHUNK_BYTES)
                while rest and not packed:  # zeros fill up between
                    packed = rest.lstrip(b"\0")
                    rest = b"" if packed else self._packed.read(_CHUNK_BYTES)
                if not packed:
                    return b""
                self._unpack = lzma.LZMADecompressor(lzma.FORMAT_XZ, _MAX_XZ_BYTES)
            elif self._unpack.needs_input:
                packed = self._packed.read(_CHUNK_BYTES)
                if not packed:
                    raise EOFError("it ends within its content")
            content = self._unpack.decompress(packed, size)
            if content:
                return content


class _Member(tarfile.TarInfo):
    """A tar header with a positive size and a name of bounded length; no sparse file."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        member = super().frombuf(buf, encoding, errors)
        if member.size < 0 or (member.type in _NAMES_IN_BLOCKS and member.size > _MAX_NAME_BYTES):
            raise ValueError(f"a header of {member.size} bytes")
        if member.type == tarfile.GNUTYPE_SPARSE:
            cls._refuse()
        return member

    @staticmethod
    def _refuse(*_: Any) -> NoReturn:
        """Refuse a sparse file: its map of holes has no bound, and clips have no holes."""
        raise ValueError("a sparse file")

    # the ways in which later formats write the map
    _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _refuse


def files_in_tar(
    path: Path,
    suffix: str,
    max_bytes: int,
    wanted: Callable[[str, str], bool] = lambda folder, name: True,
) -> Iterator[tuple[str, str, bytes]]:
    """Folder, name and content of the files with a suffix in a tar.gz, tar.xz or tar archive.

    Nothing is written to disk: the last two components of a member's path are used as names
    only. Hidden files, links, devices and other special files are skipped.

    Parameters
    ----------
    path
        The archive; its first bytes say of which kind it is, not its name.
    suffix
        Ending of the wanted names, such as ``.wav``; other files are skipped.
    max_bytes : int
        Length of the longest file that is accepted.
    wanted
        Whether a file is read, by its folder and name; the others may be of any length.

    Raises
    ------
    DataError
        If the archive is damaged or of another kind, or has more bytes or files than any data set.
    """
    place = Place(path)
    with (
        open_regular(path, "an archive", MAX_PACKED_BYTES, DataError) as packed,
        decoding(place, _DAMAGED, DataError),
    ):
        limit = max(MAX_UNPACKED_BYTES, _EXPANDS * packed.seek(0, io.SEEK_END))
        bounded = _Bounded(_unpacked(packed, place), limit, place)
        with tarfile.open(fileobj=cast(BinaryIO, bounded), mode="r|", tarinfo=_Member) as archive:
            for number, member in enumerate(archive):
                if number == MAX_FILES:
                    raise DataError(
                        f"holds more than {MAX_FILES} files",
                        place=place,
                        remedy="It is not one of the data sets that pimsim reads.",
                    )
                names = PurePosixPath(member.name.lstrip("/")).parts
                folder, name = ("", "", *names)[-2:]
                if not member.isfile() or not name.endswith(suffix) or name.startswith("."):
                    continue
                if not wanted(folder, name):
                    continue
                if member.size > max_bytes:
                    raise DataError(
                        f"holds '{member.name[:100]}' of {member.size} bytes; {max_bytes} are "
                        "the most for one file",
                        place=place,
                        remedy="It is not one of the data sets that pimsim reads.",
                    )
                content = archive.extractfile(member)
                if content is not None:
                    yield folder, name, content.read()
        while bounded.read(1 << 16):  # to the end, where the compressor's checksum stands
            pass


def _unpacked(packed: BinaryIO, place: Place) -> BinaryIO:
    """The tar in a file, unpacked as its first bytes say.

    Raises
    ------
    DataError
        If it is of another kind.
    """
    packed.seek(0)
    head = packed.read(512)
    packed.seek(0)
    if head.startswith(_GZIP):
        return cast(BinaryIO, gzip.GzipFile(fileobj=packed))
    if head.startswith(_XZ):
        return cast(BinaryIO, _Xz(packed))
    if _is_tar(head):
        return packed
    other = (what for magic, what in _OTHERS.items() if head.startswith(magic))
    raise DataError(
        f"cannot be read: it is {next(other, 'no archive')}, and tar.gz, tar.xz and tar are read",
        place=place,
        remedy="Unpack it, and name the folder that comes out",
    )
