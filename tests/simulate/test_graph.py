"""Networks that are no chains: nodes with several inputs and several readers, on every backend."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from files import bundled_chip, bundled_device, bundled_logic
from networks import grid, random_features, random_gru, random_lenet, random_matrix

from pimsim.chip import build_chip
from pimsim.chip.graph import chip_graph
from pimsim.config import NoiseConfig
from pimsim.errors import PimsimError
from pimsim.kernels import registers
from pimsim.simulate import encode_inputs, run_chips
from pimsim.timing.schedule import run_cycles
from pimsim.workload import (
    Conv2d,
    Dense,
    Gru,
    MaxPool,
    Node,
    Output,
    read_network,
    run_quantized,
    run_reference,
    write_network,
)


def output(rng, n_in, n_classes):
    return Output(grid(rng.normal(size=(n_in, n_classes))), grid(rng.normal(size=n_classes)))


def two_roads(n_levels=7):
    """Time steps through two GRU layers, the second of which reads the encoder as well."""
    rng = np.random.default_rng(3)

    def gru(below):
        return Gru(*(random_matrix(rng, 12 + below, 12, n_levels) for _ in range(2)))

    nodes = (
        Node("low", gru(10), ("encoder",)),
        Node("each", Dense(random_matrix(rng, 12, 9, n_levels)), ("low",)),
        Node("high", gru(31), ("low", "each", "encoder")),
    )
    return dataclasses.replace(random_gru(), nodes=nodes, output=output(rng, 12, 12))


def skipping(n_levels=15):
    """Maps through a convolution with padding, and around it to a dense layer."""
    rng = np.random.default_rng(5)
    nodes = (
        Node("pool", MaxPool(4, 4), ("encoder",)),
        Node("conv", Conv2d(random_matrix(rng, 36, 5, n_levels), 3, padding=1), ("pool",)),
        Node("small", MaxPool(2, 2), ("conv",)),
        Node("coarse", MaxPool(6, 6), ("encoder",)),
        Node("joined", Dense(random_matrix(rng, 9 * 5 + 36 * 4 + 16 * 4, 14, n_levels)),
             ("small", "pool", "coarse")),
    )  # fmt: skip
    return dataclasses.replace(random_lenet(), nodes=nodes, output=output(rng, 14, 10))


NETWORKS = {"steps": two_roads, "maps": skipping}


def chip_of(network, name="ba_mlw_16nm", noise=None):
    noise = noise or NoiseConfig.ideal()
    return build_chip(network, bundled_chip(name), bundled_device("reram"), noise)


@pytest.mark.parametrize("kernel", ["portable", "registers", "bytes"])
@pytest.mark.parametrize("name", NETWORKS)
def test_an_ideal_chip_equals_the_exact_network(name, kernel):
    if kernel != "portable" and not registers.available:
        pytest.skip("needs AVX-512 with VBMI2, or AVX2")
    if kernel == "bytes" and not registers.has_bytes:
        pytest.skip("needs AVX-512 with VBMI")
    network = NETWORKS[name]()
    features = random_features(network, 70)
    chip = chip_of(network)
    run = run_chips(chip, encode_inputs(chip, features), [0], 1, kernel=kernel, keep_bits=True)
    exact = run_reference(network, features)
    assert run.bits.keys() == exact.bits.keys()
    for signal, bits in exact.bits.items():
        assert np.array_equal(run.bits[signal][0], bits), signal
    assert np.array_equal(run.predictions[0], exact.predictions)


@pytest.mark.parametrize("name", NETWORKS)
def test_an_ideal_chip_with_adcs_equals_the_exact_codes(name):
    network = NETWORKS[name](n_levels=255)
    features = random_features(network, 4)
    chip = chip_of(network, "adc_pim_16nm")
    run = run_chips(chip, encode_inputs(chip, features), [0], 1, keep_bits=True)
    exact = run_quantized(network, features, chip.layout.drive.activation(network))
    for signal, codes in exact.codes.items():
        assert np.array_equal(run.bits[signal][0], codes), signal


@pytest.mark.parametrize("name", NETWORKS)
def test_backends_agree_on_drawn_chips(name):
    if not registers.available:
        pytest.skip("needs AVX-512 with VBMI2, or AVX2")
    network = NETWORKS[name]()
    chip = chip_of(network, noise=NoiseConfig())
    encoded = encode_inputs(chip, random_features(network, 70))
    runs = [run_chips(chip, encoded, [0, 1], 9, kernel=k) for k in ("portable", "registers")]
    assert np.array_equal(runs[0].predictions, runs[1].predictions)
    assert runs[0].counts.as_dict() == runs[1].counts.as_dict()


@pytest.mark.parametrize("name", NETWORKS)
def test_its_cycles_come_to_an_end_and_every_link_carries_its_tokens(name):
    network = NETWORKS[name]()
    graph = chip_graph(chip_of(network), bundled_logic(), 7)
    run = run_cycles(graph, inferences=3)
    done = {stage.name: len(stage.activity.finished) for stage in run.stages}
    for component in graph.components:
        assert done[component.name] == 3 * component.demand.n_operations
    links = {link.name: link for link in graph.links}
    expected = {
        "steps": {"encoder to low", "low to each", "low to high", "each to high",
                  "encoder to high", "high to output"},
        "maps": {"encoder to conv", "conv to joined", "encoder to joined", "joined to output"},
    }  # fmt: skip
    assert links.keys() == expected[name]
    for name, link in links.items():
        assert done[name] == 3 * link.tokens


def test_a_graph_comes_back_from_its_file(tmp_path):
    for make in NETWORKS.values():
        network = make()
        read = read_network(write_network(network, tmp_path / "graph.safetensors"))
        assert [(n.name, n.inputs) for n in read.nodes] == [
            (n.name, n.inputs) for n in network.nodes
        ]
        assert read.shapes == network.shapes


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "a node is named ''; names are up to 80 letters"),
        ("../evil", "a node is named '../evil'"),
        ("gru0.gate", "a node is named 'gru0.gate'"),
        ("n" * 5000, "a node is named 'nnn"),
        ("output", "a name that files of pimsim give to something else"),
        ("predictions", "a name that files of pimsim give to something else"),
        ("allow_pickle", "a name that files of pimsim give to something else"),
    ],
)
def test_names_that_could_meet_others_in_files_are_refused(name, message):
    network = random_gru()
    first, *rest = network.nodes
    nodes = (dataclasses.replace(first, name=name),
             *(dataclasses.replace(node, inputs=(name,)) for node in rest))  # fmt: skip
    with pytest.raises(PimsimError, match=message) as caught:
        dataclasses.replace(network, nodes=nodes)
    assert len(str(caught.value)) < 250


def test_a_network_without_weights_in_arrays_is_refused():
    network = random_lenet()
    only = tuple(node for node in network.nodes if not node.matrices())[:1]
    with pytest.raises(PimsimError, match="at least one layer with weights in arrays"):
        dataclasses.replace(network, nodes=only)


def test_nodes_that_nothing_reads_are_refused():
    network = two_roads()
    low, each, high = network.nodes
    lost = dataclasses.replace(high, inputs=("low", "low", "encoder"))
    with pytest.raises(PimsimError, match="high has 43 rows for 12 hidden and 34 input bits"):
        dataclasses.replace(network, nodes=(low, each, lost))
    gru = random_gru()
    first = dataclasses.replace(gru.nodes[0], name="extra")
    with pytest.raises(PimsimError, match="nothing reads the output of extra"):
        dataclasses.replace(gru, nodes=(first, *gru.nodes))
