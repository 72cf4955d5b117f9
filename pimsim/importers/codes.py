"""Limits of codes: from a group's function and the format of its output to limits of sums."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.importers.activations import NEVER, Least, function
from pimsim.importers.groups import Group
from pimsim.importers.ops import Activation, Real

# limits of sums are rounded to this before they are made whole, so that the last bits in which two
# machines' logarithms or divisions may differ decide nothing
_GRID = 2.0**-20
_LARGEST = 2**31 - 1
# clipping ranges that are tried, as shares of the largest value
CLIPS = np.linspace(0.3, 1, 36)
# values that a range is chosen from
SAMPLED = 50_000


class Format(NamedTuple):
    """Codes of a signal and their meaning.

    Attributes
    ----------
    bits : int
    scale, offset : float
        The value of code u is scale x u + offset.
    zero : int
        Code of 0; of a format that has none, the nearest.
    least : list of (value, strict)
        For each code above 0, the least value (before rounding) that has it.
    """

    bits: int
    scale: float
    offset: float
    zero: int
    least: list[Least]

    @property
    def has_zero(self) -> bool:
        return math.isclose(self.offset, -self.scale * self.zero, abs_tol=1e-9 * self.scale)


class Line(NamedTuple):
    """Argument of a group's function, as a line over whole sums S: slope x S + constant."""

    slope: Real
    constant: Real


def named_format(group: Group) -> Format | None:
    """Format that the network itself names, by a rounding or by a sign; None for none."""
    rounding = group.quantise
    if rounding is None:
        if group.activation is not None and group.activation.kind == "sign":
            return Format(1, 2.0, -1.0, 0, [(0.0, True)])
        return None
    scale, lowest = rounding.scale, rounding.lowest
    if rounding.is_bipolar:
        return Format(1, 2 * scale, -scale, 0, [(0.0, False)])
    n_codes = rounding.highest - lowest + 1
    bits = max(1, (n_codes - 1).bit_length())
    zero = min(max(rounding.zero_point - lowest, 0), 2**bits - 1)
    # halves are rounded to even: they reach an even code, and must exceed the limit of an odd one
    least: list[Least] = [
        ((code - 0.5 - rounding.zero_point) * scale, code % 2 == 1)
        for code in range(lowest + 1, rounding.highest + 1)
    ]
    least += [NEVER] * (2**bits - n_codes)
    return Format(bits, scale, (lowest - rounding.zero_point) * scale, zero, least)


def fitted_format(values: Real, bits: int, is_positive: bool) -> Format:
    """Format of codes of `bits` bits whose range suits values: of least squared error."""
    values = np.ravel(values)
    values = values[:: -(-len(values) // SAMPLED)]
    zero = 0 if is_positive else 2 ** (bits - 1)
    top = 2**bits - 1 - zero
    largest = float(np.abs(values).max(initial=0.0)) or 1.0
    clips = CLIPS if bits < 8 else CLIPS[-1:]
    scales = [clip * largest / max(top, 1) for clip in clips]
    errors = [float(((_rounded(values, s, zero, bits) - values) ** 2).mean()) for s in scales]
    scale = scales[int(np.argmin(errors))]
    least: list[Least] = [((code - 0.5 - zero) * scale, False) for code in range(1, 2**bits)]
    return Format(bits, scale, -scale * zero, zero, least)


def _rounded(values: Real, scale: float, zero: int, bits: int) -> Real:
    codes = np.clip(np.floor(values / scale + zero + 0.5), 0, 2**bits - 1)
    return np.asarray((codes - zero) * scale)


def arguments(group: Group, given: Format) -> list[Least]:
    """Least argument of a group's function (after its norms before) for each code above 0.

    `given.least` holds for every channel where the norms after the activation are numbers.
    """
    own = function(group.activation or Activation(group.name, (), "identity"))
    found = []
    for value, strict in given.least:
        for norm in reversed(group.rescale):
            value = float((value - float(np.ravel(norm.shift)[0])) / float(np.ravel(norm.scale)[0]))
        if math.isinf(value):
            found.append((value, False))
            continue
        # a strict bound on a flat part is met at the end of that part
        argument, own_strict = own.least(math.nextafter(value, math.inf) if strict else value)
        found.append((argument, strict or own_strict))
    return found


def limits_of(line: Line, least: list[Least]) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Limits of whole sums, and which columns fall with the sum.

    Parameters
    ----------
    line : Line
        (n_columns,) each.
    least : list of (argument, strict)

    Returns
    -------
    limits : (n_columns, n_limits) int32
    falls : (n_columns,) bool
        The codes of these columns are counted from the top: top - code.
    """
    n_columns = len(line.slope)
    limits = np.empty((n_columns, len(least)), np.int64)
    for column, (slope, constant) in enumerate(zip(line.slope, line.constant, strict=True)):
        for index, (argument, strict) in enumerate(least):
            limits[column, index] = _limit(slope, constant, argument, strict)
    falls = np.asarray(line.slope) < 0
    return np.sort(limits, axis=1).astype(np.int32), falls


def _limit(slope: float, constant: float, argument: float, strict: bool) -> int:
    """Least whole sum at which slope x sum + constant reaches an argument, or passes it."""
    if slope == 0 or math.isinf(argument):
        always = constant > argument or (constant == argument and not strict)
        if slope < 0:
            always = not always
        return -_LARGEST if always else _LARGEST
    bound = round((argument - constant) / slope / _GRID) * _GRID
    if slope < 0:
        # reached up to the bound; counted from the top, it is what lies beyond
        strict = not strict
    whole = math.floor(bound) + 1 if strict else math.ceil(bound)
    return int(np.clip(whole, -_LARGEST, _LARGEST))
