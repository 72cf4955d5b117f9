"""Recipes: what a stage trains with, and how recipes build on others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

torch = pytest.importorskip("torch")

from toy import CLASSES, N_BANDS, toy_recipe, toy_task  # noqa: E402

from pimsim.errors import ConfigError  # noqa: E402
from pimsim.nn.neurons import StochasticBinaryNeuron  # noqa: E402
from pimsim.nn.quantize import Binary, MultiLevel, Ternary  # noqa: E402
from pimsim.report.curves import write_curves  # noqa: E402
from pimsim.train.gru import GruNetwork  # noqa: E402
from pimsim.train.loop import choose_device  # noqa: E402
from pimsim.train.networks import set_quantizers  # noqa: E402
from pimsim.train.recipe import NeuronRecipe, Recipe, read_recipe  # noqa: E402
from pimsim.train.trainer import Trainer  # noqa: E402
from pimsim.train.weights_recipe import WeightsRecipe  # noqa: E402


def test_slopes_temperatures_and_shares_are_annealed():
    steep = NeuronRecipe(kind="stochastic", steepness=1.0, final_steepness=3.0)
    built = [steep.build(1.0, progress) for progress in (0.0, 0.5, 1.0)]
    assert built == [StochasticBinaryNeuron(s) for s in (1.0, 2.0, 3.0)]
    # without noise, a stochastic neuron is its mean
    silent = steep.without_noise()
    assert [silent.build(1.0, p).firing().steepness for p in (0.0, 1.0)] == [1.0, 3.0]
    cooled = NeuronRecipe(kind="continuous", temperature=1.0, final_temperature=0.25)
    assert [cooled.build(1.0, p).temperature for p in (0.0, 0.5, 1.0)] == [1.0, 0.5, 0.25]
    mixed = NeuronRecipe(kind="binary", sigma_share=0.2, share=0.5, final_share=1.0)
    assert [mixed.build(2.0, p).share for p in (0.0, 0.5, 1.0)] == [0.5, 0.75, 1.0]
    assert mixed.build(2.0).sigma == pytest.approx(0.4)


def test_levels_are_given_by_matrix_and_the_first_pattern_counts():
    network = GruNetwork(N_BANDS, 16, 2, len(CLASSES))
    weights = WeightsRecipe(levels={"gru0.gate": 2, "gru0.*": 3, "*": 15}, range_deviations=2.5)
    set_quantizers(network, weights, ranges=True)
    found = {name: matrix.quantizer for name, matrix in network.matrices().items()}
    assert found == {
        "gru0.gate": Binary(),
        "gru0.candidate": Ternary(),
        "gru1.gate": MultiLevel(15, 2.5),
        "gru1.candidate": MultiLevel(15, 2.5),
    }
    with pytest.raises(ConfigError, match=r"has no entry for matrix 'gru1\.gate'.*gru0\.\*"):
        set_quantizers(network, WeightsRecipe(levels={"gru0.*": 3}))


def test_a_learned_range_moves_and_a_fixed_one_does_not(trained, tmp_path):
    ranges = {}
    for kind in ("fixed", "learned"):
        recipe = toy_recipe()
        weights = recipe.stages[2].weights.model_copy(update={"range": kind})
        stages = (*recipe.stages[:2], recipe.stages[2].model_copy(update={"weights": weights}))
        trainer = Trainer(recipe.model_copy(update={"stages": stages}), toy_task(), tmp_path / kind)
        trainer.take_up(trained.folder / "2-large-noise.pt")
        trainer.begin(trainer.recipe.stages[2])
        before = [float(m.alpha.detach()) for m in trainer.state.network.matrices().values()]
        trainer.run()
        after = [float(m.alpha.detach()) for m in trainer.state.network.matrices().values()]
        ranges[kind] = list(zip(before, after, strict=True))
    assert all(before == after for before, after in ranges["fixed"])
    assert all(before != after > 0 for before, after in ranges["learned"])


def test_a_recipe_after_another_begins_with_its_stages(tmp_path):
    base = Path("models/train/paper/gru_float.yaml")
    recipe = read_recipe(Path("models/train/paper/gru_nna_w7.yaml"))
    assert recipe.stages[0] == read_recipe(base).stages[0]
    assert [stage.name for stage in recipe.stages] == ["float", "large-noise", "small-noise"]
    assert recipe.network == read_recipe(base).network
    assert recipe.name == "gru_nna_w7"
    (tmp_path / "a.yaml").write_text("after: b.yaml\nname: a")
    (tmp_path / "b.yaml").write_text("after: a.yaml\nname: b")
    with pytest.raises(ConfigError, match="comes after itself"):
        read_recipe(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").write_text("name: b")
    with pytest.raises(ConfigError, match="has no stages"):
        read_recipe(tmp_path / "a.yaml")


@pytest.mark.parametrize("path", sorted(Path("models/train").rglob("*.yaml")), ids=str)
def test_every_shipped_recipe_is_valid_and_compared_ones_have_one_budget(path):
    recipe = read_recipe(path)
    before = yaml.safe_load(path.read_text()).get("after")
    if path.parent.name == "paper" and before is not None:
        base = read_recipe(path.parent / before)
        assert base.name.endswith("float")
        begun = len(base.stages)
        assert recipe.stages[:begun] == base.stages
        budget = {"gru": 20, "lenet5": 12}[recipe.network.kind]
        assert sum(stage.epochs for stage in recipe.stages[begun:]) == budget


def test_a_training_starts_from_another_with_the_same_beginning(trained, tmp_path):
    recipe, task = toy_recipe(), toy_task()
    expected, beginning = trained.state.network.state_dict(), trained.folder / "1-float.pt"
    second = Trainer(recipe.model_copy(update={"name": "other"}), task, tmp_path / "second")
    second.take_up(beginning)
    assert second.state.stage == 1
    for key, value in second.run().state_dict().items():
        assert torch.equal(value, expected[key]), key
    third = Trainer(toy_recipe(seed=5), task, tmp_path / "third")
    with pytest.raises(ConfigError, match="begun with another recipe"):
        third.take_up(beginning)


def test_curves_are_drawn_from_the_log(tmp_path):
    log = [
        {"stage": "float", "loss": 1.0, "smooth": 0.5, "bits": 0.3},
        {"stage": "float", "loss": 0.5, "smooth": 0.7, "bits": 0.4},
        {"stage": "bits", "loss": 0.7, "bits": 0.6, "bits_average": 0.65},
    ]
    path = write_curves(log, tmp_path / "curves")
    drawn = path.read_text()
    assert path.name == "curves.svg"
    assert "<svg" in drawn
    assert write_curves(json.loads(json.dumps(log)), tmp_path / "again").read_text() == drawn


def test_a_device_that_torch_lacks_is_refused():
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(ConfigError, match="--device.*cannot be used by torch"):
        choose_device("abacus")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"running": {}}, r"r\.yaml:.*running needs a level: add the key `level` to the stage"),
        ({"level": 150, "running": {"start": 256}}, "start is 256"),
        ({"level": 150, "running": {"mean_shift": 2.5}}, "mean_shift is 2.5"),
        ({"level": 150, "running": {"decline": 2}}, "decline is no key.*"),
        ({"level": 150, "running": {"delay": 129}}, "delay is 129"),
    ],
)
def test_a_running_normalisation_is_checked(tmp_path, keys, message):
    tree = toy_recipe().model_dump(mode="json")
    tree["stages"][0] |= keys
    (tmp_path / "r.yaml").write_text(yaml.safe_dump(tree))
    with pytest.raises(ConfigError, match=message):
        read_recipe(tmp_path / "r.yaml")


def test_two_stages_of_one_name_are_refused():
    tree = toy_recipe().model_dump()
    tree["stages"] = [*tree["stages"], tree["stages"][0]]
    with pytest.raises(ValueError, match="two stages are named float"):
        Recipe.model_validate(tree)
