"""Networks on data of any shape, in every study."""

from __future__ import annotations

import numpy as np
import pytest
from networks import random_tensor, tensor_features
from walk import Walk

import pimsim
from pimsim.workload import write_network

MODEL = """\
schema: pimsim.run/1
name: own
network: n.safetensors
chip: ba_mlw_16nm
device: reram
data: data.npz
chips: 2
seed: 3
"""


@pytest.mark.parametrize("shape", [(9,), (12, 3), (8, 7, 3), "steps"], ids=str)
def test_every_study_takes_own_data(tmp_path, shape):
    network = random_tensor((5,), has_steps=True) if shape == "steps" else random_tensor(shape)
    write_network(network, tmp_path / "n.safetensors")
    labels = np.arange(12) % len(network.classes)
    data = pimsim.Dataset(tensor_features(network, 12), labels, network.classes, name="my sensor")
    data.save(tmp_path / "data.npz")
    (tmp_path / "model.yaml").write_text(MODEL)
    walk = Walk(tmp_path / "model.yaml", tmp_path)
    assert walk.equals_the_exact_network()
    assert "my sensor" in walk.page
