"""Training on log-mel clips: composition of an epoch, and conversion to network inputs."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pimsim.train.augment import Augmentation, augment
from pimsim.workload import Running, SpeechInput, speech_inputs
from pimsim.workload.inputs import (
    averaged_bands,
    band_means,
    cosine_transform,
    normal_means,
    relative_to_clip,
)

SILENCE, UNKNOWN = 0, 1

Clips = tuple[NDArray[np.uint8], NDArray[np.int64]]


class SpeechTask:
    """Training task of log-mel clips in twelve classes.

    Parameters
    ----------
    training : features (n, n_frames, n_bands) uint8 and labels (n,) int64
    validation
        The same for other speakers.
    classes
        Names of the classes: silence first, unknown second.
    frame_average
        Number of neighbouring frames that are averaged into one time step.
    synthetic
        Features and labels of synthetic speech.
    synthetic_share
        Share of synthetic speech in each epoch.
    recordings : (n, n_frames, n_bands) uint8
        Further background noise, for epochs whose augmentation uses it.
    transform
        Features: "cosine", coefficients; "none", the log-mel bands themselves.
    """

    def __init__(
        self,
        training: Clips,
        validation: Clips,
        classes: tuple[str, ...],
        frame_average: int = 1,
        synthetic: Clips | None = None,
        synthetic_share: float = 0.0,
        recordings: NDArray[np.uint8] | None = None,
        transform: str = "cosine",
    ) -> None:
        features, labels = training
        self.classes = classes
        self.frame_average = frame_average
        self._features = features
        n_bands = features.shape[2]
        # networks with the transform are those of files without the word
        self.input = SpeechInput(
            *standardisation(features, frame_average, transform),
            frame_average,
            transform=None if transform == "cosine" else transform,
        )
        matrix = cosine_transform(n_bands) if transform == "cosine" else np.eye(n_bands)
        self._transform = torch.tensor(matrix / self.input.deviation, dtype=torch.float32)
        self._offset = torch.tensor(self.input.mean / self.input.deviation)
        self._real = [np.flatnonzero(labels == k) for k in range(len(classes))]
        self.description = {
            "training": f"log-mels of {len(labels)} training clips of Speech Commands v0.02",
            "validation": f"{len(validation[1])} of its validation clips",
        }
        # indices of background clips, without and with the recordings
        self._backgrounds = {False: self._real[SILENCE], True: self._real[SILENCE]}
        if recordings is not None:
            more = np.arange(len(features), len(features) + len(recordings))
            self._backgrounds[True] = np.concatenate([self._real[SILENCE], more])
            features = np.concatenate([features, recordings])
            labels = np.concatenate([labels, np.full(len(recordings), SILENCE)])
            self.description["background"] = f"{len(recordings)} windows of its long recordings"
        n_recorded = len(features)
        self._share = synthetic_share
        if synthetic is not None:
            features = np.concatenate([features, synthetic[0]])
            labels = np.concatenate([labels, synthetic[1]])
        self._clips = torch.from_numpy(features)
        self._labels = torch.from_numpy(labels)
        self._synthetic = np.arange(n_recorded, len(labels))
        self._validation_clips = validation
        self.validation = self.inputs(validation[0]), torch.from_numpy(validation[1])
        if synthetic is not None:
            self.description["synthetic"] = (
                f"{len(synthetic[1])} clips of synthetic speech, {synthetic_share:.0%} of an epoch"
            )

    def at_level(self, level: float | None, running: Running | None = None) -> SpeechTask:
        """The same task with clips normalised to a loudness (`pimsim.workload.speech_inputs`)."""
        if (level, running) == (self.input.level, self.input.running):
            return self
        twin = copy.copy(self)
        twin.input = dataclasses.replace(self.input, level=level, running=running)
        twin.validation = twin.inputs(self._validation_clips[0]), self.validation[1]
        return twin

    def inputs(self, features: NDArray[np.uint8]) -> Tensor:
        """Network inputs (n_steps, n, n_bands) of stored features, as on the chip."""
        on_grid = speech_inputs(features, self.input).astype(np.float32)
        return torch.from_numpy(on_grid).transpose(0, 1).contiguous()

    def n_batches(self, batch: int) -> int:
        chosen = self._chosen(self._backgrounds[False], np.random.default_rng(0))
        return len(chosen) // batch

    def _chosen(self, silence: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        """Clips of an epoch: all keywords; silence and unknown as often as one keyword."""
        keywords = self._real[UNKNOWN + 1 :]
        typical = round(sum(map(len, keywords)) / len(keywords))
        unknown = self._real[UNKNOWN]
        chosen = [
            *keywords,
            rng.choice(unknown, min(typical, len(unknown)), replace=False),
            rng.choice(silence, typical),
        ]
        n_real = sum(map(len, chosen))
        if len(self._synthetic):
            wanted = round(n_real * self._share / (1 - self._share))
            chosen.append(rng.choice(self._synthetic, wanted, wanted > len(self._synthetic)))
        return np.concatenate(chosen)

    def epoch(self, batch: int, how: Augmentation, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
        silence = self._backgrounds[how.recordings]
        chosen = self._chosen(silence, np.random.default_rng([seed, 1]))
        order = torch.from_numpy(np.random.default_rng(seed).permutation(chosen))
        noises = self._clips[torch.from_numpy(silence)]
        rng = torch.Generator().manual_seed(seed)
        for start in range(0, len(order) - batch + 1, batch):
            index = order[start : start + batch]
            labels = self._labels[index]
            averaged = augment(
                self._clips[index], noises, labels == SILENCE, self.frame_average, how, rng
            )
            yield self._normalised(averaged).transpose(0, 1).contiguous(), labels

    def _normalised(self, averaged: Tensor) -> Tensor:
        """Network inputs (n, n_steps, n_bands) of averaged frames, as `speech_inputs` has them."""
        how = self.input
        if how.level is None or (how.running is None and how.has_transform):
            inputs = averaged @ self._transform - self._offset
            if how.level is not None:
                self._normalise(inputs, how.level)
            return inputs
        bands = averaged.numpy().astype(np.float64)
        if how.running is None:
            relative = relative_to_clip(bands)
        else:
            relative = how.running.normalised(bands, band_means(how))
        offset = torch.tensor((normal_means(how) - how.mean) / how.deviation, dtype=torch.float32)
        return torch.from_numpy(relative).float() @ self._transform + offset

    def _normalise(self, inputs: Tensor, level: float) -> None:
        """Normalise coefficients (n, n_steps, n_bands) by those of the whole clip, in place."""
        target = level * math.sqrt(inputs.shape[2]) / self.input.deviation[0] - self._offset[0]
        inputs[:, :, 0] += target - inputs[:, :, 0].amax(dim=1, keepdim=True)
        inputs[:, :, 1:] -= inputs[:, :, 1:].mean(dim=1, keepdim=True)

    def examples(self, count: int) -> NDArray[np.uint8]:
        chosen = np.random.default_rng(0).permutation(len(self._features))[:count]
        return self._features[np.sort(chosen)]


def standardisation(
    features: NDArray[np.uint8], frame_average: int, transform: str = "cosine"
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and standard deviation of each coefficient, or band, over all clips and frames."""
    n_bands = features.shape[2]
    matrix = cosine_transform(n_bands) if transform == "cosine" else np.eye(n_bands)
    chunks = np.array_split(features, 1 + len(features) // 2048)
    count = len(features) * (features.shape[1] // frame_average)

    def all_of(chunk: NDArray[np.uint8]) -> NDArray[np.float64]:
        values: NDArray[np.float64] = averaged_bands(chunk, frame_average) @ matrix
        return values

    mean = sum(all_of(x).sum(axis=(0, 1)) for x in chunks) / count
    squares = sum(((all_of(x) - mean) ** 2).sum(axis=(0, 1)) for x in chunks)
    return mean.astype(np.float32), np.sqrt(squares / count).astype(np.float32)
