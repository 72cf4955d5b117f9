"""What a second thread brings, and what the machine would give to a second process.

Two CPUs of a virtual machine share a host with others: two processes that know nothing of each
other show how much of a second CPU there is.
"""

from __future__ import annotations

# first: it sets the number of threads
from benchmarks.task import load  # isort: skip

import statistics
import time
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from pimsim.simulate import run_chips

CHIPS = 4


def time_threads(sequences: int, rounds: int) -> dict[str, Any]:
    """Wall times of four chips of the GRU: on one thread, on two, and on one in two processes.

    All three take turns; ratios are of medians and of the shortest times.
    """
    context = get_context("spawn")
    pipes, workers = [], []
    for _ in range(2):
        mine, its = context.Pipe()
        workers.append(context.Process(target=_work, args=(sequences, its), daemon=True))
        workers[-1].start()
        pipes.append(mine)
    seconds: dict[str, list[float]] = {"one thread": [], "two threads": [], "two processes": []}
    for _ in range(rounds):
        for (name, times), n_workers, threads in zip(
            seconds.items(), (1, 1, 2), (1, 2, 1), strict=True
        ):
            for pipe in pipes[:n_workers]:
                pipe.send(threads)
            slowest = max(pipe.recv() for pipe in pipes[:n_workers])
            # two processes do twice the work
            times.append(slowest / 2 if name == "two processes" else slowest)
    for pipe, worker in zip(pipes, workers, strict=True):
        pipe.send(None)
        worker.join()
    found: dict[str, Any] = {"seconds": seconds}
    print(f"\n{CHIPS} chips of {sequences} sequences, times as fast as on one thread:")
    for name, times in list(seconds.items())[1:]:
        ratios = [pick(seconds["one thread"]) / pick(times) for pick in (statistics.median, min)]
        found[name] = dict(zip(("by_median", "by_shortest"), ratios, strict=True))
        print(f"{name:14} {ratios[0]:5.2f} by medians, {ratios[1]:5.2f} by the shortest")
    return found


def _work(sequences: int, pipe: Connection) -> None:
    task = load("GRU, every cell strays", "gru", sequences)
    for threads in (1, 2):  # compiles and warms up
        run_chips(task.chip, task.encoded, range(CHIPS), 1, threads=threads)
    while (threads := pipe.recv()) is not None:
        begin = time.perf_counter()
        run_chips(task.chip, task.encoded, range(CHIPS), 1, threads=threads)
        pipe.send(time.perf_counter() - begin)
