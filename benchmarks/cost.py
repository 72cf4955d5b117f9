"""How the time of a run grows with chips, sequences and rows: linearly, or something is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numba import njit

from benchmarks.task import Task
from pimsim.kernels import registers
from pimsim.kernels.lane_sums import add_up, lane_tables
from pimsim.kernels.memory import aligned
from pimsim.kernels.registers import LANES
from pimsim.simulate import run_chips

Curve = dict[str, list[float]]


def measure_cost(task: Task) -> dict[str, Curve]:
    """Seconds of CPU time against each size, the best of three."""
    n = len(task.labels)

    def run(chips: int, sequences: int) -> Callable[[], object]:
        part = task.encoded[:sequences]
        return lambda: run_chips(task.chip, part, range(chips), 1, threads=1)

    few = min(n, 256)
    curves = {
        "chips": _curve([1, 2, 4, 8], lambda size: run(size, few)),
        "sequences": _curve([n // 8, n // 4, n // 2, n], lambda size: run(1, size)),
    }
    if registers.available:
        curves["rows"] = _curve([128, 256, 512, 1024], _reads_of)
    return curves


def _reads_of(n_rows: int) -> Callable[[], object]:
    """Sums of 256 columns for 128 sequences, many times."""
    columns = 256
    tables = lane_tables(np.zeros((1, n_rows, columns), np.int32), np.zeros((1, columns), np.int32))
    groups, kind = tables.sums.shape[2], tables.sums.dtype
    selectors = aligned((groups * LANES,), kind)
    selectors[:] = 0
    sums = aligned((columns * LANES,), np.int16)
    return lambda: _add_up_often(tables.sums.reshape(-1), tables.start[0], selectors, sums)


@njit(cache=True)
def _add_up_often(tables, start, selectors, sums):  # type: ignore[no-untyped-def]
    for _ in range(200):
        add_up(tables, 0, start, selectors, sums)


def _curve(sizes: list[int], program: Callable[[int], Callable[[], object]]) -> Curve:
    seconds = []
    for size in sizes:
        run = program(size)
        run()
        times = []
        for _ in range(3):
            begin = time.process_time()
            run()
            times.append(time.process_time() - begin)
        seconds.append(min(times))
    return {"size": [float(size) for size in sizes], "cpu_s": seconds}


def draw_cost(curves: dict[str, Curve], path: Path) -> Path:
    """One panel for each size."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, len(curves), figsize=(3.2 * len(curves), 2.8), squeeze=False)
    for axis, (name, curve) in zip(axes[0], curves.items(), strict=True):
        size, seconds = np.array(curve["size"]), np.array(curve["cpu_s"])
        axis.plot(size, seconds, "o-", label="measured")
        axis.plot(size, seconds[-1] * size / size[-1], ":", color="grey", label="proportional")
        axis.set(xlabel=name, ylabel="CPU time [s]", xlim=(0, None), ylim=(0, None))
    axes[0][0].legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
    return path
