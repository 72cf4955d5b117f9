"""Tables over the time since programming and over the current of a level."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def at_age(
    times: Sequence[float],
    at: Sequence[float],
    rows: Sequence[Sequence[float]],
    current: NDArray[np.float64],
    age: float,
) -> NDArray[np.float64]:
    """Values of a table at an age and at some currents.

    Straight lines lie between the entries, in the current and in the logarithm of time; outside
    them the first or last row and column hold.

    Parameters
    ----------
    times : (n_times,)
        Of the rows [s], rising.
    at : (n_columns,)
        Currents of the columns, rising, in the unit of `current`.
    """
    held = min(max(age, times[0]), times[-1])
    place = float(np.interp(np.log(held), np.log(times), np.arange(len(times))))
    low, fraction = int(place), place % 1
    two = [np.interp(current, at, rows[min(low + i, len(times) - 1)]) for i in (0, 1)]
    return np.asarray((1 - fraction) * two[0] + fraction * two[1])
