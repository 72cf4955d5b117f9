"""Table of docs/theory/read_out.md: what follows when one number of the read-out is changed.

`python docs/read_out_table.py` runs the bundled GRU for each row and fills the table of the page.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from tables import filled

import pimsim
from pimsim.errors import PimsimError

PAGE = Path(__file__).parent / "theory" / "read_out.md"
RUN = {"chips": 2, "limit": 100, "contributions": False}


class Change(NamedTuple):
    """A change of the bundled chip, in words and as `--set`."""

    words: str
    settings: tuple[str, ...]


LOAD = ("chip.load.input_range=null", "chip.load.resistance=7.5 kohm")
CHANGES = (
    Change("none: 1 uA, a load for 220 mV, 0.8 V", ()),
    Change("the load given, 7.5 kohm", LOAD),
    Change("cell current / 100, load for 220 mV", ("device.read.top_current=10 nA",)),
    Change("cell current / 100, load of 7.5 kohm", (*LOAD, "device.read.top_current=10 nA")),
    Change("cell current x 10, load for 220 mV", ("device.read.top_current=10 uA",)),
    Change("cell current x 10, load of 7.5 kohm", (*LOAD, "device.read.top_current=10 uA")),
    Change("load / 10", (LOAD[0], "chip.load.resistance=750 ohm")),
    Change("supply 0.3 V", ("chip.bit_line.supply=0.3 V",)),
    Change("integration x 10", ("chip.bit_line.integration_time=30 ns",)),
    Change("settling error 10 %", ("chip.bit_line.settling_error=10 %",)),
    Change("settling error 10 %, load of 7.5 kohm", (*LOAD, "chip.bit_line.settling_error=10 %")),
    Change("word-line voltage 0.4 V", ("chip.word_line_driver.voltage=0.4 V",)),
    Change("word-line voltage 0.3 V", ("chip.word_line_driver.voltage=0.3 V",)),
    Change("technology 65 nm", ("chip.technology=65nm",)),
    Change("no clamp", ("chip.clamp={kind: none}",)),
)
HEADER = (
    "change", "range, +- mV", "noise, units", "mismatch, units", "accuracy", "array, nJ",
    "read, ns", "verdict",
)  # fmt: skip


def row(change: Change) -> tuple[str, ...]:
    """Cells of one row; a refused chip has its sentence alone."""
    try:
        report = pimsim.run("gru", set=list(change.settings), **RUN).report
    except PimsimError as error:
        sentence = str(error).partition("such a chip cannot work")[0].rstrip("; ")
        found = re.sub(r"^.*?: \w+ ", "refused: ", sentence, count=1)
        return (change.words, *[""] * 6, found)
    facts, n = report["electrical"], report["noise"]["matrices"]
    doubts = dict.fromkeys(c["check"] for c in report["plausibility"] if not c["passes"])
    phase = max(p["delay_s"] for p in report["latency"]["phases"])
    return (
        change.words,
        _span([f["input_range_v"] * 1e3 for f in facts]),
        _span([m["sigma_dynamic_units"] for m in n]),
        _span([f["mismatch_units"] for f in facts]),
        f"{100 * report['accuracy']['mean']:.1f} %",
        f"{report['energy']['by_component_j']['array'] * 1e9:.3g}",
        f"{phase * 1e9:.3g}",
        f"doubtful: {', '.join(doubts)}" if doubts else "works",
    )


def _span(values: list[float]) -> str:
    low, high = f"{min(values):.3g}", f"{max(values):.3g}"
    return low if low == high else f"{low} to {high}"


def rows() -> list[tuple[str, ...]]:
    """The whole table."""
    return [HEADER, *map(row, CHANGES)]


if __name__ == "__main__":
    page = filled(PAGE.read_text(encoding="utf-8"), "read-outs", rows())
    PAGE.write_text(page, encoding="utf-8")
