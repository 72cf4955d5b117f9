"""Activations: functions that never fall, and the least argument at which each reaches a value."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from pimsim.importers.ops import Activation, NetworkImportError, Real

# an argument, and whether it must be exceeded or only be reached
Least = tuple[float, bool]
NEVER, ALWAYS = (math.inf, False), (-math.inf, False)


class Function(NamedTuple):
    """An activation.

    Attributes
    ----------
    of : callable
        Values of arguments.
    least : callable
        value -> least argument at which the function is this value or more.
    is_positive : bool
        Whether it is never below 0.
    """

    of: Callable[[Real], Real]
    least: Callable[[float], Least]
    is_positive: bool


def _bounded(low: float, high: float) -> Callable[[float], Least]:
    def least(value: float) -> Least:
        if value <= low:
            return ALWAYS
        return (value, False) if value <= high else NEVER

    return least


def _sigmoid(value: float) -> Least:
    if value <= 0:
        return ALWAYS
    return (math.log(value / (1 - value)), False) if value < 1 else NEVER


def _tanh(value: float) -> Least:
    if value <= -1:
        return ALWAYS
    return (math.atanh(value), False) if value < 1 else NEVER


def _sign(value: float) -> Least:
    if value <= -1:
        return ALWAYS
    # +1 above 0 alone, as neurons of bits
    return (0.0, True) if value <= 1 else NEVER


def function(activation: Activation) -> Function:
    """Function of an activation; raises a NetworkImportError for one that is not known."""
    low, high = activation.low, activation.high
    known: dict[str, Function] = {
        "identity": Function(lambda x: x, _bounded(-math.inf, math.inf), is_positive=False),
        "relu": Function(lambda x: np.maximum(x, 0.0), _bounded(0.0, math.inf), is_positive=True),
        "sigmoid": Function(lambda x: 0.5 * (np.tanh(0.5 * x) + 1), _sigmoid, is_positive=True),
        "tanh": Function(np.tanh, _tanh, is_positive=False),
        "hardtanh": Function(
            lambda x: np.clip(x, low, high), _bounded(low, high), is_positive=low >= 0
        ),
        "sign": Function(lambda x: np.where(x > 0, 1.0, -1.0), _sign, is_positive=False),
    }
    if activation.kind not in known:
        raise NetworkImportError(
            f"{activation.name} is the activation {activation.kind}, which pimsim does not know",
            remedy=f"Known are {', '.join(known)}",
        )
    return known[activation.kind]
