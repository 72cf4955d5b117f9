"""Training passes on bfloat16 against the same equations in float64."""

from __future__ import annotations

import numpy as np
import pytest

from pimsim.kernels.training import NO_LIMIT, Firing, fire, step_backward, step_forward

# a bfloat16 has 8 bits
CLOSE = {"rtol": 2**-8, "atol": 1e-5}


def narrow(values):
    """The upper halves of float32 numbers, cut."""
    return (np.asarray(values, np.float32).view(np.uint32) >> 16).astype(np.uint16)


def wide(words):
    return (words.astype(np.uint32) << 16).view(np.float32).astype(np.float64)


def fired_and_slope(sums, noise, how):
    sums = sums.astype(np.float64)
    noisy = sums + noise * float(how.noise)
    smooth = 1 / (1 + np.exp(-(sums if how.clean else noisy) * float(how.steepness)))
    is_soft = np.abs(noise) < how.soft_below
    return np.where(is_soft, smooth, noisy > 0), smooth * (1 - smooth) * float(how.steepness)


def firing(soft_below, clean=False):
    return Firing(np.float32(0.4), np.float32(1 / 0.3), np.float32(soft_below), clean)


@pytest.mark.parametrize("how", [firing(np.inf), firing(0.7), firing(0.0), firing(0.0, True)])
def test_neurons_fire_as_their_equations(how):
    rng = np.random.default_rng(1)
    sums, noise = rng.normal(0, 2, (2, 200)).astype(np.float32)
    sums[:2] = -80, 80  # no overflow
    fired, slopes = np.empty((2, 200), np.uint16)
    fire(sums, noise, how, fired, slopes)
    for found, expected in zip((fired, slopes), fired_and_slope(sums, noise, how), strict=True):
        np.testing.assert_allclose(wide(found), expected, **CLOSE)


def test_a_step_forward_and_its_gradient_are_those_of_the_equations():
    rng = np.random.default_rng(2)
    batch, n, how = 3, 5, firing(0.7)
    sums, noise = narrow(rng.normal(0, 1, (batch, 2 * n))), rng.normal(0, 1, (batch, 2 * n))
    before = wide(narrow(rng.random((batch, n))))
    state, noise = before.astype(np.float32), noise.astype(np.float32)
    fired, slopes = np.empty((2, batch, 2 * n), np.uint16)
    after = np.empty((batch, n), np.uint16)
    step_forward(sums, noise, how, state, fired, slopes, after)
    values, slope = fired_and_slope(wide(sums), noise, how)
    gate, candidate = values[:, :n], values[:, n:]
    expected = gate * before + (1 - gate) * candidate
    np.testing.assert_allclose(state, expected, **CLOSE)
    np.testing.assert_allclose(wide(after), expected, **CLOSE)
    np.testing.assert_allclose(wide(slopes), slope, **CLOSE)

    above, through = narrow(rng.normal(0, 1, (2, batch, n)))
    kept = rng.normal(0, 1, (batch, n)).astype(np.float32)
    loss = wide(above) + wide(through) + kept
    norms = np.linalg.norm(loss, axis=1, keepdims=True)
    delta = np.empty((batch, 2 * n), np.uint16)
    # no limit, and one between the norms of the sequences
    for limit in (NO_LIMIT, float(np.sort(norms.ravel())[1:].mean())):
        mine, within = kept.copy(), loss * np.minimum(1, limit / norms)
        step_backward(above, through, mine, narrow(before), fired, slopes, np.float32(limit), delta)
        by_gate, by_candidate = within * (before - candidate), within * (1 - gate)
        np.testing.assert_allclose(mine, within * gate, rtol=0.02, atol=0.02)
        np.testing.assert_allclose(
            wide(delta), np.hstack([by_gate, by_candidate]) * slope, rtol=0.03, atol=0.03
        )
