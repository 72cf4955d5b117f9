"""What repairs of faults cost: drawing chips with each, over drawing chips without faults."""

from __future__ import annotations

# first: it sets the number of threads
from benchmarks.task import load  # isort: skip

import statistics
import time
from typing import Any

from pimsim.chip import program_tile
from pimsim.chip.repair import REPAIRS
from pimsim.config.faults import Faults

# cells that fail; half of them carry no current, a quarter too much, a quarter are stuck
RATES = {"open": 0.005, "short": 0.0025, "stuck": 0.0025}
SPARES = 8


def time_repairs(model: str, chips: int, rounds: int) -> dict[str, Any]:
    """Ratios of the times of drawing chips where 1 % of the cells fail; medians over rounds."""
    cases: dict[str, dict[str, Any]] = {"no faults": {}, "faults": dict(RATES)}
    for name in REPAIRS:
        spares = SPARES if name == "spares" else 0
        cases[name] = {**RATES, "repair": (name,), "spares": spares}
    cases["all"] = {**RATES, "repair": tuple(REPAIRS), "spares": SPARES}
    tiles = {
        name: load(model, model, 1, {"faults": Faults(**faults)}).chip.tiles
        for name, faults in cases.items()
    }
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(rounds + 1):
        for name, times in seconds.items():
            begin = time.process_time()
            for chip in range(chips):
                for tile in tiles[name]:
                    program_tile(tile, 1, chip)
            if number:  # the first compiles and warms up
                times.append(time.process_time() - begin)
    plain = seconds.pop("no faults")
    found: dict[str, Any] = {"model": model}
    for name, times in seconds.items():
        found[name] = statistics.median(a / b for a, b in zip(times, plain, strict=True))
    own = statistics.median(plain) / chips
    print(f"{model}, drawing a chip: {1e3 * own:.1f} ms, times " +
          ", ".join(f"{found[name]:.1f} ({name})" for name in seconds))  # fmt: skip
    found["seconds_per_chip"] = own
    return found


if __name__ == "__main__":
    for name in ("gru", "lenet5"):
        time_repairs(name, 2, 5)
