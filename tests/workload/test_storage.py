from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import random_features, random_gru, random_lenet, random_matrix
from safetensors.numpy import load_file, save_file

from pimsim.errors import ConfigError, DataError, PimsimError
from pimsim.workload import (
    Conv2d,
    Gru,
    MaxPool,
    read_network,
    run_reference,
    write_network,
)

NETWORKS = {
    "gru": random_gru(),
    "thresholds": random_gru(thresholds=4),
    "binary": random_gru(n_levels=2),
    "lenet": random_lenet(),
}
scaling = dataclasses.replace(NETWORKS["gru"].input, level=150.0)
NETWORKS["level"] = dataclasses.replace(NETWORKS["gru"], input=scaling)


def header_of(path) -> dict:
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    return json.loads(json.loads(raw[8 : 8 + size])["__metadata__"]["pimsim"])


def rewrite(path, change) -> None:
    """Write the file anew with a changed header and tensors."""
    header, tensors = header_of(path), load_file(path)
    change(header, tensors)
    save_file(tensors, path, metadata={"pimsim": json.dumps(header)})


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_comes_back_as_it_was(tmp_path, name):
    written = dataclasses.replace(NETWORKS[name], provenance={"recipe": "r", "accuracy": [0.5]})
    read = read_network(write_network(written, tmp_path / "n.safetensors"))
    assert read.provenance == written.provenance
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
    rewrite(path, lambda header, _: header.update(format_version=3))
    with pytest.raises(DataError, match="has network format 3, and this pimsim reads up to 2"):
        read_network(path)


def test_only_what_needs_the_newer_format_has_it(tmp_path):
    for name, version in (("gru", 1), ("level", 2)):
        path = write_network(NETWORKS[name], tmp_path / "n.safetensors")
        assert header_of(path)["format_version"] == version


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.7, 0.999])
def test_a_truncated_file_is_refused(tmp_path, share):
    path = write_network(NETWORKS["gru"], tmp_path / "n.safetensors")
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(DataError, match="is no whole safetensors file"):
        read_network(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h, t: t.pop("layers.0.gate.levels"), "lacks the entry 'layers.0.gate.levels'"),
        (lambda h, t: h.pop("encoder"), "lacks the entry 'encoder'"),
        (lambda h, t: h.update(format_version="1"), "has no format version"),
        (lambda h, t: h["classes"].pop(), "11 class names for 12 outputs"),
        (lambda h, t: h["layers"].pop(), None),
        (lambda h, t: t.update({"layers.1.gate.levels": t["layers.0.gate.levels"]}), "one shape"),
        (lambda h, t: h["layers"][0].update(kind="lstm"), "unknown layer kind 'lstm'"),
        (lambda h, t: h["layers"][0]["gate"].update(alpha=-1.0), "alpha is -1.0; it must be"),
        (lambda h, t: h["layers"][0]["gate"].update(n_levels=4), "n_levels is 4"),
        (lambda h, t: h["layers"][0]["gate"].update(n_levels=5), "levels reach 3, outside -2..2"),
        (lambda h, t: h["layers"][0].update(gate=3), "is damaged"),
        (lambda h, t: h.update(format_version=True), "has no format version"),
        (lambda h, t: h["input"].update(frame_average=1000), "frame_average is 1000; it is 1, 2"),
        (lambda h, t: h["input"].update(frame_average=float("inf")), "is damaged"),
        (lambda h, t: h["input"].update(level=300), "level is 300"),
        (lambda h, t: h["input"].update(level=float("nan")), "level is nan"),
        (lambda h, t: h["input"].update(level="loud"), "is damaged"),
        (lambda h, t: h["input"].update(kind="image", mean=0.0, deviation=1.0),
         "a recurrent network needs speech input"),
        (lambda h, t: h["layers"][0]["gate"].update(alpha=1e308), "alpha is 1e\\+308"),
        (lambda h, t: h["layers"][0]["gate"].update(n_levels=257), "n_levels is 257"),
        (lambda h, t: t.update({"input.mean": t["input.mean"] * np.nan}), "means must be finite"),
        (lambda h, t: t.update({"input.deviation": t["input.deviation"] * np.inf}),
         "deviations must be positive and finite"),
        (lambda h, t: t.update({"encoder.weights": np.vstack([t["encoder.weights"]] * 2)}),
         "the encoder takes 80 inputs and gets 40"),
        (lambda h, t: t.update({"encoder.weights": t["encoder.weights"] * np.float32(99)}),
         "multiples of 2"),
        (lambda h, t: t.update({"layers.0.gate.levels": t["layers.0.gate.levels"].astype("i4")}),
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
    with pytest.raises(PimsimError, match="a recurrent network is a dense encoder and GRU layers"):
        dataclasses.replace(gru, layers=(*gru.layers, MaxPool(2, 2)))
    with pytest.raises(PimsimError, match="output layer expects 12 bits and gets 5"):
        narrow = Gru(random_matrix(rng, 17, 5), random_matrix(rng, 17, 5))
        dataclasses.replace(gru, layers=(gru.layers[0], narrow))
    with pytest.raises(PimsimError, match="needs at least one array layer"):
        dataclasses.replace(gru, layers=())
    with pytest.raises(PimsimError, match="binary weights are -1 or"):
        dataclasses.replace(random_matrix(rng, 9, 9, 3), n_levels=2)
    lenet = NETWORKS["lenet"]
    with pytest.raises(PimsimError, match="dense3 has 96 rows and gets 150 bits"):
        narrow = Conv2d(random_matrix(rng, 4 * 4 * 4, 6, 15), kernel=4, padding=1)
        dataclasses.replace(lenet, layers=(lenet.layers[0], narrow, *lenet.layers[2:]))
    with pytest.raises(PimsimError, match="maxpool2 cuts 5 x 5 windows from 2 x 2 maps"):
        dataclasses.replace(
            lenet, layers=(MaxPool(5, 5), MaxPool(2, 2), MaxPool(5, 1), *lenet.layers[3:])
        )
