"""The same Monte Carlo as a plain float32 torch program: what a user would write without pimsim.

Every chip draws a current for every cell, clipped at zero, and an offset for every sense
amplifier; every decision adds a new normal number.  Encoder bits are computed once for all chips,
as they are in pimsim.  Nothing is counted, and no draw repeats on another machine.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from benchmarks.task import Task
from pimsim.chip import Tile
from pimsim.workload.layers import Conv2d, Gru, MaxPool


def run(task: Task, chips: range) -> Tensor:
    """Predictions (n_chips, n)."""
    # numba's threads and torch's are of one pool, and numba has set their number
    torch.set_num_threads(1)
    torch.manual_seed(1)
    found = []
    with torch.inference_mode():
        for _ in chips:
            found.append(_run_chip(task))
    return torch.stack(found)


def _run_chip(task: Task) -> Tensor:
    # time, or height and width, first and channels before them: as torch takes them
    is_recurrent = task.chip.network.has_steps
    bits = torch.from_numpy(task.encoded)
    last = bits.transpose(0, 1).float() if is_recurrent else bits.permute(0, 3, 1, 2).float()
    for node in task.chip.network.nodes:
        layer = node.layer
        if isinstance(layer, MaxPool):
            last = nn.functional.max_pool2d(last, layer.size, layer.stride)
            continue
        tile = task.chip.tile_of[node.name]
        weights, start, sigma = _program(tile)
        if isinstance(layer, Gru):
            last = _gru(last, weights, start, sigma)
        elif isinstance(layer, Conv2d):
            side = layer.kernel
            kernels = weights.reshape(side, side, last.shape[1], -1).permute(3, 2, 0, 1)
            sums = nn.functional.conv2d(
                last, kernels.contiguous(), start, layer.stride, layer.padding
            )
            last = _decide(sums, sigma[:, None, None])
        else:
            flat = last if last.dim() == 2 else last.permute(0, 2, 3, 1).flatten(1)
            last = _decide(torch.addmm(start, flat, weights), sigma)
    final = last[-1] if is_recurrent else last
    output = task.chip.network.output
    scores = final @ torch.from_numpy(output.weights) + torch.from_numpy(output.biases)
    return scores.argmax(dim=-1)


def _program(tile: Tile) -> tuple[Tensor, Tensor, Tensor]:
    """Weights (n_rows, n_columns), what sums start with, and noise, of a chip [full scales]."""
    weights, starts, sigmas = [], [], []
    for part in tile.matrices:
        mean = torch.from_numpy(part.cell.mean).float()
        spread = torch.from_numpy(part.cell.sigma).float()
        sides = []
        for levels in (part.cells.plus, part.cells.minus):
            which = torch.from_numpy(levels).long()
            sides.append((mean[which] + spread[which] * torch.randn(which.shape)).clamp_(min=0))
        cells = sides[0] - sides[1]
        n_rows = part.matrix.n_rows
        offset = part.read_out.offset_units / part.matrix.alpha
        starts.append(cells[n_rows:].sum(dim=0) - offset * torch.randn(cells.shape[1]))
        weights.append(cells[:n_rows])
        sigma = part.read_out.sigma_units / part.matrix.alpha
        sigmas.append(torch.full((cells.shape[1],), sigma))
    return torch.cat(weights, dim=1), torch.cat(starts), torch.cat(sigmas)


def _decide(sums: Tensor, sigma: Tensor) -> Tensor:
    """1 where sum + noise > 0; without noise nothing is drawn."""
    if sigma.any():
        sums = torch.addcmul(sums, torch.empty_like(sums).normal_(), sigma)
    return (sums > 0).float()


def _gru(below: Tensor, weights: Tensor, start: Tensor, sigma: Tensor) -> Tensor:
    """Hidden bits (n_steps, n, n_hidden) of a layer, eq. 7-11."""
    n_steps, n, _ = below.shape
    n_hidden = weights.shape[1] // 2
    noisy = bool(sigma.any())
    out = torch.empty(n_steps, n, n_hidden)
    lines = torch.zeros(n, weights.shape[0])
    sums, noise = torch.empty(n, 2 * n_hidden), torch.empty(n, 2 * n_hidden)
    for step in range(n_steps):
        lines[:, n_hidden:] = below[step]
        torch.addmm(start, lines, weights, out=sums)
        if noisy:
            sums.addcmul_(noise.normal_(), sigma)
        fired = sums > 0
        hidden = torch.where(fired[:, :n_hidden], lines[:, :n_hidden], fired[:, n_hidden:].float())
        lines[:, :n_hidden] = hidden
        out[step] = hidden
    return out
