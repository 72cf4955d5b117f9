"""Training tasks: batches of an epoch, and a validation set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pimsim.data import catalog, speech_commands
from pimsim.data.arrays import read_npz
from pimsim.data.dataset import FEATURE_SHAPES
from pimsim.errors import DataError, Place
from pimsim.files import is_file
from pimsim.train.augment import Augmentation
from pimsim.train.digits import DigitTask
from pimsim.train.recipe import GruShape, Recipe
from pimsim.train.speech import SpeechTask
from pimsim.workload import ImageInput, Running, SpeechInput

SYNTHETIC = "synthetic_train.npz"


class Task(Protocol):
    """Interface of a training task: data in the form of network inputs.

    Attributes
    ----------
    classes : names of the classes
    validation : (inputs, labels), never trained on
    description : training and validation data, for the provenance
    """

    classes: tuple[str, ...]
    validation: tuple[Tensor, Tensor]
    description: dict[str, Any]

    @property
    def input(self) -> SpeechInput | ImageInput:
        """Input normalisation of the exported network."""
        ...

    def at_level(self, level: float | None, running: Running | None = None) -> Task:
        """The same task with clips normalised to a loudness; None: not normalised.

        `running`: by what has been heard so far; None: by the whole clip.
        """
        ...

    def n_batches(self, batch: int) -> int:
        """Number of batches in an epoch."""
        ...

    def epoch(self, batch: int, how: Augmentation, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches (inputs, labels) of one epoch, a pure function of the arguments."""
        ...

    def inputs(self, features: NDArray[np.uint8]) -> Tensor:
        """Network inputs of stored features, exactly those of the exported network."""
        ...

    def examples(self, count: int) -> NDArray[np.uint8]:
        """Stored features of some training examples, to measure pre-activations on."""
        ...


def task_for(recipe: Recipe) -> Task:
    """Load the training task of a recipe.

    Raises
    ------
    DataError
        If the data are not on this machine, or do not fit the network.
    """
    kind = recipe.data.kind
    if isinstance(recipe.network, GruShape) != (kind == "speech_commands"):
        raise DataError(
            f"a '{recipe.network.kind}' network cannot be trained on '{kind}'",
            remedy="Use 'speech_commands' for 'gru' and 'mnist' for 'lenet5'",
        )
    if not isinstance(recipe.network, GruShape):
        digits = catalog.load("mnist-train")
        return DigitTask(digits.features.astype(np.uint8), digits.labels, digits.classes)
    training, validation = catalog.load_training()
    return SpeechTask(
        (training.features, training.labels),
        (validation.features, validation.labels),
        speech_commands.CLASSES,
        recipe.network.frame_average,
        synthetic_clips() if recipe.data.synthetic_share else None,
        recipe.data.synthetic_share,
        catalog.load_background() if recipe.uses_recordings else None,
        recipe.network.transform,
    )


def synthetic_clips() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Load synthetic training speech from the file `SYNTHETIC` in a folder of data sets."""
    folders = catalog.places("speech_commands")
    path = next((folder / SYNTHETIC for folder in folders if is_file(folder / SYNTHETIC)), None)
    if path is None:
        raise DataError(
            f"there is no {SYNTHETIC} in {', '.join(map(str, folders))}",
            remedy=f"Make it with `python -m pimsim.data.synthesize training {SYNTHETIC}` (extra "
            "'data'), or set the recipe's synthetic_share to 0",
        )
    features, labels = read_npz(path, ("features", "labels"))
    if features.dtype != np.uint8 or labels.dtype.kind not in "iu":
        raise DataError(
            f"holds {features.dtype} features and {labels.dtype} labels; whole numbers "
            "are needed, the features in bytes",
            place=Place(path),
        )
    if features.shape[1:] != FEATURE_SHAPES["speech"] or labels.shape != features.shape[:1]:
        raise DataError(
            f"holds features of shape {features.shape} and labels of shape {labels.shape}",
            place=Place(path),
        )
    if labels.size and not 0 <= labels.min() <= labels.max() < len(speech_commands.CLASSES):
        raise DataError("holds a label of no class", place=Place(path))
    return features, labels.astype(np.int64)
