"""Elementwise operations of a training step, fused so that no array is read twice.

torch multiplies bfloat16 matrices many times faster than float32 ones where the processor has
the instructions for it (AMX, AVX512-BF16); the passes over memory between two products then
cost most.  Each function here is a single pass, on bfloat16 or float32 operands.  A bfloat16 is
stored as the uint16 of its bits, the upper half of a float32.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from pimsim.kernels.bfloat16 import INLINE, float_of, narrow, wide


class Firing(NamedTuple):
    """Parameters of a neuron: from a noisy pre-activation to a value and a slope.

    Attributes
    ----------
    noise : float32
        Factor of the noise numbers.
    steepness : float32
        1 / temperature.
    soft_below : float32
        The value is a sigmoid where the noise number is smaller in magnitude, else a step.
    clean : bool
        The slope is taken at the pre-activation without its noise.
    """

    noise: np.float32
    steepness: np.float32
    soft_below: np.float32
    clean: bool


# error_model as in INLINE
_FAST: dict[str, Any] = {"cache": True, "fastmath": True, "error_model": "numpy"}

# larger than any gradient, and its square is still a float32
NO_LIMIT = 1e15

_ONE = np.float32(1.0)
_LOG2_E = np.float32(1.4426950408889634)
# 2^r on [-1/2, 1/2] by its Taylor series: within 3e-6
_C1, _C2, _C3, _C4, _C5 = (
    np.float32(x) for x in (0.6931471806, 0.2402265070, 0.0555041087, 0.0096181291, 0.0013333558)
)


@njit(**INLINE)
def _sigmoid(x):  # type: ignore[no-untyped-def]
    y = min(max(-x * _LOG2_E, np.float32(-126.0)), np.float32(126.0))
    whole = np.float32(np.floor(y + np.float32(0.5)))
    r = y - whole
    power = _ONE + r * (_C1 + r * (_C2 + r * (_C3 + r * (_C4 + r * _C5))))
    scale = float_of(np.uint32((np.int32(whole) + np.int32(127)) << np.int32(23)))
    return _ONE / (_ONE + power * scale)


@njit(**INLINE)
def _fire(clean, noise, how):  # type: ignore[no-untyped-def]
    """Value and slope of one neuron."""
    noisy = clean + noise * how.noise
    smooth = _sigmoid((clean if how.clean else noisy) * how.steepness)
    step = _ONE if noisy > np.float32(0.0) else np.float32(0.0)
    is_soft = abs(noise) < how.soft_below
    return (smooth if is_soft else step), smooth * (_ONE - smooth) * how.steepness


@njit(**_FAST)
def fire(sums, noise, how, fired, slopes):  # type: ignore[no-untyped-def]
    """Fire every neuron of a layer without recurrence.

    Parameters
    ----------
    sums : (n,) operands
        Pre-activations.
    noise : (n,) float32
    how : Firing
    fired, slopes : (n,) operands
        Written: values and slopes.
    """
    for i in range(sums.shape[0]):
        value, slope = _fire(wide(sums[i]), noise[i], how)
        fired[i] = narrow(value, fired[i])
        slopes[i] = narrow(slope, slopes[i])


@njit(**_FAST)
def fire_and_pool(sums, noise, how, size, fired, slopes, winners):  # type: ignore[no-untyped-def]
    """Fire the neuron with the largest noisy pre-activation in each window of feature maps.

    Parameters
    ----------
    sums, noise : (n_maps, height, width) float32
        Pre-activations and their noise numbers; the size divides height and width.
    how : Firing
    size : int
        Height and width of a window.
    fired, slopes : (n_maps, height / size, width / size) float32
        Written: values and slopes.
    winners : (n_maps, height / size, width / size) uint8
        Written: index of the fired neuron in its window, row by row.
    """
    width = fired.shape[2]
    # largest of each window of a row so far: pre-activation and noise number
    clean, number = np.zeros(width, np.float32), np.zeros(width, np.float32)
    for m in range(fired.shape[0]):
        for y in range(fired.shape[1]):
            winner = winners[m, y]
            for dy in range(size):
                row, noises = sums[m, y * size + dy], noise[m, y * size + dy]
                for dx in range(size):
                    is_first, k = dy == 0 and dx == 0, np.uint8(dy * size + dx)
                    for x in range(width):
                        one, its = row[x * size + dx], noises[x * size + dx]
                        wins = one + its * how.noise > clean[x] + number[x] * how.noise
                        wins = wins or is_first
                        clean[x] = one if wins else clean[x]
                        number[x] = its if wins else number[x]
                        winner[x] = k if wins else winner[x]
            values, its_slopes = fired[m, y], slopes[m, y]
            for x in range(width):
                values[x], its_slopes[x] = _fire(clean[x], number[x], how)


@njit(**_FAST)
def unpool(grad_values, slopes, winners, size, grad_sums):  # type: ignore[no-untyped-def]
    """Backward pass of `fire_and_pool`: each gradient goes to the neuron of the maximum.

    Parameters
    ----------
    grad_values : (n_maps, height / size, width / size) float32
        Gradient d loss / d values.
    slopes, winners : (n_maps, height / size, width / size)
        Outputs of `fire_and_pool`.
    size : int
    grad_sums : (n_maps, height, width) float32
        Written: gradient d loss / d pre-activations.
    """
    grad_sums[:] = 0
    for m in range(grad_values.shape[0]):
        for y in range(grad_values.shape[1]):
            for x in range(grad_values.shape[2]):
                winner = winners[m, y, x]
                grad = grad_values[m, y, x] * slopes[m, y, x]
                grad_sums[m, y * size + winner // size, x * size + winner % size] = grad


@njit(**_FAST)
def fire_and_pool_last(sums, noise, how, size, fired, slopes, winners):  # type: ignore[no-untyped-def]
    """Fire the neuron with the largest noisy pre-activation of a window, channels last.

    Parameters
    ----------
    sums : (n, height, width, n_channels) operands
        Pre-activations.
    noise : (n, height, width, n_channels) float32
        Their noise numbers.
    how : Firing
    size : (vertical, horizontal)
        Of a window; it divides height and width.
    fired, slopes : (n, height / size, width / size, n_channels) operands
        Written: values and slopes.
    winners : (n, height / size, width / size, n_channels) uint8
        Written: index of the fired neuron in its window, row by row.
    """
    n_channels = fired.shape[3]
    clean, number = np.zeros(n_channels, np.float32), np.zeros(n_channels, np.float32)
    for m in range(fired.shape[0]):
        for y in range(fired.shape[1]):
            for x in range(fired.shape[2]):
                winner = winners[m, y, x]
                for k in range(size[0] * size[1]):
                    row, column = y * size[0] + k // size[1], x * size[1] + k % size[1]
                    ones, noises, is_first = sums[m, row, column], noise[m, row, column], k == 0
                    for c in range(n_channels):
                        one, its = wide(ones[c]), noises[c]
                        wins = one + its * how.noise > clean[c] + number[c] * how.noise
                        wins = wins or is_first
                        clean[c] = one if wins else clean[c]
                        number[c] = its if wins else number[c]
                        winner[c] = np.uint8(k) if wins else winner[c]
                values, its_slopes = fired[m, y, x], slopes[m, y, x]
                for c in range(n_channels):
                    value, slope = _fire(clean[c], number[c], how)
                    values[c] = narrow(value, values[c])
                    its_slopes[c] = narrow(slope, its_slopes[c])


@njit(**_FAST)
def unpool_last(grad_values, slopes, winners, size, grad_sums):  # type: ignore[no-untyped-def]
    """Backward pass of `fire_and_pool_last`: each gradient goes to the neuron of the maximum.

    Parameters
    ----------
    grad_values : (n, height / size, width / size, n_channels) operands
        Gradient d loss / d values.
    slopes, winners : (n, height / size, width / size, n_channels)
        Outputs of `fire_and_pool_last`.
    size : (vertical, horizontal)
    grad_sums : (n, height, width, n_channels) operands
        Written: gradient d loss / d pre-activations.
    """
    for m in range(grad_values.shape[0]):
        for y in range(grad_values.shape[1]):
            for x in range(grad_values.shape[2]):
                grads, its_slopes, winner = grad_values[m, y, x], slopes[m, y, x], winners[m, y, x]
                for k in range(size[0] * size[1]):
                    to = grad_sums[m, y * size[0] + k // size[1], x * size[1] + k % size[1]]
                    for c in range(to.shape[0]):
                        grad = wide(grads[c]) * wide(its_slopes[c])
                        to[c] = narrow(grad if winner[c] == k else np.float32(0.0), to[c])


@njit(**_FAST)
def quantise(values, step, lowest, highest, used):  # type: ignore[no-untyped-def]
    """Round to the nearest multiple of a step, within limits.

    Parameters
    ----------
    values : (n,) operands
    step, lowest, highest : float32
        Step, and the smallest and largest multiple.
    used : (n,) operands
        Written: the rounded values.
    """
    for i in range(values.shape[0]):
        k = np.rint(wide(values[i]) / step)
        used[i] = narrow(min(max(k, lowest), highest) * step, used[i])


@njit(**_FAST)
def quantise_backward(  # type: ignore[no-untyped-def]
    values, used, grad_used, low, high, grad_values
):
    """Backward pass of `quantise`, straight through between two ends.

    Parameters
    ----------
    values, used : (n,) operands
        Of `quantise`.
    grad_used : (n,) operands
        Gradient d loss / d used.
    low, high : float32
        Ends of the range; the lower one is minus the upper one, or 0.
    grad_values : (n,) operands
        Written: gradient d loss / d values.

    Returns
    -------
    float64
        Gradient d loss / d high, as in `pimsim.nn.quantize`.
    """
    total, zero = np.float64(0.0), np.float32(0.0)
    for start in range(0, values.shape[0], 1024):
        part = zero
        for i in range(start, min(start + 1024, values.shape[0])):
            value, grad = wide(values[i]), wide(grad_used[i])
            is_inside = (value >= low) & (value <= high)
            grad_values[i] = narrow(grad if is_inside else zero, grad_values[i])
            rest = max(value, low) if low == zero else value
            moved = wide(used[i]) - (rest if (rest >= -high) & (rest <= high) else zero)
            part += grad * moved
        total += part
    return total / high


@njit(**_FAST)
def step_forward(sums, noise, how, state, fired, slopes, following):  # type: ignore[no-untyped-def]
    """One time step of a GRU layer, eq. 7-11: fire, then the multiplexer.

    Parameters
    ----------
    sums : (batch, 2 n_hidden) operands
        Pre-activations of gates, then candidates.
    noise : (batch, 2 n_hidden) float32
    how : Firing
    state : (batch, n_hidden) float32
        H(t-1); overwritten by H(t).
    fired, slopes : (batch, 2 n_hidden) operands
        Written: values and slopes.
    following : (batch, n_hidden) operands
        Written: H(t).
    """
    n, like = state.shape[1], sums[0, 0]
    for b in range(state.shape[0]):
        # separate rows, so that the compiler sees that they are contiguous
        gate_sum, candidate_sum = sums[b, :n], sums[b, n:]
        gate_noise, candidate_noise = noise[b, :n], noise[b, n:]
        gates, candidates = fired[b, :n], fired[b, n:]
        gate_slopes, candidate_slopes = slopes[b, :n], slopes[b, n:]
        held, written = state[b], following[b]
        for j in range(n):
            gate, slope = _fire(wide(gate_sum[j]), gate_noise[j], how)
            gates[j], gate_slopes[j] = narrow(gate, like), narrow(slope, like)
            candidate, slope = _fire(wide(candidate_sum[j]), candidate_noise[j], how)
            candidates[j] = narrow(candidate, like)
            candidate_slopes[j] = narrow(slope, like)
            now = candidate + gate * (held[j] - candidate)
            held[j] = now
            written[j] = narrow(now, like)


@njit(**_FAST)
def step_backward(  # type: ignore[no-untyped-def]
    grad_above, grad_next, grad_state, state, fired, slopes, limit, grad_sums
):
    """One time step of backpropagation through time.

    Parameters
    ----------
    grad_above : (batch, n_hidden) operands
        Gradient d loss / d H(t) from the layer above.
    grad_next : (batch, n_hidden) operands
        Gradient d loss / d H(t) through the pre-activations of step t+1.
    grad_state : (batch, n_hidden) float32
        Gradient d loss / d H(t) through the multiplexer of step t+1; overwritten by
        d loss / d H(t-1) through the multiplexer of step t.
    state : (batch, n_hidden) operands
        H(t-1).
    fired, slopes : (batch, 2 n_hidden) operands
        Outputs of `step_forward`.
    limit : float32
        Largest norm of a sequence's gradient d loss / d H(t); larger ones are scaled down.
    grad_sums : (batch, 2 n_hidden) operands
        Written: gradient d loss / d pre-activations of step t.
    """
    n, like = state.shape[1], grad_sums[0, 0]
    for b in range(state.shape[0]):
        from_above, from_sums, grad, held = grad_above[b], grad_next[b], grad_state[b], state[b]
        gates, candidates = fired[b, :n], fired[b, n:]
        gate_slopes, candidate_slopes = slopes[b, :n], slopes[b, n:]
        grad_gates, grad_candidates = grad_sums[b, :n], grad_sums[b, n:]
        square = np.float32(0.0)
        for j in range(n):
            grad[j] = grad[j] + wide(from_sums[j]) + wide(from_above[j])
            square += grad[j] * grad[j]
        scale = _ONE if square <= limit * limit else limit / np.sqrt(square)
        for j in range(n):
            scaled = grad[j] * scale
            gate, candidate = wide(gates[j]), wide(candidates[j])
            kept = scaled * gate
            grad_gate = scaled * (wide(held[j]) - candidate) * wide(gate_slopes[j])
            grad_gates[j] = narrow(grad_gate, like)
            grad_candidates[j] = narrow((scaled - kept) * wide(candidate_slopes[j]), like)
            grad[j] = kept
