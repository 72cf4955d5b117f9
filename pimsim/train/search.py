"""Search among variants of a recipe: all are trained for some of their epochs, few to the end.

Notes
-----
Exhaustive, with an early choice: Garcia-Redondo et al., arXiv 1910.13850, search with methods of
neural architecture search that could not be read. A variant's score is its accuracy on validation
data less a price for its columns of cells.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
import yaml

from pimsim.errors import ConfigError, Place, TrainingError
from pimsim.train.block_recipe import BlockRecipe
from pimsim.train.block_task import Task, block_task
from pimsim.train.block_trainer import BlockTrainer
from pimsim.train.blocks import DenseBlock
from pimsim.train.loop import CPU

Point = dict[str, Any]
MAX_VARIANTS = 10_000


class Store(Protocol):
    """Results of finished trainings, by all that determines them."""

    def read(self, key: str) -> Point | None: ...
    def keep(self, key: str, content: Point) -> None: ...


@dataclass(frozen=True)
class Variant:
    """A recipe with other keys of its hidden layers.

    Attributes
    ----------
    widths : tuple of int
    polarities : tuple of str
        Of the hidden layers.
    recipe : BlockRecipe
        A recipe as any other: it has no search.
    """

    widths: tuple[int, ...]
    polarities: tuple[str, ...]
    recipe: BlockRecipe

    @property
    def name(self) -> str:
        pairs = zip(self.widths, self.polarities, strict=True)
        return " + ".join(f"{width} {polarity}" for width, polarity in pairs)


@dataclass(frozen=True)
class Found:
    """A variant and what its training gave.

    Attributes
    ----------
    columns : int
        Columns of cells of all layers (`columns_of`).
    accuracy : float
        On validation data, after the part of the epochs that was trained.
    score : float
    on_front : bool
        Whether no other variant has both fewer columns and a higher accuracy.
    finished : float or None
        Accuracy after all epochs, of those that were trained to the end.
    """

    variant: Variant
    columns: int
    accuracy: float
    score: float
    on_front: bool = False
    finished: float | None = None


def variants_of(recipe: BlockRecipe) -> list[Variant]:
    """All variants that a recipe's search names, in order.

    Raises
    ------
    ConfigError
        If the recipe has no search, or a search that does not fit it.
    """
    search = recipe.search
    if search is None:
        raise ConfigError(
            "has no search",
            place=Place("search"),
            remedy="Add search: {polarity: [positive, halves], widths: [32, 64]}",
        )
    first, *hidden, last = recipe.network
    if not hidden or not all(isinstance(block, DenseBlock) for block in (*hidden, last)):
        raise ConfigError(
            "varies hidden dense layers, and the network has none, or other layers",
            place=Place("search"),
        )
    choices = list(itertools.product(search.widths, search.polarity))
    n_all = sum(len(choices) ** n for n in search.hidden)
    if n_all > MAX_VARIANTS:
        raise ConfigError(
            f"has {n_all} variants; {MAX_VARIANTS} are the most",
            place=Place("search"),
            remedy="Name fewer widths or polarities",
        )
    found = []
    for n in search.hidden:
        for chosen in itertools.product(choices, repeat=n):
            layers = [
                hidden[min(i, len(hidden) - 1)].model_copy(update={"units": w, "polarity": p})
                for i, (w, p) in enumerate(chosen)
            ]
            own = {"network": (first, *layers, last), "search": None}
            widths, polarities = zip(*chosen, strict=True)
            found.append(Variant(widths, polarities, recipe.model_copy(update=own)))
    return found


def columns_of(variant: Variant, n_classes: int) -> int:
    """Columns of cells of all layers: one for weights of one sign, two for both, one to correct.

    The correction column is counted once for each layer with weights of one sign.
    """
    total = 0
    for block in variant.recipe.network:
        if isinstance(block, DenseBlock):
            width = n_classes if block.units is None else block.units
            total += 2 * width if block.polarity == "bipolar" else width + 1
    return total


def shortened(recipe: BlockRecipe, share: float) -> BlockRecipe:
    """A recipe with a share of the epochs of each stage, one at least."""
    stages = tuple(
        stage.model_copy(update={"epochs": max(1, math.ceil(share * stage.epochs))})
        for stage in recipe.stages
    )
    return recipe.model_copy(update={"stages": stages})


def search(
    recipe: BlockRecipe,
    store: Store,
    key_of: Callable[[str], str],
    folder: Path,
    report: Callable[[str], None] = lambda line: None,
    device: torch.device = CPU,
) -> list[Found]:
    """Train all variants of a recipe for a part of their epochs, and the best of them to the end.

    Parameters
    ----------
    recipe : BlockRecipe
    store : Store
        Where finished trainings are found again.
    key_of : callable
        Key of a training from all that determines it, in words.
    folder : Path
        Receives the checkpoint of the present training.
    report : callable
        Called with a line for each training.
    device : torch.device

    Returns
    -------
    list of Found
        The best first: those trained to the end by their accuracy then, others by their score.

    Raises
    ------
    ConfigError
        If the search does not fit the recipe.
    DataError
        If the data are not on this machine.
    """
    variants, keys = variants_of(recipe), recipe.search
    assert keys is not None
    task = block_task(recipe)
    n_classes, known = task.facts.n_classes, Known(store, key_of, folder)
    found = []
    for number, variant in enumerate(variants):
        accuracy = _accuracy(shortened(variant.recipe, keys.share), task, known, device)
        columns = columns_of(variant, n_classes)
        found.append(Found(variant, columns, accuracy, accuracy - keys.column_cost * columns))
        report(f"{number + 1} of {len(variants)}: {variant.name}, {accuracy:.2%}, {columns}")
    found = with_front(found)
    best = sorted((f for f in found if f.on_front), key=lambda f: -f.score)[: keys.finish]
    done = []
    for one in best:
        accuracy = _accuracy(one.variant.recipe, task, known, device)
        report(f"to the end: {one.variant.name}, {accuracy:.2%}")
        done.append(
            Found(one.variant, one.columns, one.accuracy, one.score, True, finished=accuracy)
        )
    done.sort(key=lambda f: keys.column_cost * f.columns - (f.finished or 0.0))
    names = {one.variant.name for one in done}
    others = sorted((f for f in found if f.variant.name not in names), key=lambda f: -f.score)
    return [*done, *others]


def with_front(found: Sequence[Found]) -> list[Found]:
    """The variants, with those marked that no other one beats in columns and accuracy."""

    def is_beaten(one: Found) -> bool:
        return any(
            other.columns <= one.columns
            and other.accuracy >= one.accuracy
            and (other.columns, other.accuracy) != (one.columns, one.accuracy)
            for other in found
        )

    return [
        Found(one.variant, one.columns, one.accuracy, one.score, not is_beaten(one))
        for one in found
    ]


def content_of(recipe: BlockRecipe) -> str:
    """All that determines a training of a recipe, its name left out."""
    return json.dumps(recipe.model_dump(mode="json", exclude={"name"}), sort_keys=True)


def rows_of(found: Sequence[Found]) -> list[dict[str, Any]]:
    """Table of all variants, the best first."""
    return [
        {
            "widths": " ".join(map(str, one.variant.widths)),
            "polarities": " ".join(one.variant.polarities),
            "columns": one.columns,
            "accuracy": one.accuracy,
            "score": one.score,
            "on_front": one.on_front,
            "accuracy_finished": one.finished,
        }
        for one in found
    ]


def as_recipe(recipe: BlockRecipe) -> str:
    """A recipe as a file, in full: keys that were left out are there."""
    tree = recipe.model_dump(mode="json", exclude_none=True)
    return yaml.safe_dump(tree, sort_keys=False, width=100)


class Known(NamedTuple):
    """Finished trainings, their keys, and the folder of the present one."""

    store: Store
    key_of: Callable[[str], str]
    folder: Path


def _accuracy(recipe: BlockRecipe, task: Task, known: Known, device: torch.device) -> float:
    """Accuracy on validation data at the end of a training; 0 for one that diverged."""
    store, key = known.store, known.key_of(content_of(recipe))
    stored = store.read(key)
    if stored is not None and isinstance(stored.get("accuracy"), float):
        return float(stored["accuracy"])
    trainer = BlockTrainer(recipe, task, known.folder, device=device)
    try:
        trainer.run()
        accuracy = float(trainer.state.log[-1]["deployed"])
    except TrainingError:
        accuracy = 0.0
    store.keep(key, {"accuracy": accuracy})
    return accuracy
