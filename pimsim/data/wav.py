"""Wav files: the chunks of a RIFF file, with the plain and the extensible header.

Read here and not by Python's `wave`, whose versions before 3.12 know no extensible header: what
is read must not depend on the version of Python.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

PCM, EXTENSIBLE = 0x0001, 0xFFFE
# the rest of the identifier, after the format itself: KSDATAFORMAT_SUBTYPE of Microsoft's ksmedia.h
_SUBTYPE = bytes.fromhex("000000001000800000aa00389b71")


class Sound(NamedTuple):
    """Content of a wav file.

    Attributes
    ----------
    rate : int
        Samples per second.
    channels, bits : int
        Channels, and bits of a sample of one.
    promised : int
        Samples of each channel that the header promises.
    data : bytes
        Those that are there.
    """

    rate: int
    channels: int
    bits: int
    promised: int
    data: bytes


def parse(content: bytes) -> Sound:
    """Header and samples of a wav file of integers.

    Raises
    ------
    ValueError
        If it is no such file.
    """
    if content[:4] != b"RIFF":
        raise ValueError("it does not start with RIFF")
    if content[8:12] != b"WAVE":
        raise ValueError("its RIFF content is no WAVE")
    at, header = 12, b""
    while at + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, at)
        chunk = content[at + 8 : at + 8 + size]
        if name == b"fmt ":
            header = chunk
        if name == b"data":
            channels, rate, bits, each = _format(header)
            return Sound(rate, channels, bits, size // each, chunk[: size // each * each])
        at += 8 + size + size % 2
    raise ValueError("it has no samples: there is no chunk 'data'")


def _format(header: bytes) -> tuple[int, int, int, int]:
    """Channels, rate, bits, and bytes of a sample of all channels."""
    if len(header) < 16:
        raise ValueError("its header ends too soon")
    code, channels, rate, _, each, bits = struct.unpack_from("<HHIIHH", header)
    if code == EXTENSIBLE:
        if len(header) < 40 or header[26:40] != _SUBTYPE:
            raise ValueError("its extensible header names no known format")
        code = int.from_bytes(header[24:26], "little")
    if code != PCM:
        raise ValueError(f"its samples are of format {code}, not integers (format {PCM})")
    if not channels or not bits or each != channels * (-(-bits // 8)):
        raise ValueError(f"it has {channels} channels of {bits} bits in {each} bytes")
    return channels, rate, bits, each
