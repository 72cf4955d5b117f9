"""First layers in arrays: thermometer bits in training, deployed and exported."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from test_export import assert_same_bits, digit_task  # noqa: E402
from toy import CLASSES, N_BANDS, toy_clips, toy_recipe, toy_task  # noqa: E402

from pimsim.nn import fused  # noqa: E402
from pimsim.nn.neurons import NoisyContinuousNeuron, fire  # noqa: E402
from pimsim.nn.noise import NoiseSource  # noqa: E402
from pimsim.nn.quantize import quantizer_for  # noqa: E402
from pimsim.train.export import to_network  # noqa: E402
from pimsim.train.layers import Mode, bit_mode  # noqa: E402
from pimsim.train.networks import build_network, set_quantizers  # noqa: E402
from pimsim.train.recipe import Recipe, ThermometerKeys  # noqa: E402
from pimsim.train.thermometer import BIAS_ROWS, ThermometerLayer  # noqa: E402
from pimsim.train.trainer import Trainer  # noqa: E402
from pimsim.workload import Dense, ThermometerEncoder, run_reference  # noqa: E402
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
