"""The same Monte Carlo as a plain float32 numpy program; see `benchmarks.plain_torch`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.task import Task
from pimsim.chip import Tile
from pimsim.workload.layers import Conv2d, Gru, MaxPool
from pimsim.workload.patches import patches, pool

Floats = NDArray[np.float32]


def run(task: Task, chips: range) -> NDArray[np.int64]:
    """Predictions (n_chips, n)."""
    random = np.random.Generator(np.random.SFC64(1))
    return np.stack([_run_chip(task, random) for _ in chips])


def _run_chip(task: Task, random: np.random.Generator) -> NDArray[np.int64]:
    network = task.chip.network
    last = task.encoded.astype(np.float32)
    if network.has_steps:
        last = np.ascontiguousarray(last.transpose(1, 0, 2))
    for node in network.nodes:
        layer = node.layer
        if isinstance(layer, MaxPool):
            last = pool(last, layer.size, layer.stride)
            continue
        tile = task.chip.tile_of[node.name]
        weights, start, sigma = _program(tile, random)
        if isinstance(layer, Gru):
            last = _gru(last, weights, start, sigma, random)
            continue
        is_map = isinstance(layer, Conv2d)
        cut = (
            patches(last, layer.kernel, layer.stride, layer.padding)
            if is_map
            else last.reshape(len(last), -1)
        )
        sums = cut.reshape(-1, cut.shape[-1]) @ weights + start
        last = _decide(sums, sigma, random).reshape(*cut.shape[:-1], -1)
    final = last[-1] if network.has_steps else last
    return np.asarray((final @ network.output.weights + network.output.biases).argmax(axis=-1))


def _program(tile: Tile, random: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    weights, starts, sigmas = [], [], []
    for part in tile.matrices:
        mean, spread = part.cell.mean.astype(np.float32), part.cell.sigma.astype(np.float32)
        sides = [
            np.maximum(
                mean[levels] + spread[levels] * random.standard_normal(levels.shape, np.float32), 0
            )
            for levels in (part.cells.plus, part.cells.minus)
        ]
        cells = sides[0] - sides[1]
        n_rows, n_columns = part.matrix.levels.shape
        offset = np.float32(part.read_out.offset_units / part.matrix.alpha)
        drawn = offset * random.standard_normal(n_columns, np.float32)
        starts.append(cells[n_rows:].sum(axis=0) - drawn)
        weights.append(cells[:n_rows])
        sigma = part.read_out.sigma_units / part.matrix.alpha
        sigmas.append(np.full(n_columns, sigma, np.float32))
    return np.concatenate(weights, axis=1), np.concatenate(starts), np.concatenate(sigmas)


def _decide(sums: Floats, sigma: Floats, random: np.random.Generator) -> Floats:
    if sigma.any():
        sums = sums + sigma * random.standard_normal(sums.shape, np.float32)
    return (sums > 0).astype(np.float32)


def _gru(
    below: Floats, weights: Floats, start: Floats, sigma: Floats, random: np.random.Generator
) -> Floats:
    n_steps, n, _ = below.shape
    n_hidden = weights.shape[1] // 2
    noisy = bool(sigma.any())
    out = np.empty((n_steps, n, n_hidden), np.float32)
    lines = np.zeros((n, weights.shape[0]), np.float32)
    sums, noise = (np.empty((n, 2 * n_hidden), np.float32) for _ in range(2))
    for step in range(n_steps):
        lines[:, n_hidden:] = below[step]
        np.dot(lines, weights, out=sums)
        sums += start
        if noisy:
            random.standard_normal(out=noise, dtype=np.float32)
            noise *= sigma
            sums += noise
        fired = sums > 0
        np.copyto(lines[:, :n_hidden], fired[:, n_hidden:], where=~fired[:, :n_hidden])
        out[step] = lines[:, :n_hidden]
    return out
