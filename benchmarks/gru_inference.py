"""Inferences per second of a chip's GRU, beside the same work as matrix products.

    python benchmarks/gru_inference.py [--chips N] [--sequences N] [--rounds N]

Both programs run the shipped trigger-word GRU on chips whose every cell has its
own error, with fresh Gaussian noise at every decision, on one thread.  The plain
program is float32 numpy: one BLAS product per layer and step, and numpy's own
normal numbers.  They take turns, and the medians' ratio is what to quote.
"""

from __future__ import annotations

import os

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from pimsim.chip import program_tile
from pimsim.simulate import encode_inputs, run_chips
from pimsim.studies.prepare import prepare


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--chips", type=int, default=2)
    options.add_argument("--sequences", type=int, default=324)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    prepared = prepare("gru", {"limit": chosen.sequences})
    chip = prepared.chip(prepared.setup.noise)
    encoded = encode_inputs(chip, prepared.data.features)
    programmed = [[program_tile(t, 1, i) for t in chip.tiles if t] for i in range(chosen.chips)]
    sigmas = [
        np.repeat([m.read_out.sigma_quanta for m in tile.matrices], tile.placement.n_pairs // 2)
        for tile in chip.tiles
        if tile
    ]
    rng = np.random.default_rng(1)

    def plain() -> None:
        for tiles in programmed:
            below = encoded.astype(np.float32)
            for tile, sigma in zip(tiles, sigmas, strict=True):
                cells, start = tile.cells.astype(np.float32), tile.start.astype(np.float32)
                n_hidden = cells.shape[1] // 2
                hidden = np.zeros((len(below), n_hidden), np.float32)
                above = np.empty((*below.shape[:2], n_hidden), np.float32)
                for step in range(below.shape[1]):
                    lines = np.concatenate([hidden, below[:, step]], axis=1)
                    noise = rng.standard_normal((len(lines), 2 * n_hidden), np.float32)
                    fired = (lines @ cells + start + noise * sigma.astype(np.float32)) > 0
                    gate, candidate = fired[:, :n_hidden], fired[:, n_hidden:]
                    hidden = np.where(gate, hidden, candidate).astype(np.float32)
                    above[:, step] = hidden
                below = above

    def ours() -> None:
        run_chips(chip, encoded, range(chosen.chips), 1, threads=1)

    seconds: dict[str, list[float]] = {"plain numpy": [], "pimsim": []}
    programs: dict[str, Callable[[], None]] = {"plain numpy": plain, "pimsim": ours}
    for program in programs.values():
        program()
    for _ in range(chosen.rounds):
        for label, program in programs.items():
            begin = time.perf_counter()
            program()
            seconds[label].append(time.perf_counter() - begin)
    n = chosen.chips * len(encoded)
    for label, times in seconds.items():
        print(f"{label:12} {n / statistics.median(times):10,.0f} inferences/s")
    ratios = [a / b for a, b in zip(*seconds.values(), strict=True)]
    print(f"pimsim is {statistics.median(ratios):.2f} times as fast "
          f"({min(ratios):.2f} to {max(ratios):.2f}), programming included")  # fmt: skip


if __name__ == "__main__":
    main()
