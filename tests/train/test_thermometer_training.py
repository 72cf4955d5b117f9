"""First layers in arrays: thermometer bits in training, deployed and exported."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from files import bundled_chip, bundled_device  # noqa: E402
from test_export import assert_same_bits, digit_task  # noqa: E402
from toy import CLASSES, N_BANDS, toy_clips, toy_recipe, toy_task  # noqa: E402

from pimsim.chip import build_chip  # noqa: E402
from pimsim.config import NoiseConfig  # noqa: E402
from pimsim.errors import ConfigError  # noqa: E402
from pimsim.nn import fused  # noqa: E402
from pimsim.nn.neurons import NoisyContinuousNeuron, fire  # noqa: E402
from pimsim.nn.noise import NoiseSource  # noqa: E402
from pimsim.nn.quantize import quantizer_for  # noqa: E402
from pimsim.simulate import encode_inputs, run_chips  # noqa: E402
from pimsim.train.export import to_network  # noqa: E402
from pimsim.train.layers import Mode, bit_mode  # noqa: E402
from pimsim.train.networks import build_network, set_quantizers  # noqa: E402
from pimsim.train.recipe import (  # noqa: E402
    Recipe,
    ThermometerKeys,
    WeightsRecipe,
    read_recipe,
)
from pimsim.train.thermometer import BIAS_ROWS, ThermometerLayer  # noqa: E402
from pimsim.train.trainer import Trainer  # noqa: E402
from pimsim.workload import Dense, ThermometerEncoder, read_network, run_reference  # noqa: E402
from pimsim.workload.storage import network_bytes  # noqa: E402
from pimsim.workload.thermometer import limits_of  # noqa: E402


def shaped(**changes):
    tree = toy_recipe().model_dump()
    tree["network"]["thermometer"] = {"counts": [5, 3, 2]} | changes
    return Recipe.model_validate(tree)


def lenet(learned=False):
    tree = toy_recipe().model_dump()
    tree["network"] = {
        "kind": "lenet5", "channels": (4, 6), "dense": (20, 12),
        "thermometer": {"counts": 3, "learned": learned},
    }  # fmt: skip
    tree["data"] = {"kind": "mnist"}
    return Recipe.model_validate(tree)


def network_for(recipe, task, n_classes, n_levels=7):
    torch.manual_seed(3)
    network = build_network(recipe.network, n_classes)
    network.choose_limits(task.inputs(task.examples(200)))
    for matrix in network.matrices().values():
        matrix.quantize_by(quantizer_for(n_levels))
    if network.first is not None:
        with torch.no_grad():
            network.first.bias.normal_(0, 1.0)
    return network


def test_the_last_count_holds_for_all_that_follow():
    assert ThermometerKeys(counts=(5, 3)).counts_of(4) == [5, 3, 3, 3]
    assert ThermometerKeys(counts=2).counts_of(3) == [2, 2, 2]


@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize("n_levels", [3, 7])
def test_a_deployed_gru_on_thermometer_bits_equals_the_reference_in_every_bit(learned, n_levels):
    task = toy_task()
    network = network_for(shaped(learned=learned), task, len(CLASSES), n_levels)
    if learned:
        with torch.no_grad():
            network.first.bits.shift.normal_()
    workload, _ = assert_same_bits(network, task, toy_clips(40, 2)[0])
    assert isinstance(workload.encoder, ThermometerEncoder)
    first = workload.nodes[0]
    assert (first.name, first.inputs) == ("first", ("encoder",))
    assert isinstance(first.layer, Dense)
    thresholds = first.layer.matrix.thresholds
    assert np.abs(thresholds).max() > 1


def test_a_gru_layer_may_read_thermometer_bits_itself():
    task = toy_task()
    network = network_for(shaped(layer=False), task, len(CLASSES))
    workload, _ = assert_same_bits(network, task, toy_clips(40, 2)[0])
    assert [node.name for node in workload.nodes] == ["gru0", "gru1"]
    assert workload.nodes[0].layer.gate.n_rows == 16 + workload.encoder.n_bits
    inputs = task.inputs(task.examples(12))
    found = []
    for operands in (None, fused.SINGLE):
        network.zero_grad()
        neuron, source = NoisyContinuousNeuron(0.0, 0.5), NoiseSource(3)
        network.mode = Mode(neuron, quantized=True, operands=operands, source=source)
        scores = network(inputs)
        scores.logsumexp(dim=1).sum().backward()
        found.append((scores.detach(), network.gates[0].weight.grad))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


def test_a_deployed_lenet5_on_thermometer_bits_equals_the_reference_in_every_bit():
    task = digit_task()
    network = network_for(lenet(), task, 10)
    workload, _ = assert_same_bits(network, task, task.examples(10))
    assert [node.inputs for node in workload.nodes][:2] == [("encoder",), ("first",)]
    assert workload.nodes[0].layer.matrix.n_rows == 25 * 3


def test_coins_decide_sums_of_zero_and_no_others():
    mode = bit_mode(True, coins=True)
    sums = torch.tensor([-1.0, 1.0, 0.0]).repeat(4000, 1)
    bits = fire(sums, mode.neuron, mode.source)
    assert bits[:, 0].max() == 0
    assert bits[:, 1].min() == 1
    assert abs(float(bits[:, 2].mean()) - 0.5) < 0.04  # five standard deviations
    exact = bit_mode(True)
    assert fire(sums, exact.neuron, exact.source)[:, 2].max() == 0


def test_limits_are_those_of_the_training_data():
    task = toy_task()
    network = network_for(shaped(), task, len(CLASSES))
    values = task.inputs(task.examples(200)).numpy()
    expected, channel = limits_of(values, [5, 3, *[2] * (N_BANDS - 2)])
    encoder = network.first.encoder()
    assert np.array_equal(encoder.limits, expected)
    assert np.array_equal(encoder.channel, channel)


def test_a_bias_becomes_whole_thresholds_and_its_gradient_passes():
    layer = ThermometerLayer(3, [2, 2], "quantile", False)
    layer.matrix.quantize_by(quantizer_for(7))
    step = float(layer.matrix.quantizer.levels(layer.matrix.weight, layer.matrix.alpha)[1])
    with torch.no_grad():
        layer.bias.copy_(torch.tensor([2.4 * step, -3.6 * step, 1000 * step]))
    inputs = torch.full((1, 2), -9.0)  # below every limit: sums are the bias alone
    exact = layer(inputs, Mode(quantized=True, in_levels=True))
    assert exact.tolist() == [[2, -4, 3 * BIAS_ROWS]]
    used = layer(inputs, Mode(quantized=True))
    torch.testing.assert_close(used, exact * step)
    used.sum().backward()
    assert layer.bias.grad.tolist() == [1, 1, 1]


@pytest.mark.parametrize("make", [shaped, lenet])
def test_fused_passes_give_the_scores_of_torchs_graph(make):
    recipe = make()
    is_gru = make is shaped
    task = toy_task() if is_gru else digit_task()
    network = network_for(recipe, task, len(task.classes))
    inputs = task.inputs(task.examples(12))
    found = []
    for operands in (None, fused.SINGLE):
        network.zero_grad()
        # noise: windows of equal bits have equal sums, and the largest of them would be any
        neuron, source = NoisyContinuousNeuron(0.4, 0.5), NoiseSource(3)
        network.mode = Mode(neuron, quantized=True, operands=operands, source=source)
        scores = network(inputs)
        scores.logsumexp(dim=1).sum().backward()
        found.append((scores.detach(), network.first.matrix.weight.grad, network.first.bias.grad))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)
    assert found[0][1].abs().max() > 0


@pytest.mark.parametrize("learned", [False, True])
def test_a_gru_on_thermometer_bits_learns_and_resumes(tmp_path, learned):
    recipe = shaped(learned=learned)
    whole = Trainer(recipe, toy_task(), tmp_path / "whole")
    whole.run()
    assert whole.state.log[-1]["bits_average"] > 0.75
    assert float(whole.state.network.first.bias.detach().abs().max()) > 0
    moved = whole.state.network.first.bits.shift
    assert moved is None or float(moved.detach().abs().max()) > 0.01
    half = Trainer(recipe, toy_task(), tmp_path / "half")
    half.run(until=(2, 2))
    rest = Trainer(recipe, toy_task(), tmp_path / "half")
    assert rest.resume()
    rest.run()
    for one, other in zip(
        whole.state.network.state_dict().values(),
        rest.state.network.state_dict().values(),
        strict=True,
    ):
        assert torch.equal(one, other)
    set_quantizers(whole.state.network, recipe.stages[-1].weights)
    workload = to_network(whole.state.network, toy_task(), "toy")
    features, labels = toy_clips(200, 5)
    found = run_reference(workload, features).predictions
    assert (found == labels).mean() > 0.7


def half_levels(recipe, task, n_classes, patterns, n_levels=7):
    network = network_for(recipe, task, n_classes, n_levels)
    weights = {"levels": n_levels, "half_levels": patterns}
    set_quantizers(network, WeightsRecipe.model_validate(weights))
    return network


@pytest.mark.parametrize("patterns", ["first", "*"])
@pytest.mark.parametrize("make", [shaped, lenet])
def test_half_levels_are_alike_in_torch_exactly_and_on_chips_without_coins(make, patterns):
    task = toy_task() if make is shaped else digit_task()
    network = half_levels(make(), task, len(task.classes), patterns)
    features = toy_clips(12, 2)[0] if make is shaped else task.examples(10)
    workload, sums = assert_same_bits(network, task, features)
    raised = {name for name, matrix in workload.matrices() if matrix.half_levels}
    assert raised == ({"first"} if patterns == "first" else set(network.matrices()))
    chip = build_chip(workload, bundled_chip(), bundled_device("ideal"), noise=NoiseConfig.ideal())
    found = run_chips(chip, encode_inputs(chip, features), range(1), 0, keep_bits=True)
    for name, expected in run_reference(workload, features).bits.items():
        if name in found.bits:
            np.testing.assert_array_equal(found.bits[name][0], expected, err_msg=name)
    for name in network.matrices():
        assert (sums[name] == 0).any() == (name not in raised), name


def test_cells_of_half_levels_hold_odd_thresholds_at_doubled_levels():
    task = digit_task()
    workload = to_network(half_levels(lenet(), task, 10, "first"), task, "toy")
    chip = build_chip(workload, bundled_chip(), bundled_device("ideal"), noise=NoiseConfig.ideal())
    first, other = chip.tiles[0].matrices[0], chip.tiles[1].matrices[0]
    held = first.cells.plus.astype(int) - first.cells.minus
    n_rows = first.matrix.n_rows
    assert np.array_equal(held[:n_rows], 2 * first.matrix.levels)
    assert np.array_equal(held[n_rows:].sum(axis=0), -2 * first.matrix.thresholds - 1)
    assert np.array_equal(other.cells.plus.astype(int) - other.cells.minus, other.matrix.levels)


def test_a_bias_becomes_a_threshold_between_two_levels_and_its_gradient_passes():
    layer = ThermometerLayer(3, [2, 2], "quantile", False)
    layer.matrix.quantize_by(quantizer_for(7))
    layer.matrix.half_levels = True
    step = float(layer.matrix.step())
    with torch.no_grad():
        layer.bias.copy_(torch.tensor([2.4 * step, -3.6 * step, 0.0]))
    inputs = torch.full((1, 2), -9.0)
    exact = layer(inputs, Mode(quantized=True, in_levels=True))
    assert exact.abs().tolist() == [[2.5, 3.5, 0.5]]
    used = layer(inputs, Mode(quantized=True))
    torch.testing.assert_close(used, exact * step)
    used.sum().backward()
    assert layer.bias.grad.tolist() == [1, 1, 1]


@pytest.mark.parametrize("make", [shaped, lenet])
def test_fused_passes_know_half_levels(make):
    task = toy_task() if make is shaped else digit_task()
    inputs = task.inputs(task.examples(12))
    found = {}
    for patterns, operands in (("*", None), ("*", fused.SINGLE), ((), None)):
        network = half_levels(make(), task, len(task.classes), patterns)
        neuron, source = NoisyContinuousNeuron(0.4, 0.5), NoiseSource(3)
        network.mode = Mode(neuron, quantized=True, operands=operands, source=source)
        scores = network(inputs)
        scores.logsumexp(dim=1).sum().backward()
        found[patterns, operands] = scores.detach(), network.first.matrix.weight.grad
    for one, other in zip(found["*", None], found["*", fused.SINGLE], strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)
    assert (found["*", None][0] - found[(), None][0]).abs().max() > 1e-3


def test_half_levels_of_no_matrix_are_refused():
    task = digit_task()
    with pytest.raises(ConfigError, match=r"weights\.half_levels names 'second', and no matrix"):
        half_levels(lenet(), task, 10, "second")


def test_a_network_file_keeps_half_levels_and_others_stay_as_they_were(tmp_path):
    task = digit_task()
    workload = to_network(half_levels(lenet(), task, 10, "first"), task, "toy")
    again = read_network(workload.save(tmp_path / "toy.safetensors"))
    assert [matrix.half_levels for _, matrix in again.matrices()] == [True, False, False, False]
    plain = to_network(network_for(lenet(), task, 10), task, "toy")
    assert b"half_levels" not in network_bytes(plain)


def test_the_recipe_of_digits_in_arrays_trains_the_first_layer_with_half_levels():
    recipe = read_recipe(Path("models/train/lenet5_w15_arrays.yaml"))
    network = build_network(recipe.network, 10)
    set_quantizers(network, recipe.stages[-1].weights, ranges=True)
    found = {name: (m.quantizer.n_levels, m.half_levels) for name, m in network.matrices().items()}
    assert found.pop("first") == (7, True)
    assert set(found.values()) == {(15, False)}
    assert network.first.matrix.weight.shape == (150, 16)
