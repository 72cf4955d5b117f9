"""Checkpoints are checked whole, and a training that cannot go on says so and loses nothing."""

from __future__ import annotations

import json
import math

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")

from toy import toy_recipe, toy_task  # noqa: E402

from pimsim.cli.train import train  # noqa: E402
from pimsim.config import bundled_root  # noqa: E402
from pimsim.errors import ConfigError, DataError, PimsimError, TrainingError  # noqa: E402
from pimsim.train.checkpoint import read_checkpoint  # noqa: E402
from pimsim.train.export import export  # noqa: E402
from pimsim.train.loop import choose_device, epoch_seed  # noqa: E402
from pimsim.train.trainer import Trainer  # noqa: E402

MIDDLE = (2, 2)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A toy training that was stopped in the middle of its last stage: every entry is in use."""
    folder = tmp_path_factory.mktemp("stopped")
    Trainer(toy_recipe(), toy_task(), folder).run(until=MIDDLE)
    return folder / "checkpoint.pt"


def changed(path, folder, change):
    saved = torch.load(path, weights_only=True)
    change(saved)
    torch.save(saved, folder / "checkpoint.pt")
    return folder / "checkpoint.pt"


def put(*keys_and_value):
    *keys, last, value = keys_and_value

    def change(saved):
        for key in keys:
            saved = saved[key]
        if value is put:
            del saved[last]
        else:
            saved[last] = value(saved[last]) if callable(value) else value

    return change


WEIGHT = "encoder.weight"
HOSTILE = {
    "no stage": put("stage", put),
    "one more entry": lambda s: s.update(more=1),
    "stage 1e9": put("stage", 10**9),
    "stage -5": put("stage", -5),
    "stage text": put("stage", "1"),
    "stage 1.5": put("stage", 1.5),
    "stage true": put("stage", True),
    "epoch -1": put("epoch", -1),
    "epoch too large": put("epoch", 99),
    "no finished epoch": lambda s: s.update(stage=0, epoch=0, log=[]),
    "log null": put("log", None),
    "log numbers": put("log", [1, 2]),
    "log short": put("log", lambda log: log[:-1]),
    "log with nan": put("log", 0, "loss", math.nan),
    "log of huge numbers": put("log", 0, "loss", 10**400),
    "log without a loss": put("log", 0, "loss", put),
    "log of no stage": put("log", 0, "stage", 5),
    "spread nan": put("spread", math.nan),
    "spread text": put("spread", "1"),
    "network a list": put("network", []),
    "network null": put("network", None),
    "network less a key": put("network", WEIGHT, put),
    "network with one more": put("network", "more", torch.zeros(1)),
    "network of another shape": put("network", WEIGHT, torch.zeros(3)),
    "network of another type": put("network", WEIGHT, lambda x: x.double()),
    "network complex": put("network", WEIGHT, lambda x: x.to(torch.complex64)),
    "network sparse": put("network", WEIGHT, lambda x: x.to_sparse()),
    "network of texts": put("network", WEIGHT, "0"),
    "network with nan": put("network", WEIGHT, lambda x: x * math.nan),
    "network with inf": put("network", WEIGHT, lambda x: x + math.inf),
    "average text": put("average", "x"),
    "average of another shape": put("average", WEIGHT, torch.zeros(3)),
    "average with nan": put("average", WEIGHT, lambda x: x * math.nan),
    "teacher a list": put("teacher", [1]),
    "teacher with nan": put("teacher", WEIGHT, lambda x: x * math.nan),
    "optimizer null": put("optimizer", None),
    "optimizer text": put("optimizer", "x"),
    "optimizer of one": put("optimizer", lambda x: x[:1]),
    "optimizer without state": put("optimizer", 0, "state", put),
    "optimizer of other parameters": put("optimizer", 0, "param_groups", 0, "params", [0]),
    "optimizer of no groups": put("optimizer", 0, "param_groups", []),
    "optimizer with nan": put("optimizer", 0, "param_groups", 0, "eps", math.nan),
    "optimizer with text": put("optimizer", 0, "param_groups", 0, "betas", ("a", "b")),
    "optimizer that maximises": put("optimizer", 0, "param_groups", 0, "maximize", True),
    "moments of another shape": put("optimizer", 0, "state", 0, "exp_avg", torch.zeros(3, 3, 3)),
    "moments with nan": put("optimizer", 0, "state", 0, "exp_avg", lambda x: x * math.nan),
    "moments missing": put("optimizer", 0, "state", 0, "exp_avg_sq", put),
    "moments of no parameter": lambda s: s["optimizer"][0]["state"].update({999: {}}),
    "moments of a text": lambda s: s["optimizer"][0]["state"].update({"a": {}}),
    "moments of muon": put("optimizer", 1, "state", 0, "momentum_buffer", torch.zeros(2)),
    "recipe text": put("recipe", "x"),
    "recipe without stages": put("recipe", "stages", []),
    "recipe of blocks": put("recipe", "network", []),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_checkpoint_is_checked_whole_before_it_is_resumed(stopped, tmp_path, name):
    path = changed(stopped, tmp_path, HOSTILE[name])
    before = path.read_bytes()
    trainer = Trainer(toy_recipe(), toy_task(), tmp_path)
    fresh = {key: value.clone() for key, value in trainer.state.network.state_dict().items()}
    with pytest.raises(PimsimError, match=r"checkpoint\.pt"):
        trainer.resume()
    # nothing of it was used
    state = trainer.state
    assert (state.stage, state.epoch, state.log, state.average) == (0, 0, [], None)
    assert all(torch.equal(value, fresh[k]) for k, value in state.network.state_dict().items())
    assert path.read_bytes() == before


def test_the_checkpoint_that_all_these_are_made_of_is_good(stopped, tmp_path):
    path = changed(stopped, tmp_path, lambda saved: None)
    trainer = Trainer(toy_recipe(), toy_task(), tmp_path)
    assert trainer.resume()
    assert (trainer.state.stage, trainer.state.epoch) == MIDDLE
    assert read_checkpoint(path)[1]["average"] is not None


@pytest.mark.parametrize(
    "name",
    ["no stage", "stage 1e9", "log null", "network less a key", "network sparse", "average text",
     "network with nan", "network of another shape", "recipe text"],
)  # fmt: skip
def test_a_checkpoint_is_checked_whole_before_it_is_exported(stopped, tmp_path, monkeypatch, name):
    task = toy_task()
    monkeypatch.setattr("pimsim.train.export.task_for", lambda recipe: task)
    path = changed(stopped, tmp_path, HOSTILE[name])
    with pytest.raises(DataError, match=r"checkpoint\.pt"):
        export(path, tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()


@pytest.mark.parametrize(
    "path", sorted((bundled_root() / "models/train/checkpoints").glob("*.pt")), ids=lambda p: p.stem
)
def test_checkpoints_that_come_with_pimsim_are_good(path):
    recipe, saved = read_checkpoint(path)
    assert len(saved["log"]) == sum(stage.epochs for stage in recipe.stages)


def with_stage(number, **changes):
    recipe = toy_recipe()
    stages = list(recipe.model_dump()["stages"])
    stages[number] = stages[number] | changes
    return type(recipe).model_validate(recipe.model_dump() | {"stages": stages})


WEIGHTS = {"levels": 7, "cell_error": 1e15}
DIVERGING = {
    "learning_rate": {"learning_rate": 1e15, "final_learning_rate": None, "warmup": 0},
    "weight_decay": {"weight_decay": 1e15, "warmup": 0},
    "cell_error": {"weights": WEIGHTS, "distill": 0.0},
}


@pytest.mark.parametrize("name", ["learning_rate", "weight_decay"])
def test_a_recipe_that_diverges_leaves_the_last_good_epoch(tmp_path, name):
    recipe = with_stage(1, **DIVERGING[name])
    with pytest.raises(TrainingError) as caught:
        Trainer(recipe, toy_task(), tmp_path).run()
    said = str(caught.value)
    assert "stage 'large-noise', epoch 1, diverges: " in said
    assert "checkpoint and log are those after epoch 4 of all. Take a smaller" in said
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    log = [json.loads(line, parse_constant=pytest.fail) for line in lines]
    assert [entry["epoch"] for entry in log] == [1, 2, 3, 4]
    saved = read_checkpoint(tmp_path / "checkpoint.pt")[1]
    assert (saved["stage"], saved["epoch"]) == (1, 0)
    assert all(bool(x.isfinite().all()) for x in saved["network"].values())
    # with the recipe mended, it goes on from there
    mended = Trainer(toy_recipe(), toy_task(), tmp_path)
    assert mended.resume()
    mended.run(until=(2, 0))


def test_a_recipe_that_diverges_at_once_leaves_nothing(tmp_path):
    recipe = with_stage(0, **DIVERGING["learning_rate"])
    with pytest.raises(TrainingError, match="stage 'float', epoch 1, diverges.*no epoch was fin"):
        Trainer(recipe, toy_task(), tmp_path).run()
    assert not any(tmp_path.iterdir())


def test_a_lack_of_memory_names_stage_and_epoch(tmp_path, monkeypatch):
    trainer = Trainer(toy_recipe(), toy_task(), tmp_path)

    def forward(stage):
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(trainer, "forward", forward)
    with pytest.raises(TrainingError, match="stage 'float', epoch 1, needs more memory"):
        trainer.run()


@pytest.mark.parametrize("more", [1, 10**9])
def test_a_batch_larger_than_the_data_is_refused(tmp_path, more):
    task = toy_task()
    n = task.n_batches(1)
    recipe = with_stage(2, batch=n + more)
    said = rf"stage 'bits-forward'.*batch is {n + more}, and an epoch has {n} examples"
    with pytest.raises(ConfigError, match=said):
        Trainer(recipe, task, tmp_path / "out").run()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "changes",
    [{"learning_rate": 1e30}, {"learning_rate": 1e300}, {"weight_decay": 1e30},
     {"neuron": {"kind": "continuous", "temperature": 1e-300}},
     {"weights": {"levels": 7, "cell_error": 1e300}},
     {"weights": {"levels": 7, "range_deviations": 1e300}},
     {"augmentation": {"gain": 1e300}}, {"augmentation": {"noise": math.nan}},
     {"augmentation": {"time_mask": -1}}, {"epochs": 10**12}],
)  # fmt: skip
def test_numbers_that_no_training_can_bear_are_refused(changes):
    with pytest.raises(ValueError, match=next(iter(changes))):
        with_stage(2, **changes)


@pytest.mark.parametrize("seed", [0, 10**11, 2**63, 2**64 - 1])
def test_seeds_of_any_size_train_and_resume(tmp_path, seed):
    recipe = toy_recipe(seed=seed)
    Trainer(recipe, toy_task(), tmp_path).run(until=(0, 1))
    again = Trainer(recipe, toy_task(), tmp_path)
    assert again.resume()
    assert again.recipe.seed == seed


def test_seeds_that_are_too_large_are_refused_with_the_bound():
    for seed in (-1, 2**64):
        with pytest.raises(ValueError, match="seed"):
            toy_recipe(seed=seed)


def test_every_epoch_has_a_seed_of_its_own():
    seeds = [epoch_seed(seed, stage, epoch) for seed in (0, 1, 2**56 + 1, 2**64 - 1)
             for stage in (0, 1, 999) for epoch in (0, 1, 99_999)]  # fmt: skip
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**64 for seed in seeds)
    # small seeds keep the numbers that they always had
    assert epoch_seed(1, 2, 3) == 100_200_003


@pytest.mark.parametrize(
    "name", ["meta", "hpu", "privateuseone", "cuda:99", "nonsense", "", "cpu:-2"]
)
def test_devices_that_cannot_train_are_refused(name):
    with pytest.raises(ConfigError, match="--device"):
        choose_device(name)


def test_threads_without_bound_are_refused(tmp_path):
    done = CliRunner().invoke(train, ["gru", "-o", str(tmp_path), "--threads", "999999999999"])
    assert done.exit_code == 2
    assert "1<=x<=1024" in done.output
