"""The reader's script of docs/vectors.md rebuilds the bits of a file, and finds a wrong one."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from code_networks import (
    coded_cnn,
    coded_depthwise,
    coded_gru,
    coded_lstm,
    coded_reset_gru,
    coded_residual,
    features_of,
)
from files import write_model
from networks import random_gru, random_lenet
from pages import DOCS, blocks

from pimsim import Dataset
from pimsim.files import write_npz
from pimsim.studies.prepare import prepare
from pimsim.studies.vectors import write_vectors
from pimsim.workload.patches import patches, pool

SCRIPT = DOCS / "check_vectors.py"


def check(path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, path], capture_output=True, text=True)


def vectors(folder, kind="gru", network=None, assignments=("noise.dynamic=off",), device="reram"):
    prepared = prepare(write_model(folder, kind, network, device=device), {}, assignments)
    return write_vectors(prepared, 2, 3, folder / "bench.npz")


def test_the_page_shows_the_script_as_it_is():
    assert blocks(DOCS / "vectors.md", "python") == [SCRIPT.read_text()]


def test_the_script_needs_no_pimsim():
    imports = [line for line in SCRIPT.read_text().splitlines() if line.startswith("import")]
    assert imports == ["import json", "import sys", "import numpy as np"]
    assert "from " not in SCRIPT.read_text().split('"""')[2]


@pytest.mark.parametrize(("thresholds", "device"), [(0, "reram"), (7, "pcm")])
def test_the_script_gets_every_bit(tmp_path, thresholds, device):
    done = check(vectors(tmp_path, network=random_gru(thresholds=thresholds), device=device))
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("all equal\n")
    for part in ("gru0.gate", "gru0.candidate", "gru0.hidden", "gru1.gate", "gru1.hidden"):
        assert f"{part}: {3 * 49 * 12} bits, 0 different" in done.stdout


def test_the_script_converts_sums_of_arrays_as_the_chip_does(tmp_path):
    """gru0 fits an amplifier's bit line, and gru1 is spread over two arrays with ADCs."""
    model = write_model(tmp_path, network=random_gru(thresholds=3), chip="ba_mlw_mixed_16nm")
    changes = ("noise.dynamic=off", "chip.array.rows=23", "chip.array.max_stack=1",
               "chip.tall_layers.nonlinearity=1", "chip.tall_layers.bits=4")  # fmt: skip
    path = write_vectors(prepare(model, {}, changes), 2, 3, tmp_path / "bench.npz")
    with np.load(path) as file:
        layers = json.loads(str(file["facts"]))["layers"]
    assert [layer["read_out"] for layer in layers] == ["sense_amplifier", "partial_sums"]
    done = check(path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("all equal\n")


CODES = {
    "convolutions, pools, a sum, concatenation": (coded_cnn, 4),
    "residual bits": (coded_residual, 1),
    "depthwise": (coded_depthwise, 1),
    "gru": (coded_gru, 4),
    "gru with reset gate": (coded_reset_gru, 4),
    "lstm": (coded_lstm, 4),
}
CHIPS = ("adc_pim_16nm", "isaac_32nm", "lstm_4b_16nm", "digital_8b_16nm")


def own_data(network, n=2):
    features = features_of(network, n)
    return Dataset(features, np.zeros(n, np.int64), network.classes)


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("name", CODES)
def test_the_script_gets_every_code(tmp_path, chip, name):
    network = CODES[name][0]()
    prepared = prepare(network, {"chip": chip, "data": own_data(network)}, ("noise.dynamic=off",))
    path = write_vectors(prepared, 1, 2, tmp_path / "bench.npz")
    done = check(path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("all equal\n")
    with np.load(path) as file:
        layers = json.loads(str(file["facts"]))["layers"]
        parts = [m["name"] for layer in layers for m in layer["matrices"]]
        assert len({len(np.unique(file[part])) for part in parts} - {1}) > 0
    what = "bits" if CODES[name][1] == 1 else "codes"
    for layer in layers:
        assert f"{layer['output']}: " in done.stdout
    assert done.stdout.count(f" {what}, 0 different") >= len(parts)


def test_the_script_finds_one_wrong_code(tmp_path):
    network = coded_cnn()
    options = {"chip": "adc_pim_16nm", "data": own_data(network)}
    prepared = prepare(network, options, ("noise.dynamic=off",))
    arrays = dict(np.load(write_vectors(prepared, 1, 2, tmp_path / "bench.npz")))
    last = json.loads(str(arrays["facts"]))["layers"][-1]["output"]
    arrays[last][1, ..., 0] ^= 1
    done = check(write_npz(tmp_path / "wrong.npz", arrays))
    assert done.returncode == 1
    assert "1 different" in done.stdout
    assert f"{last}: " in done.stdout.splitlines()[-1]


@pytest.mark.parametrize("name", ["gru0.hidden", "gru1.gate", "gru1.hidden"])
def test_the_script_finds_one_wrong_bit(tmp_path, name):
    arrays = dict(np.load(vectors(tmp_path)))
    arrays[name][1, 30, 5] ^= 1
    done = check(write_npz(tmp_path / "wrong.npz", arrays))
    assert done.returncode == 1
    assert f"{name}: {3 * 49 * 12} bits, 1 different" in done.stdout
    assert "all equal" not in done.stdout


def test_the_script_refuses_a_file_with_noise_in_its_decisions(tmp_path):
    for assignments in ((), ("noise.dynamic=off", "noise.sigma_eval=0.2")):
        done = check(vectors(tmp_path, assignments=assignments))
        assert (done.returncode, "--set noise.dynamic=off" in done.stderr) == (1, True)


def test_feedforward_bits_follow_as_the_page_says(tmp_path):
    """Rows, flattening and thresholds of docs/vectors.md, for convolutions and dense layers."""
    path = vectors(tmp_path, "lenet", random_lenet(thresholds=5))
    file = dict(np.load(path))
    always_on = {x["name"]: x["n_always_on"] for x in json.loads(str(file["facts"]))["layers"]}

    def decide(layer, inputs):
        ones = np.ones((*inputs.shape[:-1], always_on[layer]), np.int64)
        lines = np.concatenate([inputs.astype(np.int64), ones], axis=-1)
        sums = lines @ (file[f"{layer}.plus"] - file[f"{layer}.minus"])
        return (sums > file[f"{layer}.offsets"]).astype(np.uint8)

    pooled = pool(file["encoder"], 2, 2)
    maps = decide("conv2d1", patches(pooled, 5))
    flat = pool(maps, 2, 2).reshape(3, -1)
    dense = decide("dense4", decide("dense3", flat))
    assert np.array_equal(pooled, file["maxpool0"])
    assert np.array_equal(maps, file["conv2d1"])
    assert np.array_equal(dense, file["dense4"])
    assert always_on["conv2d1"] > 0
