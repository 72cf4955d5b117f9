"""How fast pimsim is, beside plain torch and numpy programs that do the same.

    python -m benchmarks [--rounds N] [--chips N] [--sequences N] [--out FOLDER]

All programs take turns in one process on one thread, so that what else the machine does falls
on all of them, and medians are compared.  Drawing the chips is included.  Writes speed.json, and
cost.svg: time against chips, sequences and rows.
"""

from __future__ import annotations

# first: it sets the number of threads
from benchmarks.task import Task, load  # isort: skip

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import plain_numpy, plain_torch
from benchmarks.cost import draw_cost, measure_cost
from benchmarks.ir_drop import time_ir_drop
from benchmarks.machine import describe_machine, peak_memory
from benchmarks.repairs import time_repairs
from benchmarks.threads import time_threads
from pimsim.files import write_json
from pimsim.simulate import run_chips
from pimsim.train.memory import keep_memory

# no cell or offset strays; the noise of eq. 5 alone
QUIET = {
    "programming": False, "drift": False, "rtn": False, "read_noise": False, "offset": False,
    "dynamic": False, "sigma_eval": 0.3,
}  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--chips", type=int, default=2)
    options.add_argument("--sequences", type=int, default=1000)
    options.add_argument("--out", type=Path, default=Path("benchmarks-out"))
    chosen = options.parse_args()
    # both programs' large arrays come from memory that is kept, not from the system each time
    keep_memory()
    tasks = [
        load("GRU, every cell strays", "gru", chosen.sequences),
        load("GRU, no static error", "gru", chosen.sequences, QUIET),
        load("LeNet5, every cell strays", "lenet5", chosen.sequences),
    ]
    results = [time_task(task, chosen.chips, chosen.rounds) for task in tasks]
    threads = time_threads(chosen.sequences, 5 * chosen.rounds)
    ir_drop = [
        time_ir_drop(model, chosen.sequences, chosen.chips, chosen.rounds)
        for model in ("gru", "lenet5")
    ]
    repairs = [time_repairs(model, chosen.chips, chosen.rounds) for model in ("gru", "lenet5")]
    cost = measure_cost(tasks[0])
    report = {
        "machine": describe_machine(),
        "chips": chosen.chips,
        "sequences": chosen.sequences,
        "rounds": chosen.rounds,
        "tasks": results,
        "threads": threads,
        "ir_drop": ir_drop,
        "repairs": repairs,
        "cost": cost,
        "peak_memory_mb": peak_memory(),
    }
    chosen.out.mkdir(parents=True, exist_ok=True)
    print("written:", write_json(chosen.out / "speed.json", report))
    print("written:", draw_cost(cost, chosen.out / "cost.svg"))


def time_task(task: Task, chips: int, rounds: int) -> dict[str, Any]:
    """Inferences per second of every program, and pimsim's ratio to each."""
    kernels: dict[str, str] = {}

    def ours(kernel: str | None) -> Callable[[], None]:
        def run() -> None:
            done = run_chips(task.chip, task.encoded, range(chips), 1, threads=1, kernel=kernel)
            kernels["pimsim" if kernel is None else f"pimsim, {kernel}"] = done.kernel

        return run

    programs: dict[str, Callable[[], Any]] = {
        "torch float32": lambda: plain_torch.run(task, range(chips)),
        "numpy float32": lambda: plain_numpy.run(task, range(chips)),
        "pimsim": ours(None),
        "pimsim, portable": ours("portable"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for number in range(rounds + 1):
        for name, program in programs.items():
            begin = time.process_time()
            program()
            if number:  # the first compiles and warms up
                seconds[name].append(time.process_time() - begin)
    n = chips * len(task.labels)
    macs = task.macs
    print(f"\n{task.name}: {len(task.labels)} sequences on {chips} chips, {macs:,} MAC each")
    found: dict[str, Any] = {"task": task.name, "macs_per_inference": macs, "programs": {}}
    for name, times in seconds.items():
        rate = n / statistics.median(times)
        to_torch = [a / b for a, b in zip(seconds["torch float32"], times, strict=True)]
        ratio = statistics.median(to_torch)
        found["programs"][name] = {
            "inferences_per_s": rate,
            "macs_per_s": rate * macs,
            "ratio_to_torch": ratio,
            "ratio_spread": [min(to_torch), max(to_torch)],
            "kernel": kernels.get(name),
        }
        print(
            f"{name:18} {rate:10,.0f} inferences/s  {rate * macs / 1e9:8.1f} GMAC/s  "
            f"{ratio:6.2f} x torch ({min(to_torch):.2f} to {max(to_torch):.2f})"
            f"  {kernels.get(name, '')}"
        )
    return found


if __name__ == "__main__":
    main()
