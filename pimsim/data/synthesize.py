"""Synthesis of the spoken-word sets: ``python -m pimsim.data.synthesize SET OUT.npz``.

Each clip is one word spoken by espeak-ng with a random voice, speed and pitch, resampled to 16 kHz
with a slightly changed vocal tract, sometimes with reverberation, then with a microphone's
spectral tilt, a loudness, a position in the second, and noise. Class `silence` is noise alone.
Everything follows from the seed of the set.

    python -m pimsim.data.synthesize evaluation synthetic_speech.npz
    python -m pimsim.data.synthesize training synthetic_train.npz
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve, lfilter, resample_poly

from pimsim.data.espeak import Speaker
from pimsim.data.frontend import CLIP_SAMPLES, SAMPLE_RATE, logmels_of
from pimsim.data.speech_commands import CLASSES
from pimsim.data.voices import (
    EVALUATION_VARIANTS,
    KEYWORDS,
    MORE_WORDS,
    OTHER_WORDS,
    TRAINING_VARIANTS,
    voices,
)
from pimsim.errors import PimsimError
from pimsim.files import claim, write_npz

Rng = np.random.Generator
_MAX_WORD_SAMPLES = 15_200  # so that a word can move within the second


@dataclass(frozen=True)
class Recipe:
    """Composition of a synthetic set.

    Parameters
    ----------
    seed
        Seed of all random numbers.
    variants, unknown_words
        Voice variants (each with every accent) and the words of class `unknown`.
    n_keyword, n_unknown, n_silence
        Clips of each keyword, and of the two other classes.
    grey_step
        Log-mels are rounded to multiples of this many grey levels; 1 does not round.
    """

    seed: int
    variants: tuple[str, ...]
    unknown_words: tuple[str, ...]
    n_keyword: int
    n_unknown: int
    n_silence: int
    grey_step: int = 1

    def clips(self) -> list[tuple[int, int]]:
        """Label and number within its class of every clip, with the classes evenly mixed."""
        counts = [self.n_silence, self.n_unknown, *[self.n_keyword] * len(KEYWORDS)]
        order = [
            ((k + 0.5) / count, label, k)
            for label, count in enumerate(counts)
            for k in range(count)
        ]
        return [(label, k) for _, label, k in sorted(order)]


RECIPES = {
    # steps of 4 grey levels halve the file: 0.5 dB more noise, where noise itself scatters by 5
    "evaluation": Recipe(2022, EVALUATION_VARIANTS, OTHER_WORDS, 54, 54, 54, grey_step=4),
    "training": Recipe(2021, TRAINING_VARIANTS, OTHER_WORDS + MORE_WORDS, 600, 1200, 400),
}


def clips(recipe: Recipe, speaker: Speaker, count: int) -> Iterator[NDArray[np.int16]]:
    """Synthesise the first `count` clips of a set, (16000,) int16 each."""
    everyone = voices(recipe.variants)
    for label, k in recipe.clips()[:count]:
        rng = np.random.default_rng([recipe.seed, label, k])
        if label == 0:
            yield to_int16(silence(rng))
            continue
        words = recipe.unknown_words if label == 1 else (KEYWORDS[label - 2],)
        word = words[k % len(words)]
        yield to_int16(spoken(word, str(rng.choice(everyone)), speaker, rng))


def spoken(word: str, voice: str, speaker: Speaker, rng: Rng) -> NDArray[np.float64]:
    """Synthesise one second with one word in it.

    Returns
    -------
    (16000,) float64
        Full scale is 1.
    """
    rate = int(rng.integers(90, 190))
    settings = {
        "pitch": int(rng.integers(20, 80)),
        "pitch_range": int(rng.integers(20, 90)),
        "seed": int(rng.integers(1, 2**31)),
    }
    # 441 resamples 22,050 to 16,000 Hz; a little beside it stretches the vocal tract and pitch
    down = round(441 * speaker.sample_rate / 22_050 * rng.uniform(0.92, 1.08))
    while True:
        said = speaker.say(word, voice, rate=rate, **settings) / 32768.0
        sound = trimmed(resample_poly(said, 320, down))
        if len(sound) <= _MAX_WORD_SAMPLES or rate > 400:
            break
        rate = int(rate * 1.2)
    sound = sound[:_MAX_WORD_SAMPLES]
    if rng.random() < 0.5:
        sound = reverberated(sound, rng)
    # a microphone: its first-order tilt, then its level
    sound = lfilter([1.0, -rng.uniform(-0.3, 0.7)], [1.0], sound)
    sound *= np.exp(rng.uniform(np.log(0.15), np.log(1.6))) / np.abs(sound).max()
    out = np.zeros(CLIP_SAMPLES)
    start = int(rng.beta(2.0, 2.0) * (CLIP_SAMPLES - len(sound)))
    out[start : start + len(sound)] = sound
    # the room's noise: quiet in most recordings, at least 8 dB below the word
    level = np.exp(rng.uniform(np.log(5e-5), np.log(8e-3)))
    loudness = np.sqrt(np.mean(sound**2))
    out += min(level, 0.4 * loudness) * noise(rng)
    return out


def silence(rng: Rng) -> NDArray[np.float64]:
    """Synthesise one second without a word: noise of random colour, loudness and modulation.

    Returns
    -------
    (16000,) float64
        Full scale is 1.
    """
    level = np.exp(rng.uniform(np.log(1e-3), np.log(0.2)))
    sound = noise(rng)
    if rng.random() < 0.3:
        sound = sound + rng.uniform(0.2, 1.0) * noise(rng)
    if rng.random() < 0.3:  # swells
        time = np.arange(CLIP_SAMPLES) / SAMPLE_RATE
        swell = np.sin(2 * np.pi * (rng.uniform(0.3, 4.0) * time + rng.random()))
        sound = sound * (1.0 + rng.uniform(0.2, 0.9) * swell)
    if rng.random() < 0.2:  # mains hum and its harmonics
        time = np.arange(CLIP_SAMPLES) / SAMPLE_RATE
        for harmonic in range(1, 6):
            phase = 2 * np.pi * (50.0 * harmonic * time + rng.random())
            sound = sound + rng.uniform(0.0, 1.5) / harmonic * np.sin(phase)
    sound *= level
    return sound


def noise(rng: Rng) -> NDArray[np.float64]:
    """Synthesise one second of noise of unit power: white, pink, brown, or between.

    Returns
    -------
    (16000,) float64
    """
    colour = float(rng.choice([0.0, 1.0, 2.0, rng.uniform(-0.5, 2.0)]))  # power ~ f^-colour
    spectrum = np.fft.rfft(rng.standard_normal(CLIP_SAMPLES))
    frequency = np.maximum(np.arange(len(spectrum)), 20.0)
    shaped = np.fft.irfft(spectrum * frequency ** (-colour / 2.0), CLIP_SAMPLES)
    return np.asarray(shaped / np.sqrt(np.mean(shaped**2)))


def reverberated(sound: NDArray[np.float64], rng: Rng) -> NDArray[np.float64]:
    """Add reverberation: exponentially decaying noise, 8 to 20 dB below the word.

    Returns
    -------
    (n,) float64
        100 ms longer than `sound`, but at most `_MAX_WORD_SAMPLES`.
    """
    tail = int(0.1 * SAMPLE_RATE)
    fading = np.exp(-np.arange(tail) / (rng.uniform(0.01, 0.05) * SAMPLE_RATE))
    echo = rng.standard_normal(tail) * fading
    echo *= 10 ** (-rng.uniform(8.0, 20.0) / 20.0) / np.sqrt(np.sum(echo**2))
    echo[0] += 1.0
    return np.asarray(fftconvolve(sound, echo)[:_MAX_WORD_SAMPLES])


def trimmed(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    """Remove silence (below 1 % of the peak) before and after a sound."""
    loud = np.flatnonzero(np.abs(sound) > 0.01 * np.abs(sound).max())
    return sound[loud[0] : loud[-1] + 1] if loud.size else sound


def to_int16(sound: NDArray[np.float64]) -> NDArray[np.int16]:
    """Round to 16 bit and clip at full scale, as a recorder does."""
    return np.clip(np.rint(sound * 32768.0), -32768, 32767).astype(np.int16)


def synthesize(
    recipe: Recipe, count: int | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Synthesise log-mels and labels of a set, or of its first `count` clips.

    The first call in a process gives the same as the first call in any other.

    Returns
    -------
    features : (n, 98, 40) uint8
        Log-mel frames, in the order of `Recipe.clips`.
    labels : (n,) int64
        Index into `CLASSES`.

    Raises
    ------
    DataError
        If espeak-ng is not installed.
    """
    labels = np.array([label for label, _ in recipe.clips()], np.int64)[:count]
    features = logmels_of(clips(recipe, Speaker(), len(labels)))
    if recipe.grey_step > 1:
        steps = np.rint(features / recipe.grey_step)
        features = np.minimum(steps * recipe.grey_step, 255).astype(np.uint8)
    return features, labels


def main() -> None:
    """Run the command line of ``python -m pimsim.data.synthesize``."""
    parser = argparse.ArgumentParser(prog="python -m pimsim.data.synthesize")
    parser.add_argument("set", choices=sorted(RECIPES), help="which set to make")
    parser.add_argument("out", type=Path, help="npz file to write")
    parser.add_argument("--clips", type=int, default=None, help="only the first so many clips")
    arguments = parser.parse_args()
    try:
        claim(arguments.out, "OUT")
        features, labels = synthesize(RECIPES[arguments.set], arguments.clips)
        arrays: dict[str, NDArray[Any]] = {
            "features": features,
            "labels": labels,
            "classes": np.array(CLASSES),
        }
        write_npz(arguments.out, arrays)
    except PimsimError as error:
        parser.exit(2, f"{error}\n")
    print(f"{arguments.out}: {len(labels)} clips")


if __name__ == "__main__":
    main()
