"""Bits of a machine word."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import config, types
from numba.extending import intrinsic


@intrinsic
def _count_bits(context: Any, word: Any) -> Any:
    """Number of bits of a uint64 that are 1."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), build


def _count_uncompiled(word: np.uint64) -> np.uint64:
    return np.uint64(int(word).bit_count())


count_bits: Any = _count_uncompiled if config.DISABLE_JIT else _count_bits  # type: ignore[attr-defined]
