"""Recipes of networks on text: losses at every step, a state that goes on, bits per character."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from pimsim.cli.export import export  # noqa: E402
from pimsim.cli.train import train  # noqa: E402
from pimsim.data import Dataset, load, text  # noqa: E402
from pimsim.errors import ConfigError  # noqa: E402
from pimsim.importers.torch_export import export as export_module  # noqa: E402
from pimsim.nn import Codes, Dense, Gru, Lstm, Quantiser, carry_state  # noqa: E402
from pimsim.train.block_recipe import BlockAugmentation  # noqa: E402
from pimsim.train.text_task import TextTask  # noqa: E402
from pimsim.workload import OneHotEncoder, TextInput, read_network, run_reference  # noqa: E402

RECIPE = """\
name: toy-text
seed: 3
arithmetic: float32
data: toy.txt
test: toy.txt
unrolled: 20
network:
  - {kind: quantiser, bits: 1}
  - {kind: gru, units: 24, levels: 7}
  - {kind: dense}
stages:
  - {name: main, epochs: 3, batch: 8, learning_rate: 0.01, warmup: 10}
"""

GRU = """\
  - {kind: quantiser, bits: 1}
  - {kind: gru, units: 24, levels: 7}
"""
LSTM = """\
  - kind: lstm
    units: 24
    sum_bits: 4
    inputs: {kind: codes, bits: 4, signed: true}
"""


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """A text in which a letter follows from the one before."""
    rng, words = random.Random(1), ("abc", "dea", "fgh", "bcf")
    path = tmp_path_factory.mktemp("text") / "toy.txt"
    path.write_text(" ".join(rng.choice(words) for _ in range(2500)))
    return path


def test_batches_follow_the_text_row_by_row(toy):
    data = load(toy)
    task, stream = TextTask(data, data, 20), text.joined(data)
    rows = [[], []]
    for inputs, labels in task.epoch(2, BlockAugmentation(), seed=1):
        assert inputs.shape == (2, 20, len(data.classes))
        assert (inputs.sum(dim=2) == 1).all()
        for row, symbols, following in zip(rows, inputs.argmax(dim=2), labels, strict=True):
            assert (symbols[1:] == following[:-1]).all()
            row += symbols.tolist()
    assert len(rows[0]) == 20 * task.n_batches(2)
    # one after the other, they are the text
    both = np.array(rows[0] + rows[1], np.uint8)
    assert bytes(both) in bytes(stream)
    with pytest.raises(ConfigError, match="a text has symbols"):
        next(task.epoch(2, BlockAugmentation(noise=0.1), seed=1))
    with pytest.raises(ConfigError, match="characters for one batch"):
        task.n_batches(100_000)


def test_a_carried_state_is_that_of_one_long_sequence():
    torch.manual_seed(0)
    module = Gru(5, 7).train()
    x = (torch.rand(3, 12, 5) < 0.5).float()
    # ties and neurons at work, but no random numbers
    module.neuron.eval()
    whole = module(x)
    carry_state(module, carries=True)
    assert torch.equal(torch.cat([module(x[:, :5]), module(x[:, 5:])], dim=1), whole)
    carry_state(module, carries=True)
    assert torch.equal(module(x[:, :5]), whole[:, :5])
    carry_state(module, carries=False)
    module(x[:, :5])
    assert torch.equal(module(x[:, :5]), whole[:, :5])
    # what is deployed begins with 0
    carry_state(module, carries=True)
    module(x)
    assert torch.equal(module.eval()(x[:, :5]), module(x)[:, :5])


@pytest.mark.parametrize("bits", [4, None])
def test_a_carried_state_of_an_lstm_is_that_of_one_long_sequence(bits):
    torch.manual_seed(0)
    module = Lstm(5, 7, bits=bits).double().train()
    # two sequences that differ before step 5 alone: what follows depends on the state
    x = (torch.rand(3, 12, 5, dtype=torch.float64) < 0.5).double()
    other = torch.cat([1 - x[:, :5], x[:, 5:]], dim=1)
    whole = module(x)
    carry_state(module, carries=True)
    assert torch.allclose(torch.cat([module(x[:, :5]), module(x[:, 5:])], dim=1), whole)
    carry_state(module, carries=True)
    module(other[:, :5])
    assert torch.allclose(module(other[:, 5:]), module_whole(module, other)[:, 5:])
    assert not torch.allclose(module_whole(module, other)[:, 5:], whole[:, 5:])
    # no gradient goes back to the batch before
    carry_state(module, carries=True)
    before = x[:, :5].clone().requires_grad_()
    module(before)
    after = x[:, 5:].clone().requires_grad_()
    module(after).sum().backward()
    assert before.grad is None
    assert after.grad is not None
    carry_state(module, carries=False)
    module(x[:, :5])
    assert torch.allclose(module(x[:, :5]), whole[:, :5])
    # what is deployed begins with 0
    carry_state(module, carries=True)
    module(x)
    assert torch.equal(module.eval()(x[:, :5]), module(x)[:, :5])


def module_whole(module, x):
    """Outputs in training of sequences that begin with a state of 0."""
    carry_state(module, carries=False)
    return module(x)


def test_codes_beside_a_state_of_codes_have_its_step_and_rest_at_zero(toy):
    torch.manual_seed(0)
    data = load(toy)
    n = len(data.classes)
    module = nn.Sequential(
        Quantiser(4, 0.0, 1.0), Gru(n, 6, neuron=Codes(4, range=1.0)), Dense(6, n)
    )
    found = export_module(module.eval(), torch.zeros(2, 3, n), data.limit(30), name="codes")
    assert found.input == TextInput(n)
    codes = run_reference(found, data.features[:2]).signals["encoder"]
    assert (codes.argmax(axis=-1) == data.features[:2]).all()
    assert (np.sort(codes, axis=-1)[..., :-1] == 0).all()
    with torch.no_grad():
        scores = module(torch.eye(n)[torch.from_numpy(data.features[:2].astype(np.int64))])
    own = found.output.trained(run_reference(found, data.features[:2]).scores)
    assert np.abs(own - scores.numpy()).max() < 1e-4
    assert found.provenance["import"]["same_class"] > 0.99
    assert {"bits_per_character", "bits_per_character_trained"} < found.provenance["import"].keys()


@pytest.mark.slow
@pytest.mark.parametrize("recurrent", [GRU, LSTM], ids=["gru", "lstm"])
def test_a_network_on_text_learns_and_is_exported_as_it_is(recurrent, toy, tmp_path):
    recipe = toy.parent / "recipe.yaml"
    assert GRU in RECIPE
    recipe.write_text(RECIPE.replace(GRU, recurrent))
    out = tmp_path / "out"
    result = CliRunner().invoke(train, [str(recipe), "-o", str(out)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    log = [entry["bits_per_character"] for entry in map(json.loads, (out / "log.jsonl").open())]
    # 3 bits for symbols that are drawn evenly; a letter that follows from the one before takes none
    assert log[-1] < 2.0
    assert log[-1] < log[0]
    document = json.loads((out / "training.json").read_text())
    assert document["log"][-1]["bits_per_character"] == log[-1]
    assert "Validation bits per character, as deployed" in (out / "report.html").read_text()
    path = tmp_path / "toy.safetensors"
    result = CliRunner().invoke(
        export, [str(out / "checkpoint.pt"), "-o", str(path)], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    network, data = read_network(path), load(toy)
    assert network.input == TextInput(len(data.classes))
    assert network.output.every_step
    assert network.metric.key == "bits_per_character"
    scores = network.output.trained(run_reference(network, data.features).scores)
    found = network.metric.of_scores(scores, data.labels).mean()
    validation, test = network.provenance["accuracy"]
    assert test["value"] == pytest.approx(found, abs=1e-12)
    # the trained network in floating point: only weights of scores are rounded, to 2^-20
    assert validation["value"] == pytest.approx(log[-1], abs=1e-4)
    assert OneHotEncoder().codes(np.ones((1, 1))).tolist() == [[1]]


@pytest.mark.parametrize(
    ("block", "code"),
    [
        ([Quantiser(1, 0.0, 1.0), Gru(6, 5)], (1, 1)),
        ([Lstm(6, 5, sum_bits=4)], (3, 7)),
        ([Lstm(6, 5, bits=6)], (5, 31)),
        ([nn.LSTM(6, 5, batch_first=True)], (7, 127)),
    ],
    ids=["bits", "4 bits", "6 bits", "real"],
)
def test_lines_of_symbols_are_driven_at_full_scale(block, code):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers, self.scores = nn.ModuleList(block), nn.Linear(5, 6)

        def forward(self, x):
            for layer in self.layers:
                x = layer(x)
                x = x[0] if isinstance(x, tuple) else x
            return self.scores(x)

    torch.manual_seed(4)
    classes = tuple("abcdef")
    symbols = np.random.default_rng(4).integers(0, 6, (40, 12)).astype(np.uint8)
    labels = np.roll(symbols, -1, axis=1).astype(np.int64)
    data = Dataset(symbols, labels, classes, name="toy", kind="text")
    module = Net().train()
    module(torch.eye(6)[torch.from_numpy(symbols.astype(np.int64))])
    found = export_module(module.eval(), torch.zeros(2, 3, 6), data, name="hot")
    assert found.encoder == OneHotEncoder(code[0])
    assert np.unique(run_reference(found, symbols).signals["encoder"]).tolist() == [0, code[1]]
    assert found.provenance["import"]["same_class"] > 0.95
