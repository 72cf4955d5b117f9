"""Single noise sources against ties by coin, and the probe of exact inputs."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner
from files import write_model
from networks import random_gru

from pimsim.chip import program_tile
from pimsim.cli.run import run as command
from pimsim.config import NoiseConfig
from pimsim.errors import MappingError
from pimsim.simulate import encode_inputs, run_chips
from pimsim.studies.attribution import paired_change
from pimsim.studies.document import describe_run
from pimsim.studies.half_levels import half_levels
from pimsim.studies.prepare import prepare
from pimsim.studies.probe import probe
from pimsim.studies.run import run
from pimsim.timing.trace import operation_signals
from pimsim.workload import run_reference


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return prepare(write_model(tmp_path_factory.mktemp("model")))


def test_equal_answers_have_no_change():
    correct = np.random.default_rng(0).random((5, 200)) < 0.9
    found = paired_change(correct, correct)
    assert found.change == 0
    assert not found.is_significant


def test_an_interval_holds_no_effect_95_times_of_100():
    """Chips with a common loss over some sequences each, against a reference without any."""
    rng, inside = np.random.default_rng(1), 0
    for _ in range(400):
        right = rng.random(300) < 0.9
        draws = [np.where(rng.random((5, 300)) < 0.02, ~right, right) for _ in range(2)]
        found = paired_change(draws[0], draws[1])
        inside += abs(found.change) <= found.half_width
    assert inside >= 0.95 * 400


def test_a_loss_beyond_the_interval_is_seen():
    rng = np.random.default_rng(2)
    right = rng.random(500) < 0.9
    worse = np.array([np.where(rng.random(500) < 0.15, False, right) for _ in range(5)])
    found = paired_change(worse, np.tile(right, (5, 1)))
    assert found.change == pytest.approx(-0.15 * 0.9, abs=0.02)
    assert found.is_significant


def test_the_probe_reads_what_the_exact_network_reads(prepared):
    chip = prepared.chip(prepared.setup.noise)
    found = probe(prepared, chip)
    exact = run_reference(prepared.network, prepared.data.features[:32])
    tile = chip.tiles[1]
    one = operation_signals(chip, tile, {k: v[0] for k, v in exact.signals.items()})
    n = len(one["word_lines"])
    assert np.array_equal(found.rows[tile.name][:n], one["word_lines"])
    # one line by hand
    drawn, part = program_tile(tile, prepared.setup.run.seed, 0), tile.matrices[0]
    rows = found.rows[tile.name].astype(float)
    lines = [rows @ side[:, part.columns] for side in (drawn.plus, drawn.minus)]
    currents = found.line_currents(chip)[part.name]
    assert currents.mean == pytest.approx(np.mean(lines) * part.quantum_ampere)
    assert currents.highest == pytest.approx(np.max(lines) * part.quantum_ampere)
    assert currents.mean < currents.quantile_9999 <= currents.highest


def test_sizes_and_flips_are_those_of_the_closed_form(prepared):
    chip = prepared.chip(NoiseConfig.ideal())
    found = probe(prepared, chip)
    ties = found.ties(chip)
    only = NoiseConfig.ideal().model_copy(update={"sigma_eval": 0.3})
    part = chip.tiles[0].matrices[0]
    errors = found.errors(only)[part.name]
    assert errors.size == pytest.approx(0.3)
    # a sum of k level steps is decided wrongly with the tail of 0.3 units beyond it
    step = part.matrix.alpha / part.matrix.top_level
    rows = found.rows["gru0"].astype(float)
    sums = (rows @ part.matrix.levels - part.matrix.thresholds) * step
    from scipy.stats import norm

    expected = np.where(sums == 0, 0.5, norm.sf(np.abs(sums) / 0.3)).mean()
    assert errors.flipped == pytest.approx(expected)
    assert ties[part.name] == pytest.approx((sums == 0).mean())
    tiny = NoiseConfig.ideal().model_copy(update={"sigma_eval": 1e-3})
    assert found.errors(tiny)[part.name].flipped == pytest.approx(ties[part.name] / 2)
    nothing = found.errors(NoiseConfig.ideal())[part.name]
    assert nothing == (pytest.approx(0, abs=1e-9), 0)


def test_a_report_shows_ties_and_hides_what_lies_within_them(tmp_path):
    model = write_model(tmp_path, workload=random_gru(n_levels=7))
    report = describe_run(run(model, chips=2))
    noise = report["noise"]
    assert noise["ties"]["n_draws"] == 5
    assert set(noise["ties"]["share"]) == {m["matrix"] for m in noise["matrices"]}
    for entry in noise["contributions"]:
        if entry["change_from_ties"] is not None:
            outside = abs(entry["change_from_ties"]) > entry["ci95_half_width"]
            assert entry["is_significant"] == outside
    shown = CliRunner().invoke(command, [str(model), "--chips", "2", "-o", str(tmp_path / "out")])
    assert "ties by coin, nothing else" in shown.output
    assert "none (+-" in shown.output


def test_a_chip_with_adcs_has_no_ties(tmp_path):
    model = write_model(tmp_path, workload=random_gru(n_levels=7))
    options = {"set": ["networks.codes=gru.safetensors"], "limit": 3}
    report = describe_run(run(model, chip="adc_pim_16nm", chips=1, **options))
    assert report["noise"]["ties"] is None
    assert all(entry["change_from_ties"] is None for entry in report["noise"]["contributions"])
    assert report["electrical"][0]["probed_mean_current_a"] > 0


HALF = ("chip.weight_coding.half_level_thresholds=true",)


def test_half_level_thresholds_leave_no_ties_and_change_no_bit(tmp_path):
    model = write_model(tmp_path, network=random_gru(n_levels=7))
    plain, half = run(model, ideal=True), run(model, ideal=True, set=HALF)
    assert np.array_equal(plain.chips.predictions, half.chips.predictions)
    prepared = half.prepared
    chip = prepared.chip(NoiseConfig.ideal())
    bits = run_chips(
        chip, encode_inputs(chip, prepared.data.features), range(1), 0, keep_bits=True
    ).bits
    exact = run_reference(prepared.network, prepared.data.features)
    for name, found in bits.items():
        assert np.array_equal(found[0], exact.signals[name]), name
    assert set(probe(prepared, chip).ties(chip).values()) == {0.0}


def test_flips_that_half_levels_save_are_those_of_the_closed_form(tmp_path):
    from scipy.stats import norm

    model = write_model(tmp_path, network=random_gru(n_levels=7))
    prepared = prepare(model, assignments=HALF)
    only = NoiseConfig.ideal().model_copy(update={"sigma_eval": 0.3})
    found = probe(prepared, prepared.chip(only))
    saved = half_levels(found, only)
    with_half, without = [], []
    for tile in prepared.layout.tiles:
        for part in tile.matrices:
            step = part.matrix.alpha / part.matrix.top_level
            sums = found.rows[tile.name].astype(float) @ part.matrix.levels
            sums -= part.matrix.thresholds
            with_half.append(norm.sf(np.abs(sums - 0.5) * step / 0.3).mean())
            without.append(np.where(sums == 0, 0.5, norm.sf(np.abs(sums) * step / 0.3)).mean())
    assert saved.flipped == pytest.approx(np.mean(with_half))
    assert saved.flipped_without == pytest.approx(np.mean(without))
    assert saved.rows == 2


def test_a_report_says_what_half_levels_save(tmp_path):
    model = write_model(tmp_path, network=random_gru(n_levels=7))
    shown = CliRunner().invoke(command, [str(model), "--set", *HALF, "-o", str(tmp_path / "out")])
    assert "Half-level thresholds, on 2 more rows that are always on" in shown.output
    assert describe_run(run(model))["noise"]["half_levels"] is None


def test_a_cell_of_too_few_levels_is_refused_with_both_remedies(tmp_path):
    model = write_model(tmp_path, network=random_gru(n_levels=7))
    with pytest.raises(MappingError, match="half levels between those of weights included") as got:
        run(model, device="fefet", set=HALF)
    assert "leave out weight_coding.half_level_thresholds" in got.value.remedy
