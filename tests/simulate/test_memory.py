"""Memory is that of a batch on a few chips, whatever the number of chips."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from files import bundled_chip, bundled_device
from networks import random_features, random_gru

from pimsim.chip import build_chip
from pimsim.config import NoiseConfig
from pimsim.simulate import encode_inputs, run_chips
from pimsim.studies.monte_carlo import draw

N = 400
NETWORK = random_gru(hidden=3, bits=2)


def peak_of(n_chips):
    """Most bytes held at once by a run and its accuracies, beside what it began with."""
    chip = build_chip(NETWORK, bundled_chip(), bundled_device("reram"), NoiseConfig())
    encoded = encode_inputs(chip, random_features(NETWORK, N))
    labels = np.zeros(N, np.int64)
    tracemalloc.start()
    found, accuracy = draw(
        lambda indices, samples, read: run_chips(chip, encoded, indices, 1, threads=1),
        labels,
        labels,
        ideal=1.0,
        chips=n_chips,
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.predictions.nbytes == n_chips * N
    assert accuracy.per_read.shape == (n_chips, 1)
    return peak


def test_memory_of_a_batch_is_let_go_before_the_next_chips():
    # so many that the 60 kB by which peaks differ from call to call do not count
    few, many = peak_of(20), peak_of(220)
    # a byte for a class, one for whether it is right, and the objects of a chip
    assert (many - few) / 200 < 2 * N + 1000


@pytest.mark.slow
def test_thousands_of_chips_take_two_bytes_for_an_inference():
    few, many = peak_of(20), peak_of(1020)
    assert (many - few) / 1000 < 2 * N + 500
