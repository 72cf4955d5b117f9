"""A trained network in floating point, run in plain numpy: the measure of what is imported."""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch

import numpy as np

from pimsim.importers import ops
from pimsim.importers.activations import function
from pimsim.importers.ops import INPUT, Op, Real, Trained
from pimsim.workload.windows import Window

# samples that are run at once: memory, not results
BATCH = 64


def scores(trained: Trained, inputs: Real, seen: Callable[[str, Real], None] | None = None) -> Real:
    """Run a network.

    Parameters
    ----------
    inputs : (n, [n_steps,] *sizes)
    seen : callable, optional
        Called with the name of every operation and its output, batch by batch.

    Returns
    -------
    (n, n_scores) float64
    """
    found = []
    for first in range(0, len(inputs), BATCH):
        values = {INPUT: np.asarray(inputs[first : first + BATCH], np.float64)}
        for index, op in enumerate(trained.ops):
            values[op.name] = evaluate(op, *(values[name] for name in op.inputs))
            if seen is not None:
                seen(op.name, values[op.name])
            later = {name for other in trained.ops[index + 1 :] for name in other.inputs}
            for name in [name for name in values if name not in later and name != op.name]:
                del values[name]
        last = values[trained.ops[-1].name]
        found.append(last.reshape(len(last), -1))
    return np.concatenate(found)


@singledispatch
def evaluate(op: Op, *inputs: Real) -> Real:
    """Output of an operation for its inputs (n, ...)."""
    raise NotImplementedError(type(op))


@evaluate.register
def _(op: ops.Dense, *inputs: Real) -> Real:
    return np.asarray(inputs[0] @ op.weight + op.bias)


@evaluate.register
def _(op: ops.Conv, *inputs: Real) -> Real:
    maps = as_maps(inputs[0])
    window = Window.of(op.weight.shape[:2], op.stride, op.padding, op.dilation)
    cut = np.stack(window.positions(maps), axis=3)
    n, height, width, size, channels = cut.shape
    each = op.weight.shape[3] // op.groups
    found = []
    for group in range(op.groups):
        own = slice(group * channels // op.groups, (group + 1) * channels // op.groups)
        rows = cut[..., own].reshape(n * height * width, -1)
        weight = op.weight.reshape(size * (channels // op.groups), -1)
        found.append(rows @ weight[:, group * each : (group + 1) * each])
    out = np.concatenate(found, axis=1).reshape(n, height, width, -1) + op.bias
    if op.across is not None:
        out = out + as_maps(inputs[1]) @ op.across
    return out[:, 0] if inputs[0].ndim == 3 else out


@evaluate.register
def _(op: ops.Norm, *inputs: Real) -> Real:
    return inputs[0] * op.scale + op.shift


@evaluate.register
def _(op: ops.Activation, *inputs: Real) -> Real:
    return function(op).of(inputs[0])


@evaluate.register
def _(op: ops.Quantise, *inputs: Real) -> Real:
    if op.is_bipolar:
        return np.where(inputs[0] >= 0, op.scale, -op.scale)
    if op.is_step:
        return np.where(inputs[0] > 0, op.scale, 0.0)
    # half to even, as numpy and QONNX round
    whole = np.round(inputs[0] / op.scale + op.zero_point)
    return (np.clip(whole, op.lowest, op.highest) - op.zero_point) * op.scale


@evaluate.register
def _(op: ops.Thermometer, *inputs: Real) -> Real:
    return (inputs[0][..., op.channel] > op.limits).astype(np.float64)


@evaluate.register
def _(op: ops.Pool, *inputs: Real) -> Real:
    maps = as_maps(inputs[0])
    size = (maps.shape[1], maps.shape[2]) if op.size is None else op.size
    stride = size if op.size is None else op.stride
    if op.kind == "max":
        window = Window.of(size, stride, op.padding, 1)
        around = zip(window.padding, window.padding_after, strict=True)
        filled = np.pad(maps, ((0, 0), *around, (0, 0)), constant_values=-np.inf)
        out = np.max(window.unpadded.positions(filled), axis=0)
    else:
        windows = np.array(Window.of(size, stride, op.padding, 1).positions(maps))
        out = windows.mean(axis=0) if op.step is None else _mean_code(windows, op.step) * op.step
    out = np.asarray(out)
    return out[:, 0] if inputs[0].ndim == 3 else out


@evaluate.register
def _(op: ops.Add, *inputs: Real) -> Real:
    return np.asarray(np.sum(inputs, axis=0))


@evaluate.register
def _(op: ops.Concat, *inputs: Real) -> Real:
    return np.concatenate(inputs, axis=-1)


@evaluate.register
def _(op: ops.Flatten, *inputs: Real) -> Real:
    values = inputs[0]
    if op.channels_first:
        values = np.moveaxis(values, -1, 1)
    return np.asarray(values.reshape(len(values), -1))


@evaluate.register
def _(op: ops.LastStep, *inputs: Real) -> Real:
    return inputs[0][:, -1]


@evaluate.register
def _(op: ops.Gru, *inputs: Real) -> Real:
    steps, n = inputs[0], op.n_hidden
    state, out = np.zeros((len(steps), n)), []
    for step in range(steps.shape[1]):
        below, recurrent = gru_sums(op, steps[:, step], state)
        reset, update = (_sigmoid(below[:, i : i + n] + recurrent[:, i : i + n]) for i in (0, n))
        candidate = np.tanh(below[:, 2 * n :] + reset * recurrent[:, 2 * n :])
        state = update * state + (1 - update) * candidate
        out.append(state)
    return np.stack(out, axis=1)


@evaluate.register
def _(op: ops.GruWithoutReset, *inputs: Real) -> Real:
    steps, n, top = inputs[0], op.n_hidden, op.gate_top
    state, out = np.zeros((len(steps), n)), []
    for step in range(steps.shape[1]):
        sums = np.concatenate([state, steps[:, step]], axis=1) @ op.weight + op.bias
        candidate = evaluate(op.candidate, sums[:, n:])
        if top == 1:
            state = np.where(sums[:, :n] > 0, state, candidate)
        else:
            gate, unit = np.round(_sigmoid(sums[:, :n]) * top), op.candidate.scale
            kept, new = np.round(state / unit), np.round(candidate / unit)
            state = np.floor((gate * kept + (top - gate) * new + top // 2) / top) * unit
        out.append(state)
    return np.stack(out, axis=1)


@evaluate.register
def _(op: ops.Lstm, *inputs: Real) -> Real:
    return lstm_states(op, inputs[0])[0] if op.codes is None else _coded_lstm(op, inputs[0])


def lstm_states(op: ops.Lstm, steps: Real) -> tuple[Real, Real, Real]:
    """States, cell states and candidates (n, n_steps, n_hidden) of an LSTM of real numbers."""
    n = op.n_hidden
    state = cell = np.zeros((len(steps), n))
    states, cells, candidates = [], [], []
    for step in range(steps.shape[1]):
        sums = np.concatenate([state, steps[:, step]], axis=1) @ op.weight + op.bias
        forget, add, show = (_sigmoid(part) for part in np.split(sums[:, : 3 * n], 3, axis=1))
        candidates.append(np.tanh(sums[:, 3 * n :]))
        cell = forget * cell + add * candidates[-1]
        state = show * np.tanh(cell)
        states.append(state)
        cells.append(cell)
    return np.stack(states, axis=1), np.stack(cells, axis=1), np.stack(candidates, axis=1)


def _coded_lstm(op: ops.Lstm, steps: Real) -> Real:
    """The same in whole numbers of its codes."""
    codes, n = op.codes, op.n_hidden
    assert codes is not None
    one, most = 2**codes.gate_bits - 1, 2**codes.cell_bits - 1
    state = cell = np.zeros((len(steps), n))
    below, out = np.round(steps / codes.input_step), []
    if codes.input_step == codes.hidden.scale:
        below = np.where(np.abs(steps) < ops.ONE, below, np.sign(steps) * codes.hidden.highest)
    for step in range(steps.shape[1]):
        rows = np.concatenate([state, below[:, step]], axis=1)
        sums = rows @ op.weight * codes.hidden.scale
        if codes.sum_top:
            whole = np.floor(sums / codes.sum_steps + 0.5)
            sums = np.clip(whole, -codes.sum_top, codes.sum_top) * codes.sum_steps
        sums = sums + op.bias
        gates = np.round(_sigmoid(sums[:, : 3 * n]) * one)
        forget, add, show = np.split(gates, 3, axis=1)
        new = _codes(np.tanh(sums[:, 3 * n :]), codes.candidate_step)
        mixed = forget * cell * 2**codes.cell_parts + add * new
        cell = np.clip(_half_up(mixed, one * 2**codes.cell_parts), -most, most)
        shown = show * _codes(np.tanh(cell * codes.cell_step), codes.tanh_step)
        state = _half_up(shown, one * 2**codes.hidden_parts)
        state = np.clip(state, codes.hidden.lowest, codes.hidden.highest)
        out.append(state * codes.hidden.scale)
    return np.stack(out, axis=1)


def _codes(values: Real, step: float) -> Real:
    return np.clip(np.round(values / step), -ops.CELL_CODES, ops.CELL_CODES)


def _half_up(numbers: Real, by: int) -> Real:
    """Whole quotients of whole numbers, halves rounded up."""
    return np.asarray(np.floor((2 * numbers + by) / (2 * by)))


def gru_sums(op: ops.Gru, below: Real, state: Real) -> tuple[Real, Real]:
    """Sums (n, 3 n_hidden) over the layer below and over the state."""
    return below @ op.below + op.below_bias, state @ op.recurrent + op.recurrent_bias


def as_maps(values: Real) -> Real:
    """Maps (n, height, width, channels) of maps, or of sequences: height 1."""
    return values[:, None] if values.ndim == 3 else values


def _mean_code(windows: Real, step: float) -> Real:
    """Mean over the first axis of multiples of a step, rounded half up to one."""
    n = len(windows)
    return np.asarray(np.floor((2 * np.round(windows / step).sum(axis=0) + n) / (2 * n)))


def _sigmoid(x: Real) -> Real:
    return 0.5 * (np.tanh(0.5 * x) + 1)
