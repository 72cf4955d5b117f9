"""Data augmentation of log-mel clips: time, pitch, loudness, noise and masks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

# pixel = 22.8 log10(E) + 146 (the front end), so a decibel is 2.28 pixels
PIXELS_PER_DECIBEL = 2.28
PIXELS_PER_NEPER = 22.8 / math.log(10.0)


@dataclass(frozen=True)
class Augmentation:
    """Ranges of data augmentation; zero switches each of them off.

    Attributes
    ----------
    shift : float
        Largest shift in either direction: of clips in time [frames of 10 ms], of images [pixels].
    stretch : float
        Largest relative change of speaking rate or image size, in either direction.
    turn : float
        Largest rotation of images, in either direction [degrees].
    warp : float
        Largest relative change of the mel axis, in either direction: other vocal tracts.
    gain : float
        Largest change of loudness, in either direction [dB].
    noise : float
        Share of clips with added background noise.
    time_mask, band_mask : int
        Largest number of (averaged) frames and of mel bands in a mask; two masks of each kind.
    texture : float
        Largest standard deviation, per clip, of noise that is independent in every frame and
        band [dB]: stored log-mels went through JPEG, which smooths the texture of noise.
    quieter, louder : float
        Largest attenuation and amplification of clips of pure background [dB].
    recordings : bool
        Whether the long recordings of the data set are used as background, besides its clips.
    """

    shift: float = 0.0
    stretch: float = 0.0
    turn: float = 0.0
    warp: float = 0.0
    gain: float = 0.0
    noise: float = 0.0
    time_mask: int = 0
    band_mask: int = 0
    texture: float = 0.0
    quieter: float = 40.0
    louder: float = 0.0
    recordings: bool = False


def uniform(low: float, high: float, shape: tuple[int, ...], rng: torch.Generator) -> Tensor:
    """Uniform random numbers between two bounds."""
    return torch.rand(shape, generator=rng) * (high - low) + low


def move_in_time(clips: Tensor, how: Augmentation, rng: torch.Generator) -> Tensor:
    """Shift and stretch (n, n_frames, n_bands) clips; the outermost frames are repeated."""
    n, n_frames, _ = clips.shape
    middle = (n_frames - 1) / 2
    rate = 1 + uniform(-how.stretch, how.stretch, (n, 1), rng)
    shift = uniform(-how.shift, how.shift, (n, 1), rng)
    frames = (torch.arange(n_frames) - middle) * rate + middle + shift
    taken = frames.round().long().clamp_(0, n_frames - 1)
    return clips[torch.arange(n)[:, None], taken]


def warp_bands(clips: Tensor, how: Augmentation, rng: torch.Generator) -> Tensor:
    """Stretch the mel axis by linear interpolation."""
    n_bands = clips.shape[2]
    factor = 1 + uniform(-how.warp, how.warp, (len(clips), 1, 1), rng)
    bands = torch.arange(n_bands, dtype=torch.float32)
    position = (bands * factor).clamp_(max=n_bands - 1)
    weights = (1 - (position - bands[:, None]).abs()).clamp_(min=0.0)
    return clips @ weights


def add_power(clips: Tensor, others: Tensor) -> Tensor:
    """Log-mels of the sum of two uncorrelated sounds."""
    return torch.logaddexp(clips / PIXELS_PER_NEPER, others / PIXELS_PER_NEPER) * PIXELS_PER_NEPER


def _blank(clips: Tensor, longest: int, axis: int, rng: torch.Generator) -> Tensor:
    size = clips.shape[axis]
    length = uniform(0, longest + 1, (len(clips), 1), rng).floor()
    start = (torch.rand(len(clips), 1, generator=rng) * (size - length + 1)).floor()
    positions = torch.arange(size)[None]
    inside = (positions >= start) & (positions < start + length)
    inside = inside[:, :, None] if axis == 1 else inside[:, None, :]
    return torch.where(inside, clips.mean(dim=(1, 2), keepdim=True), clips)


def augment(
    clips: Tensor,
    noises: Tensor,
    quiet: Tensor,
    frame_average: int,
    how: Augmentation,
    rng: torch.Generator,
) -> Tensor:
    """Vary clips and average their frames.

    Parameters
    ----------
    clips : (n, n_frames, n_bands) uint8
    noises : (n_noises, n_frames, n_bands) uint8
        Clips of background noise.
    quiet : (n,) bool
        Whether a clip is pure background, whose loudness varies more.
    frame_average : int
        Number of neighbouring frames that are averaged into one.
    how : Augmentation
    rng : torch.Generator

    Returns
    -------
    (n, n_frames // frame_average, n_bands) float32, within 0..255
    """
    n = len(clips)
    moved = average_frames(move_in_time(clips, how, rng), frame_average)
    if how.warp > 0:
        moved = warp_bands(moved, how, rng)
    level = uniform(-how.gain, how.gain, (n, 1, 1), rng)
    lowered = uniform(-how.louder, how.quieter, (n, 1, 1), rng)
    level -= torch.where(quiet[:, None, None], lowered, 0.0)
    moved = moved + level * PIXELS_PER_DECIBEL
    mixed = ((torch.rand(n, generator=rng) < how.noise) & ~quiet).nonzero()[:, 0]
    if len(mixed) and len(noises):
        chosen = noises[torch.randint(len(noises), (len(mixed),), generator=rng)]
        attenuation = uniform(-5, 25, (len(mixed), 1, 1), rng) * PIXELS_PER_DECIBEL
        noise = average_frames(chosen, frame_average) - attenuation
        moved[mixed] = add_power(moved[mixed], noise)
    if how.texture > 0:
        sigma = uniform(0, how.texture, (n, 1, 1), rng) * PIXELS_PER_DECIBEL
        moved = moved + torch.randn(moved.shape, generator=rng) * sigma
    moved = moved.clamp_(0.0, 255.0)
    for longest, axis in 2 * ((how.time_mask, 1), (how.band_mask, 2)):
        if longest:
            moved = _blank(moved, longest, axis, rng)
    return moved


def average_frames(clips: Tensor, frame_average: int) -> Tensor:
    """Average neighbouring frames, as `pimsim.workload.mfcc` does; uint8 to float32."""
    n, n_frames, n_bands = clips.shape
    steps = n_frames // frame_average
    kept = clips[:, : steps * frame_average].float()
    return kept.view(n, steps, frame_average, n_bands).mean(dim=2) if frame_average > 1 else kept
