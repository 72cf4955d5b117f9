"""Exported networks: what torch decides, the integer reference decides, bit for bit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from toy import CLASSES, N_BANDS, toy_clips, toy_recipe, toy_task  # noqa: E402

from pimsim.nn.quantize import quantizer_for  # noqa: E402
from pimsim.train import export as exporting  # noqa: E402
from pimsim.train.deploy import deployed, deployed_forward  # noqa: E402
from pimsim.train.digits import DigitTask  # noqa: E402
from pimsim.train.evaluate import accuracy  # noqa: E402
from pimsim.train.export import export, to_network  # noqa: E402
from pimsim.train.gru import GruNetwork  # noqa: E402
from pimsim.train.layers import Mode, bit_mode  # noqa: E402
from pimsim.train.lenet5 import Lenet5  # noqa: E402
from pimsim.train.recipe import Recipe  # noqa: E402
from pimsim.train.speech import SpeechTask  # noqa: E402
from pimsim.train.trainer import Trainer  # noqa: E402
from pimsim.workload import Running, read_network, run_reference, run_smooth  # noqa: E402


def digit_task():
    rng = np.random.default_rng(0)
    return DigitTask(
        rng.integers(0, 256, (48, 28, 28)).astype(np.uint8),
        rng.integers(0, 10, 48),
        tuple("0123456789"),
    )


def prepared(network, n_levels):
    """Random weights with clipping ranges; ends large enough to need scaling."""
    quantizer = quantizer_for(n_levels)
    for matrix in network.matrices().values():
        matrix.quantize_by(quantizer)
    with torch.no_grad():
        network.encoder.weight[0] *= 300
        network.output.weight *= 200


def assert_same_bits(network, task, features):
    workload = to_network(network, task, "toy")
    bits, sums, scores = deployed_forward(deployed(network), task.inputs(features))
    reference = run_reference(workload, features)
    assert set(reference.bits) >= set(bits) > set(sums)
    for name, expected in reference.bits.items():
        np.testing.assert_array_equal(bits[name], expected, err_msg=name)
        assert 0 < expected.mean() < 1, f"{name} says nothing"
    np.testing.assert_array_equal(scores, reference.scores)
    assert len(np.unique(reference.predictions)) > 1
    return workload, sums


@pytest.mark.parametrize("n_levels", [2, 3, 7, 15])
def test_deployed_gru_equals_reference_in_every_bit(n_levels):
    torch.manual_seed(1)
    network = GruNetwork(N_BANDS, 16, 2, len(CLASSES))
    prepared(network, n_levels)
    assert_same_bits(network, toy_task(), toy_clips(40, 2)[0])


@pytest.mark.parametrize("n_levels", [3, 15])
def test_deployed_lenet5_equals_reference_in_every_bit(n_levels):
    torch.manual_seed(2)
    network = Lenet5((4, 6), (20, 12), 10)
    prepared(network, n_levels)
    task = digit_task()
    assert_same_bits(network, task, task.examples(10))


def test_exported_range_and_spread_are_those_of_the_training_data():
    torch.manual_seed(1)
    network = GruNetwork(N_BANDS, 16, 1, len(CLASSES))
    prepared(network, 7)
    task = toy_task()
    workload, _ = assert_same_bits(network, task, toy_clips(40, 2)[0])
    _, sums, _ = deployed_forward(deployed(network), task.inputs(task.examples(2000)))
    for name, matrix in workload.matrices():
        alpha = float(network.matrices()[name].alpha)
        assert matrix.alpha == pytest.approx(alpha, rel=1 / 32)  # its step is a short number
        values = sums[name] * matrix.alpha / 3
        assert matrix.preactivation_range == pytest.approx(np.abs(values).max())
        assert matrix.preactivation_spread == pytest.approx(values.std())


def test_a_checkpoint_becomes_a_file_that_tells_where_it_comes_from(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "task_for", lambda recipe: toy_task())
    monkeypatch.setitem(exporting._TEST_SETS, "speech_commands", ())
    export(trained.folder / "checkpoint.pt", tmp_path / "toy.safetensors", note="a toy")
    workload = read_network(tmp_path / "toy.safetensors")
    told = workload.provenance
    assert told["accuracy"][0]["set"] == "validation"
    assert told["accuracy"][0]["value"] == pytest.approx(
        trained.state.log[-1]["bits_average"], abs=0.02
    )
    assert [stage["epochs"] for stage in told["stages"]] == [4, 1, 5]
    assert told["recipe"]["name"] == workload.name == "toy"
    assert told["note"] == "a toy"
    assert told["git_commit"] is None or len(told["git_commit"]) == 40


def without_coins(trainer):
    """Accuracy on validation data where ties are 0, as on the exact machine."""
    return accuracy(trainer.state.network, *trainer.validation, bit_mode(True))


def test_a_network_hears_as_its_last_stage_did(tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "task_for", lambda recipe: toy_task())
    monkeypatch.setitem(exporting._TEST_SETS, "speech_commands", ())
    recipe = toy_recipe()
    rate = {"epochs": 8, "learning_rate": 2e-2, "average": 0.0}
    levelled = recipe.stages[2].model_copy(update={"level": 150.0, **rate})
    recipe = recipe.model_copy(update={"stages": (recipe.stages[0], levelled)})
    Trainer(recipe, toy_task(), tmp_path).run(until=(1, 2))
    again = Trainer(recipe, toy_task(), tmp_path)
    assert again.resume()
    again.run()
    workload = export(tmp_path / "checkpoint.pt", tmp_path / "toy.safetensors")
    assert read_network(tmp_path / "toy.safetensors").input.level == 150.0
    # two of this toy's four classes differ in loudness alone
    assert again.state.log[-1]["bits"] > 0.6
    told = workload.provenance["accuracy"][0]["value"]
    assert told == pytest.approx(without_coins(again), abs=1e-6)


def test_a_network_keeps_the_running_normalisation_of_its_last_stage(tmp_path, monkeypatch):
    def bands_task() -> SpeechTask:
        return SpeechTask(toy_clips(1200, 0), toy_clips(300, 1), CLASSES, transform="none")

    monkeypatch.setattr(exporting, "task_for", lambda recipe: bands_task())
    monkeypatch.setitem(exporting._TEST_SETS, "speech_commands", ())
    tree = toy_recipe().model_dump()
    tree["network"]["transform"] = "none"
    tree["stages"] = [tree["stages"][0], tree["stages"][2]]
    tree["stages"][1] |= {"level": 150, "running": {"mean_shift": 4}, "learning_rate": 2e-2}
    trainer = Trainer(Recipe.model_validate(tree), bands_task(), tmp_path)
    trainer.run()
    workload = export(tmp_path / "checkpoint.pt", tmp_path / "toy.safetensors")
    found = read_network(tmp_path / "toy.safetensors").input
    assert found == dataclasses.replace(workload.input, mean=found.mean, deviation=found.deviation)
    assert (found.running, found.transform) == (Running(130.0, 0.0625, 4), "none")
    told = workload.provenance["accuracy"][0]["value"]
    assert told == pytest.approx(without_coins(trainer), abs=1e-6)


def test_a_float_network_keeps_its_weights_and_its_sigmoids(tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "task_for", lambda recipe: toy_task())
    monkeypatch.setitem(exporting._TEST_SETS, "speech_commands", ())
    recipe = toy_recipe()
    trainer = Trainer(recipe.model_copy(update={"stages": recipe.stages[:1]}), toy_task(), tmp_path)
    network = trainer.run()
    workload = export(tmp_path / "1-float.pt", tmp_path / "float.safetensors")
    again = read_network(tmp_path / "float.safetensors")
    for (_, one), (name, other) in zip(workload.matrices(), again.matrices(), strict=True):
        expected = network.matrices()[name].weight.detach().numpy()
        np.testing.assert_array_equal(one.weights, expected)
        np.testing.assert_array_equal(other.weights, expected)
        step = one.alpha / one.top_level
        assert np.abs(one.levels * step - expected).max() <= 0.5001 * step
    assert workload.temperature == 1.0
    clips, _ = toy_clips(50, 7)
    network.mode = Mode()
    expected = network(toy_task().inputs(clips)).detach().numpy()
    np.testing.assert_allclose(run_smooth(again, clips).scores, expected, atol=2e-4)
