"""Half levels that an export or an import asks for."""

from __future__ import annotations

import types
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pimsim[train]")

from torch import nn  # noqa: E402

import pimsim  # noqa: E402
from pimsim.nn import Bits, Codes, Dense  # noqa: E402
from pimsim.studies.run import run  # noqa: E402
from pimsim.train.block_export import to_network  # noqa: E402
from pimsim.train.block_recipe import BlockRecipe  # noqa: E402


def module(*neurons):
    torch.manual_seed(2)
    blocks, width = [], 10
    for neuron in neurons:
        blocks.append(Dense(width, 16, levels=3, neuron=neuron))
        width = 16
    return nn.Sequential(*blocks, Dense(16, 4, levels=7)).eval()


def data(n=60):
    features = np.random.default_rng(3).normal(size=(n, 10)).astype(np.float32)
    return pimsim.Dataset(features, np.arange(n) % 4, list("abcd"))


def exported(half_levels, *neurons):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        example = torch.zeros(2, 10)
        return pimsim.export(module(*neurons), example, data(), half_levels=half_levels)


def test_exported_half_levels_change_no_bit_and_leave_no_ties():
    neurons = Bits(), Bits(), Bits()
    plain, raised = (exported(half, *neurons) for half in (False, True))
    assert all(matrix.half_levels for _, matrix in raised.matrices())
    assert not any(matrix.half_levels for _, matrix in plain.matrices())
    options = {"data": data(), "chip": "ba_mlw_16nm", "device": "reram", "chips": 1, "limit": 20}
    exact = [run(n, **options, ideal=True).chips.predictions for n in (plain, raised)]
    assert np.array_equal(*exact)
    saved = run(raised, **options).measured.half_levels
    assert saved is not None
    assert saved.flipped <= saved.flipped_without


def test_codes_have_none():
    network = exported(True, Codes(4), Codes(4))
    assert not any(matrix.half_levels for _, matrix in network.matrices())


def test_a_recipe_of_blocks_asks_for_them():
    assert BlockRecipe.model_fields["half_levels"].default is False
    task = types.SimpleNamespace(training=data(), sample_shape=lambda: (10,))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = to_network(module(Bits(), Bits()), task, "n", half_levels=True)
    assert all(matrix.half_levels for _, matrix in network.matrices())
