"""Blocks of chips, repeated reads, and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner
from files import write_model
from scipy.stats import binomtest

from pimsim.cli.run import run as command
from pimsim.errors import ConfigError
from pimsim.studies.monte_carlo import MAX_BLOCKS, draw
from pimsim.studies.run import run
from pimsim.studies.statistics import Sample, Yield


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("model"))


def test_spreads_are_told_apart_by_the_analysis_of_variance():
    rng = np.random.default_rng(3)
    chips, reads = 4000, 5
    per_read = 0.9 + 0.02 * rng.normal(size=(chips, 1)) + 0.01 * rng.normal(size=(chips, reads))
    accuracy = Sample(0.9, per_read)
    # standard errors: 0.02 / sqrt(2 chips) = 0.0002, 0.01 / sqrt(2 chips (reads - 1)) = 0.00006
    assert accuracy.std_chips == pytest.approx(0.02, abs=0.001)
    assert accuracy.std_reads == pytest.approx(0.01, abs=0.0003)
    assert Sample(0.9, per_read[:, :1]).std_chips is None
    # reads that differ more than chips leave nothing for the chips
    assert Sample(0.9, np.array([[0.8, 0.9], [0.9, 0.8]])).std_chips == 0.0


@pytest.mark.parametrize(("good", "n"), [(0, 20), (20, 20), (7, 20), (1, 1), (999, 1000)])
def test_the_interval_of_a_yield_is_exact(good, n):
    exact = binomtest(good, n).proportion_ci(0.95, method="exact")
    found = Yield.of(good, n, 0.9)
    assert found.share == good / n
    assert found.ci95 == pytest.approx((exact.low, exact.high), abs=1e-12)


def test_a_read_is_new_noise_on_the_same_chip(model):
    once, thrice = run(model), run(model, reads=3)
    n = len(once.labels)
    assert thrice.chips.predictions.shape == (3, 3 * n)
    assert np.array_equal(thrice.chips.predictions[:, :n], once.chips.predictions)
    assert thrice.chips.n_cells == once.chips.n_cells
    macs = [run.chips.counts.get("input_encoder", "macs") for run in (once, thrice)]
    assert macs[1] == 3 * macs[0]
    still = run(model, reads=2, set=["noise.dynamic=off"], contributions=False)
    first, second = np.split(still.chips.predictions, 2, axis=1)
    assert np.array_equal(first, second)
    assert still.accuracy.std_reads == 0.0


def test_blocks_are_drawn_until_the_mean_is_precise(model):
    loose = run(model, until_ci95=0.5, contributions=False)
    tight = run(model, until_ci95=0.03, contributions=False)
    many = run(model, chips=len(tight.accuracy.per_chip), contributions=False)
    assert len(loose.accuracy.per_chip) == 3 < len(tight.accuracy.per_chip)
    assert tight.accuracy.is_precise
    low, high = tight.accuracy.ci95
    assert high - low <= 2 * 0.03
    assert np.array_equal(tight.chips.predictions, many.chips.predictions)
    assert tight.chips.counts.as_dict() == many.chips.counts.as_dict()
    before = Sample(0.0, tight.accuracy.per_read[:-3], 0.03)
    assert not before.is_precise


def test_drawing_ends_without_precision(model):
    def simulate(indices, samples, read):
        predictions = np.array([[index % 2] for index in indices])
        return type(whole)(predictions, whole.counts, 0, 1)

    whole = run(model, contributions=False, chips=1).chips
    labels = samples = np.zeros(1, np.int64)
    found, accuracy = draw(simulate, labels, samples, ideal=1.0, chips=2, until_ci95=1e-6)
    assert len(found.predictions) == 2 * MAX_BLOCKS
    assert not accuracy.is_precise


def test_the_command_takes_precision_and_target(model):
    asked = [str(model), "--until", "ci=20%", "--target", "5%", "--out", str(model.parent / "out")]
    said = CliRunner().invoke(command, asked)
    assert said.exit_code == 0, said.output
    assert "chips of 5.00 % or better" in said.output
    wrong = CliRunner().invoke(command, [str(model), "--until", "20%"])
    assert wrong.exit_code == 2
    assert "ci=0.1%" in wrong.output
    with pytest.raises(ConfigError, match="accuracy_target"):
        run(model, accuracy_target="120 %")
