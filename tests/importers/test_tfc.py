"""Public quantised perceptrons (Brevitas, from the QONNX model zoo): as shipped, and on chips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from real_data import real_data

import pimsim
from pimsim.data.catalog import load
from pimsim.workload import run_reference

# accuracy on the 10,000 MNIST test digits as published with the networks
PUBLISHED = {"tfc_1w1a": 0.9317, "tfc_2w2a": 0.9660}


def network(name):
    return pimsim.load(Path("models", "zoo", f"{name}.safetensors"))


@pytest.mark.parametrize(("name", "bits"), [("tfc_1w1a", 1), ("tfc_2w2a", 2)])
def test_signals_are_those_of_the_file(name, bits):
    found = network(name)
    assert {shape.codes.bits for shape in found.shapes.values()} == {bits}
    shapes = [matrix.levels.shape for _, matrix in found.matrices()]
    assert shapes == [(784, 64), (64, 64), (64, 64)]
    assert found.provenance["import"]["same_class"] == 1.0


@pytest.mark.parametrize("name", PUBLISHED)
def test_accuracy_is_the_published_one(name):
    data = load(real_data("mnist-test"))
    found = (run_reference(network(name), data.features).predictions == data.labels).mean()
    assert found == pytest.approx(PUBLISHED[name], abs=0.003)
    assert found == network(name).provenance["accuracy_mnist_test"]


@pytest.mark.parametrize(
    ("name", "chip"),
    [
        ("tfc_1w1a", "bnn_slc_16nm"),
        ("tfc_1w1a", "digital_cim_16nm"),
        ("tfc_1w1a", "adc_pim_16nm"),
        ("tfc_2w2a", "adc_4b_16nm"),
        ("tfc_2w2a", "isaac_32nm"),
    ],
)
def test_they_run_on_chips_with_noise(name, chip):
    options = {"data": "mnist-1000", "limit": 200, "device": "reram", "chips": 2}
    result = pimsim.run(network(name), chip=chip, **options)
    assert result.accuracy.ideal - result.accuracy.mean < 0.05
    exact = run_reference(network(name), load("mnist-1000").limit(200).features).predictions
    assert result.accuracy.ideal == pytest.approx(
        np.mean(exact == load("mnist-1000").limit(200).labels), abs=0.02
    )
