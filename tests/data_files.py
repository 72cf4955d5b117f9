"""Makes the files that the data tests read."""

from __future__ import annotations

import gzip
import io
import struct
import wave
from pathlib import Path

import numpy as np

IMAGES = np.arange(3 * 784).astype(np.uint8).reshape(3, 28, 28)


def wav_bytes(samples: np.ndarray, rate: int = 16_000, channels: int = 1, width: int = 2) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as writer:
        writer.setframerate(rate)
        writer.setnchannels(channels)
        writer.setsampwidth(width)
        writer.writeframes(samples.astype({1: "u1", 2: "<i2"}[width]).tobytes())
    return buffer.getvalue()


def idx(array: np.ndarray, shape: tuple[int, ...] | None = None) -> bytes:
    shape = array.shape if shape is None else shape
    return bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + array.tobytes()


def write_digits(folder: Path, images: np.ndarray, labels: np.ndarray, zipped: bool = True) -> None:
    for name, array in (("images-idx3", images), ("labels-idx1", labels)):
        content = idx(array.astype(np.uint8))
        path = folder / f"t10k-{name}-ubyte{'.gz' if zipped else ''}"
        path.write_bytes(gzip.compress(content) if zipped else content)
