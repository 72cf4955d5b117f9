"""Table of docs/theory/read_out.md: what makes up for losses along wires, and what it costs.

`python docs/ir_drop_compensation.py` puts the shipped GRU and LeNet5 on ReRAM with wires of many
times the chip's resistance, as the chip file is and with each of its options, writes
docs/data/ir_drop_compensation.json, and fills the table of the page. Chips, inputs and every draw
of noise are the same in all rows of a network.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ir_drop_figure import wires_of
from numpy.typing import NDArray
from tables import MeasuredTable, Row

import pimsim
from pimsim.config import NoiseConfig
from pimsim.errors import MappingError
from pimsim.studies.attribution import paired_change
from pimsim.studies.prepare import prepare
from pimsim.studies.probe import probe

HERE = Path(__file__).parent
PAGE = HERE / "theory" / "read_out.md"
DATA = HERE / "data" / "ir_drop_compensation.json"
# networks, and the resistance of the wires with which their accuracy is measured; LeNet5 is refused
# as not plausible with as much as the GRU [of the technology file's wires]
WORST = {"gru": 40, "lenet5": 15}
# the same for flipped decisions
FACTORS = (8, 20)
FORMS = ("first_order", "exact")
CHIPS, SEQUENCES, PROBED = 4, 100, 8
OPTIONS: dict[str, tuple[str, ...]] = {
    "none": (),
    "row_order": ("chip.array.row_order=largest_first",),
    "scaled_levels": ("chip.array.scaled_levels=on",),
    "held_at": ("chip.bit_line.held_at=both_ends",),
}
OPTIONS["all"] = tuple(change for changes in OPTIONS.values() for change in changes)
WORDS = {
    "none": "none",
    "row_order": "`row_order: largest_first`",
    "scaled_levels": "`scaled_levels: on`",
    "held_at": "`held_at: both_ends`",
    "all": "all three",
}


def flipped(
    network: str, option: str, factor: float, form: str, n_sequences: int = PROBED
) -> float | None:
    """Share of decisions that losses alone flip at the exact network's inputs, over all layers.

    None where the form does not hold.
    """
    changes = [wires_of(network, factor), *OPTIONS[option]]
    prepared = prepare(network, {"limit": n_sequences}, changes)
    noise = NoiseConfig.ideal().model_copy(update={"ir_drop": form})
    try:
        found = probe(prepared, prepared.chip(noise)).errors(noise)
    except MappingError:
        return None
    return float(np.mean([error.flipped for error in found.values()]))


def measured() -> dict[str, Any]:
    """Flipped decisions, classes, area and energy of all rows."""
    found = []
    for network in WORST:
        for name, changes in OPTIONS.items():
            row: dict[str, Any] = {"network": network, "option": name, "flipped": {}}
            for factor in FACTORS:
                for form in FORMS:
                    row["flipped"][f"{form} {factor}"] = flipped(network, name, factor, form)
            done = pimsim.run(
                network,
                set=[wires_of(network, WORST[network]), *changes, "noise.ir_drop=exact"],
                chips=CHIPS, limit=SEQUENCES, contributions=False,
            )  # fmt: skip
            hits = done.simulated.chips.predictions == done.simulated.labels
            row |= {
                "right": ["".join(str(int(hit)) for hit in of_chip) for of_chip in hits],
                "area_m2": done.area,
                "energy_j": done.energy,
            }
            found.append(row)
            print({key: value for key, value in row.items() if key != "right"}, flush=True)
    return {"chips": CHIPS, "sequences": SEQUENCES, "probed": PROBED, "rows": found}


def row_of(data: dict[str, Any], network: str, option: str) -> dict[str, Any]:
    """What was measured of a network with an option."""
    wanted = {"network": network, "option": option}
    (found,) = (r for r in data["rows"] if all(r[key] == wanted[key] for key in wanted))
    return dict(found)


def hits_of(row: dict[str, Any]) -> NDArray[np.int64]:
    """Whether each chip found the class of each input, (n_chips, n_sequences)."""
    return np.array([[int(hit) for hit in of_chip] for of_chip in row["right"]])


def _share(value: float | None) -> str:
    return "refused" if value is None else f"{100 * value:.2f} %"


def rows(data: dict[str, Any]) -> list[Row]:
    """A row for each network and option."""
    head = (
        "network", "option",
        *(f"flipped, wires x {f}: first order, exact" for f in FACTORS),
        "accuracy (wires x)", "gain, points", "area", "energy",
    )  # fmt: skip
    body = []
    for network in WORST:
        plain = row_of(data, network, "none")
        for name, words in WORDS.items():
            own = row_of(data, network, name)
            each = [
                ", ".join(_share(own["flipped"][f"{form} {f}"]) for form in FORMS) for f in FACTORS
            ]
            is_right = hits_of(own)
            # chips are the same, too: their differences are what varies
            change = is_right - hits_of(plain)
            gain = paired_change(change, np.zeros((1, change.shape[1])))
            body.append(
                (
                    network, words, *each,
                    f"{100 * is_right.mean():.1f} % ({WORST[network]})",
                    "" if name == "none" else
                    f"{100 * gain.change:+.1f} +- {100 * gain.half_width:.1f}",
                    *(f"{100 * (own[key] / plain[key] - 1):+.1f} %" if name != "none" else ""
                      for key in ("area_m2", "energy_j")),
                )
            )  # fmt: skip
    return [head, *body]


TABLE = MeasuredTable("compensation of IR drop", PAGE, DATA, rows)

if __name__ == "__main__":
    TABLE.write(measured())
