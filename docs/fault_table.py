"""Table of docs/theory/array.md: yield of the bundled GRU against the rate of faults.

`python docs/fault_table.py` draws chips whose cells are stuck at some level, without repair and
with each, and fills the table of the page.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tables import filled

import pimsim

PAGE = Path(__file__).parent / "theory" / "array.md"
RATES = (0.01, 0.03, 0.1)
REPAIRS = (
    ("none", ()),
    ("sides", ("sides",)),
    ("8 spares", ("spares",)),
    ("partner", ("partner",)),
    ("all", ("sides", "spares", "partner")),
)
HEADER = ("stuck cells", *(words for words, _ in REPAIRS))
TARGET = 0.9
RUN: dict[str, Any] = {"chips": 4, "limit": 100, "noise_sources": False}


def cell(rate: float, repair: tuple[str, ...]) -> str:
    """Mean accuracy of some chips, and the share of them that reach the target."""
    faults = [f"noise.faults.stuck={rate * 100:g} %", f"noise.faults.repair=[{', '.join(repair)}]"]
    if "spares" in repair:
        faults.append("noise.faults.spares=8")
    result = pimsim.run("gru", set=faults, accuracy_target=TARGET, **RUN)
    accuracy = result.report["accuracy"]
    return f"{accuracy['mean'] * 100:.1f} %, {accuracy['yield']['share'] * 100:.0f} %"


def main() -> None:
    rows = [(f"{rate * 100:g} %", *(cell(rate, of) for _, of in REPAIRS)) for rate in RATES]
    PAGE.write_text(filled(PAGE.read_text(), "yield", [HEADER, *rows]))


if __name__ == "__main__":
    main()
