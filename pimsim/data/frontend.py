"""Audio front end: one second of sound to 98 frames of 40 log-mel bands.

The speech networks were trained on log-mels of exactly these steps, so recordings must
pass through the same steps.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from pimsim.data.wav import parse
from pimsim.errors import DataError, Place
from pimsim.files import read_bytes

SAMPLE_RATE = 16_000  # [Hz]
CLIP_SAMPLES = 16_000  # one second
FRAME_SAMPLES = 480  # 30 ms
HOP_SAMPLES = 160  # 10 ms
FFT_SIZE = 512
N_FRAMES = 1 + (CLIP_SAMPLES - FRAME_SAMPLES) // HOP_SAMPLES  # 98
N_BANDS = 40
TOP_FREQUENCY = 4_000.0  # [Hz]
# pixel = LOG_GAIN log10(E) + LOG_OFFSET: 2.28 grey steps per decibel
LOG_GAIN = 22.8
LOG_OFFSET = 146.0
# thirty times the length of a clip: a larger file is not read into memory
MAX_WAV_BYTES = 1 << 20
_CHUNK = 64  # clips transformed at once, so that memory stays small


def mel_filters() -> NDArray[np.float64]:
    """Triangular mel filters, evenly spaced on the HTK mel scale from 0 to 4000 Hz.

    Returns
    -------
    (257, 40) float64
        Weight of each FFT bin in each band.

    Notes
    -----
    mel = 1127 ln(1 + f / 700 Hz), the HTK scale.
    """
    edges_mel = np.linspace(0.0, 1127.0 * np.log1p(TOP_FREQUENCY / 700.0), N_BANDS + 2)
    edges = 700.0 * np.expm1(edges_mel / 1127.0)
    bins = np.arange(FFT_SIZE // 2 + 1) * (SAMPLE_RATE / FFT_SIZE)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins[:, None] - low) / (centre - low)
    falling = (high - bins[:, None]) / (high - centre)
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)))


def logmel(samples: NDArray[np.number]) -> NDArray[np.uint8]:
    """Compute log-mel spectrograms as grey pixels.

    Parameters
    ----------
    samples : (n, 16000) int16 or floating
        One second of sound each, at 16 kHz, in int16 steps (full scale 32768).

    Returns
    -------
    (n, 98, 40) uint8
        22.8 log10(E) + 146 of each frame and band, rounded, then clipped to 0..255, where E is
        the band's energy for samples scaled to -1..1. Digital silence gives 0.

    Raises
    ------
    DataError
        If the clips are not 16,000 samples long.
    """
    samples = np.asarray(samples)
    if samples.ndim != 2 or samples.shape[1] != CLIP_SAMPLES:
        raise DataError(
            f"sound must come as (n, {CLIP_SAMPLES}) samples, not {samples.shape}",
            remedy="Centre shorter clips with `pimsim.data.frontend.centred`.",
        )
    # float32 keeps 24 bits: far below half a grey step, at half the memory traffic
    window = np.hanning(FRAME_SAMPLES + 1)[:-1].astype(np.float32)
    filters = mel_filters().astype(np.float32)
    out = np.empty((len(samples), N_FRAMES, N_BANDS), np.uint8)
    for start in range(0, len(samples), _CHUNK):
        chunk = samples[start : start + _CHUNK].astype(np.float32) / np.float32(32768.0)
        frames = np.lib.stride_tricks.sliding_window_view(chunk, FRAME_SAMPLES, axis=1)
        spectrum = rfft(frames[:, ::HOP_SAMPLES] * window, FFT_SIZE, axis=2)
        power = spectrum.real**2 + spectrum.imag**2
        # one product for all clips: one for each has threads wait for each other every time
        energy = np.maximum(np.tensordot(power, filters, axes=1), np.float32(1e-30))
        pixels = LOG_GAIN * np.log10(energy) + LOG_OFFSET
        out[start : start + _CHUNK] = np.clip(np.rint(pixels), 0, 255)
    return out


def centred(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    """Centre a clip of at most one second in 16,000 samples, with zeros on both sides.

    Zeros at the end of the clip are padding and are removed first; a clip of zeros stays silent.
    """
    nonzero = np.flatnonzero(samples)
    kept = samples[: nonzero[-1] + 1] if nonzero.size else samples[:0]
    out = np.zeros(CLIP_SAMPLES, np.int16)
    start = (CLIP_SAMPLES - len(kept)) // 2
    out[start : start + len(kept)] = kept
    return out


def read_wav(path: str | Path) -> NDArray[np.int16]:
    """Read a recorded word from a wav file, centred in one second.

    Parameters
    ----------
    path
        A wav file: 16 kHz, one channel, 16 bit PCM, at most one second.

    Returns
    -------
    (16000,) int16

    Raises
    ------
    DataError
        If the file is not such a wav.
    """
    path = Path(path)
    content = read_bytes(path, "a wav file of one second", MAX_WAV_BYTES, DataError)
    return decode_wav(content, str(path))


def decode_wav(content: bytes, name: str) -> NDArray[np.int16]:
    """Decode a recorded word from the bytes of a wav file called `name`, as `read_wav` does."""
    _refuse_large(len(content), name)
    return centred(wav_samples(content, name, CLIP_SAMPLES))


def wav_samples(content: bytes, name: str, max_samples: int) -> NDArray[np.int16]:
    """Decode the bytes of a wav file: 16 kHz, one channel, 16 bit PCM, at most `max_samples`.

    Raises
    ------
    DataError
        If they are not such a wav file; the error names `name`.
    """
    place = Place(name)
    convert = "Convert it with `sox IN.wav -r 16000 -c 1 -b 16 OUT.wav`."
    try:
        sound = parse(content)
    except ValueError as error:
        raise DataError(f"is not a PCM wav file ({error})", place=place, remedy=convert) from error
    if sound.channels != 1:
        raise DataError(
            f"has {sound.channels} channels; one is needed", place=place, remedy=convert
        )
    if sound.bits != 16:
        raise DataError(
            f"has {sound.bits} bit samples; 16 bit are needed", place=place, remedy=convert
        )
    if sound.rate != SAMPLE_RATE:
        raise DataError(
            f"is sampled at {sound.rate} Hz; {SAMPLE_RATE} Hz are needed",
            place=place,
            remedy=convert,
        )
    if len(sound.data) != 2 * sound.promised:
        raise DataError(
            f"promises {sound.promised} samples and holds fewer",
            place=place,
            remedy="It was cut short: record or download it again.",
        )
    if sound.promised > max_samples:
        raise DataError(
            f"has {sound.promised:,} samples; {max_samples:,} are the most, which last "
            f"{max_samples / SAMPLE_RATE:g} s",
            place=place,
            remedy="Cut out the word with `sox IN.wav OUT.wav trim START 1`.",
        )
    return np.frombuffer(sound.data, "<i2").astype(np.int16)


def logmels_of(clips: Iterable[NDArray[np.int16]]) -> NDArray[np.uint8]:
    """Compute log-mels of an iterator of clips in chunks, to save memory.

    Returns
    -------
    (n, 98, 40) uint8
    """
    waiting: list[NDArray[np.int16]] = []
    done: list[NDArray[np.uint8]] = []
    for clip in clips:
        waiting.append(clip)
        if len(waiting) == _CHUNK:
            done.append(logmel(np.stack(waiting)))
            waiting = []
    if waiting:
        done.append(logmel(np.stack(waiting)))
    return np.concatenate(done) if done else np.empty((0, N_FRAMES, N_BANDS), np.uint8)


def _refuse_large(size: int, name: str) -> None:
    if size > MAX_WAV_BYTES:
        raise DataError(
            f"holds {size} bytes; a clip of one second has {2 * CLIP_SAMPLES + 44}",
            place=Place(name),
            remedy="Cut out the word with `sox IN.wav OUT.wav trim START 1`.",
        )
