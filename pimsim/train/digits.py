"""Training on images of handwritten digits."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pimsim.errors import ConfigError
from pimsim.train.augment import Augmentation, uniform
from pimsim.workload import INPUT_GRID, INPUT_LIMIT, ImageInput, Running, to_grid


class DigitTask:
    """Training task of grey images.

    Parameters
    ----------
    features : (n, 28, 28) uint8
    labels : (n,) int64
    classes
        Names of the classes.
    validation_every
        One image of this many is kept for validation.
    """

    def __init__(
        self,
        features: NDArray[np.uint8],
        labels: NDArray[np.int64],
        classes: tuple[str, ...],
        validation_every: int = 12,
    ) -> None:
        self.classes = classes
        kept = np.arange(len(features)) % validation_every == 0
        self._features, self._labels = features[~kept], torch.from_numpy(labels[~kept])
        scaled = self._features / 255.0
        self.input = ImageInput(float(scaled.mean()), float(scaled.std()))
        self._images = self.inputs(self._features)
        self.validation = self.inputs(features[kept]), torch.from_numpy(labels[kept])
        self.description = {
            "training": f"{len(self._features)} of the MNIST training digits",
            "validation": f"{int(kept.sum())} others: every {validation_every}th",
        }

    def inputs(self, features: NDArray[np.uint8]) -> Tensor:
        """Network inputs (n, 1, 28, 28) of stored pixels."""
        pixels = (features.astype(np.float64) / 255.0 - self.input.mean) / self.input.deviation
        on_grid = to_grid(pixels, INPUT_GRID, INPUT_LIMIT).astype(np.float32)
        return torch.from_numpy(on_grid)[:, None]

    def at_level(self, level: float | None, running: Running | None = None) -> DigitTask:
        """Return the task unchanged: images have no loudness.

        Raises
        ------
        ConfigError
            If a level is given.
        """
        if level is not None:
            raise ConfigError(
                f"level {level:g} is for speech, and these are images",
                remedy="Remove the keys `level` and `running` from the recipe's stages",
            )
        return self

    def n_batches(self, batch: int) -> int:
        return len(self._images) // batch

    def epoch(self, batch: int, how: Augmentation, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
        rng = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(self._images), generator=rng)
        for index in order.split(batch)[: self.n_batches(batch)]:
            yield _distort(self._images[index], how, rng), self._labels[index]

    def examples(self, count: int) -> NDArray[np.uint8]:
        first: NDArray[np.uint8] = self._features[:count]
        return first


def _distort(images: Tensor, how: Augmentation, rng: torch.Generator) -> Tensor:
    """Shift [pixels], stretch [relative] and rotate [degrees] images at random."""
    if not (how.shift or how.stretch or how.turn):
        return images
    n, _, height, _ = images.shape
    angle = uniform(-how.turn, how.turn, (n,), rng) * (math.pi / 180)
    size = 1 + uniform(-how.stretch, how.stretch, (2, n), rng)
    shift = uniform(-how.shift, how.shift, (2, n), rng) * (2 / height)
    cosine, sine = torch.cos(angle), torch.sin(angle)
    upper = torch.stack([cosine * size[0], -sine * size[0], shift[0]], dim=1)
    lower = torch.stack([sine * size[1], cosine * size[1], shift[1]], dim=1)
    grid = nn.functional.affine_grid(
        torch.stack([upper, lower], dim=1), list(images.shape), align_corners=False
    )
    return nn.functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
