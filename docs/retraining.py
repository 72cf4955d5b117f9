"""Table of docs/training.md: the shipped GRU trained further for one chip with failing cells.

`python docs/retraining.py` trains the shipped GRU for an epoch with the faults of each of a few
chips, and once without any, runs all on their chips, writes docs/data/retraining.json, and fills
the table of the page. It needs torch and the Speech Commands training set (`pimsim data list`).
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from fault_yield import settings
from tables import MeasuredTable, Row

import pimsim
from pimsim.config.bundled import find_config
from pimsim.errors import Place
from pimsim.studies.broken import write_broken
from pimsim.studies.prepare import prepare
from pimsim.train.begin import trainer_for
from pimsim.train.export import export
from pimsim.train.loop import CPU
from pimsim.train.recipe import read_recipe

HERE = Path(__file__).parent
PAGE, DATA = HERE / "training.md", HERE / "data" / "retraining.json"
START = HERE.parent / "models" / "train" / "checkpoints" / "gru_w7-level.pt"
RATE, CHIPS, LIMIT = 0.05, (0, 1), 200
# the last stage of the shipped network for one epoch more, without the mean of its parameters
STAGE = {"name": "chip", "epochs": 1, "learning_rate": 5e-4, "average": 0.0}


def trained(folder: Path, faults: Path | None) -> tuple[Path, float]:
    """The network after an epoch with the faults of a chip; and the time of it [s]."""
    recipe = read_recipe(find_config("gru_w7", "recipe", Place("RECIPE")))
    last = recipe.stages[-1]
    more = last.model_copy(update=STAGE | {"faults": None if faults is None else str(faults)})
    recipe = recipe.model_copy(update={"stages": (*recipe.stages, more)})
    torch.set_num_threads(1)
    begin = time.perf_counter()
    trainer = trainer_for(recipe, folder, lambda entry: print(entry, flush=True), CPU)
    trainer.start_from(START)
    trainer.run()
    seconds = time.perf_counter() - begin
    path = folder / "network.safetensors"
    export(folder / "checkpoint.pt", path)
    return path, seconds


def measured() -> dict[str, Any]:
    """Accuracy of each chip with each network."""
    partner = settings(RATE, ("partner",))
    options = {"chips": len(CHIPS), "limit": LIMIT, "contributions": False}
    rows: dict[str, list[float]] = {}

    def on_chips(name: str, changes: list[str], network: Path | None = None) -> list[float]:
        found = pimsim.run("gru", set=changes, network=network, **options).accuracy
        print(name, found.per_chip, flush=True)
        return list(found.per_chip)

    rows["no faults"] = on_chips("no faults", [])
    rows["none"] = on_chips("none", settings(RATE, ()))
    rows["partner"] = on_chips("partner", partner)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        path, seconds = trained(folder / "unaware", None)
        rows["unaware"] = on_chips("unaware", partner, path)
        rows["aware"] = []
        for chip in CHIPS:
            faults, _ = write_broken(prepare("gru", {}, partner), chip, folder / f"{chip}.npz")
            path, seconds = trained(folder / f"chip{chip}", faults)
            rows["aware"].append(on_chips("aware", partner, path)[chip])
    return {"rate": RATE, "limit": LIMIT, "seconds": round(seconds), "rows": rows}


WORDS = {
    "no faults": "no faults",
    "none": "none",
    "partner": "`partner`",
    "unaware": "`partner`, an epoch without its faults",
    "aware": "`partner`, an epoch with its faults",
}


def rows(data: dict[str, Any]) -> list[Row]:
    """A row for each network, a column for each chip."""
    body = [
        (words, *(f"{100 * accuracy:.1f} %" for accuracy in data["rows"][name]))
        for name, words in WORDS.items()
    ]
    return [("repair", *(f"chip {chip}" for chip in CHIPS)), *body]


TABLE = MeasuredTable("retraining for a chip", PAGE, DATA, rows)

if __name__ == "__main__":
    TABLE.write(measured())
