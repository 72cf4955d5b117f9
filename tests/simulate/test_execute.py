"""Ideal in, exact out; and the same bits whatever the threads, batches and neighbours."""

from __future__ import annotations

import dataclasses

import numba
import numpy as np
import pytest
from files import bundled_chip, bundled_device
from networks import random_features, random_gru, random_lenet, random_mlp

from pimsim.chip import build_chip, program_tile
from pimsim.config import NoiseConfig
from pimsim.errors import ConfigError
from pimsim.kernels import registers
from pimsim.simulate import BACKENDS, encode_inputs, run_chips
from pimsim.simulate.backends import choose
from pimsim.timing.trace import operation_signals
from pimsim.workload import Gru, chain, run_reference

NETWORKS = {
    "gru": random_gru(),
    "gru with thresholds": random_gru(thresholds=5),
    "binary gru": random_gru(n_levels=2),
    "ternary gru": random_gru(n_levels=3),
    "lenet": random_lenet(),
    "lenet with thresholds": random_lenet(thresholds=9),
    "mlp": random_mlp(),
}
SEED = 77
QUIET = {name: False for name, on in NoiseConfig.ideal().model_dump().items() if on is False}


N = 70


def run(network, device="reram", noise=None, chips=(0, 1, 2), features=None, part=None, **options):
    chip = build_chip(network, bundled_chip(), bundled_device(device), noise or NoiseConfig())
    features = random_features(network, N) if features is None else features
    samples = np.arange(len(features))
    if part is not None:
        features, samples = features[part], samples[part]
    encoded = encode_inputs(chip, features)
    options = {"keep_bits": True, **options}
    return run_chips(chip, encoded, chips, SEED, sample_indices=samples, **options)


def assert_same_bits(left, right, pick=slice(None)):
    assert left.bits.keys() == right.bits.keys()
    for name in left.bits:
        assert np.array_equal(left.bits[name], right.bits[name][pick]), name


CAN_RUN = {
    "registers": registers.available,
    "bytes": registers.has_bytes,
    "bit_serial": False,  # chips with ADCs alone
}
KERNEL_NAMES = [name for name in BACKENDS if CAN_RUN.get(name, True)]


@pytest.mark.parametrize("device", ["reram", "pcm", "cmos_mlc"])
@pytest.mark.parametrize("kernel", KERNEL_NAMES)
@pytest.mark.parametrize("name", NETWORKS)
def test_ideal_chip_equals_reference(name, device, kernel):
    network = NETWORKS[name]
    features = random_features(network, N)
    reference = run_reference(network, features)
    found = run(network, device, NoiseConfig.ideal(), chips=(0, 9), kernel=kernel)
    for key, bits in reference.bits.items():
        assert np.array_equal(found.bits[key], np.broadcast_to(bits, (2, *bits.shape))), key
    assert found.bits.keys() == reference.bits.keys()
    assert (found.predictions == reference.predictions).all()
    assert found.kernel == kernel


@pytest.mark.parametrize("name", ["gru with thresholds", "lenet with thresholds", "mlp"])
@pytest.mark.parametrize("ideal", [True, False])
def test_current_drawn_is_that_of_the_cells_whose_rows_are_on(name, ideal):
    network = NETWORKS[name]
    noise = NoiseConfig.ideal() if ideal else NoiseConfig()
    chip = build_chip(network, bundled_chip(), bundled_device("pcm"), noise)
    found = run(network, "pcm", noise, chips=(4, 7))
    for tile in chip.tiles:
        expected = dict.fromkeys((part.name for part in tile.matrices), 0)
        for place, index in enumerate((4, 7)):
            bits = {key: values[place] for key, values in found.bits.items()}
            lines = np.concatenate(
                [operation_signals(chip, tile, {k: v[n] for k, v in bits.items()})["word_lines"]
                 for n in range(N)]
            )  # fmt: skip
            drawn = program_tile(tile, SEED, index)
            always = np.ones((len(lines), drawn.n_always_on), np.uint8)
            on = np.hstack([lines, always]).sum(axis=0, dtype=np.int64)
            for part in tile.matrices:
                cells = (drawn.plus + drawn.minus)[:, part.columns].astype(np.int64)
                expected[part.name] += int((on @ cells).sum())
        for matrix, quanta in expected.items():
            assert found.counts.drawn[matrix] == quanta > 0


NOISES = {
    "all": {},
    "sigma_eval": {**QUIET, "sigma_eval": 0.8},
    "dynamic": {**QUIET, "dynamic": True},
    "strong sigma_eval": {**QUIET, "sigma_eval": 9.0},
    "static": {"dynamic": False},
    "rtn": {**QUIET, "rtn": True},
}


@pytest.mark.parametrize("kernel", [name for name in KERNEL_NAMES if name != "portable"])
@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("name", NETWORKS)
def test_bits_and_counts_do_not_depend_on_the_kernel(name, noise, kernel):
    switches = NoiseConfig().model_copy(update=NOISES[noise])
    if kernel == "bytes" and noise in ("all", "static", "rtn"):
        pytest.skip("runs chips without static error")
    plain = run(NETWORKS[name], noise=switches, kernel="portable")
    for options in ({}, {"keep_bits": False}, {"threads": 2, "batch": 33}):
        # without bits, draws that no hidden bit can show are left out
        found = run(NETWORKS[name], noise=switches, kernel=kernel, **options)
        if "keep_bits" not in options:
            assert_same_bits(found, plain)
        assert np.array_equal(found.predictions, plain.predictions)
        assert found.counts.as_dict() == plain.counts.as_dict()
        assert found.counts.drawn == plain.counts.drawn
        assert (found.n_cells, found.n_clipped) == (plain.n_cells, plain.n_clipped)
        # layers whose sums need 32 bits are run by the portable kernel
        assert set(found.kernel.split(", ")) <= {kernel, "portable"}
        assert kernel in found.kernel or noise == "rtn"


def test_a_kernel_that_cannot_run_is_refused():
    with pytest.raises(
        ConfigError,
        match="--kernel is 'fast', and there is no such kernel. Known",
    ):
        run(NETWORKS["mlp"], kernel="fast")
    with pytest.raises(ConfigError, match="kernel bytes .*: it runs chips without static error"):
        run(NETWORKS["mlp"], kernel="bytes")
    with pytest.raises(
        ConfigError,
        match="bits, and not codes. .*--kernel portable",
    ):
        run(NETWORKS["mlp"], kernel="bit_serial")


@pytest.mark.skipif(not registers.available, reason="needs AVX-512 or AVX2")
def test_sums_beyond_16_bits_are_added_in_32():
    # a chip whose cells stray little needs a quantum too fine for 16 bits
    noise = NoiseConfig().model_copy(update={**QUIET, "rtn": True})
    device = bundled_device("reram")
    calm = device.model_copy(update={"rtn": device.rtn.model_copy(update={"relative": 1e-4})})
    chip = build_chip(NETWORKS["mlp"], bundled_chip(), calm, noise)
    encoded = encode_inputs(chip, random_features(NETWORKS["mlp"], 40))
    each = {k: run_chips(chip, encoded, [0, 1], SEED, kernel=k, keep_bits=True)
            for k in ("registers", "portable")}  # fmt: skip
    assert each["registers"].kernel == "portable"
    assert_same_bits(each["registers"], each["portable"])


@pytest.mark.parametrize("name", ["gru with thresholds", "lenet"])
@pytest.mark.parametrize(
    "options", [{"threads": 1}, {"threads": 2}, *({"batch": b} for b in (1, 7, 64, 1000))]
)
def test_threads_and_batches_change_no_bit(name, options):
    assert_same_bits(run(NETWORKS[name], **options), run(NETWORKS[name]))


@pytest.mark.parametrize("name", ["gru", "lenet"])
def test_one_sequence_alone_equals_itself_among_others(name):
    whole = run(NETWORKS[name])
    for index in (0, 5, N - 1):
        alone = run(NETWORKS[name], part=slice(index, index + 1))
        assert_same_bits(alone, whole, (slice(None), slice(index, index + 1)))


@pytest.mark.parametrize("name", ["gru", "lenet"])
def test_one_chip_alone_equals_itself_among_others(name):
    whole = run(NETWORKS[name], chips=range(9))
    assert_same_bits(run(NETWORKS[name], chips=[8]), whole, slice(8, 9))


def test_noise_differs_between_chips_sequences_and_steps():
    # one input repeated: without noise all bits would be equal
    network = random_gru(seed=4)
    features = np.repeat(random_features(network, 1), 16, axis=0)
    quiet = NoiseConfig.ideal()
    still = run(network, noise=quiet, features=features)
    assert (still.bits["gru0.gate"] == still.bits["gru0.gate"][:1, :1]).all()
    noisy = run(network, noise=quiet.model_copy(update={"sigma_eval": 2.0}), features=features)
    gates = noisy.bits["gru0.gate"]
    assert not (gates == gates[:, :1]).all()
    assert not (gates[0] == gates[1]).all()


def test_noise_is_new_in_every_step_and_layer():
    # two equal layers that see nothing but zeros: every sum is 0, every bit a coin toss
    network = random_gru(seed=4, bits=12)
    blind = dataclasses.replace(
        network.layers[0].gate, levels=np.zeros_like(network.layers[0].gate.levels)
    )
    layer = Gru(blind, blind)
    network = dataclasses.replace(network, nodes=chain((layer, layer)))
    noise = NoiseConfig.ideal().model_copy(update={"sigma_eval": 1.0})
    bits = run(network, noise=noise, chips=[0]).bits
    draws = {
        "gate 0": bits["gru0.gate"][0, :, :-1],
        "gate 0, next step": bits["gru0.gate"][0, :, 1:],
        "candidate 0": bits["gru0.candidate"][0, :, :-1],
        "gate 1": bits["gru1.gate"][0, :, :-1],
    }
    names = list(draws)
    for i, left in enumerate(names):
        assert abs(draws[left].mean() - 0.5) < 5 * 0.5 / np.sqrt(draws[left].size)
        for right in names[i + 1 :]:
            agree = (draws[left] == draws[right]).mean()
            assert abs(agree - 0.5) < 5 * 0.5 / np.sqrt(draws[left].size), (left, right)


def test_sigma_eval_flips_bits_as_phi_says():
    # first step of the first layer: the distance from the threshold is known exactly
    from scipy.special import ndtr

    network = random_gru(seed=6)
    features = np.repeat(random_features(network, 1), 3000, axis=0)
    sigma = 1.5
    noise = NoiseConfig.ideal().model_copy(update={"sigma_eval": sigma})
    found = run(network, noise=noise, features=features, chips=[0])
    gate = network.layers[0].gate
    rows = np.concatenate(
        [np.zeros(12), run_reference(network, features[:1]).bits["encoder"][0, 0]]
    )
    preactivation = rows @ gate.levels * gate.alpha / gate.top_level
    ones = found.bits["gru0.gate"][0, :, 0].mean(axis=0)
    expected = ndtr(preactivation / sigma)
    assert (np.abs(ones - expected) < 4.5 * np.sqrt(expected * (1 - expected) / 3000) + 1e-9).all()


@pytest.mark.parametrize("name", ["gru with thresholds", "lenet"])
def test_counts_are_those_of_the_bits(name):
    network = NETWORKS[name]
    found = run(network, chips=(0, 1))
    counts = found.counts.as_dict()
    n = 2 * N
    assert counts["output_unit"]["macs"] == n * network.output.weights.size
    assert counts["input_encoder"]["bits"] == found.bits["encoder"].size
    if network.has_steps:
        bits = found.bits
        below = {"gru0": bits["encoder"], "gru1": bits["gru0.hidden"]}
        rows = flips = decisions = 0
        for index, layer in enumerate(network.layers):
            hidden = bits[f"gru{index}.hidden"].astype(int)
            old = np.concatenate([np.zeros_like(hidden[:, :, :1]), hidden[:, :, :-1]], axis=2)
            limits = np.abs([*layer.gate.thresholds, *layer.candidate.thresholds]).max()
            always_on = -(-limits // 3)
            steps = hidden[..., 0].size
            rows += old.sum() + below[f"gru{index}"].sum() + always_on * steps
            flips += (old ^ hidden).sum()
            decisions += 2 * hidden.size
        assert counts["word_line_driver"]["rows_driven"] == rows
        assert counts["gru_logic"] == {"selections": decisions // 2, "register_flips": flips}
        assert counts["sense_amplifier"]["decisions"] == decisions
        assert counts["array"]["reads"] == 2 * steps
    else:
        bits = found.bits
        made = bits["conv2d1"].size + bits["dense3"].size + bits["dense4"].size
        assert counts["sense_amplifier"]["decisions"] == made
        assert counts["array"]["reads"] == n * (64 + 1 + 1)


def test_rows_that_run_through_several_arrays_are_driven_in_each():
    network = NETWORKS["gru"]
    chip = bundled_chip()
    narrow = chip.model_copy(
        update={"array": chip.array.model_copy(update={"columns": 16, "rows": 11})}
    )
    whole, cut = (
        run_chips(
            build_chip(network, c, bundled_device("reram"), NoiseConfig.ideal()),
            np.ones((3, 5, 10), np.uint8),
            [0],
            SEED,
        ).counts.as_dict()
        for c in (chip, narrow)
    )
    # 24 pairs in arrays of 8, 22 or 24 rows in stacks of two or three arrays of 11
    assert cut["word_line_driver"]["rows_driven"] == 3 * whole["word_line_driver"]["rows_driven"]
    assert whole["array"]["reads"] == 3 * 5 * 2
    assert cut["array"]["reads"] == 3 * 5 * (3 * 2 + 3 * 3)
    assert cut["sense_amplifier"] == whole["sense_amplifier"]


def test_progress_counts_every_inference():
    seen = []
    run(NETWORKS["gru"], chips=range(5), batch=10, progress=seen.append)
    assert sum(seen) == 5 * N


def test_the_number_of_threads_is_as_before_a_run():
    before = numba.get_num_threads()
    found = run(NETWORKS["mlp"], threads=1)
    assert found.threads == 1
    assert numba.get_num_threads() == before
    with pytest.raises(ValueError, match="stop"):
        run(NETWORKS["mlp"], threads=1, progress=stop)
    assert numba.get_num_threads() == before


def stop(n):
    raise ValueError("stop")


def test_few_sequences_are_not_run_side_by_side():
    chip = build_chip(NETWORKS["mlp"], bundled_chip(), bundled_device("reram"), NoiseConfig())
    assert choose(chip, 1).name == "portable"
    fastest = "registers" if registers.available else "portable"
    assert choose(chip, 1000).name == fastest
