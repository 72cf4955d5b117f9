"""The last layer of an imported network: scores, which a digital unit computes from codes."""

from __future__ import annotations

import numpy as np

from pimsim.importers.ops import Real
from pimsim.importers.signal import Signal
from pimsim.workload import Output, to_grid
from pimsim.workload.ends import codes_as_scores
from pimsim.workload.grid import WEIGHT_GRID, WEIGHT_LIMIT

# weights and biases of scores are scaled to this
LARGEST_SCORE_WEIGHT = 7.0


def output_of(
    weights: Real, biases: Real, source: Signal, every_step: bool = False, metric: str = "accuracy"
) -> Output:
    """Scores of codes, scaled by a common factor that changes no class.

    Parameters
    ----------
    weights : (n_in, n_classes)
        For the values of a signal, in the trained network's order.
    biases : (n_classes,)
    every_step, metric
        As in `Output`; scores of every step know what they were scaled by.

    Notes
    -----
    Offsets of codes are taken off by the rounded weights, which stand on twice the grid: so equal
    scores of codes with a half as offset, such as of -1 and +1, stay equal.
    """
    rows = source.rows(weights)
    steps, offset = source.of_rows()
    own, ratio = rows * steps[:, None], offset / steps
    largest = max(np.abs(own).max(), np.abs(biases).max(), np.abs(ratio @ own + biases).max())
    factor = LARGEST_SCORE_WEIGHT / max(largest, 1e-30)
    rounded = to_grid(own * factor, 2 * WEIGHT_GRID, WEIGHT_LIMIT)
    constant = to_grid(biases * factor, WEIGHT_GRID, WEIGHT_LIMIT) + ratio @ rounded
    constant = to_grid(constant, WEIGHT_GRID, WEIGHT_LIMIT)
    scale = 1 / factor if every_step else None
    return Output(
        rounded.astype(np.float32), constant.astype(np.float32), every_step, metric, scale
    )


def output_of_codes(last: Signal, every_step: bool) -> Output | None:
    """Scores that are the codes of a last layer; None where these are not in order.

    They are if all classes have one step, which is above 0, and one offset.
    """
    codes, (steps, offsets) = last.shape.codes, last.of_rows()
    is_ordered = np.ptp(steps) == np.ptp(offsets) == 0 < steps[0]
    if not is_ordered or every_step or last.order is not None or codes is None or codes.bits < 2:
        return None
    return codes_as_scores(last.shape.size)
