"""Networks without a model file, on data of one's own."""

from __future__ import annotations

import dataclasses
import hashlib
import json

import numpy as np
import pytest
import yaml
from data_files import wav_bytes
from files import write_model
from networks import random_gru, random_mlp, random_tensor, tensor_features

import pimsim
from pimsim.config import ChipConfig, bundled_root, load_chip, load_device
from pimsim.config.load import DEFAULTS
from pimsim.data import load
from pimsim.errors import ConfigError, DataError
from pimsim.files import sha256
from pimsim.studies.document import describe_run
from pimsim.studies.prepare import prepare
from pimsim.studies.run import run
from pimsim.workload import run_reference, write_network

SHAPES = {
    "vector": ((9,), False),
    "sequence": ((12, 3), False),
    "image": ((6, 5, 3), False),
    "steps": ((5,), True),
}


def own(network, n: int = 12) -> pimsim.Dataset:
    labels = np.arange(n) % len(network.classes)
    return pimsim.Dataset(
        tensor_features(network, n), labels, network.classes, name="my sensor",
        source={"source": "a test"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def network():
    return random_tensor()


@pytest.fixture(scope="module")
def data(network):
    return own(network)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("chip", ["ba_mlw_16nm", "bnn_slc_16nm"])
def test_an_ideal_chip_equals_the_exact_network(name, chip):
    network = random_tensor(*SHAPES[name])
    if chip == "bnn_slc_16nm":
        network = random_tensor(*SHAPES[name], n_levels=2)
    found = run(network, data=own(network), chip=chip, ideal=True, keep_bits=True, threads=1)
    exact = run_reference(network, own(network).features).bits
    assert found.chips.bits.keys() == exact.keys()
    assert all(np.array_equal(found.chips.bits[key][0], exact[key]) for key in exact)


def test_codes_of_own_data():
    network = random_tensor(n_levels=255)
    found = run(network, data=own(network), chip="adc_pim_16nm", chips=2, contributions=False)
    assert found.chips.predictions.shape == (2, 12)


def test_recordings_in_folders_of_own_classes_run_in_the_order_of_the_network(tmp_path):
    """Folders come as word1, word10, word2; the network has word2 before word10."""
    network = random_gru()
    for word in (1, 2, 10):
        (tmp_path / f"word{word}").mkdir()
        tone = 8_000 * np.sin(np.arange(16_000) * (0.05 + 0.03 * word))
        (tmp_path / f"word{word}" / "a.wav").write_bytes(wav_bytes(tone))
    assert load(tmp_path).classes == ("word1", "word10", "word2")
    found = run(network, data=tmp_path, chips=1, ideal=True, contributions=False, threads=1)
    data = found.prepared.data
    assert (data.labels.tolist(), data.classes) == ([1, 10, 2], network.classes)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.wav").write_bytes(wav_bytes(tone))
    with pytest.raises(DataError, match=r"classes \(other, word1, .* are not those"):
        run(network, data=tmp_path, chips=1)


def test_a_network_file_runs_on_the_chip_of_the_bundled_model(tmp_path, network, data):
    path = write_network(network, tmp_path / "net.safetensors")
    data.save(tmp_path / "data.npz")
    found = run(path, data=tmp_path / "data.npz", chips=2, contributions=False)
    by_name = run(network, data=data, chips=2, contributions=False)
    report, same = describe_run(found), describe_run(by_name)
    assert report["accuracy"] == same["accuracy"]
    assert report["run"]["data"] == "my sensor"
    assert report["run"]["data_description"] == "12 samples of 9 numbers in 4 classes"
    assert report["run"]["model"] == "net"
    assert not report["run"]["is_synthetic_data"]
    gru = yaml.safe_load((bundled_root() / "models/gru.yaml").read_text())
    assert gru["chip"].endswith(f"/{DEFAULTS['chip']}.yaml")
    assert gru["device"].endswith(f"/{DEFAULTS['device']}.yaml")
    assert (gru["chips"], gru["seed"]) == (DEFAULTS["chips"], DEFAULTS["seed"])


def test_provenance_of_objects_is_that_of_their_content(tmp_path, network, data):
    path = write_network(network, tmp_path / "net.safetensors")
    chip, device = load_chip("ba_mlw_16nm"), load_device("pcm")
    given = {"data": data, "chip": chip, "device": device, "chips": 2, "contributions": False}
    objects = describe_run(run(network, **given))["provenance"]
    files = objects["files"]
    assert "model" not in files
    assert files["network"] == {"name": "random-tensor (an object)", "sha256": sha256(path)}
    assert files["device"]["name"] == f"{device.name} (an object)"
    content = json.dumps(device.model_dump(mode="json"), sort_keys=True)
    assert files["device"]["sha256"] == hashlib.sha256(content.encode()).hexdigest()
    assert objects["data"] == {"sha256": data.sha256, "source": "a test"}
    assert objects["files"]["technology"]["name"] == "16nm.yaml"
    other = dataclasses.replace(network, temperature=0.5)
    changed = describe_run(run(other, **given))["provenance"]["files"]
    assert changed["network"]["sha256"] != files["network"]["sha256"]
    assert changed["chip"] == files["chip"]


def test_objects_give_what_their_files_give(network, data):
    options = {"data": data, "chips": 2, "contributions": False}
    by_object = run(network, chip=load_chip("ba_mlw_16nm"), device=load_device("pcm"), **options)
    by_name = run(network=network, chip="ba_mlw_16nm", device="pcm", **options)
    assert by_object.accuracy.per_chip.tolist() == by_name.accuracy.per_chip.tolist()
    assert describe_run(by_object)["energy"] == describe_run(by_name)["energy"]


def test_a_changed_chip_runs_as_one_that_is_set(network, data):
    chip = load_chip("ba_mlw_16nm")
    array = chip.array.model_copy(update={"rows": 64})
    options = {"data": data, "chips": 2, "contributions": False}
    found = run(network, chip=chip.model_copy(update={"array": array}), **options)
    same = run(network, set=["chip.array.rows=64"], **options)
    assert describe_run(found)["area"] == describe_run(same)["area"]


def test_a_network_takes_the_place_of_the_model_files(tmp_path):
    model = write_model(tmp_path)
    other = dataclasses.replace(
        random_gru(seed=3), name="other", classes=load("synthetic-speech").classes
    )
    path = write_network(other, tmp_path / "other.safetensors")
    for given in (other, path, str(path)):
        found = run(model, network=given, chips=1, limit=4, contributions=False)
        assert found.prepared.network.name == "other"
    report = describe_run(found)["provenance"]["files"]
    assert report["model"]["name"] == "gru.yaml"
    assert report["network"] == {"name": "other.safetensors", "sha256": sha256(path)}
    # whatever the chip passes on from layer to layer
    wide = dataclasses.replace(
        random_gru(n_levels=255), name="codes", classes=load("synthetic-speech").classes
    )
    found = run(model, network=wide, chip="adc_pim_16nm", chips=1, limit=4, contributions=False)
    assert found.prepared.network.name == "codes"


def test_a_bundled_network_goes_by_its_name():
    found = prepare("gru_w7.safetensors", {"data": "synthetic-speech", "limit": 4})
    assert found.network.name == prepare("gru").network.name
    assert len(found.data) == 4


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("gru_w7.safetensors", {}, "gru_w7.safetensors is run without a model file, and data are"),
        ("gru_w8.safetensors", {"data": "mnist-1000"}, "'gru_w8.safetensors' is no file, and no b"),
        (
            "gru_w7.safetensors",
            {"data": "mnist-1000"},
            "names 'mnist-1000', which holds image data",
        ),
        ("gru_w7.safetensors", {"network": "x"}, "is a network file, and another network is given"),
        (None, {}, "neither a model file nor a network is given"),
        (
            "gru",
            {"network": "gru.yaml"},
            "no bundled network is called so",
        ),
    ],
)
def test_what_is_missing_is_said(model, options, message):
    with pytest.raises((ConfigError, DataError), match=message):
        prepare(model, options)


def test_two_networks_are_one_too_many(network, data):
    with pytest.raises(ConfigError, match="two networks are given"):
        run(network, network=network, data=data)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("chip.array.rows=64", "changes the chip, which is given as an object. Change the object"),
        ("device.rtn.relative=1 %", "changes the device, which is given as an object"),
        ("chip=bnn_slc_16nm", "changes the chip, which is given as an object"),
        ("device=pcm", "changes the device, which is given as an object"),
        ("network=gru_w7.safetensors", "changes the network, which is given as an object"),
        ("networks.levels=gru_w7.safetensors", "changes the network, which is given"),
        ("data=mnist-1000", "data names other data than 'my sensor', which are given as an object"),
    ],
)
def test_objects_are_not_changed_by_assignments(network, data, text, message):
    objects = {"chip": load_chip("ba_mlw_16nm"), "device": load_device("reram")}
    with pytest.raises(ConfigError, match=message) as caught:
        run(network, data=data, set=[text], **objects)
    assert str(caught.value).startswith(f"--set {text}")


@pytest.mark.parametrize("name", ["network", "data", "chip", "device"])
def test_an_object_of_another_kind_is_refused(network, data, name):
    given = {"network": network, "data": data, "chip": load_chip("ba_mlw_16nm"), "device": "reram"}
    wrong = ChipConfig if name != "chip" else data
    with pytest.raises(ConfigError, match=f"option {name} is .*; it must be a name, a path or a "):
        run(**given | {name: wrong})


def test_data_that_do_not_fit_are_refused_with_both_shapes(network, data):
    longer = np.hstack([data.features, data.features])
    with pytest.raises(DataError, match=r"takes 9 numbers .*, and the data have 18 \(float32\)"):
        run(network, data=dataclasses.replace(data, features=longer))
    renamed = dataclasses.replace(data, classes=("a", "b", "c", "d"))
    with pytest.raises(
        DataError, match=r"whose classes \(a, b, c, d\) are not .* \(class 0, class"
    ):
        run(network, data=renamed)


def test_data_may_lack_the_last_classes(network, data):
    few = data.select(data.labels < 2)
    few = dataclasses.replace(few, classes=network.classes[:2])
    assert len(run(network, data=few, ideal=True).labels) == len(few)


def test_tensors_of_the_right_shape_are_images(tmp_path):
    digits = load("mnist-1000").limit(6)
    same = pimsim.Dataset(digits.features, digits.labels, digits.classes)
    network = random_mlp()
    left, right = (run(network, data=one, ideal=True) for one in (digits, same))
    assert np.array_equal(left.chips.predictions, right.chips.predictions)
    assert digits.sha256 == same.sha256


def test_a_network_is_compared_on_several_chips(network, data):
    compared = pimsim.compare(
        network,
        data=data,
        chips=2,
        device=["reram", load_device("pcm")],
        chip=load_chip("ba_mlw_16nm"),
    )
    assert [case.device for case in compared.typed.cases] == ["ReRAM", "PCM"]
    second = random_tensor(seed=5)
    named = dataclasses.replace(second, name="second")
    compared = pimsim.compare(network, pimsim.run(named, data=data, chips=2), data=data, chips=2)
    assert [case.network for case in compared.typed.cases] == ["random-tensor", "second"]


def test_a_network_is_swept(network, data, tmp_path):
    axes = {"device": ["reram", "pcm"]}
    swept = pimsim.sweep(network, axes, data=data, chips=1, out=tmp_path)
    assert swept.typed.model == "random-tensor"
    path = write_network(network, tmp_path / "net.safetensors")
    again = pimsim.sweep(path, axes, data=data, chips=1, out=tmp_path)
    assert again.document["points"] == swept.document["points"]
    # points are found again by the content of the network
    assert len(list((tmp_path / "points").iterdir())) == 2
