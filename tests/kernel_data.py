"""Operands that the tests of all kernels share."""

from __future__ import annotations

import numpy as np

from pimsim.kernels.decisions import Chances, Streams
from pimsim.kernels.register_draws import RUNGS
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


def chances_of(*tables_and_widths) -> Chances:
    """Tables one after the other, each shared by so many columns."""
    tables, widths = zip(*tables_and_widths, strict=True)
    limits = [(len(table) - 1) // 2 for table in tables]
    room = np.zeros(RUNGS // 2, np.uint64)
    starts = np.cumsum([len(room), *map(len, tables)])[:-1]
    return Chances(
        np.concatenate([room, *tables, room]).astype(np.uint32),
        np.repeat(starts + limits, widths).astype(np.int32),
        np.repeat(limits, widths).astype(np.int32),
    )
