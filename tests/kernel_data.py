"""Operands that the tests of all kernels share."""

from __future__ import annotations

import numpy as np

from pimsim.kernels.decisions import ProbabilityTables, Streams, join_tables
from pimsim.streams import Purpose, tag

KEY = (123, 45)
TAG = tag(Purpose.DECISION, 3)


def streams(chips, samples) -> Streams:
    return Streams(
        np.array(KEY, np.uint64),
        np.uint64(TAG),
        np.asarray(chips, np.int64),
        np.asarray(samples, np.int64),
    )


def joined(*tables_and_widths) -> ProbabilityTables:
    """Tables one after the other, each shared by so many columns."""
    return join_tables(*zip(*tables_and_widths, strict=True))
