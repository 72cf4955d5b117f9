"""Training as a whole: it learns, it resumes exactly, and it refuses what it cannot do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from toy import toy_recipe, toy_task  # noqa: E402

from pimsim.errors import ConfigError, DataError  # noqa: E402
from pimsim.nn.fused import operands  # noqa: E402
from pimsim.train.checkpoint import read_checkpoint  # noqa: E402
from pimsim.train.loop import learning_rate  # noqa: E402
from pimsim.train.recipe import read_recipe  # noqa: E402
from pimsim.train.trainer import Trainer  # noqa: E402


def test_a_toy_task_is_learnt_in_seconds(trained):
    assert trained.state.log[-1]["bits"] > 0.95


def test_every_epoch_and_stage_leaves_its_trace(trained):
    entries = [json.loads(line) for line in (trained.folder / "log.jsonl").read_text().splitlines()]
    assert [entry["epoch"] for entry in entries] == [1, 2, 3, 4, 1, 1, 2, 3, 4, 5]
    for name in ("1-float.pt", "2-large-noise.pt", "3-bits-forward.pt", "checkpoint.pt"):
        assert read_checkpoint(trained.folder / name)[0] == trained.recipe
    used = str(operands(trained.recipe.arithmetic)).removeprefix("torch.")
    assert {entry["arithmetic"] for entry in entries} == {used}


@pytest.mark.parametrize("killed_at", [(1, 0), (2, 2)])
def test_kill_and_resume_gives_the_same_weights_as_no_kill(trained, tmp_path, killed_at):
    task = toy_task()
    Trainer(toy_recipe(), task, tmp_path).run(until=killed_at)
    torch.manual_seed(99)  # whatever the process did before must not matter
    second = Trainer(toy_recipe(), task, tmp_path)
    assert second.resume()
    assert (second.state.stage, second.state.epoch) == killed_at
    second.run()
    expected = trained.state.network.state_dict()
    for key, value in second.state.network.state_dict().items():
        assert torch.equal(value, expected[key]), key


def test_a_changed_recipe_is_not_resumed(trained):
    other = Trainer(toy_recipe(seed=2), toy_task(), trained.folder)
    with pytest.raises(ConfigError, match="begun with another recipe"):
        other.resume()


def test_distilling_without_a_float_stage_is_refused(tmp_path):
    recipe = toy_recipe()
    alone = recipe.model_copy(update={"stages": recipe.stages[2:]})
    with pytest.raises(ConfigError, match="no stage before it was float"):
        Trainer(alone, toy_task(), tmp_path).run()


def test_learning_rate_warms_up_and_falls_as_a_cosine():
    stage = toy_recipe().stages[2]
    rates = [learning_rate(stage, step, 105) for step in range(106)]
    assert rates[0] == pytest.approx(1e-3)
    assert rates[5] == pytest.approx(5e-3)
    assert rates[55] == pytest.approx((5e-3 + 1e-4) / 2)
    assert rates[-1] == pytest.approx(1e-4)


def test_a_damaged_checkpoint_is_refused(tmp_path):
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(b"no checkpoint")
    with pytest.raises(DataError, match=r"checkpoint\.pt.*no checkpoint that pimsim can use"):
        read_checkpoint(path)


def test_an_unknown_key_of_a_recipe_is_named(tmp_path):
    text = Path("models/train/lenet5_w15.yaml").read_text().replace("kind: mnist", "kinds: mnist")
    (tmp_path / "recipe.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"recipe\.yaml.*data"):
        read_recipe(tmp_path / "recipe.yaml")
