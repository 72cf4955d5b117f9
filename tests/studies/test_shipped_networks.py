"""The shipped networks, on embedded data and, where present, on real recordings."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import pytest
import yaml
from files import bundled_chip, bundled_device
from real_data import real_data

from pimsim.chip import build_chip
from pimsim.circuits.digital_mac import score_fixed
from pimsim.config import NoiseConfig, bundled_names, bundled_root
from pimsim.data.catalog import EMBEDDED, ENVIRONMENT, load
from pimsim.simulate import encode_inputs, run_chips
from pimsim.studies.run import run
from pimsim.workload import read_network, run_reference

NETWORKS = sorted(path.name for path in (bundled_root() / "models").glob("*.safetensors"))
COMPARED = sorted(path.name for path in (bundled_root() / "models/paper").glob("*.safetensors"))
DATA = {
    "gru_w3.safetensors": "synthetic-speech",
    "gru_w3_arrays.safetensors": "synthetic-speech",
    "gru_w7.safetensors": "synthetic-speech",
    "gru_w7_arrays.safetensors": "synthetic-speech",
    "gru_w7_quick.safetensors": "synthetic-speech",
    "lenet5_w15.safetensors": "mnist-1000",
    "lenet5_w15_arrays.safetensors": "mnist-1000",
}
# a network below these is not worth shipping
LEAST = {
    "gru_w3.safetensors": 0.80,
    "gru_w3_arrays.safetensors": 0.80,
    "gru_w7.safetensors": 0.80,
    "gru_w7_arrays.safetensors": 0.80,
    "gru_w7_quick.safetensors": 0.80,
    "lenet5_w15.safetensors": 0.97,
    "lenet5_w15_arrays.safetensors": 0.97,
}


def stated(network, data_set: str) -> float:
    """Accuracy with bits and no noise, as the network's own provenance says."""
    entries = {entry["set"]: entry for entry in network.provenance["accuracy"]}
    assert entries[data_set]["form"] == "bits, no noise"
    return entries[data_set]["value"]


def accuracy(network, data) -> float:
    return float((run_reference(network, data.features).predictions == data.labels).mean())


@pytest.mark.parametrize("name", NETWORKS)
def test_a_shipped_network_is_small_and_says_where_it_comes_from(name):
    path = bundled_root() / "models" / name
    assert path.stat().st_size < 300_000
    provenance = read_network(path).provenance
    assert {"recipe", "data", "accuracy"} <= provenance.keys()


@pytest.mark.parametrize("name", COMPARED)
def test_a_compared_network_is_small_and_says_where_it_comes_from(name):
    path = bundled_root() / "models/paper" / name
    provenance = read_network(path).provenance
    assert {"recipe", "data", "accuracy"} <= provenance.keys()
    assert provenance["recipe"]["name"] == path.stem
    # a float baseline holds its full-precision weights besides its levels
    assert path.stat().st_size < 300_000 or "_float" in name


def test_the_readme_says_what_the_networks_say():
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    speech, digits = "speech-commands-test", "mnist-test"
    networks = (
        ("gru_w7", speech),
        ("gru_w7_quick", speech),
        ("gru_w7_arrays", speech),
        ("gru_w3", speech),
        ("gru_w3_arrays", speech),
        ("lenet5_w15", digits),
        ("lenet5_w15_arrays", digits),
    )
    for name, data_set in networks:
        network = read_network(bundled_root() / "models" / f"{name}.safetensors")
        row = next(line for line in readme.splitlines() if f"`{name}.safetensors`" in line)
        assert f"{100 * stated(network, data_set):.1f} % of" in row


@pytest.mark.parametrize("name", NETWORKS)
def test_a_shipped_network_does_its_embedded_data(name):
    network = read_network(bundled_root() / "models" / name)
    found = accuracy(network, load(DATA[name]))
    assert found == pytest.approx(stated(network, DATA[name]), abs=1e-9)
    assert found >= LEAST[name]


def paired_difference(network, data) -> tuple[float, float]:
    """Accuracy with fixed-point units less that with exact ones, and half its 95 % interval."""
    right = []
    for fixed_point in (True, False):
        noise = NoiseConfig.ideal().model_copy(update={"fixed_point": fixed_point})
        chip = build_chip(network, bundled_chip(), bundled_device("ideal"), noise)
        found = run_chips(chip, encode_inputs(chip, data.features), [0], 1)
        right.append((found.predictions[0] == data.labels).astype(float))
    # sequences are independent, and each is its own pair
    difference = right[0] - right[1]
    return difference.mean(), 1.96 * difference.std(ddof=1) / math.sqrt(len(data))


@pytest.mark.parametrize("name", NETWORKS)
def test_fixed_point_units_cost_no_accuracy_that_can_be_seen(name):
    """As hwconfigs/chips/ba_mlw_16nm.yaml says of its 6 x 5 bits."""
    network = read_network(bundled_root() / "models" / name)
    difference, half = paired_difference(network, load(DATA[name]))
    assert abs(difference) <= half
    assert half < 0.025


@pytest.mark.parametrize("name", ["gru_w3.safetensors", "gru_w7.safetensors"])
def test_fixed_point_units_cost_no_accuracy_on_recordings(name):
    network = read_network(bundled_root() / "models" / name)
    difference, half = paired_difference(network, load(real_data("speech-commands-test")))
    assert abs(difference) <= half
    assert half < 0.01


def test_the_paired_test_sees_an_encoder_that_is_too_coarse(monkeypatch):
    network = read_network(bundled_root() / "models" / "gru_w7.safetensors")
    chip = bundled_chip()
    coarse = chip.input_encoder.model_copy(update={"input_bits": 3, "weight_bits": 2})
    changed = chip.model_copy(update={"input_encoder": coarse})
    monkeypatch.setitem(globals(), "bundled_chip", lambda: changed)
    difference, half = paired_difference(network, load(DATA["gru_w7.safetensors"]))
    assert difference < -half


@pytest.mark.parametrize("name", NETWORKS)
def test_eight_bits_of_the_output_layer_choose_the_same_class(name):
    network = read_network(bundled_root() / "models" / name)
    bits = np.random.default_rng(0).integers(0, 2, (5000, len(network.output.weights)), np.uint8)
    exact = network.output.scores(bits)
    fixed = score_fixed(network.output, bundled_chip().output_unit, bits)
    # random states, in which scores of these networks lie closer: 97.6 % of them; what their
    # clips lose is tested above
    least = 0.97 if name.endswith("_arrays.safetensors") else 0.98
    assert (exact.argmax(axis=1) == fixed.argmax(axis=1)).mean() >= least


@pytest.mark.parametrize("name", bundled_names("model"))
def test_a_bundled_model_runs_by_its_name(name, monkeypatch):
    model = yaml.safe_load((bundled_root() / "models" / f"{name}.yaml").read_text())
    data, networks = model["data"], model["networks"]
    lacking = [n for n in networks.values() if not (bundled_root() / "models" / n).is_file()]
    if lacking:
        pytest.skip(f"models/{lacking[0]} is not trained yet")
    if data not in EMBEDDED:
        monkeypatch.setenv(ENVIRONMENT, str(real_data(data).parent))
    result = run(name, chips=2, limit=48, contributions=False)
    if result.sample.metric.is_more_better:
        assert result.sample.mean > 0.6
    else:
        # symbols of a text that are drawn as often as they occur have 4.5 bits
        assert result.sample.mean < 3.0


def test_speech_on_the_half_test_set():
    path = real_data("speech-commands-test")
    network = read_network(bundled_root() / "models" / "gru_w7.safetensors")
    data = load(path)
    assert len(data) > 2000
    found = accuracy(network, data)
    # the front end's sums are in single precision: a pixel in a million may differ
    assert found == pytest.approx(stated(network, "speech-commands-test"), abs=5e-4)
    # the chip of the default model file, on the same clips
    result = run("gru", data=path, chips=2, contributions=False)
    assert result.accuracy.ideal == found
    # devices cost about 0.7 points here, with a spread of 0.4 over chips
    assert abs(result.accuracy.mean - found) < 0.02


@pytest.mark.slow
def test_wav_and_logmel_jpeg_forms_agree():
    """JPEGs of log-mels lose as many clips as they win, within three standard deviations.

    The training archive holds no clip of the test set, so the images are made here
    in its form: grey JPEG of 98 x 40, pixels as the front end gives them.
    """
    image = pytest.importorskip("PIL.Image")
    data = load(real_data("speech-commands-test"))
    network = read_network(bundled_root() / "models" / "gru_w7.safetensors")

    def as_jpeg(pixels: np.ndarray) -> np.ndarray:
        stored = io.BytesIO()
        image.fromarray(pixels).save(stored, "JPEG", quality=75)
        return np.asarray(image.open(stored))

    features = np.stack([as_jpeg(clip) for clip in data.features])
    assert not np.array_equal(features, data.features)
    from_wav, through_jpeg = (
        run_reference(network, clips).predictions == data.labels
        for clips in (data.features, features)
    )
    lost, won = int((from_wav & ~through_jpeg).sum()), int((~from_wav & through_jpeg).sum())
    # 83 and 57 of 2443 for the shipped network: 93.8 % from wav files, 92.7 % through JPEGs
    assert 0 < abs(lost - won) <= 3 * (lost + won) ** 0.5


@pytest.mark.parametrize("name", ["lenet5_w15", "lenet5_w15_arrays"])
def test_digits_on_the_whole_test_set(name):
    data = load(real_data("mnist-test"))
    network = read_network(bundled_root() / "models" / f"{name}.safetensors")
    assert accuracy(network, data) == pytest.approx(stated(network, "mnist-test"), abs=1e-9)
