from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_files import rewrite
from networks import random_features, random_gru, random_lenet, random_matrix, thermometer_gru
from safetensors.numpy import save_file

from pimsim.errors import ConfigError, DataError, PimsimError
from pimsim.workload import (
    Conv2d,
    Gru,
    MaxPool,
    Network,
    chain,
    read_network,
    read_network_file,
    run_reference,
    write_network,
)

NETWORKS = {
    "gru": random_gru(),
    "thresholds": random_gru(thresholds=4),
    "binary": random_gru(n_levels=2),
    "lenet": random_lenet(),
    "thermometer": thermometer_gru(),
}
scaling = dataclasses.replace(NETWORKS["gru"].input, level=150.0)
NETWORKS["level"] = dataclasses.replace(NETWORKS["gru"], input=scaling)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_comes_back_as_it_was(tmp_path, name):
    written = dataclasses.replace(
        NETWORKS[name], temperature=0.7, provenance={"recipe": "r", "accuracy": [0.5]}
    )
    read = read_network(write_network(written, tmp_path / "n.safetensors"))
    assert (read.provenance, read.temperature) == (written.provenance, 0.7)
    assert [(n.name, n.inputs) for n in read.nodes] == [(n.name, n.inputs) for n in written.nodes]
    assert [type(x) for x in read.layers] == [type(x) for x in written.layers]
    for (a, left), (b, right) in zip(read.matrices(), written.matrices(), strict=True):
        assert a == b
        assert np.array_equal(left.levels, right.levels)
        assert (left.alpha, left.preactivation_range) == (right.alpha, right.preactivation_range)
    features = random_features(written, 5)
    left, right = run_reference(read, features), run_reference(written, features)
    assert all(np.array_equal(left.bits[k], right.bits[k]) for k in right.bits)
    assert np.array_equal(left.scores, right.scores)
    assert list(tmp_path.iterdir()) == [tmp_path / "n.safetensors"]


def test_a_newer_file_is_refused(tmp_path):
    path = write_network(NETWORKS["gru"], tmp_path / "n.safetensors")
    rewrite(path, lambda header, _: header.update(format_version=4))
    with pytest.raises(DataError, match="has network format 4, and this pimsim reads up to 3"):
        read_network(path)


def as_old(network: Network, path) -> None:
    """Write a network as files of formats 1 and 2 held it."""
    write_network(network, path)

    def change(header, tensors):
        has_level = header["input"].get("level") is not None
        header.update(format_version=2 if has_level else 1, layers=header.pop("nodes"))
        header["provenance"] = {"temperature": header.pop("temperature")}
        for key in ("height", "width"):
            header["input"].pop(key, None)
        for index, layer in enumerate(header["layers"]):
            name = layer.pop("name")
            del layer["inputs"]
            for old in [key for key in tensors if key.startswith(f"{name}.")]:
                tensors[f"layers.{index}.{old.removeprefix(f'{name}.')}"] = tensors.pop(old)

    rewrite(path, change)


@pytest.mark.parametrize("name", NETWORKS)
def test_files_of_older_formats_are_read(tmp_path, name):
    written, path = dataclasses.replace(NETWORKS[name], temperature=0.4), tmp_path / "n.safetensors"
    as_old(written, path)
    read, version, _ = read_network_file(path)
    assert version == (2 if name == "level" else 1)
    assert read.temperature == 0.4
    assert [n.name for n in read.nodes] == [n.name for n in written.nodes]
    features = random_features(written, 5)
    left, right = run_reference(read, features), run_reference(written, features)
    assert left.bits.keys() == right.bits.keys()
    assert all(np.array_equal(left.bits[k], right.bits[k]) for k in right.bits)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("lenet", lambda h, t: h["nodes"][1].update(mirror=1), r"the key 'nodes\[1\].mirror'"),
        ("lenet", lambda h, t: h["nodes"][1].update(bias=2), r"the key 'nodes\[1\].bias'"),
        ("gru", lambda h, t: h["nodes"][0].update(reset=True), r"the key 'nodes\[0\].reset'"),
        ("gru", lambda h, t: h["nodes"][0]["gate"].update(activation="tanh"),
         r"the key 'nodes\[0\].gate.activation', which pimsim does not know"),
        ("gru", lambda h, t: h["encoder"].update(activation="relu"), "key .encoder.activation."),
        ("gru", lambda h, t: h["input"].update(window=3), "the key 'input.window'"),
        ("gru", lambda h, t: h.update(temperatures=1.0), "the key 'temperatures'.*temperature"),
        ("gru", lambda h, t: t.update({"gru0.gate.biases": t["gru0.gate.thresholds"]}),
         "holds the tensor 'gru0.gate.biases', which nothing reads"),
        ("gru", lambda h, t: h["nodes"][0].update(kind="attention"),
         r"the unknown layer kind 'attention' \(nodes\[0\]\). This pimsim knows dense, conv2d"),
        ("gru", lambda h, t: h["nodes"][1].update(inputs=["gru7"]), "gru1 reads 'gru7', which"),
        ("gru", lambda h, t: h["nodes"][1].update(inputs=[]), "gru1 reads nothing"),
        ("gru", lambda h, t: h["nodes"][1].update(inputs=["encoder", "gru0"]),
         "gru1 has 24 rows for 12 hidden and 22 input bits"),
        ("lenet", lambda h, t: h["nodes"][4].update(name="dense3"), "two nodes are named dense3"),
    ],
)  # fmt: skip
def test_whatever_pimsim_does_not_know_is_refused_by_its_name(tmp_path, name, change, message):
    path = write_network(NETWORKS[name], tmp_path / "n.safetensors")
    rewrite(path, change)
    with pytest.raises(DataError, match=message):
        read_network(path)


def test_old_files_are_read_as_strictly(tmp_path):
    path = tmp_path / "n.safetensors"
    as_old(NETWORKS["lenet"], path)
    rewrite(path, lambda header, _: header["layers"][1].update(transposed=1))
    with pytest.raises(DataError, match="'nodes\\[1\\].transposed'"):
        read_network(path)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.7, 0.999])
def test_a_truncated_file_is_refused(tmp_path, share):
    path = write_network(NETWORKS["gru"], tmp_path / "n.safetensors")
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(DataError, match="is no whole safetensors file"):
        read_network(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h, t: t.pop("gru0.gate.levels"), "lacks the entry 'gru0.gate.levels'"),
        (lambda h, t: h.pop("encoder"), "lacks the entry 'encoder'"),
        (lambda h, t: h.update(format_version="1"), "has no format version"),
        (lambda h, t: h["classes"].pop(), "11 class names for 12 outputs"),
        (lambda h, t: [h["nodes"].pop(), *(t.pop(k) for k in [*t] if k.startswith("gru1"))], None),
        (lambda h, t: t.update({"gru1.gate.levels": t["gru0.gate.levels"]}), "one shape"),
        (lambda h, t: h["nodes"][0].update(kind="attention"), "the unknown layer kind 'attention'"),
        (lambda h, t: h["nodes"][0]["gate"].update(alpha=-1.0), "alpha is -1.0; it must be"),
        (lambda h, t: h["nodes"][0]["gate"].update(n_levels=4), "n_levels is 4"),
        (lambda h, t: h["nodes"][0]["gate"].update(n_levels=5), "levels reach 3, outside -2..2"),
        (lambda h, t: h["nodes"][0].update(gate=3), "is damaged"),
        (lambda h, t: h.update(format_version=True), "has no format version"),
        (lambda h, t: h["input"].update(frame_average=1000), "frame_average is 1000; it is 1, 2"),
        (lambda h, t: h["input"].update(frame_average=float("inf")), "is damaged"),
        (lambda h, t: h["input"].update(level=300), "level is 300"),
        (lambda h, t: h["input"].update(level=float("nan")), "NaN is no number"),
        (lambda h, t: h["input"].update(level="loud"), "is damaged"),
        (lambda h, t: [h.update(input={"kind": "image", "mean": 0.0, "deviation": 1.0}),
                       t.pop("input.mean"), t.pop("input.deviation")],
         "the encoder takes 40 inputs and gets 784"),
        (lambda h, t: h["nodes"][0]["gate"].update(alpha=1e308), "alpha is 1e\\+308"),
        (lambda h, t: h["nodes"][0]["gate"].update(n_levels=257), "n_levels is 257"),
        (lambda h, t: t.update({"input.mean": t["input.mean"] * np.nan}), "means must be finite"),
        (lambda h, t: t.update({"input.deviation": t["input.deviation"] * np.inf}),
         "deviations must be positive and finite"),
        (lambda h, t: t.update({"encoder.weights": np.vstack([t["encoder.weights"]] * 2)}),
         "the encoder takes 80 inputs and gets 40"),
        (lambda h, t: t.update({"encoder.weights": t["encoder.weights"] * np.float32(99)}),
         "multiples of 2"),
        (lambda h, t: t.update({"gru0.gate.levels": t["gru0.gate.levels"].astype("i4")}),
         "levels must be a 2-D int8 array"),
    ],
)  # fmt: skip
def test_a_damaged_network_is_refused(tmp_path, change, message):
    path = write_network(NETWORKS["gru"], tmp_path / "n.safetensors")
    rewrite(path, change)
    if message is None:
        assert len(read_network(path).layers) == 1  # a whole, if smaller, network
        return
    with pytest.raises(DataError, match=message) as caught:
        read_network(path)
    assert str(caught.value).startswith(str(path))


def test_other_safetensors_and_missing_files_are_refused(tmp_path):
    other = tmp_path / "other.safetensors"
    save_file({"x": np.zeros(3)}, other)
    with pytest.raises(DataError, match="holds no pimsim network"):
        read_network(other)
    with pytest.raises(DataError, match="cannot be read"):
        read_network(tmp_path / "none.safetensors")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_network(NETWORKS["gru"], other / "below a file.safetensors")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_flipped_bytes_end_in_a_network_or_a_clear_error(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("fuzz")
    path = write_network(random_gru(hidden=3, bits=2), folder / "n.safetensors")
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, min(len(raw), 2500) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(raw)
    try:
        read_network(path)
    except PimsimError:
        pass


def test_networks_that_do_not_fit_together_are_refused():
    rng = np.random.default_rng(0)
    gru = NETWORKS["gru"]
    with pytest.raises(
        PimsimError, match="maxpool2 needs feature maps, and gets time steps of 12 bits"
    ):
        dataclasses.replace(gru, nodes=chain((*gru.layers, MaxPool(2, 2))))
    with pytest.raises(PimsimError, match="output layer expects 12 bits and gets 5"):
        narrow = Gru(random_matrix(rng, 17, 5), random_matrix(rng, 17, 5))
        dataclasses.replace(gru, nodes=chain((gru.layers[0], narrow)))
    with pytest.raises(PimsimError, match="needs at least one layer with weights in arrays"):
        dataclasses.replace(gru, nodes=chain(()))
    with pytest.raises(PimsimError, match="binary weights are -1 or"):
        dataclasses.replace(random_matrix(rng, 9, 9, 3), n_levels=2)
    lenet = NETWORKS["lenet"]
    with pytest.raises(PimsimError, match="dense3 has 96 rows and gets 150 bits"):
        narrow = Conv2d(random_matrix(rng, 4 * 4 * 4, 6, 15), kernel=4, padding=1)
        dataclasses.replace(lenet, nodes=chain((lenet.layers[0], narrow, *lenet.layers[2:])))
    with pytest.raises(PimsimError, match="maxpool2 cuts 5 x 5 windows from 2 x 2 maps"):
        dataclasses.replace(
            lenet, nodes=chain((MaxPool(5, 5), MaxPool(2, 2), MaxPool(5, 1), *lenet.layers[3:]))
        )
