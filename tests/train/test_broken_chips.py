"""Training on a given chip: what its failing pairs carry, in training as on the chip."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from files import bundled_chip, bundled_device  # noqa: E402
from toy import CLASSES, N_BANDS, toy_clips, toy_recipe, toy_task  # noqa: E402

from pimsim.chip import build_chip  # noqa: E402
from pimsim.config import NoiseConfig  # noqa: E402
from pimsim.config.faults import Faults  # noqa: E402
from pimsim.data.dataset import Dataset  # noqa: E402
from pimsim.errors import ConfigError, DataError  # noqa: E402
from pimsim.files import write_npz  # noqa: E402
from pimsim.nn.quantize import quantizer_for  # noqa: E402
from pimsim.simulate import encode_inputs, run_chips  # noqa: E402
from pimsim.studies.broken import of_tile, write_broken  # noqa: E402
from pimsim.studies.prepare import prepare  # noqa: E402
from pimsim.train.broken import Broken, read_broken  # noqa: E402
from pimsim.train.deploy import deployed, deployed_forward  # noqa: E402
from pimsim.train.export import to_network  # noqa: E402
from pimsim.train.gru import GruNetwork  # noqa: E402
from pimsim.train.recipe import Recipe, read_recipe  # noqa: E402
from pimsim.train.trainer import Trainer  # noqa: E402

SEED = 3
FAILING = {"open": 0.1, "short": 0.02, "stuck": 0.1, "dead_line": 0.02}
SET = [f"noise.faults.{key}={value}" for key, value in FAILING.items()]


def broken_chip(workload, **keys):
    """An ideal chip but for its faults."""
    noise = NoiseConfig.ideal().model_copy(update={"faults": Faults(**FAILING, **keys)})
    return build_chip(workload, bundled_chip(), bundled_device("reram"), noise)


def shapes_of(network):
    return {name: tuple(matrix.weight.shape) for name, matrix in network.matrices().items()}


def file_of(chip, path):
    arrays = {}
    for tile in chip.tiles:
        arrays |= of_tile(tile, SEED, 0)
    return write_npz(path, arrays)


@pytest.mark.parametrize("repair", [(), ("partner",)])
def test_a_network_in_training_decides_as_the_broken_chip_does(repair, tmp_path):
    torch.manual_seed(1)
    network = GruNetwork(N_BANDS, 16, 2, len(CLASSES))
    for matrix in network.matrices().values():
        matrix.quantize_by(quantizer_for(7))
    task, clips = toy_task(), toy_clips(40, 2)[0]
    chip = broken_chip(to_network(network, task, "toy"), repair=repair)
    whole = deployed_forward(deployed(network), task.inputs(clips))[0]
    for name, broken in read_broken(
        file_of(chip, tmp_path / "chip.npz"), shapes_of(network)
    ).items():
        network.matrices()[name].broken = broken
    found = deployed_forward(deployed(network), task.inputs(clips))[0]
    encoded = encode_inputs(chip, clips)
    on_chip = run_chips(chip, encoded, range(1), SEED, keep_bits=True).bits
    for name in ("gru0.gate", "gru0.candidate", "gru1.gate", "gru1.candidate"):
        assert np.array_equal(found[name], on_chip[name][0])
        assert (found[name] != whole[name]).mean() > 0.01


def test_pairs_that_fail_carry_the_same_in_weights_and_in_levels():
    """A level from the table, times the step; gradients pass, and other weights are as they are."""
    levels = torch.tensor([[3.0, -1.0], [0.0, 2.0]])
    table = torch.tensor([[0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.5]])
    broken = Broken(torch.tensor([0]), torch.tensor([1]), table)
    assert torch.equal(broken.put_into(levels), torch.tensor([[3.0, 1.0], [0.0, 2.0]]))
    weights = (levels * 0.25).requires_grad_()
    carried = broken.put_into(weights, torch.tensor(0.25))
    assert torch.allclose(carried, torch.tensor([[0.75, 0.25], [0.0, 0.5]]))
    carried.sum().backward()
    assert torch.equal(weights.grad, torch.ones(2, 2))


def test_a_network_learns_to_live_with_the_faults_of_a_chip(trained, tmp_path):
    """On this chip it gains what another network, trained as long without its faults, does not."""
    task = toy_task()
    before = to_network(trained.state.network, task, "toy")
    path = file_of(broken_chip(before, repair=("partner",)), tmp_path / "chip.npz")
    clips, labels = toy_clips(300, 7)

    def on_the_chip(workload):
        chip = broken_chip(workload, repair=("partner",))
        run = run_chips(chip, encode_inputs(chip, clips), range(1), SEED)
        return float((run.predictions[0] == labels).mean())

    last = trained.recipe.stages[-1].model_copy(update={"distill": 0.0, "average": 0.0})
    accuracies = {"before": on_the_chip(before)}
    for name, faults in (("unaware", None), ("aware", str(path))):
        more = last.model_copy(update={"name": name, "epochs": 3, "faults": faults})
        recipe = trained.recipe.model_copy(update={"stages": (*trained.recipe.stages, more)})
        trainer = Trainer(recipe, task, tmp_path / name)
        trainer.start_from(trained.folder / "checkpoint.pt")
        trainer.run()
        accuracies[name] = on_the_chip(to_network(trainer.state.network, task, "toy"))
        if faults is not None:
            # a validation in training is that of the chip
            assert abs(trainer.state.log[-1]["bits"] - accuracies[name]) < 0.08
    assert accuracies["aware"] > accuracies["before"] + 0.05
    assert accuracies["aware"] > accuracies["unaware"] + 0.05


@pytest.fixture(scope="module")
def prepared_with():
    """A chip of a small network with some of its keys set."""
    torch.manual_seed(1)
    network = GruNetwork(N_BANDS, 16, 1, len(CLASSES))
    for matrix in network.matrices().values():
        matrix.quantize_by(quantizer_for(7))
    workload = to_network(network, toy_task(), "toy")
    data = Dataset(*toy_clips(8, 2), classes=CLASSES)

    def with_keys(*keys):
        return prepare(workload, {"data": data, "seed": SEED}, [*SET, *keys])

    return with_keys


def test_the_file_says_what_each_failing_pair_carries(prepared_with, tmp_path):
    prepared = prepared_with("noise.faults.repair=[partner]")
    path, n_pairs = write_broken(prepared, 2, tmp_path / "chip.npz")
    found = read_broken(path, {"gru0.gate": (32, 16), "gru0.candidate": (32, 16)})
    assert sum(len(broken.rows) for broken in found.values()) == n_pairs > 100
    levels = np.concatenate([broken.levels.numpy() for broken in found.values()])
    assert levels.shape[1] == 7
    # a partner makes up for many weights of a stuck cell, and for few of an open one
    assert (np.abs(levels - np.arange(-3, 4)) < 1e-6).any(axis=1).mean() > 0.3
    with np.load(path) as file:
        assert '"chip_index": 2' in str(file["facts"])


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["noise.faults={}"], "no probability above 0"),
        (["noise.faults.dead_amplifier=0.1"], "has dead amplifiers"),
        (["noise.faults.repair=[sides]"], "has the repair sides, which is chosen by all weights"),
        (["noise.faults.repair=[rows, partner]"], "has the repair rows"),
    ],
)
def test_what_a_training_cannot_know_is_refused(prepared_with, tmp_path, keys, message):
    with pytest.raises(ConfigError, match=message):
        write_broken(prepared_with(*keys), 0, tmp_path / "chip.npz")
    assert not (tmp_path / "chip.npz").exists()


GOOD = {
    "gru0.gate.rows": np.array([1], np.int32),
    "gru0.gate.columns": np.array([2], np.int32),
    "gru0.gate.levels": np.zeros((1, 7), np.float32),
}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gru0.gate.rows": np.array([32], np.int32)}, "names row 32 of 'gru0.gate', which has 32"),
        ({"gru0.gate.columns": np.array([-1], np.int32)}, "names column -1"),
        ({"gru0.gate.levels": np.zeros((1, 6), np.float32)}, "has no rows"),
        ({"gru0.gate.levels": np.full((1, 7), np.nan, np.float32)}, "that are no numbers"),
        ({"gru7.gate.rows": np.array([1], np.int32)}, "holds .gru7.gate.rows., which is not known"),
        (None, "names no matrix"),
    ],
)
def test_a_file_of_another_network_or_a_damaged_one_is_refused(tmp_path, changes, message):
    path = tmp_path / "chip.npz"
    write_npz(path, {"facts": np.array("{}")} if changes is None else GOOD | changes)
    with pytest.raises(DataError, match=message):
        read_broken(path, {"gru0.gate": (32, 16)})


def test_levels_of_another_number_are_refused(tmp_path):
    path = tmp_path / "chip.npz"
    write_npz(path, GOOD | {"gru0.gate.levels": np.zeros((1, 3), np.float32)})
    recipe = toy_recipe()
    last = recipe.stages[-1].model_copy(update={"faults": str(path)})
    with pytest.raises(DataError, match=r"has 3 levels of 'gru0.gate', and stage .* with 7"):
        Trainer(recipe.model_copy(update={"stages": (last,)}), toy_task(), tmp_path / "out")


def test_a_file_of_faults_stands_beside_its_recipe(tmp_path):
    recipe = toy_recipe().model_dump(mode="json", exclude_defaults=True)
    stages = recipe.pop("stages")
    (tmp_path / "sub").mkdir()
    base = tmp_path / "sub" / "base.yaml"
    base.write_text(f"{recipe | {'stages': [stages[0], stages[2] | {'faults': 'a.npz'}]}}")
    more = tmp_path / "more.yaml"
    stage = stages[2] | {"name": "again", "faults": "b.npz"}
    more.write_text(f"{{after: sub/base.yaml, stages: {[stage]}}}")
    found = read_recipe(more)
    assert isinstance(found, Recipe)
    named = [stage.faults for stage in found.stages]
    assert named == [None, str(tmp_path / "sub" / "a.npz"), str(tmp_path / "b.npz")]
    with pytest.raises(ValueError, match="faults are of cells that hold levels"):
        Recipe.model_validate(recipe | {"stages": [stages[0] | {"faults": "a.npz"}]})
