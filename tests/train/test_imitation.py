"""A real-valued first layer that moves to arrays in the course of a training."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from test_export import assert_same_bits, digit_task  # noqa: E402
from toy import CLASSES, toy_clips, toy_recipe, toy_task  # noqa: E402

from pimsim.nn.quantize import quantizer_for  # noqa: E402
from pimsim.train.imitation import imitate  # noqa: E402
from pimsim.train.layers import Mode  # noqa: E402
from pimsim.train.networks import build_network, set_quantizers  # noqa: E402
from pimsim.train.recipe import Recipe  # noqa: E402
from pimsim.train.trainer import Trainer  # noqa: E402

STAGE = "bits-forward"


def moving(stage=STAGE, **changes):
    tree = toy_recipe().model_dump()
    tree["network"]["thermometer"] = {"counts": 12, "from_stage": stage} | changes
    return tree


def prepare_others(network):
    """Ranges of the other matrices, and scores that differ between samples."""
    for matrix in network.matrices().values():
        if matrix.quantizer is None:
            matrix.quantize_by(quantizer_for(7))
    with torch.no_grad():
        network.output.weight *= 50


def test_whole_weights_on_bits_are_found_again():
    generator = torch.Generator().manual_seed(1)
    bits = (torch.rand(4000, 20, generator=generator) < 0.5).double()
    levels = torch.randint(-3, 4, (20, 5), generator=generator).double()
    wanted = 0.7 * (bits @ levels) - 2.1
    found = imitate(bits, wanted, 3)
    torch.testing.assert_close(found.levels, levels)
    torch.testing.assert_close(found.steps, torch.full((5,), 0.7).double(), rtol=1e-3, atol=0)
    torch.testing.assert_close(found.thresholds, torch.full((5,), 3.0).double(), rtol=1e-2, atol=0)
    assert float(found.error.max()) < 1e-6


def test_errors_of_rounding_are_made_up_for_by_the_rows_that_follow():
    generator = torch.Generator().manual_seed(2)
    # ten bits of each of four inputs, as thermometers give them
    inputs = torch.randn(4000, 4, generator=generator)
    limits = torch.linspace(-1.5, 1.5, 10)
    bits = (inputs[:, :, None] > limits).double().flatten(1)
    wanted = inputs @ torch.randn(4, 30, generator=generator)
    found = imitate(bits, wanted, 3)
    # all rows of an input have the same weight, which each row by itself rounds alike
    exact = torch.linalg.lstsq(bits - bits.mean(0), (wanted - wanted.mean(0)).double()).solution
    each = (exact / found.steps).round().clamp(-3, 3) * found.steps
    left = (bits - bits.mean(0)) @ (each - exact)
    alone = left.var(dim=0) / wanted.var(dim=0)
    assert float(found.error.mean()) < 0.5 * float(alone.mean())


@pytest.mark.parametrize("n_levels", [3, 7])
def test_a_first_layer_in_arrays_decides_nearly_as_the_encoder_did(n_levels):
    task = toy_task()
    recipe = Recipe.model_validate(moving())
    torch.manual_seed(3)
    network = build_network(recipe.network, len(CLASSES))
    assert network.first is None
    inputs = task.inputs(task.examples(200))
    sums = network.encoder(inputs)
    network.move_to_arrays(inputs, quantizer_for(n_levels))
    found = (
        network.preactivations(inputs)
        if network.first is None
        else network.first(inputs, Mode(quantized=True))
    )
    # bits of the encoder, where its sums are not near their threshold
    clear = sums.abs() > 0.5 * sums.std()
    assert float(((sums > 0) == (found > 0))[clear].double().mean()) > 0.97
    prepare_others(network)
    assert_same_bits(network, task, toy_clips(40, 2)[0])


def test_a_first_convolution_may_move_to_arrays():
    tree = moving()
    tree["network"] = {
        "kind": "lenet5", "channels": (4, 6), "dense": (20, 12),
        "thermometer": {"counts": 4, "spacing": "even", "from_stage": STAGE},
    }  # fmt: skip
    tree["data"] = {"kind": "mnist"}
    task = digit_task()
    torch.manual_seed(3)
    network = build_network(Recipe.model_validate(tree).network, 10)
    inputs = task.inputs(task.examples(48))
    sums = network.encoder(inputs)
    network.move_to_arrays(inputs, quantizer_for(7))
    found = network.first(inputs, Mode(quantized=True))
    assert found.shape == sums.shape
    clear = sums.abs() > 0.5 * sums.std()
    assert float(((sums > 0) == (found > 0))[clear].double().mean()) > 0.95
    prepare_others(network)
    assert_same_bits(network, task, task.examples(10))


def test_a_network_learns_on_in_arrays_and_resumes(tmp_path):
    recipe = Recipe.model_validate(moving())
    whole = Trainer(recipe, toy_task(), tmp_path / "whole")
    whole.run()
    assert whole.state.network.first is not None
    assert not whole.state.teacher["in_arrays"]
    assert whole.state.log[-1]["bits_average"] > 0.9
    half = Trainer(recipe, toy_task(), tmp_path / "half")
    half.run(until=(0, 2))
    assert half.state.network.first is None
    for until in ((2, 2), None):
        rest = Trainer(recipe, toy_task(), tmp_path / "half")
        assert rest.resume()
        rest.run(until=until)
    for key, value in whole.state.network.state_dict().items():
        assert torch.equal(value, rest.state.network.state_dict()[key]), key
    set_quantizers(whole.state.network, recipe.stages[-1].weights)
    assert_same_bits(whole.state.network, toy_task(), toy_clips(40, 2)[0])


def test_a_finished_training_may_go_on_in_arrays(tmp_path):
    plain = toy_recipe()
    before = Trainer(plain, toy_task(), tmp_path / "before")
    before.run(until=(1, 0))
    after = moving("arrays")
    after["stages"] = [*after["stages"][:1], after["stages"][2] | {"name": "arrays", "epochs": 1}]
    trainer = Trainer(Recipe.model_validate(after), toy_task(), tmp_path / "after")
    trainer.take_up(tmp_path / "before" / "checkpoint.pt")
    encoder = before.state.network.encoder.weight
    assert torch.equal(trainer.state.network.encoder.weight, encoder)
    trainer.run()
    assert trainer.state.network.first is not None
    assert not trainer.state.teacher["in_arrays"]
    assert [entry["stage"] for entry in trainer.state.log] == [*["float"] * 4, "arrays"]


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (moving("none"), "from_stage is none; it must be one of the stages after the first"),
        (moving("float"), "from_stage is float; it must be one of"),
        (moving("large-noise"), "stage large-noise moves the first layer to arrays, so it needs"),
        (moving(layer=False), "from_stage puts a dense layer in place of the encoder"),
    ],
)
def test_a_stage_that_cannot_begin_with_arrays_is_refused(tree, message):
    with pytest.raises(ValueError, match=message):
        Recipe.model_validate(tree)
