"""Texts for block recipes: every step foretells the next symbol."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pimsim.data import catalog, text
from pimsim.data.dataset import Dataset
from pimsim.errors import ConfigError, Place
from pimsim.train.block_keys import Inputs
from pimsim.train.block_recipe import BlockAugmentation, BlockRecipe
from pimsim.workload.metrics import BITS_PER_CHARACTER, Metric

TRAINING, VALIDATION = "war-and-peace-train", "war-and-peace-valid"
# steps of the example by which a network is built
EXAMPLE_STEPS = 2


class TextTask:
    """A training text, and pieces of another one, in the form that the network takes.

    Batches follow the text: row b of a batch goes on where row b of the batch before ended. Samples
    are rows of one number for each symbol, 1 for that of the step and 0 for all others.

    Parameters
    ----------
    training, validation : Dataset
        Of kind text, with the same symbols.
    unrolled : int
        As in `BlockRecipe`.
    """

    carries_state = True
    metric: Metric = BITS_PER_CHARACTER

    def __init__(self, training: Dataset, validation: Dataset, unrolled: int = 100) -> None:
        self.training, self.validation_data, self.unrolled = training, validation, unrolled
        self.classes = training.classes
        self._stream = torch.from_numpy(text.joined(training))
        n = len(self.classes)
        # a quantiser of any bits spans 0 and 1, whatever it takes as the range of a channel
        ends = torch.stack([torch.zeros(n), torch.ones(n)])
        self.facts = Inputs(torch.zeros(n), torch.full((n,), 1 / 3), ends, True, n, every_step=True)
        self.description = {
            "training": f"{len(self._stream):,} characters: {training.description}",
            "validation": validation.description,
        }

    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one input, of few steps."""
        return (EXAMPLE_STEPS, len(self.classes))

    def inputs(self, features: NDArray[Any]) -> Tensor:
        """Network inputs (n, n_steps, n_symbols) float32 of symbols (n, n_steps)."""
        return torch.eye(len(self.classes))[torch.from_numpy(features.astype(np.int64))]

    def n_batches(self, batch: int) -> int:
        """Number of batches in an epoch; what does not fill the last one is left out."""
        found = (len(self._stream) - 1) // (batch * self.unrolled)
        if not found:
            raise ConfigError(
                f"needs {batch * self.unrolled + 1:,} characters for one batch, and the text has "
                f"{len(self._stream):,}",
                place=Place("batch", None, str(batch)),
                remedy="Take a smaller batch, fewer steps in 'unrolled', or a longer text",
            )
        return found

    def epoch(
        self, batch: int, how: BlockAugmentation, seed: int
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches (inputs, labels (batch, unrolled)) of one epoch: rows of text, step by step."""
        if how != BlockAugmentation():
            raise ConfigError(
                "augmentation changes numbers, and a text has symbols", remedy="Leave it out"
            )
        n_steps = self.n_batches(batch) * self.unrolled
        # where the rows begin differs between epochs, by what is left out of each
        spare = len(self._stream) - 1 - batch * n_steps
        first = int(np.random.default_rng(seed).integers(spare + 1))
        symbols = self._stream[first : first + batch * n_steps].view(batch, n_steps)
        following = self._stream[first + 1 : first + 1 + batch * n_steps].view(batch, n_steps)
        for begin in range(0, n_steps, self.unrolled):
            part = slice(begin, begin + self.unrolled)
            yield self.inputs(symbols[:, part].numpy()), following[:, part].long()


def text_task(recipe: BlockRecipe, training: Dataset) -> TextTask:
    """Task of a recipe on a text; without a text of its own for validation, the end of it.

    Raises
    ------
    ConfigError
        If the text is too short for both.
    """
    if recipe.data == TRAINING:
        validation = catalog.load(VALIDATION)
    else:
        n = len(training)
        kept = min(max(round(recipe.validation * n), 1), n - 1)
        if not kept:
            raise ConfigError(
                f"a text of {n} pieces leaves nothing to train or to validate on",
                place=Place("data", None, recipe.data),
            )
        index = np.arange(n)
        training, validation = training.select(index < n - kept), training.select(index >= n - kept)
    return TextTask(training, text.with_symbols(validation, training.classes), recipe.unrolled)
