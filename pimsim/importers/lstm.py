"""An LSTM as a layer of codes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pimsim.importers import float_run
from pimsim.importers.activations import Least
from pimsim.importers.codes import Format, Line, fitted_format, limits_of, named_format
from pimsim.importers.groups import Group
from pimsim.importers.layers import Product, matrix, rounded
from pimsim.importers.ops import CELL_CODES, Lstm, LstmCodes, NetworkImportError, Quantise, Real
from pimsim.importers.signal import Signal
from pimsim.workload import LevelMatrix
from pimsim.workload import layers as kinds
from pimsim.workload.code_neurons import CodeNeurons
from pimsim.workload.layers.lstm import MAX_PARTS

# bits of gates, candidates and tanh(c), and of cell states beside their sign
CELL_BITS = 8
# code of 0 of candidates and of tanh(c)
MIDDLE = 128


def lstm(
    head: Lstm, source: Signal, below: Real, bits: int, weight_bits: int
) -> tuple[kinds.Lstm, Format]:
    """An LSTM of codes, and the format of its state.

    Parameters
    ----------
    below : (n, n_steps, n_in)
        Values of its inputs on samples, which choose the ranges of a floating-point one.
    bits : int
        Bits of its state where it names none.

    Raises
    ------
    NetworkImportError
        If its state has codes of 1 bit, or its inputs have other steps than it was trained for.
    """
    codes = head.codes
    if codes is None:
        if bits < 2:
            raise NetworkImportError(
                f"{head.name} needs codes of 2 bits or more",
                remedy="Set bits to 2 or more, or train a GRU without reset gate, of bits",
            )
        head, codes = _with_codes(head, source, below, bits)
    given = named_format(Group(None, (), quantise=codes.hidden))
    assert given is not None
    levels, units, constant = _levels(head, codes, source, weight_bits)
    n, one = head.n_hidden, 2**codes.gate_bits - 1
    # halves are rounded to even, as in `codes.named_format`
    gates: list[Least] = [
        (math.log((code - 0.5) / (one - code + 0.5)), code % 2 == 1) for code in range(1, one + 1)
    ]

    def part(own: slice, least: list[Least], zero: int) -> LevelMatrix:
        line, found = Line(units[own], constant[own]), levels[:, own]
        limits = _limits(line, least, head.bias[own], codes, codes.sum_steps[own])
        n_levels = 2 * max(1, int(np.abs(found).max())) + 1
        held = matrix(Product(found, n_levels, line), CodeNeurons(limits, zero))
        if not codes.sum_top:
            return held
        # the range of the ADCs that it was trained for; the unit of a matrix is one level
        reach = codes.sum_top * float(codes.sum_steps[own][0] / units[own][0])
        return replace(held, adc_range=reach)

    forget, add, show, new = (slice(i * n, (i + 1) * n) for i in range(4))
    of_cell = Line(np.array([codes.cell_step]), np.zeros(1))
    layer = kinds.Lstm(
        forget_gate=part(forget, gates, 0),
        input_gate=part(add, gates, 0),
        output_gate=part(show, gates, 0),
        candidate=part(new, _tanh(codes.candidate_step), MIDDLE),
        cell=CodeNeurons(limits_of(of_cell, _tanh(codes.tanh_step))[0], MIDDLE),
        cell_bits=codes.cell_bits,
        cell_range=codes.cell_step * (2**codes.cell_bits - 1),
        cell_parts=codes.cell_parts,
        hidden_bits=given.bits,
        hidden_zero=given.zero,
        hidden_parts=codes.hidden_parts,
    )
    return layer, given


def symbol_code(codes: LstmCodes) -> tuple[int, float]:
    """Bits of codes whose largest one is that of the state, and the value of a step of inputs."""
    return int(codes.hidden.highest).bit_length(), codes.input_step


def parts_of(step: float, largest: float = 1.0) -> int:
    """Parts of a step, as a power of two, in which numbers up to the largest fill 8-bit codes.

    The largest may be cut off by less than a hundredth.
    """
    parts = math.floor(math.log2(1.01 * CELL_CODES * step / largest))
    return min(max(parts, 0), MAX_PARTS)


def _step_and_parts(step: float, largest: float) -> tuple[float, int]:
    """A step that 8-bit codes of its parts can bring up to the largest number, and the parts."""
    step = max(step, largest / CELL_CODES)
    return step, parts_of(step, largest)


def _with_codes(head: Lstm, source: Signal, below: Real, bits: int) -> tuple[Lstm, LstmCodes]:
    """Codes for a floating-point LSTM, with weights for inputs in steps of its state."""
    most = 2 ** (bits - 1) - 1
    states, cells, candidates = float_run.lstm_states(head, below)
    cell, new = (float(np.abs(values).max()) or 1.0 for values in (cells, candidates))
    cell_step, cell_parts = _step_and_parts(cell / (2**CELL_BITS - 1), new)
    fitted = fitted_format(states, bits, is_positive=False)
    hidden_step, hidden_parts = _step_and_parts(fitted.scale, math.tanh(cell))
    scale, _ = source.of_rows()
    steps = np.abs(scale)
    codes = LstmCodes(
        gate_bits=CELL_BITS,
        cell_bits=CELL_BITS,
        cell_step=cell_step,
        cell_parts=cell_parts,
        hidden=Quantise(head.name, (), hidden_step, -most, most + 1),
        hidden_parts=hidden_parts,
        input_step=float(steps[0]),
        sum_top=0,
        sum_steps=np.zeros(4 * head.n_hidden),
    )
    weight = head.weight.copy()
    weight[head.n_hidden :] *= steps[:, None] / hidden_step
    return replace(head, weight=weight, scaled=None), codes


def _levels(
    head: Lstm, codes: LstmCodes, source: Signal, weight_bits: int
) -> tuple[NDArray[np.int64], Real, Real]:
    """Levels of all columns, the sum of one level and one code, and the constant of each."""
    n, step = head.n_hidden, codes.hidden.scale
    scale, offset = source.of_rows()
    if head.codes is not None and not np.allclose(np.abs(scale), codes.input_step, rtol=1e-9):
        raise NetworkImportError(
            f"{head.name} reads codes of the step {abs(scale[0]):.6g}, and was trained for inputs "
            f"of {codes.input_step:.6g}",
            remedy="Give it inputs of its own, or neurons before it with the step of its state",
        )
    # codes count from a zero point: value / step = sign (code) + offset / step
    sign = np.concatenate([np.ones(n), np.sign(scale)])[:, None]
    shift = np.concatenate([np.full(n, float(codes.hidden.lowest)), offset / np.abs(scale)])
    if head.scaled is None:
        found = [rounded(part * step, weight_bits) for part in np.split(head.weight, 4, axis=1)]
        plain = np.concatenate([levels for levels, _ in found], axis=1)
        units = np.repeat([one for _, one in found], n)
    else:
        plain = head.scaled.levels
        units = np.broadcast_to(head.scaled.scale, 4 * n) * step
    constant = (plain * shift[:, None]).sum(axis=0) * units
    return (plain * sign).astype(np.int64), units, constant


def _limits(
    line: Line, least: list[Least], bias: Real, codes: LstmCodes, steps: Real
) -> NDArray[np.int32]:
    """Limits of whole sums; sums are rounded to multiples of a step before biases, or not."""
    if not codes.sum_top:
        return limits_of(line._replace(constant=line.constant + bias), least)[0]
    found = []
    for column, (shift, step) in enumerate(zip(bias, steps, strict=True)):
        own = slice(column, column + 1)
        one = Line(line.slope[own], line.constant[own])
        reached = [(_rounded_to(argument - shift, strict, step, codes.sum_top), False)
                   for argument, strict in least]  # fmt: skip
        found.append(limits_of(one, reached)[0])
    return np.concatenate(found)


def _rounded_to(argument: float, strict: bool, step: float, top: int) -> float:
    """Least number whose rounding to a multiple of a step reaches an argument, or passes it."""
    if math.isinf(argument):
        return argument
    whole = math.floor(argument / step) + 1 if strict else math.ceil(argument / step)
    if whole <= -top:
        return -math.inf
    return math.inf if whole > top else (whole - 0.5) * step


def _tanh(step: float) -> list[Least]:
    """Least arguments of each code of tanh, around `MIDDLE`."""
    found: list[Least] = []
    for multiple in range(-CELL_CODES, CELL_CODES + 1):
        value = (multiple - 0.5) * step
        if multiple == -CELL_CODES or value <= -1:
            found.append((-math.inf, False))
        else:
            found.append((math.atanh(value) if value < 1 else math.inf, multiple % 2 == 1))
    return found
