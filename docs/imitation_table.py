"""Table of decision 15: what bits in place of a trained encoder cost, without any training.

`PIMSIM_DATA=... python docs/imitation_table.py` lets a matrix on thermometer bits imitate the
encoder of the shipped 7-level GRU (`thermometer.from_stage`), in several ways, and takes each
network to the validation clips, ties as coins.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tables import Row, filled

from pimsim.train.evaluate import accuracy
from pimsim.train.layers import bit_mode
from pimsim.train.recipe import Recipe, read_recipe
from pimsim.train.tasks import Task, task_for
from pimsim.train.trainer import Trainer

ROOT = Path(__file__).parents[1]
PAGE = Path(__file__).parent / "decisions" / "0015-bits-from-the-first-layer-on.md"
RECIPE = ROOT / "models" / "train" / "gru_w7_arrays.yaml"
START = ROOT / "models" / "train" / "checkpoints" / "gru_w7-level.pt"
HEAD = (
    "bits", "shared out", "limits", "levels", "clips are normalised", "its encoder",
    "bits and levels",
)  # fmt: skip


@dataclass(frozen=True)
class Way:
    """A first layer, and the normalisation of the clips that it reads.

    Attributes
    ----------
    size : float
        Bits, relative to those of the recipe.
    alike : bool
        Whether all inputs have the same number of bits.
    spacing : str
        Of limits.
    levels : int
        Of its weights.
    delay : int or None
        Frames that wait for the level; None normalises by the whole clip.
    """

    size: float = 1.0
    alike: bool = False
    spacing: str = "quantile"
    levels: int = 7
    delay: int | None = 16


WAYS = (
    Way(),
    Way(delay=None), Way(delay=0), Way(delay=4), Way(delay=8), Way(delay=32),
    Way(size=0.5), Way(size=1.5), Way(size=2.0),
    Way(alike=True), Way(spacing="even"), Way(levels=3), Way(levels=15),
)  # fmt: skip


def counts_of(way: Way, shipped: list[int]) -> list[int]:
    """Bits of each input."""
    if way.alike:
        return [round(way.size * sum(shipped) / len(shipped))] * len(shipped)
    return [max(1, round(way.size * count)) for count in shipped]


def recipe_of(way: Way) -> Recipe:
    """The shipped recipe with this first layer, until the network has it."""
    shipped = read_recipe(RECIPE)
    assert isinstance(shipped, Recipe)
    assert shipped.network.thermometer is not None
    tree: dict[str, Any] = shipped.model_dump()
    keys = tree["network"]["thermometer"]
    names = [stage["name"] for stage in tree["stages"]]
    tree["stages"] = tree["stages"][: names.index(keys["from_stage"]) + 1]
    keys["counts"] = counts_of(way, shipped.network.thermometer.counts_of(40))
    keys["spacing"] = way.spacing
    tree["stages"][-1]["running"] = None if way.delay is None else {"delay": way.delay}
    tree["stages"][-1]["weights"]["levels"] = {"first": way.levels, "*": 7}
    return Recipe.model_validate(tree)


def measured(way: Way, task: Task, folder: Path) -> tuple[int, float, float]:
    """Bits, and the validation accuracy of the encoder and of what imitates it."""
    recipe = recipe_of(way)
    trainer = Trainer(recipe, task, folder)
    trainer.take_up(START)
    stage, network = recipe.stages[-1], trainer.state.network
    trainer.prepare(stage)
    decisions = bit_mode(True, coins=True)
    encoder = accuracy(network, *trainer.validation, decisions)
    trainer.begin(stage)
    imitated = accuracy(network, *trainer.validation, decisions)
    assert recipe.network.thermometer is not None
    return sum(recipe.network.thermometer.counts_of(40)), encoder, imitated


def heard(way: Way) -> str:
    """Words for the normalisation."""
    if way.delay is None:
        return "as a whole"
    return f"as they come, {10 * way.delay} ms later" if way.delay else "as they come"


def rows() -> list[Row]:
    """The table."""
    task = task_for(recipe_of(WAYS[0]))
    found: list[Row] = [HEAD]
    for way in WAYS:
        with TemporaryDirectory() as folder:
            bits, encoder, imitated = measured(way, task, Path(folder) / "trial")
        found.append((
            str(bits), "evenly" if way.alike else "more for the first inputs", way.spacing,
            str(way.levels), heard(way), f"{100 * encoder:.1f} %", f"{100 * imitated:.1f} %",
        ))  # fmt: skip
        print(*found[-1], sep=", ", flush=True)
    return found


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text("utf-8"), "imitations", rows()), encoding="utf-8")
