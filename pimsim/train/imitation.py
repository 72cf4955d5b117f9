"""Levels that read thermometer bits in place of real weights that read the inputs themselves."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

# steps of a level that are tried, in standard deviations of a column of exact weights
STEPS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.4)
# shares of the mean variance of a row, added to all: rows that say nearly the same stay solvable
SOLVING, ROUNDING = 1e-4, 1e-2
# times that the step is fitted to the levels, and the levels to the step
ROUNDS = 3
SMALLEST = 1e-9


class Imitation(NamedTuple):
    """Sums of levels that follow wanted sums.

    Attributes
    ----------
    levels : (n_rows, n_outputs) float64
        Whole numbers.
    steps : (n_outputs,) float64
        Wanted sums are about steps (bits @ levels - thresholds).
    thresholds : (n_outputs,) float64
        Not rounded.
    error : (n_outputs,) float64
        Variance of what is left of the wanted sums, as a share of theirs.
    """

    levels: Tensor
    steps: Tensor
    thresholds: Tensor
    error: Tensor


def imitate(bits: Tensor, wanted: Tensor, top: int) -> Imitation:
    """Find levels -top..top of rows of bits whose sums come near to wanted sums.

    Weights of full precision by least squares are rounded row by row; the error of each row is
    made up for by the rows that follow, as well as their correlation with it permits (Frantar et
    al. 2023, GPTQ). Every output has the step of those that are tried with which it errs least.

    Parameters
    ----------
    bits : (n, n_rows)
        Examples of the bits, 0 or 1.
    wanted : (n, n_outputs)
        Sums of these examples.
    top : int
        Largest level.
    """
    rows, sums = bits.double(), wanted.double()
    row_mean, sum_mean = rows.mean(dim=0), sums.mean(dim=0)
    rows, sums = rows - row_mean, sums - sum_mean
    alike = rows.t() @ rows / len(rows)
    exact = torch.linalg.solve(_steadied(alike, SOLVING), rows.t() @ sums / len(rows))
    following = torch.linalg.cholesky(torch.linalg.inv(_steadied(alike, ROUNDING)), upper=True)
    variance = sums.var(dim=0, correction=0).clamp(min=SMALLEST)
    deviation = exact.std(dim=0).clamp(min=SMALLEST)
    found: list[Imitation] = []
    for share in STEPS:
        steps = share * deviation
        for _ in range(ROUNDS):
            levels = _rounded(exact / steps, following, top)
            seen = alike @ levels
            size = (levels * seen).sum(dim=0).clamp(min=SMALLEST)
            steps = ((exact * seen).sum(dim=0) / size).clamp(min=SMALLEST)
        left = levels * steps - exact
        error = (left * (alike @ left)).sum(dim=0) / variance
        thresholds = row_mean @ levels - sum_mean / steps
        found.append(Imitation(levels, steps, thresholds, error))
    best = torch.stack([each.error for each in found]).argmin(dim=0)
    columns = torch.arange(len(best))
    return Imitation(
        torch.stack([each.levels for each in found])[best, :, columns].t().contiguous(),
        *(torch.stack(each)[best, columns] for each in list(zip(*found, strict=True))[1:]),
    )


def _steadied(alike: Tensor, share: float) -> Tensor:
    """Covariance (n, n) with a share of its mean variance added to every variance."""
    mean = alike.diagonal().mean().clamp(min=SMALLEST)
    return alike + share * mean * torch.eye(len(alike), dtype=alike.dtype)


def _rounded(weights: Tensor, following: Tensor, top: int) -> Tensor:
    """Weights (n_rows, n_outputs) as whole numbers, errors carried on to rows that follow."""
    left = weights.clone()
    found = torch.zeros_like(left)
    for row in range(len(left)):
        found[row] = left[row].round().clamp(-top, top)
        error = (left[row] - found[row]) / following[row, row]
        left[row:] -= torch.outer(following[row, row:], error)
    return found
