"""Data of a block recipe: split, layout, batches with random changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pimsim.data import catalog, cepstra, har, speech_commands
from pimsim.data.dataset import Dataset, Kind
from pimsim.errors import ConfigError, Place
from pimsim.train.block_keys import Inputs
from pimsim.train.block_recipe import BlockAugmentation, BlockRecipe, Layout
from pimsim.train.text_task import text_task
from pimsim.workload import INPUT_GRID, INPUT_LIMIT, to_grid
from pimsim.workload.inputs.base import sides
from pimsim.workload.metrics import ACCURACY, Metric

# clips of speech with a validation set of other speakers, and what is made of their log-mels
SPEECH: dict[str, tuple[Kind, Callable[[NDArray[np.uint8]], NDArray[Any]]]] = {
    "speech-commands-training": ("speech", lambda logmels: logmels),
    "speech-cepstra-training": ("tensor", cepstra.cepstra),
}
# a tenth of a per cent of the values lies between two neighbours
QUANTILES = 1001
AXES: dict[Layout, tuple[int, ...]] = {"row": (1,), "sequence": (2,), "map": (2, 3), "steps": (2,)}


class Task(Protocol):
    """Training and validation data in the form that a network of blocks takes.

    Attributes
    ----------
    training, validation_data : Dataset
    facts : Inputs
    description : dict
        Of both, for a network's provenance.
    metric : Metric
        What the network is measured by.
    carries_state : bool
        Whether each batch goes on where the batch before ended, row by row.
    """

    training: Dataset
    validation_data: Dataset
    facts: Inputs
    description: dict[str, str]

    @property
    def metric(self) -> Metric: ...
    @property
    def carries_state(self) -> bool: ...

    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        ...

    def inputs(self, features: NDArray[Any]) -> Tensor:
        """Network inputs of stored features."""
        ...

    def n_batches(self, batch: int) -> int:
        """Number of batches in an epoch."""
        ...

    def epoch(
        self, batch: int, how: BlockAugmentation, seed: int
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches (inputs, labels) of one epoch."""
        ...


class BlockTask:
    """A task of samples, each with a class.

    Samples are bytes / 255, or the numbers themselves, on the grid that an exported network reads
    its inputs on; maps and sequences have their channels first, as torch has them.

    Parameters
    ----------
    training, validation : Dataset
        As stored.
    layout : str or None
    per_class : int or None
        As in `BlockRecipe`.
    """

    metric: Metric = ACCURACY
    carries_state = False

    def __init__(
        self,
        training: Dataset,
        validation: Dataset,
        layout: Layout | None = None,
        per_class: int | None = None,
    ) -> None:
        sample = training.features.shape[1:]
        self.layout: Layout = layout or ("row" if len(sample) == 1 else "map")
        if len(sample) not in AXES[self.layout]:
            raise ConfigError(
                f"the layout '{self.layout}' does not fit samples of {sides(sample)}",
                remedy="Take another layout: row, sequence, map or steps",
            )
        self.training, self.per_class = training, per_class
        self.validation_data = validation
        self.classes = training.classes
        self._labels = torch.from_numpy(training.labels)
        largest = 1.0 if self._has_bytes else float(np.abs(training.features).max(initial=1e-30))
        self._reach = float(INPUT_LIMIT / 2 * 2.0 ** -np.ceil(np.log2(largest)))
        self._sample_shape = tuple(self.inputs(training.features[:1]).shape[1:])
        self.facts = self._facts()
        self.description = {
            "training": f"{len(training)} samples: {training.description}",
            "validation": f"{len(validation)} others",
        }

    @property
    def _has_bytes(self) -> bool:
        return self.training.features.dtype == np.uint8

    def inputs(self, features: NDArray[Any]) -> Tensor:
        """Network inputs (n, ...) float32 of stored features."""
        scale = np.float64(np.float32(self._reach / 255)) if self._has_bytes else self._reach
        numbers = to_grid(features.astype(np.float64) * scale, INPUT_GRID, INPUT_LIMIT)
        values = torch.from_numpy((numbers / self._reach).astype(np.float32))
        if self.layout == "map" and values.ndim == 3:
            values = values.unsqueeze(3)
        if self.layout in ("map", "sequence"):
            values = values.movedim(-1, 1)
        return values.contiguous()

    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return self._sample_shape

    def _facts(self) -> Inputs:
        some = self.training.limit(min(len(self.training), 10_000))
        values = self.inputs(some.features)
        axis = 1 if self.layout in ("map", "sequence") else -1
        flat = values.movedim(axis, -1).reshape(-1, values.shape[axis])
        deviation = flat.std(dim=0)
        # a channel that is the same everywhere has no range of its own
        deviation = torch.where(deviation > 1e-6, deviation, 1.0)
        shares = np.linspace(0, 1, QUANTILES)
        quantiles = torch.from_numpy(np.quantile(flat.numpy(), shares, axis=0).astype(np.float32))
        has_steps = self.layout == "steps"
        return Inputs(flat.mean(dim=0), deviation, quantiles, has_steps, len(self.classes))

    def _chosen(self, seed: int) -> Tensor:
        """Indices of the samples of an epoch, in random order."""
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(self._labels))
        if self.per_class is not None:
            labels = self._labels.numpy()[order]
            kept = [order[labels == k][: self.per_class] for k in range(len(self.classes))]
            order = rng.permutation(np.concatenate(kept))
        return torch.from_numpy(order)

    def n_batches(self, batch: int) -> int:
        """Number of batches in an epoch; the last one is left out if it is not full."""
        return max(1, len(self._chosen(0)) // batch)

    def epoch(
        self, batch: int, how: BlockAugmentation, seed: int
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches (inputs, labels) of one epoch, a pure function of the arguments."""
        rng = torch.Generator().manual_seed(seed)
        wrong = {"map": False, "steps": how.flip}.get(self.layout, how.flip or how.shift)
        if wrong:
            raise ConfigError(
                "augmentation flips maps, and shifts maps and time steps; the layout is "
                f"'{self.layout}'",
                remedy="Leave out what it does not do",
            )
        for index in self._chosen(seed).split(batch)[: self.n_batches(batch)]:
            inputs = self.inputs(self.training.features[index.numpy()])
            yield self._varied(inputs, how, rng), self._labels[index]

    def _varied(self, inputs: Tensor, how: BlockAugmentation, rng: torch.Generator) -> Tensor:
        if how.shift:
            # steps of channels are shifted as rows of pixels
            maps = inputs if inputs.ndim == 4 else inputs[:, None]
            inputs = shifted(maps, how.shift, rng).view(inputs.shape)
        if how.flip:
            mirrored = torch.rand(len(inputs), generator=rng) < 0.5
            inputs = torch.where(mirrored[:, None, None, None], inputs.flip(-1), inputs)
        if how.noise:
            axis = 1 if self.layout in ("map", "sequence") else -1
            shape = [1] * inputs.ndim
            shape[axis] = -1
            noise = torch.randn(inputs.shape, generator=rng)
            inputs = inputs + noise * (how.noise * self.facts.deviation.view(shape))
        return inputs


def shifted(maps: Tensor, shift: int | tuple[int, int], rng: torch.Generator) -> Tensor:
    """Maps (n, channels, height, width), each shifted at random; edges are repeated."""
    down, right = (shift, shift) if isinstance(shift, int) else shift
    n, _, height, width = maps.shape
    padded = functional.pad(maps, (right, right, down, down), mode="replicate")
    top = torch.randint(2 * down + 1, (n, 1), generator=rng) + torch.arange(height)
    left = torch.randint(2 * right + 1, (n, 1), generator=rng) + torch.arange(width)
    own = torch.arange(n)[:, None, None]
    return padded[own, :, top[:, :, None], left[:, None, :]].movedim(-1, 1)


def block_task(recipe: BlockRecipe) -> Task:
    """Load the data of a recipe and split them.

    Raises
    ------
    DataError
        If the data are not on this machine, or damaged.
    ConfigError
        If they do not fit the recipe.
    """
    if recipe.data in SPEECH:
        kind, of_logmels = SPEECH[recipe.data]
        known: dict[str, Any] = {"name": recipe.data, "kind": kind}
        training, validation = (
            Dataset(of_logmels(clips.features), clips.labels, speech_commands.CLASSES, **known)
            for clips in catalog.load_training()
        )
    else:
        whole = catalog.load(recipe.data)
        if whole.kind == "text":
            return text_task(recipe, whole)
        kept = validation_mask(whole, recipe.validation, recipe.seed, _groups(recipe.data))
        if kept.all() or not kept.any():
            raise ConfigError(
                f"a validation share of {recipe.validation} of {len(whole)} samples leaves nothing "
                "to train or to validate on",
                place=Place("validation", None, str(recipe.validation)),
            )
        training, validation = whole.select(~kept), whole.select(kept)
    return BlockTask(training, validation, recipe.layout, recipe.per_class)


def _groups(data: str) -> NDArray[np.int64] | None:
    """Person of each sample, where a data set knows them: nobody is in both parts."""
    return har.persons(catalog.locate(data), "train") if data == "har-train" else None


def validation_mask(
    data: Dataset, share: float, seed: int, groups: NDArray[np.int64] | None
) -> NDArray[np.bool_]:
    """Samples (n,) that are kept for validation: whole groups, or evenly over the classes."""
    kept = np.zeros(len(data), np.bool_)
    if groups is None:
        for label in np.unique(data.labels):
            rng = np.random.default_rng([seed, label])
            own = rng.permutation(np.flatnonzero(data.labels == label))
            kept[own[: round(share * len(own))]] = True
        return kept
    for group in np.random.default_rng(seed).permutation(np.unique(groups)):
        if kept.mean() >= share:
            break
        kept |= groups == group
    return kept
