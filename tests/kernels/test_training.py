"""Training passes on bfloat16 and float32 against the same equations in float64."""

from __future__ import annotations

import numpy as np
import pytest

from pimsim.kernels.training import (
    NO_LIMIT,
    Firing,
    fire,
    fire_and_pool,
    step_backward,
    step_forward,
    unpool,
)

# a bfloat16 has 8 bits
CLOSE = {np.uint16: {"rtol": 2**-8, "atol": 1e-5}, np.float32: {"rtol": 1e-5, "atol": 1e-5}}
OPERANDS = pytest.mark.parametrize("kind", [np.uint16, np.float32])


def narrow(values, kind):
    """Float32 numbers, or their upper halves, cut."""
    values = np.asarray(values, np.float32)
    return values if kind == np.float32 else (values.view(np.uint32) >> 16).astype(np.uint16)


def wide(words):
    if words.dtype == np.float32:
        return words.astype(np.float64)
    return (words.astype(np.uint32) << 16).view(np.float32).astype(np.float64)


def fired_and_slope(sums, noise, how):
    sums = sums.astype(np.float64)
    noisy = sums + noise * float(how.noise)
    smooth = 1 / (1 + np.exp(-(sums if how.clean else noisy) * float(how.steepness)))
    is_soft = np.abs(noise) < how.soft_below
    return np.where(is_soft, smooth, noisy > 0), smooth * (1 - smooth) * float(how.steepness)


def firing(soft_below, clean=False):
    return Firing(np.float32(0.4), np.float32(1 / 0.3), np.float32(soft_below), clean)


@OPERANDS
@pytest.mark.parametrize("how", [firing(np.inf), firing(0.7), firing(0.0), firing(0.0, True)])
def test_neurons_fire_as_their_equations(how, kind):
    rng = np.random.default_rng(1)
    sums, noise = rng.normal(0, 2, (2, 200)).astype(np.float32)
    sums[:2] = -80, 80  # no overflow
    fired, slopes = np.empty((2, 200), kind)
    fire(sums, noise, how, fired, slopes)
    for found, expected in zip((fired, slopes), fired_and_slope(sums, noise, how), strict=True):
        np.testing.assert_allclose(wide(found), expected, **CLOSE[kind])


@OPERANDS
def test_a_step_forward_and_its_gradient_are_those_of_the_equations(kind):
    rng = np.random.default_rng(2)
    batch, n, how = 3, 5, firing(0.7)
    sums, noise = narrow(rng.normal(0, 1, (batch, 2 * n)), kind), rng.normal(0, 1, (batch, 2 * n))
    before = wide(narrow(rng.random((batch, n)), kind))
    state, noise = before.astype(np.float32), noise.astype(np.float32)
    fired, slopes = np.empty((2, batch, 2 * n), kind)
    after = np.empty((batch, n), kind)
    step_forward(sums, noise, how, state, fired, slopes, after)
    values, slope = fired_and_slope(wide(sums), noise, how)
    gate, candidate = values[:, :n], values[:, n:]
    expected = gate * before + (1 - gate) * candidate
    np.testing.assert_allclose(state, expected, **CLOSE[kind])
    np.testing.assert_allclose(wide(after), expected, **CLOSE[kind])
    np.testing.assert_allclose(wide(slopes), slope, **CLOSE[kind])

    above, through = narrow(rng.normal(0, 1, (2, batch, n)), kind)
    kept = rng.normal(0, 1, (batch, n)).astype(np.float32)
    loss = wide(above) + wide(through) + kept
    norms = np.linalg.norm(loss, axis=1, keepdims=True)
    delta = np.empty((batch, 2 * n), kind)
    # no limit, and one between the norms of the sequences
    for limit in (NO_LIMIT, float(np.sort(norms.ravel())[1:].mean())):
        mine, within = kept.copy(), loss * np.minimum(1, limit / norms)
        step_backward(
            above, through, mine, narrow(before, kind), fired, slopes, np.float32(limit), delta
        )
        by_gate, by_candidate = within * (before - candidate), within * (1 - gate)
        np.testing.assert_allclose(mine, within * gate, rtol=0.02, atol=0.02)
        np.testing.assert_allclose(
            wide(delta), np.hstack([by_gate, by_candidate]) * slope, rtol=0.03, atol=0.03
        )


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_largest_neuron_of_a_window_fires_and_gets_the_error(size):
    rng = np.random.default_rng(3)
    how, shape = firing(0.7), (3, 2 * size, 4 * size)
    sums, noise = rng.normal(0, 1, (2, *shape)).astype(np.float32)
    pooled = (3, 2, 4)
    fired, slopes = np.empty((2, *pooled), np.float32)
    places = np.empty(pooled, np.uint8)
    fire_and_pool(sums, noise, how, size, fired, slopes, places)
    errors = rng.normal(0, 1, pooled).astype(np.float32)
    to_sums = np.full(shape, np.nan, np.float32)
    unpool(errors, slopes, places, size, to_sums)
    expected = np.zeros(shape)
    noisy = sums + noise * how.noise
    for m, y, x in np.ndindex(pooled):
        window = (m, slice(y * size, (y + 1) * size), slice(x * size, (x + 1) * size))
        place = np.unravel_index(np.argmax(noisy[window]), (size, size))
        at = (m, y * size + place[0], x * size + place[1])
        value, slope = fired_and_slope(sums[at], noise[at], how)
        np.testing.assert_allclose(fired[m, y, x], value, rtol=1e-5, atol=1e-5)
        expected[at] = errors[m, y, x] * slope
    np.testing.assert_allclose(to_sums, expected, rtol=1e-4, atol=1e-5)
