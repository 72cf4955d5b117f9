"""What IR drop costs: runs with each of its forms, over runs without."""

from __future__ import annotations

# first: it sets the number of threads
from benchmarks.task import load  # isort: skip

import statistics
import time
from typing import Any

from pimsim.simulate import run_chips

# chips and sequences of the exact form, which takes thousands of times as long
FEW = 8


def time_ir_drop(model: str, sequences: int, chips: int, rounds: int) -> dict[str, Any]:
    """Ratios of the times of a run, drawing the chips included; medians over rounds.

    `first_order` is compared on all sequences with the fastest kernels, `exact` on a few with the
    portable one, beside a run of those without.
    """
    forms = ("none", "first_order", "exact")
    tasks = {form: load(model, model, sequences, {"ir_drop": form}) for form in forms}
    found: dict[str, Any] = {"model": model}
    for form, n, kernel in (("first_order", sequences, None), ("exact", FEW, "portable")):
        seconds: dict[str, list[float]] = {"none": [], form: []}
        kernels = {}
        for number in range(rounds + 1):
            for name, times in seconds.items():
                task, begin = tasks[name], time.process_time()
                done = run_chips(
                    task.chip, task.encoded[:n], range(chips), 1, threads=1, kernel=kernel
                )
                kernels[name] = done.kernel
                if number:  # the first compiles and warms up
                    times.append(time.process_time() - begin)
        ratio = statistics.median(
            a / b for a, b in zip(seconds[form], seconds["none"], strict=True)
        )
        found[form] = {"ratio_to_none": ratio, "kernel": kernels[form]}
        print(f"{model}, IR drop {form}: {ratio:.2f} x the time without ({kernels[form]})")
    return found


if __name__ == "__main__":
    for name in ("gru", "lenet5"):
        time_ir_drop(name, 1000, 2, 5)
