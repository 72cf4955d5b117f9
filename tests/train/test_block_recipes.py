"""Recipes of blocks: any network, any data, from the file to the exported network."""

from __future__ import annotations

import re

import numpy as np
import pytest
import yaml

torch = pytest.importorskip("torch")

from click.testing import CliRunner  # noqa: E402

from pimsim import nn  # noqa: E402
from pimsim.cli.export import export  # noqa: E402
from pimsim.cli.train import train  # noqa: E402
from pimsim.config.bundled import bundled_names, bundled_root  # noqa: E402
from pimsim.data.dataset import Dataset  # noqa: E402
from pimsim.errors import ConfigError  # noqa: E402
from pimsim.train.block_recipe import BlockAugmentation, BlockRecipe  # noqa: E402
from pimsim.train.block_task import BlockTask, shifted, validation_mask  # noqa: E402
from pimsim.train.block_trainer import BlockTrainer, network_of  # noqa: E402
from pimsim.train.recipe import Recipe, read_recipe  # noqa: E402
from pimsim.workload import read_network, run_reference  # noqa: E402

STAGES = [
    {"name": "first", "epochs": 3, "batch": 50, "learning_rate": 0.01, "warmup": 5},
    {"name": "second", "epochs": 2, "batch": 50, "learning_rate": 0.003, "optimizer": "sgd"},
]
BITS = {"kind": "bits", "method": "mixed"}
CODES = {"kind": "codes", "bits": 4}
SAME_RANGE = {"kind": "codes", "bits": 4, "range": 1.0}
ROWS = [
    {"kind": "quantiser", "bits": 6},
    {"kind": "dense", "units": 24, "levels": 7, "neuron": CODES, "cell_error": 0.02},
    {"kind": "dense", "units": 16, "levels": 3, "neuron": BITS},
    {"kind": "dense"},
]
MAPS = [
    {"kind": "quantiser", "low": 0, "high": 1},
    {"kind": "conv2d", "channels": 6, "kernel": 3, "padding": 1, "neuron": CODES},
    {"kind": "maxpool", "size": 2},
    {"kind": "conv2d", "channels": 6, "kernel": 3, "groups": 6, "padding": 1, "neuron": CODES},
    {"kind": "avgpool", "size": 2},
    {"kind": "dense", "units": 12, "neuron": BITS},
    {"kind": "dense"},
]
RESIDUAL = [
    {"kind": "quantiser", "low": 0, "high": 1},
    {"kind": "conv2d", "channels": 6, "kernel": 3, "padding": 1, "pool": 2, "neuron": BITS},
    {
        "kind": "residual",
        "convolutions": [
            {"kind": "conv2d", "channels": 4, "kernel": 3, "padding": 1, "neuron": BITS},
            {"kind": "conv2d", "channels": 8, "kernel": 3, "padding": 1, "neuron": BITS},
        ],
    },
    {"kind": "dense"},
]
SEQUENCES = [
    {"kind": "quantiser"},
    {"kind": "conv2d", "channels": 8, "kernel": 3, "padding": 1, "neuron": BITS},
    {"kind": "maxpool", "size": 2},
    {"kind": "dense"},
]
STEPS = [
    {"kind": "quantiser"},
    {"kind": "dense", "units": 12, "neuron": SAME_RANGE},
    {"kind": "gru", "units": 16, "neuron": SAME_RANGE},
    {"kind": "dense"},
]
LSTM = [
    {"kind": "lstm", "units": 12, "sum_bits": 5, "cell_error": 0.02, "sum_noise": 0.3,
     "inputs": {"kind": "codes", "bits": 4, "signed": True}},
    {"kind": "lstm", "units": 12},
    {"kind": "dense"},
]  # fmt: skip
BARE_STEPS = [
    {"kind": "thermometer", "counts": [2, 3, 0, 4, 1], "learned": True},
    {"kind": "gru", "units": 16},
    {"kind": "dense"},
]
BARE_MAPS = [
    {"kind": "thermometer", "counts": 4, "spacing": "even"},
    {"kind": "conv2d", "channels": 12, "kernel": 3, "padding": 1, "neuron": BITS},
    {"kind": "maxpool", "size": 2},
    {"kind": "dense"},
]


def samples(shape, n=500, seed=0, as_bytes=False):
    """Three classes, each around a pattern of its own."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    patterns = np.random.default_rng(7).normal(size=(3, *shape))
    features = 0.4 * patterns[labels] + 0.2 * rng.normal(size=(n, *shape))
    if as_bytes:
        features = np.clip(128 + 90 * features, 0, 255).astype(np.uint8)
    return Dataset(features, labels, ("a", "b", "c"), name="toy")


def recipe(network, **changes):
    tree = {"name": "toy", "data": "toy.npz", "network": network, "stages": STAGES} | changes
    return BlockRecipe.model_validate(tree)


def task(plan, data):
    kept = validation_mask(data, 0.2, 1, None)
    return BlockTask(data.select(~kept), data.select(kept), plan.layout, plan.per_class)


CASES = {
    "row": (ROWS, (20,), False),
    "map": (MAPS, (8, 8), True),
    "residual": (RESIDUAL, (8, 8), True),
    "sequence": (SEQUENCES, (12, 5), False),
    "steps": (STEPS, (6, 5), False),
    "lstm": (LSTM, (6, 5), False),
    "thermometer of map": (BARE_MAPS, (8, 8), True),
}


# where the case has another name
LAYOUTS = {"residual": "map", "lstm": "steps", "thermometer of map": "map"}
SLOW = ("steps", "map")


@pytest.mark.parametrize(
    "case", [pytest.param(c, marks=pytest.mark.slow) if c in SLOW else c for c in CASES]
)
def test_a_network_learns_and_is_exported_as_it_is(case, tmp_path):
    network, shape, as_bytes = CASES[case]
    layout = LAYOUTS.get(case, case)
    data = samples(shape, as_bytes=as_bytes)
    data.save(tmp_path / "toy.npz")
    test = samples(shape, n=200, seed=3, as_bytes=as_bytes)
    test.save(tmp_path / "test.npz")
    tree = {"name": "toy", "data": "toy.npz", "test": "test.npz", "layout": layout,
            "network": network, "stages": STAGES}  # fmt: skip
    (tmp_path / "toy.yaml").write_text(yaml.safe_dump(tree))
    out = tmp_path / "out"
    trained = CliRunner().invoke(train, [str(tmp_path / "toy.yaml"), "-o", str(out)])
    assert trained.exit_code == 0, trained.output + repr(trained.exception)
    accuracy = float(re.search(r"toy: ([\d.]+) % of 200, as deployed", trained.output)[1])
    assert accuracy > 80
    assert "deployed" in (out / "log.jsonl").read_text()
    exported = CliRunner().invoke(
        export, [str(out / "checkpoint.pt"), "-o", str(tmp_path / "n.safetensors")]
    )
    assert exported.exit_code == 0, exported.output + repr(exported.exception)
    found = read_network(tmp_path / "n.safetensors")
    plan = read_recipe(tmp_path / "toy.yaml")
    own = task(plan, data)
    module = network_of(plan, own)
    module.load_state_dict(torch.load(out / "checkpoint.pt", weights_only=True)["network"])
    with torch.no_grad():
        expected = module.eval()(own.inputs(test.features)).argmax(dim=1).numpy()
    assert np.array_equal(run_reference(found, test.features).predictions, expected)
    assert found.provenance["accuracy"][1]["value"] == pytest.approx(accuracy / 100, abs=1e-4)
    assert found.provenance["recipe"]["network"][-1] == {"kind": "dense"}


def test_limits_of_a_thermometer_come_from_the_training_data():
    data = samples((6, 5))
    plan = recipe(BARE_STEPS, layout="steps")
    first = network_of(plan, task(plan, data))[0]
    assert (first.channel_axis, first.n_bits) == (-1, 10)
    assert first.channel.tolist() == [0, 0, 1, 1, 1, 3, 3, 3, 3, 4]
    values = task(plan, data).inputs(task(plan, data).training.features).reshape(-1, 5)
    shares = [1 / 3, 2 / 3, 1 / 4, 1 / 2, 3 / 4, 1 / 5, 2 / 5, 3 / 5, 4 / 5, 1 / 2]
    below = (values[:, first.channel] <= first.start).double().mean(dim=0)
    assert np.allclose(below.numpy(), shares, atol=0.004)
    assert np.allclose(first.window, 0.25 * values.std(dim=0)[first.channel])
    assert sum(p.numel() for p in first.parameters()) == 10
    even = recipe([{"kind": "thermometer", "counts": 1, "spacing": "even"}, {"kind": "dense"}])
    middle = network_of(even, task(even, samples((20,))))[0].start
    rows = task(even, samples((20,)))
    values = rows.inputs(rows.training.features)
    assert np.allclose(middle, (values.amin(dim=0) + values.amax(dim=0)) / 2)
    wrong = recipe([{"kind": "thermometer", "counts": [1, 2]}, {"kind": "dense"}])
    with pytest.raises(ConfigError, match=r"bits of channels are \(1, 2\), and inputs have 20"):
        network_of(wrong, rows)


def test_resumed_training_gives_the_same_network(tmp_path):
    plan, data = recipe(ROWS), samples((20,))
    whole = BlockTrainer(plan, task(plan, data), tmp_path / "whole")
    whole.run()
    BlockTrainer(plan, task(plan, data), tmp_path / "killed").run(until=(1, 1))
    resumed = BlockTrainer(plan, task(plan, data), tmp_path / "killed")
    assert resumed.resume()
    assert (resumed.state.stage, resumed.state.epoch) == (1, 1)
    resumed.run()
    for key, value in whole.state.network.state_dict().items():
        assert torch.equal(value, resumed.state.network.state_dict()[key]), key


def test_a_stage_says_how_far_its_neurons_go(tmp_path):
    stage = {"name": "late", "epochs": 2, "batch": 50, "learning_rate": 0.01,
             "anneal": [0.6, 0.9], "noise": 0.5}  # fmt: skip
    plan = recipe(ROWS, stages=[stage])
    trainer = BlockTrainer(plan, task(plan, samples((20,))), tmp_path)
    bits = next(m for m in trainer.state.network.modules() if isinstance(m, nn.Bits))
    trainer.run(until=(0, 1))
    assert bits.progress == 0.6
    noisy = [m for m in trainer.state.network.modules() if hasattr(m, "noise")]
    assert {m.noise for m in noisy} == {0.5}
    assert len(noisy) >= 2 * 3 + 1  # a matrix and sums of each layer, and neurons of bits
    trainer.run()
    assert bits.progress == 0.9


def test_batches_are_counted_and_reported(tmp_path):
    plan, seen = recipe(ROWS), []
    trainer = BlockTrainer(plan, task(plan, samples((20,))), tmp_path)
    trainer.batch_done = seen.append
    assert trainer.batches == (0, 5 * 8)
    trainer.run(until=(1, 1))
    assert trainer.batches == (4 * 8, 5 * 8)
    assert len(seen) == 4 * 8
    assert seen[-1] < seen[0]


def test_older_trainings_report_batches_too(tmp_path):
    from toy import toy_recipe, toy_task

    from pimsim.train.trainer import Trainer

    trainer, seen = Trainer(toy_recipe(), toy_task(), tmp_path), []
    trainer.batch_done = seen.append
    per_epoch = trainer.n_batches(trainer.recipe.stages[0])
    trainer.run(until=(0, 1))
    assert len(seen) == per_epoch
    assert trainer.batches[0] == per_epoch


def test_validation_is_even_over_classes_or_takes_whole_groups():
    data = samples((4,), n=300)
    kept = validation_mask(data, 0.2, 1, None)
    for label in range(3):
        assert kept[data.labels == label].mean() == pytest.approx(0.2, abs=0.02)
    groups = np.arange(300) // 30
    kept = validation_mask(data, 0.15, 1, groups)
    assert set(kept.reshape(10, 30).mean(axis=1)) == {0.0, 1.0}
    assert kept.mean() == pytest.approx(0.2)


def test_an_epoch_takes_so_many_samples_of_a_class():
    plan = recipe(ROWS, per_class=40)
    labels = torch.cat([y for _, y in task(plan, samples((20,))).epoch(10, BlockAugmentation(), 1)])
    assert torch.bincount(labels).tolist() == [40, 40, 40]


def test_maps_are_shifted_as_whole_pixels_with_repeated_edges():
    maps = torch.arange(2 * 3 * 6 * 5, dtype=torch.float32).view(2, 3, 6, 5)
    rng = torch.Generator().manual_seed(0)
    assert torch.equal(shifted(maps, (0, 0), rng), maps)
    moved = shifted(maps.expand(2, 3, 6, 5), (2, 0), rng)
    for before, after in zip(maps, moved, strict=True):
        rows = [
            int(torch.nonzero((before == row[:, None]).all(dim=(0, 2)))[0])
            for row in after.unbind(1)
        ]
        down = rows[2] - 2
        assert rows == [min(max(i + down, 0), 5) for i in range(6)]


def test_time_steps_are_shifted_and_their_channels_stay():
    plan = recipe(BARE_STEPS, layout="steps")
    own = task(plan, samples((9, 5)))
    how = BlockAugmentation(shift=(2, 0))
    plain = torch.cat([x for x, _ in own.epoch(50, BlockAugmentation(), 1)])
    moved = torch.cat([x for x, _ in own.epoch(50, how, 1)])
    downs = set()
    for before, after in zip(plain, moved, strict=True):
        found = [
            down
            for down in range(-2, 3)
            if torch.equal(after, before[(torch.arange(9) + down).clamp(0, 8)])
        ]
        assert found
        downs.add(found[0])
    assert downs == {-2, -1, 0, 1, 2}
    with pytest.raises(ConfigError, match="flips maps, and shifts maps and time steps"):
        next(iter(own.epoch(50, BlockAugmentation(flip=True), 1)))


def test_flipped_and_noisy_maps_are_a_function_of_the_seed():
    plan = recipe(MAPS)
    own = task(plan, samples((8, 8), as_bytes=True))
    how = BlockAugmentation(flip=True, shift=1, noise=0.1)
    first, again, other = (
        torch.cat([x for x, _ in own.epoch(50, how, seed)]) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("network", "shape", "layout", "message"),
    [
        (ROWS[:-1], (20,), None, "gives 16 numbers, and the data have 3 classes"),
        (MAPS, (20,), None, r"network\[1\].*needs maps or sequences"),
        (STEPS, (20,), None, r"network\[2\].*needs time steps"),
        ([{"kind": "dense", "levels": 4}], (20,), None, "levels is 4"),
        ([MAPS[0], {"kind": "avgpool"}, {"kind": "dense"}], (8, 8), None, "that are no codes"),
        (
            [{"kind": "residual", "convolutions": [MAPS[1] | {"stride": 2}]}, ROWS[-1]],
            (8, 8), None, r"network\[0\].*has a stride",
        ),
        ([{"kind": "residual", "convolutions": [MAPS[1] | {"padding": 0}]}, ROWS[-1]],
         (8, 8), None, r"network\[0\]"),
        ([{**MAPS[1], "kernel": 20}, ROWS[-1]], (8, 8), None, r"network\[0\]"),
        ([{"kind": "quantiser", "low": 1}, ROWS[-1]], (20,), None, "both 'low' and 'high'"),
        (ROWS, (20,), "steps", "the layout 'steps' does not fit samples of 20"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(network, shape, layout, message):
    plan = recipe(network, layout=layout)
    with pytest.raises(ConfigError, match=message):
        network_of(plan, task(plan, samples(shape)))


def test_unknown_keys_of_a_block_are_named_with_their_line(tmp_path):
    path = tmp_path / "toy.yaml"
    tree = {"name": "toy", "data": "toy.npz", "network": [{"kind": "dense", "unit": 3}],
            "stages": STAGES}  # fmt: skip
    path.write_text(yaml.safe_dump(tree, sort_keys=False))
    with pytest.raises(ConfigError, match=r"toy.yaml:5: network\[0\].unit is no key") as found:
        read_recipe(path)
    assert "units" in found.value.remedy


def test_bundled_recipes_are_found_by_name_and_their_networks_can_be_built():
    names = bundled_names("recipe")
    assert {"har_mlp_w7", "kws_dscnn", "cifar10_vgg_w7", "lenet5_w15"} <= set(names)
    shapes = {"har_mlp_w7": (561,), "kws_dscnn": (98, 40), "digits_tall_w7": (28, 28)}
    shapes |= dict.fromkeys(("lstm_kws_float", "lstm_kws_c4"), (98, 40))
    shapes |= {name: (49, 10) for name in names if name.startswith("kws_analog")}
    for name in names:
        plan = read_recipe(bundled_root() / "models" / "train" / f"{name}.yaml")
        # those of texts are built in test_text_recipes.py
        if isinstance(plan, Recipe) or plan.data.startswith("war-and-peace"):
            continue
        shape = (32, 32, 3) if name.startswith("cifar10") else shapes.get(name, (561,))
        own = task(plan, samples(shape, n=30, as_bytes=len(shape) > 1))
        network_of(plan, own)
    result = CliRunner().invoke(train, ["lenet5_w16", "-o", "x"])
    assert isinstance(result.exception, ConfigError)
    assert "lenet5_w15" in result.exception.remedy


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([{"kind": "lstm", "units": 4}], "reads real numbers, and has codes"),
        (
            [{"kind": "quantiser", "bits": 4},
             {"kind": "lstm", "units": 4, "inputs": {"kind": "codes", "signed": True}}],
            "has 'inputs', and the quantiser before it gives codes already",
        ),
    ],
    ids=["numbers", "codes twice"],
)  # fmt: skip
def test_inputs_of_an_lstm_are_codes_once(blocks, message):
    plan = recipe([*blocks, {"kind": "dense"}], layout="steps")
    with pytest.raises(ConfigError, match=message):
        network_of(plan, task(plan, samples((6, 5))))


def test_an_lstm_reads_the_codes_of_a_quantiser():
    blocks = [{"kind": "quantiser", "bits": 4}, {"kind": "lstm", "units": 4}, {"kind": "dense"}]
    plan = recipe(blocks, layout="steps")
    quantiser, layer, *_ = network_of(plan, task(plan, samples((6, 5))))
    assert layer.input_step == quantiser.step
    assert layer.inputs is None
