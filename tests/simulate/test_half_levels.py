"""Half-level thresholds that a network asks for, whatever its chip does elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from files import bundled_chip, bundled_device, write_model
from networks import random_gru, random_matrix, thermometer_lenet

from pimsim.chip import build_chip
from pimsim.config import NoiseConfig
from pimsim.data import catalog
from pimsim.errors import MappingError, PimsimError
from pimsim.simulate import encode_inputs, run_chips
from pimsim.studies.document import describe_run
from pimsim.studies.run import run
from pimsim.workload import run_reference
from pimsim.workload.code_neurons import CodeNeurons

FEATURES = catalog.load("mnist-1000").features[:3]


def with_half_levels(network, *names):
    nodes = []
    for node in network.nodes:
        found = {
            label or "matrix": replace(matrix, half_levels=node.named(label) in names)
            for label, matrix in node.layer.matrices.items()
        }
        nodes.append(replace(node, layer=replace(node.layer, **found)))
    return replace(network, nodes=tuple(nodes))


def chip_of(network, device, noise):
    return build_chip(network, bundled_chip(), bundled_device(device), noise=noise)


@pytest.fixture(scope="module")
def lenet():
    network = thermometer_lenet()
    first, *others = network.nodes
    matrix = random_matrix(np.random.default_rng(1), 5 * 5 * 2, 4, 7)
    first = replace(first, layer=replace(first.layer, matrix=matrix))
    return with_half_levels(replace(network, nodes=(first, *others)), first.name)


def test_blank_pixels_are_coins_with_whole_levels_and_none_with_half_ones(lenet):
    blank = np.zeros_like(FEATURES)
    plain = with_half_levels(lenet)
    first = lenet.nodes[0]
    tiny = NoiseConfig.ideal().model_copy(update={"sigma_eval": 1e-3})
    shares = {}
    for network in (plain, lenet):
        chip = chip_of(network, "ideal", tiny)
        bits = run_chips(chip, encode_inputs(chip, blank), range(1), 0, keep_bits=True).bits
        exact = run_reference(network, blank).bits[first.name]
        at_threshold = np.asarray(first.layer.matrix.thresholds == 0)
        assert at_threshold.any()
        shares[network is lenet] = float((bits[first.name][0] != exact)[..., at_threshold].mean())
    assert 0.4 < shares[False] < 0.6
    assert shares[True] == 0


def test_a_reram_cell_of_8_levels_holds_half_levels_of_7_beside_whole_ones_of_15(lenet):
    chip = chip_of(lenet, "reram", NoiseConfig())
    levels = [len(part.cell.ideal) for part in chip.matrices]
    assert levels == [7, 8, 8, 8]
    with pytest.raises(MappingError, match="half levels between those of weights included") as got:
        chip_of(with_half_levels(random_gru(n_levels=15), "gru0.gate"), "reram", NoiseConfig())
    assert "train the matrix with fewer levels, or without half_levels" in got.value.remedy


@pytest.mark.parametrize("chip", ["adc_pim_16nm", "digital_cim_16nm", "ba_mlw_16nm"])
def test_chips_that_decide_from_numbers_leave_half_levels_out(chip, tmp_path):
    network = with_half_levels(random_gru(n_levels=7), "gru0.gate", "gru1.candidate")
    model = write_model(tmp_path, network=network)
    options = {"set": ["networks.codes=gru.safetensors", "networks.binary=gru.safetensors"]}
    found = run(model, chip=chip, ideal=True, limit=5, **options)
    exact = run_reference(network, found.prepared.data.features)
    assert np.array_equal(found.chips.predictions[0], exact.predictions)
    saved = describe_run(run(model, chip=chip, limit=5, chips=1, **options))["noise"]["half_levels"]
    assert (saved is not None) == (chip == "ba_mlw_16nm")
    if saved is not None:
        assert saved["rows"] == 2


def test_codes_have_no_half_levels():
    matrix = random_gru().nodes[0].layer.gate
    codes = CodeNeurons(np.tile(np.arange(1, 4, dtype=np.int32), (matrix.n_columns, 1)))
    with pytest.raises(PimsimError, match="neurons of more than 1 bit have none"):
        replace(matrix, neurons=codes, half_levels=True)
