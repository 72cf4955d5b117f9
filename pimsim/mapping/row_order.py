"""Order in which the inputs of a layer come to its word lines.

Sums do not depend on it. Along wires that lose voltage they do: cells near the read-out lose least,
and what is drawn there is lost to none beyond.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from pimsim.mapping.weights import CellPlan

# plans of a layer's matrices, and its number of inputs, to the place of each
RowOrder = Callable[[Sequence[CellPlan], int], NDArray[np.int64]]


def _network(plans: Sequence[CellPlan], n_inputs: int) -> NDArray[np.int64]:
    """As the network has them."""
    return np.arange(n_inputs)


def _largest_first(plans: Sequence[CellPlan], n_inputs: int) -> NDArray[np.int64]:
    """Rows with the largest levels, summed over all cells, nearest to the read-out."""
    levels = np.zeros(n_inputs, np.int64)
    for plan in plans:
        for side in plan.sides:
            levels += side[:n_inputs].astype(np.int64).sum(axis=1)
    place = np.empty(n_inputs, np.int64)
    place[np.argsort(-levels, kind="stable")] = np.arange(n_inputs)
    return place


# orders by the words of a chip file
ROW_ORDERS: dict[str, RowOrder] = {"network": _network, "largest_first": _largest_first}


def row_places(
    order: str, plans: Sequence[CellPlan], n_inputs: int, n_rows: int
) -> NDArray[np.int64]:
    """Place of each row along the bit lines, (n_rows,), 0 nearest to the read-out.

    Rows that are always on come last in any order.
    """
    return np.concatenate([ROW_ORDERS[order](plans, n_inputs), np.arange(n_inputs, n_rows)])
