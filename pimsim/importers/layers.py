"""Layers of a network from the operations of a trained one: levels, lines, formats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import PimsimError
from pimsim.importers.activations import Least
from pimsim.importers.codes import CLIPS, Format, Line, limits_of, named_format
from pimsim.importers.groups import Group
from pimsim.importers.ops import Conv, Dense, Gru, GruWithoutReset, NetworkImportError, Norm, Real
from pimsim.importers.signal import Signal
from pimsim.workload import LevelMatrix
from pimsim.workload import layers as kinds
from pimsim.workload.code_neurons import CodeNeurons
from pimsim.workload.signals import CodeFormat, Shape

BIT = CodeFormat(1)
# levels are held in 8 bits with a sign
MAX_LEVEL = 127
# parts that the larger of two steps in a sum is cut into, where their ratio is not simple
PARTS = 4096
SUM_BITS = 8
# activations after the scores that change no class
MONOTONE = ("identity", "sigmoid", "tanh")


class Product(NamedTuple):
    """A product with whole levels: what a column adds to is `line` of its sum.

    Attributes
    ----------
    levels : (n_rows, n_columns) int64
    n_levels : int
    line : Line
        (n_columns,) each.
    """

    levels: NDArray[np.int64]
    n_levels: int
    line: Line

    def turned(self, columns: NDArray[np.bool_]) -> Product:
        """The product with the signs of some columns turned."""
        return self._replace(levels=np.where(columns, -self.levels, self.levels))


def through(norms: Sequence[Norm], line: Line) -> Line:
    """A line after scales and shifts."""
    for norm in norms:
        line = Line(line.slope * norm.scale, line.constant * norm.scale + norm.shift)
    return line


def ends_with_scores(group: Group) -> bool:
    """Whether a last dense layer gives scores: nothing after it changes the order of classes."""
    activation = group.activation
    return (
        group.quantise is None
        and group.pool is None
        and (activation is None or activation.kind in MONOTONE)
    )


def product(head: Dense | Conv, sources: Sequence[Signal], weight_bits: int) -> Product:
    """Levels of a dense layer or a convolution for the codes of its signals.

    Raises
    ------
    NetworkImportError
        If levels do not fit, or padding has no code.
    """
    source = sources[0]
    if isinstance(head, Conv):
        if any(head.padding) and not source.has_zero:
            raise NetworkImportError(
                f"{head.name} pads with 0, and its inputs have no code for 0 (such as -1 and +1)",
                remedy="Pad with -1 before it, leave the padding out, or train with 0 and 1",
            )
        scale, offset = (_of_windows(head, values) for values in (source.scale, source.offset))
        n_columns = head.weight.shape[3]
        weights = head.weight.reshape(-1, n_columns)
        if head.across is not None:
            others = (np.tile(v[:, None], n_columns) for v in (sources[1].scale, sources[1].offset))
            weights = np.concatenate([weights, head.across])
            scale, offset = (
                np.concatenate(parts) for parts in zip((scale, offset), others, strict=True)
            )
    else:
        scale, offset = (values[:, None] for values in source.of_rows())
        weights = source.rows(head.weight)
    flat = weights.shape
    if len(weights) != len(scale):
        raise NetworkImportError(
            f"{head.name} has {len(weights)} rows and reads {len(scale)} numbers"
        )
    held = head.scaled
    steps = np.abs(scale)
    if held is not None and np.allclose(steps, steps.flat[0], rtol=1e-9):
        rows = source.rows(held.levels) if isinstance(head, Dense) else held.levels.reshape(flat)
        levels = (rows * np.sign(scale)).astype(np.int64)
        step = np.broadcast_to(held.scale * steps.flat[0], flat[1])
    else:
        levels, one = rounded(weights * scale, weight_bits)
        step = np.full(flat[1], one)
    largest = int(np.abs(levels).max(initial=1))
    if largest > MAX_LEVEL:
        raise NetworkImportError(f"{head.name} has weights of {largest} levels; 127 are the most")
    constant = head.bias + (levels * step / scale * offset).sum(axis=0)
    is_binary = largest == 1 and bool((levels != 0).all())
    n_levels = 2 if is_binary else 2 * max(largest, 1) + 1
    return Product(levels, n_levels, Line(np.asarray(step), constant))


def _of_windows(head: Conv, values: Real) -> Real:
    """Values of channels, for each row of a convolution and each of its columns."""
    window, (each, n_columns) = math.prod(head.weight.shape[:2]), head.weight.shape[2:]
    of_groups = values.reshape(head.groups, each).repeat(n_columns // head.groups, axis=0)
    return np.tile(of_groups.T, (window, 1))


def rounded(weights: Real, bits: int) -> tuple[NDArray[np.int64], float]:
    """Whole levels of weights of so many bits, sign included, and the weight of a level."""
    top = 2 ** (bits - 1) - 1
    largest = float(np.abs(weights).max(initial=0.0)) or 1.0
    found = []
    for clip in CLIPS if bits < 8 else CLIPS[-1:]:
        step = clip * largest / top
        levels = np.clip(np.round(weights / step), -top, top)
        found.append((float(((levels * step - weights) ** 2).sum()), step, levels))
    _, step, levels = min(found, key=lambda entry: entry[0])
    return levels.astype(np.int64), step


def matrix(product: Product, neurons: CodeNeurons) -> LevelMatrix:
    """A matrix whose unit is one level; its ranges are measured later (`check.with_ranges`)."""
    top = max(1, (product.n_levels - 1) // 2)
    n_columns = product.levels.shape[1]
    thresholds = neurons.limits[:, 0] - 1 if neurons.bits == 1 else np.zeros(n_columns)
    return LevelMatrix(
        levels=product.levels.astype(np.int8),
        n_levels=product.n_levels,
        alpha=float(top),
        thresholds=thresholds.astype(np.int32),
        preactivation_range=1.0,
        preactivation_spread=1.0,
        neurons=neurons,
    )


def ratios(title: str, sources: Sequence[Signal]) -> tuple[NDArray[np.int32], Real]:
    """Whole factors of the signals of a sum, and the value of one: (n,) and (width,)."""
    if len(sources) == 1:
        return np.ones(1, np.int32), sources[0].scale
    steps = []
    for source in sources:
        if not np.allclose(source.scale, source.scale[0], rtol=1e-9):
            raise NetworkImportError(f"{title} adds a signal whose channels have different steps")
        steps.append(float(source.scale[0]))
    ratios_of = [step / steps[0] for step in steps]
    simple = [Fraction(ratio).limit_denominator(64) for ratio in ratios_of]
    if np.allclose([float(ratio) for ratio in simple], ratios_of, rtol=1e-9, atol=0):
        common = math.lcm(*(ratio.denominator for ratio in simple))
        factors = np.array([int(ratio * common) for ratio in simple], np.int32)
        return factors, np.array([steps[0] / common])
    one = max(map(abs, steps)) / PARTS
    return np.array([round(step / one) for step in steps], np.int32), np.array([one])


def shape_of(name: str, layer: kinds.Layer, sources: Sequence[Signal]) -> Shape:
    """Shape of a layer's output; raises a NetworkImportError where its inputs do not fit."""
    try:
        return layer.shape(*(source.shape for source in sources))
    except PimsimError as error:
        raise NetworkImportError(f"{name} {error.message}", remedy=error.remedy) from error


def reset_gru(
    head: Gru, source: Signal, below: Real, hidden: Real, bits: int, weight_bits: int
) -> tuple[kinds.ResetGru, Format]:
    """A GRU of codes.

    Parameters
    ----------
    below, hidden : (n, n_steps, width)
        Values of its inputs and of its state on samples.

    Returns
    -------
    layer : ResetGru
    given : Format
        Of its state: signed codes of -1 to 1.
    """
    if bits < 2:
        raise NetworkImportError(f"{head.name} needs codes of 2 bits or more")
    n, zero = head.n_hidden, 2 ** (bits - 1)
    step, top = 1 / (zero - 1), 2**bits - 1
    least: list[Least] = [((code - 0.5 - zero) * step, False) for code in range(1, top + 1)]
    given = Format(bits, step, -step * zero, zero, least)
    scale, offset = source.of_rows()
    row_scale = np.concatenate([np.full(n, step), scale])[:, None]
    row_offset = np.concatenate([np.full(n, given.offset), offset])
    gates: list[Least] = [
        (math.log((code - 0.5) / (top - code + 0.5)), False) for code in range(1, top + 1)
    ]
    sums = [below @ head.below + head.below_bias, hidden @ head.recurrent + head.recurrent_bias]
    largest = max(float(np.abs(values[..., 2 * n :]).max()) for values in sums) or 1.0
    middle = 2 ** (SUM_BITS - 1)
    sum_step = largest / (middle - 1)
    of_sums: list[Least] = [
        ((code - 0.5 - middle) * sum_step, False) for code in range(1, 2**SUM_BITS)
    ]

    def part(own: slice, weights: Real, bias: Real, least: list[Least], at: int) -> LevelMatrix:
        levels, one = rounded(weights * row_scale, weight_bits)
        constant = bias + (levels * one / row_scale * row_offset[:, None]).sum(axis=0)
        line = Line(np.full(n, one), constant)
        limits, _ = limits_of(line, least)
        n_levels = 2 * max(1, int(np.abs(levels).max())) + 1
        return matrix(Product(levels, n_levels, line), CodeNeurons(limits, at))

    reset, update, new = (slice(i * n, (i + 1) * n) for i in range(3))
    both = np.vstack([head.recurrent, head.below])
    bias = head.recurrent_bias + head.below_bias
    only_below, only_state = both.copy(), both.copy()
    only_below[:n], only_state[n:] = 0, 0
    candidate = Line(np.array([sum_step / top]), np.zeros(1))
    tanh = [(math.atanh(value) if abs(value) < 1 else math.copysign(math.inf, value), strict)
            for value, strict in least]  # fmt: skip
    layer = kinds.ResetGru(
        update=part(update, both[:, update], bias[update], gates, 0),
        reset=part(reset, both[:, reset], bias[reset], gates, 0),
        below=part(new, only_below[:, new], head.below_bias[new], of_sums, middle),
        recurrent=part(new, only_state[:, new], head.recurrent_bias[new], of_sums, middle),
        candidate=CodeNeurons(limits_of(candidate, tanh)[0], zero),
    )
    return layer, given


def gru(head: GruWithoutReset, source: Signal, weight_bits: int) -> tuple[kinds.Gru, Format]:
    """A GRU without reset gate, of bits or codes, and the format of its state.

    Raises
    ------
    NetworkImportError
        If its inputs have another step than its state: both drive rows of one sum.
    """
    n, top = head.n_hidden, head.gate_top
    given = named_format(Group(None, (), quantise=head.candidate))
    assert given is not None
    scale, offset = source.of_rows()
    scale = np.concatenate([np.full(n, given.scale), scale])
    offset = np.concatenate([np.full(n, given.offset), offset])
    if not np.allclose(np.abs(scale), given.scale, rtol=1e-9):
        raise NetworkImportError(
            f"{head.name} reads codes of the step {abs(scale[-1]):.6g}, and its state has "
            f"{given.scale:.6g}; one sum of an array has one step",
            remedy="Give its neurons and those before it one fixed range and as many bits",
        )
    if head.scaled is None:
        levels, one = rounded(head.weight * scale[:, None], weight_bits)
        steps = np.full(2 * n, one)
    else:
        levels = head.scaled.levels * np.sign(scale).astype(np.int64)[:, None]
        steps = np.broadcast_to(head.scaled.scale, 2 * n) * given.scale
    constant = head.bias + (levels * steps / scale[:, None] * offset[:, None]).sum(axis=0)
    # halves are rounded to even, as in `codes.named_format`
    gates: list[Least] = [
        (math.log((code - 0.5) / (top - code + 0.5)), code % 2 == 1) for code in range(1, top + 1)
    ]

    def part(own: slice, least: list[Least], zero: int) -> LevelMatrix:
        line = Line(steps[own], constant[own])
        limits, _ = limits_of(line, least)
        found, largest = levels[:, own], max(1, int(np.abs(levels[:, own]).max()))
        is_binary = largest == 1 and bool((found != 0).all())
        n_levels = 2 if is_binary else 2 * largest + 1
        return matrix(Product(found, n_levels, line), CodeNeurons(limits, zero))

    gate, candidate = slice(0, n), slice(n, 2 * n)
    return kinds.Gru(part(gate, gates, 0), part(candidate, given.least, given.zero)), given


def replaced(layer: kinds.Layer, matrices: dict[str, LevelMatrix]) -> kinds.Layer:
    """A layer with other matrices, by label."""
    return replace(layer, **{label or "matrix": found for label, found in matrices.items()})  # type: ignore[type-var]
