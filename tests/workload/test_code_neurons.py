"""Neurons of codes, and quantised inputs: what is refused, and what a code means."""

from __future__ import annotations

import numpy as np
import pytest

from pimsim.errors import PimsimError
from pimsim.workload.code_neurons import CodeNeurons
from pimsim.workload.quantiser import QuantiserEncoder
from pimsim.workload.signals import Shape


def test_a_code_is_the_number_of_limits_reached():
    neurons = CodeNeurons(np.array([[-2, 0, 0], [5, 6, 7]], np.int32), zero=2)
    sums = np.array([[-3, 4], [-2, 5], [-1, 6], [0, 7], [9, 99]])
    assert neurons.of_sums(sums).tolist() == [[0, 0], [1, 1], [1, 2], [3, 3], [3, 3]]
    assert (neurons.bits, neurons.format.top, neurons.format.zero) == (2, 3, 2)


@pytest.mark.parametrize(
    ("limits", "zero", "message"),
    [
        (np.zeros((2, 2), np.int32), 0, "has 2 limits; a code of n bits has"),
        (np.zeros((2, 511), np.int32), 0, "has 511 limits"),
        (np.zeros((2, 3)), 0, "limits must be a 2-D int32 array"),
        (np.array([[3, 2, 1]], np.int32), 0, "limits of a neuron must ascend"),
        (np.zeros((2, 3), np.int32), 4, "zero is the code 4, outside of 0 to 3"),
    ],
)
def test_wrong_neurons_are_refused(limits, zero, message):
    with pytest.raises(PimsimError, match=message):
        CodeNeurons(limits, zero)


@pytest.mark.parametrize(
    ("limits", "zero", "message"),
    [
        (np.zeros((1, 2), np.float32), 0, "an input has 2 limits"),
        (np.zeros((1, 3)), 0, "limits must be 2-D float32"),
        (np.array([[0, np.nan, 1]], np.float32), 0, "finite and ascend"),
        (np.zeros((1, 3), np.float32), 9, "zero is the code 9 of 3"),
    ],
)
def test_wrong_inputs_are_refused(limits, zero, message):
    with pytest.raises(PimsimError, match=message):
        QuantiserEncoder(limits, zero)


def test_inputs_of_other_channels_are_refused():
    encoder = QuantiserEncoder(np.zeros((3, 1), np.float32))
    with pytest.raises(PimsimError, match="limits for 3 channels and gets 4"):
        encoder.shape(Shape(4, (2, 2)))
