"""Trainings that begin with the weights of a float network."""

from __future__ import annotations

import random

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")

from pimsim.cli.train import train  # noqa: E402
from pimsim.errors import DataError, Place  # noqa: E402
from pimsim.nn import Codes, Dense, Lstm, Quantiser  # noqa: E402
from pimsim.train.start import take_weights  # noqa: E402

PLACE = Place("float.pt")


def chain(*modules):
    return torch.nn.Sequential(*modules)


def real(n_in=5):
    torch.manual_seed(1)
    return chain(Lstm(n_in, 6, levels=None, bits=None), Lstm(6, 4, levels=None, bits=None),
                 Dense(4, 3, levels=None))  # fmt: skip


def test_a_quantised_network_computes_nearly_what_the_float_one_does():
    """With many bits: weights of inputs are those of steps of the state."""
    torch.manual_seed(2)
    x, other = torch.randn(50, 9, 5) * 2, real()
    fine = {"levels": 255, "bits": 8, "sum_bits": 12}
    network = chain(Lstm(5, 6, inputs=Codes(8, signed=True), **fine), Lstm(6, 4, **fine),
                    Dense(4, 3, levels=255))  # fmt: skip
    take_weights(network, other, x, PLACE)
    # three standard deviations
    assert float(network[0].inputs.range.detach()) == pytest.approx(6.0, rel=0.05)
    network.train()(x)
    found, expected = network.eval()(x), other.eval()(x)
    assert float((found - expected).abs().max()) < 0.1 * float(expected.abs().max())


def test_ranges_of_equal_quantisers_go_along():
    torch.manual_seed(3)
    x = torch.rand(20, 7, 5)

    def network(**choices):
        return chain(Quantiser(4, 0.0, 1.0), Lstm(5, 6, inputs=Quantiser(4, 0.0, 1.0).step,
                                                  sum_bits=4, **choices))  # fmt: skip

    before, after = network(), network(cell_error=0.1, sum_noise=0.5)
    before.train()(x)
    take_weights(after, before, x, PLACE)
    assert after.state_dict().keys() == before.state_dict().keys()
    for name, tensor in before.state_dict().items():
        assert torch.equal(after.state_dict()[name], tensor), name
    wider = network(levels=3)
    take_weights(wider, before, x, PLACE)
    assert wider[1].candidate.range != before[1].candidate.range


def test_a_network_of_another_size_is_refused():
    with pytest.raises(DataError, match="has no weight of 6x11 for block 0.forget_gate"):
        take_weights(real(), real(n_in=4), torch.zeros(2, 3, 5), PLACE)
    with pytest.raises(DataError, match="has no bias of 24 for block 0"):
        take_weights(real(), chain(Dense(5, 6)), torch.zeros(2, 3, 5), PLACE)


RECIPE = """\
name: toy
data: toy.txt
unrolled: 10
network:
  - {{kind: lstm, units: 8, dropout: 0.1, {how}}}
  - {{kind: dense, levels: {levels}}}
stages:
  - {{name: only, epochs: 1, batch: 8, learning_rate: {rate}, gradient_clip: 1.0}}
"""


def test_a_training_starts_from_a_checkpoint_of_a_float_network(tmp_path):
    rng = random.Random(1)
    (tmp_path / "toy.txt").write_text("".join(rng.choice(("ab ", "cd ")) for _ in range(800)))
    real, coded = tmp_path / "real.yaml", tmp_path / "coded.yaml"
    real.write_text(RECIPE.format(how="levels: null, bits: null", levels="null", rate=0.02))
    # a rate that moves nothing
    coded.write_text(RECIPE.format(how="sum_bits: 6", levels=255, rate=1e-12))
    for recipe, out, more in ((real, "a", []), (coded, "b", ["--start", "a/checkpoint.pt"])):
        words = [recipe, "-o", tmp_path / out, *(tmp_path / w if "/" in w else w for w in more)]
        done = CliRunner().invoke(train, list(map(str, words)), catch_exceptions=False)
        assert done.exit_code == 0, done.output
    states = [
        torch.load(tmp_path / o / "checkpoint.pt", weights_only=True)["network"] for o in "ab"
    ]
    for key in ("0.candidate.weight", "0.bias", "1.matrix.weight"):
        torch.testing.assert_close(states[0][key], states[1][key], rtol=1e-6, atol=1e-6)
    assert float(states[1]["0.candidate.range"]) != 1.0
