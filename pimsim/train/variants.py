"""Variants of a recipe of blocks with LSTMs: quantised otherwise, started from a float network."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch

from pimsim.data import catalog
from pimsim.data.dataset import Dataset
from pimsim.data.text import with_symbols
from pimsim.errors import ConfigError, DataError, Place
from pimsim.files import is_file, read_json, write_json
from pimsim.train.block_export import to_network
from pimsim.train.block_recipe import BlockRecipe, BlockStage
from pimsim.train.block_task import Task, block_task
from pimsim.train.block_trainer import KEYS, BlockTrainer, measured, network_of
from pimsim.train.blocks import Block, DenseBlock, QuantiserBlock
from pimsim.train.checkpoint import CHECKPOINT, read_checkpoint
from pimsim.train.neuron_keys import CodesKeys
from pimsim.train.recurrent_blocks import LstmBlock
from pimsim.train.saved import check_tensors
from pimsim.workload import Network, write_network

Report = Callable[[str], None]
# of scores, which a digital unit computes
SCORE_LEVELS = 255
# samples with which ranges of sums begin, where there is no training
SAMPLES = 256


class Quantised(NamedTuple):
    """Bits and noise of a variant.

    Attributes
    ----------
    weights, inputs, sums : int
        Bits of weights, of inputs and states, and of sums.
    epochs : int
        Of training; 0 rounds the float network.
    cell_error, sum_noise : float
        As in `pimsim.nn.Lstm`.
    start : str or None
        Name of the variant with whose weights training begins; None for the float network.
    """

    weights: int
    inputs: int
    sums: int
    epochs: int = 1
    cell_error: float = 0.0
    sum_noise: float = 0.0
    start: str | None = None


def variant_of(recipe: BlockRecipe, how: Quantised, is_text: bool = False) -> BlockRecipe:
    """The recipe of a float network with quantisers, and one stage.

    The stage begins at a quarter of the float network's rate, or at all of it from a variant that
    knows quantisers already. A first LSTM that reads numbers has codes of its own for them.

    Raises
    ------
    ConfigError
        If it has no LSTM, or it is quantised already.
    """
    blocks: list[Block] = []
    for block in recipe.network:
        if isinstance(block, LstmBlock):
            if block.bits is not None:
                raise ConfigError(
                    f"'{recipe.name}' has codes already",
                    place=Place("--start"),
                    remedy="Name a checkpoint of a network of real numbers: bits and levels null",
                )
            changes: dict[str, Any] = {
                "levels": 2**how.weights - 1,
                "bits": how.inputs,
                "sum_bits": how.sums,
                "cell_error": how.cell_error,
                "sum_noise": how.sum_noise,
                "dropout": 0.0,
            }
            if not blocks and not is_text:
                changes["inputs"] = CodesKeys(kind="codes", bits=how.inputs, signed=True)
            block = block.model_copy(update=changes)
        elif isinstance(block, QuantiserBlock):
            block = block.model_copy(update={"bits": how.inputs})
        elif isinstance(block, DenseBlock):
            block = block.model_copy(update={"levels": SCORE_LEVELS})
        blocks.append(block)
    if not any(isinstance(block, LstmBlock) for block in blocks):
        raise ConfigError(f"'{recipe.name}' has no LSTM", place=Place("--start"))
    last = recipe.stages[-1]
    rate = max(stage.learning_rate for stage in recipe.stages) / (4 if how.start is None else 1)
    stage = BlockStage(
        name="quantised",
        epochs=max(1, how.epochs),
        batch=last.batch,
        optimizer=last.optimizer,
        learning_rate=rate,
        final_learning_rate=rate / (20 if how.start is None else 400),
        gradient_clip=last.gradient_clip,
        augmentation=last.augmentation,
    )
    return recipe.model_copy(update={"network": tuple(blocks), "stages": (stage,)})


class Variants:
    """Networks in a folder, each trained from one float network.

    Parameters
    ----------
    start : Path
        Checkpoint of the float network; its recipe has data and blocks.
    folder : Path
        Receives `NAME.safetensors`, the trainings in `training/NAME`, and `float.json`.
    report : callable
        Called with a line for each epoch and each network.
    batch_done : callable
        Called after every batch with the name of the network, and the batches of its training.

    Raises
    ------
    ConfigError, DataError
        If the checkpoint is no such network, or its data are not on this machine.
    """

    def __init__(
        self,
        start: Path,
        folder: Path,
        report: Report = lambda line: None,
        batch_done: Callable[[str, int], None] = lambda name, total: None,
    ) -> None:
        recipe, saved = read_checkpoint(start)
        if not isinstance(recipe, BlockRecipe):
            raise ConfigError("is of no network of blocks", place=Place(start))
        variant_of(recipe, Quantised(4, 4, 4))
        self.start, self.folder, self.report, self.batch_done = start, folder, report, batch_done
        self.recipe, self.saved = recipe, saved
        self._task: Task | None = None

    @property
    def task(self) -> Task:
        """Training and validation data."""
        if self._task is None:
            self._task = block_task(self.recipe)
        return self._task

    def make(self, name: str, how: Quantised) -> None:
        """Train a network and write it; one that was begun goes on."""
        is_text = self.task.training.kind == "text"
        recipe = variant_of(self.recipe, how, is_text).model_copy(update={"name": name})
        folder = self.folder / "training" / name

        def epoch(entry: dict[str, Any]) -> None:
            value = self.task.metric.text(entry[KEYS[self.task.metric.key]])
            took = f"{entry['wall_s']:.0f} s"
            self.report(f"{name}: epoch {entry['epoch']}, validation {value} ({took})")

        trainer = BlockTrainer(recipe, self.task, folder, epoch)
        trainer.batch_done = lambda loss: self.batch_done(name, trainer.batches[1])
        if how.epochs == 0:
            trainer.start_from(self.start)
            self._set_ranges(trainer)
        else:
            if not trainer.resume():
                trainer.start_from(self._start_of(how))
            trainer.run()
        network = to_network(trainer.state.network, self.task, name)
        self._write(network, name, how)

    def _start_of(self, how: Quantised) -> Path:
        """Checkpoint with which a variant begins."""
        if how.start is None:
            return self.start
        path = self.folder / "training" / how.start / CHECKPOINT
        if not is_file(path):
            raise DataError(
                f"is missing: the training of '{how.start}', from which another network starts",
                place=Place(path),
                remedy=f"Remove {self.folder / f'{how.start}.safetensors'}, to train it again",
            )
        return path

    def _set_ranges(self, trainer: BlockTrainer) -> None:
        """Ranges of sums, as training begins with them."""
        data = self.task.training
        with torch.no_grad():
            trainer.state.network.train()(self.task.inputs(data.features[:SAMPLES]))

    def _write(self, network: Network, name: str, how: Quantised) -> None:
        provenance = network.provenance | {"quantised": how._asdict(), "start": self.recipe.name}
        path = self.folder / f"{name}.safetensors"
        write_network(dataclasses.replace(network, provenance=provenance), path)
        self.report(f"{name}: {path}")

    def measure_float(self, data: Dataset) -> None:
        """Add the float network's metric on some data to `float.json`, unless it is there."""
        path = self.folder / "float.json"
        entries = read_json(path).get("measured", []) if is_file(path) else []
        if any((e.get("data"), e.get("n")) == (data.name, len(data)) for e in entries):
            return
        module = network_of(self.recipe, self.task)
        check_tensors(self.saved, module, Place(self.start))
        module.load_state_dict(self.saved["network"])
        value = measured(module, self.task, data)
        entry = {"data": data.name, "n": len(data), "metric": self.task.metric.key, "value": value}
        write_json(path, {"name": self.recipe.name, "measured": [*entries, entry]})

    def test_data(self, name: str | None) -> Dataset:
        """Data of a name, or those that the recipe names as its test.

        Raises
        ------
        DataError
            If the recipe names none.
        """
        chosen = name or self.recipe.test
        if chosen is None:
            raise DataError(f"'{self.recipe.name}' names no test data", remedy="Add --data")
        data = catalog.load(chosen)
        return with_symbols(data, self.task.training.classes) if data.kind == "text" else data
