"""From wav files to log-mels."""

from __future__ import annotations

import contextlib
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_files import wav_bytes

from pimsim.data.frontend import centred, decode_wav, logmel, logmels_of, mel_filters, read_wav
from pimsim.errors import DataError

SECOND = np.arange(16_000) / 16_000


def naive_logmel(samples: np.ndarray) -> np.ndarray:
    """One frame and one band at a time."""
    window = [0.5 - 0.5 * np.cos(2 * np.pi * k / 480) for k in range(480)]
    top = 1127 * np.log(1 + 4000 / 700)
    edges = [700 * (np.exp(top * k / 41 / 1127) - 1) for k in range(42)]
    out = np.zeros((98, 40), np.uint8)
    for t in range(98):
        frame = samples[160 * t : 160 * t + 480] / 32768 * window
        power = np.abs(np.fft.rfft(frame, 512)) ** 2
        for m in range(40):
            low, centre, high = edges[m : m + 3]
            energy = 0.0
            for k in range(257):
                f = k * 16_000 / 512
                if low <= f <= centre:
                    energy += power[k] * (f - low) / (centre - low)
                elif centre < f <= high:
                    energy += power[k] * (high - f) / (high - centre)
            pixel = 22.8 * np.log10(energy) + 146 if energy > 0 else 0
            out[t, m] = min(max(round(pixel), 0), 255)
    return out


def test_logmel_equals_its_slow_twin() -> None:
    rng = np.random.default_rng(1)
    clip = np.rint(rng.normal(0, 500, 16_000) + 9_000 * np.sin(2 * np.pi * 700 * SECOND))
    fast, slow = logmel(clip[None])[0].astype(int), naive_logmel(clip).astype(int)
    assert fast.shape == (98, 40)
    # single precision may round the other way where a value lies half way between two levels
    assert np.abs(fast - slow).max() <= 1
    assert np.mean(fast == slow) > 0.999


def test_silence_stays_silence() -> None:
    out = logmel(np.zeros((2, 16_000), np.int16))
    assert out.dtype == np.uint8
    assert out.shape == (2, 98, 40)
    assert not out.any()


@pytest.mark.parametrize("band", [5, 12, 20, 30, 38])
def test_tone_is_loudest_in_its_band(band: int) -> None:
    mel = 1127 * np.log1p(4000 / 700) * (band + 1) / 41
    frequency = 700 * np.expm1(mel / 1127)
    tone = 10_000 * np.sin(2 * np.pi * frequency * SECOND)
    assert np.abs(np.argmax(logmel(tone[None])[0], axis=1) - band).max() <= 1


def test_ten_times_the_amplitude_is_45_6_grey_levels() -> None:
    noise = np.random.default_rng(2).normal(0, 300, 16_000)
    quiet, loud = (logmel(scale * noise[None]).astype(float) for scale in (1, 10))
    assert np.mean(loud - quiet) == pytest.approx(2 * 22.8, abs=0.1)


def test_bands_cover_300_to_3800_hz_evenly() -> None:
    filters = mel_filters()
    assert filters.shape == (257, 40)
    inner = filters.sum(axis=1)[10:121]
    assert np.allclose(inner, 1.0)


def test_clips_in_parts_equal_clips_at_once() -> None:
    clips = np.random.default_rng(3).integers(-900, 900, (130, 16_000)).astype(np.int16)
    assert np.array_equal(logmels_of(iter(clips)), logmel(clips))


def test_other_lengths_are_refused() -> None:
    with pytest.raises(DataError, match=r"sound must come as \(n, 16000\) samples, not \(1, 100\)"):
        logmel(np.zeros((1, 100)))


def test_short_clip_is_centred() -> None:
    out = centred(np.array([3, 0, -5, 0, 0], np.int16))
    assert out.shape == (16_000,)
    assert np.flatnonzero(out).tolist() == [7998, 8000]


def test_silent_clip_stays_as_it_is() -> None:
    assert not centred(np.zeros(16_000, np.int16)).any()


def test_wav_is_read(tmp_path: Path) -> None:
    clip = np.arange(1, 16_001) % 977 + 1
    path = tmp_path / "clip.wav"
    path.write_bytes(wav_bytes(clip))
    assert np.array_equal(read_wav(path), clip)


NOISE = np.random.default_rng(4).integers(1, 200, 32_000)
GOOD = wav_bytes(NOISE[:16_000])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (wav_bytes(NOISE[:8_000], rate=8_000), r"x\.wav is sampled at 8000 Hz; 16000 Hz are"),
        (wav_bytes(NOISE, channels=2), r"x\.wav has 2 channels; one is needed\. Convert it with"),
        (wav_bytes(NOISE[:16_000], width=1), r"x\.wav has 8 bit samples; 16 bit are needed"),
        (GOOD[:-100], r"x\.wav promises 16000 samples and holds fewer\. It was cut short"),
        (GOOD[:30], r"x\.wav is not a PCM wav file"),
        (b"", r"x\.wav is not a PCM wav file \(it does not start with RIFF\)"),
        (b"OggS" + bytes(200), r"x\.wav is not a PCM wav file \(it does not start with RIFF"),
        (GOOD[:20] + b"\x03\x00" + GOOD[22:], r"x\.wav is not a PCM wav file .*of format 3"),
        (wav_bytes(NOISE[:16_001]), r"x\.wav has 16,001 samples; 16,000 are the most"),
        (wav_bytes(NOISE), r"has 32,000 samples; .* last 1 s\. Cut out the word with"),
        (bytes(2_000_000), r"x\.wav is longer than 1048576 bytes"),
        (GOOD[:40] + struct.pack("<I", 2**32 - 2) + GOOD[44:], r"promises \d+ samples and holds"),
    ],
)
def test_bad_wav_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_wav(path)


def extensible(content: bytes, code: int = 1, rest: str = "000000001000800000aa00389b71") -> bytes:
    """A plain wav file with the extensible header in place of its own, and a chunk before it."""
    format_, data = content[20:36], content[36:]
    more = struct.pack("<HHIH", 22, 16, 4, code) + bytes.fromhex(rest)
    header = b"fmt " + struct.pack("<I", 40) + b"\xfe\xff" + format_[2:] + more
    chunks = b"WAVE" + b"junk" + struct.pack("<I", 3) + b"abc\0" + header + data
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


def test_an_extensible_header_is_read_by_every_version_of_python(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(extensible(GOOD))
    assert np.array_equal(read_wav(path), NOISE[:16_000])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"code": 3}, r"samples are of format 3, not integers"),
        ({"rest": "11" * 14}, r"extensible header names no known format"),
    ],
)
def test_an_extensible_header_of_another_format_is_refused(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        decode_wav(extensible(GOOD, **changes), "x.wav")


def test_missing_wav_folder_and_pipe_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no\.wav cannot be read \(No such file"):
        read_wav(tmp_path / "no.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    for path in (tmp_path, tmp_path / "pipe.wav"):
        with pytest.raises(DataError, match=r"is no file\. Name a wav file"):
            read_wav(path)


def test_damaged_wavs_never_give_anything_but_a_data_error() -> None:
    rng = np.random.default_rng(5)
    for _ in range(2_000):
        content = bytearray(GOOD[:2_000])
        for position in rng.integers(0, 60, rng.integers(1, 6)):
            content[position] = rng.integers(0, 256)
        with contextlib.suppress(DataError):
            assert decode_wav(bytes(content), "x.wav").shape == (16_000,)
