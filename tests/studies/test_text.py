"""Networks on text through every study, measured in bits per character: fewer are better."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from networks import random_gru
from text_networks import text_bits, text_codes

import pimsim
from pimsim.cli.main import cli
from pimsim.cost.energy import energy_items
from pimsim.cost.operation import operation_energies
from pimsim.data import load
from pimsim.data import text as pimsim_text
from pimsim.errors import ConfigError, DataError
from pimsim.report.age import write_age
from pimsim.report.documents import ComparisonDocument, SweepDocument
from pimsim.report.html import html_of
from pimsim.report.pages import page_of
from pimsim.studies.age import age, age_document
from pimsim.studies.options import RunOptions
from pimsim.studies.prepare import prepare
from pimsim.studies.sweep import mark_pareto
from pimsim.studies.vectors import write_vectors
from pimsim.workload import run_reference

EXCERPT = "war-and-peace-excerpt"
NETWORKS = {"ba_mlw_16nm": text_bits, "adc_pim_16nm": text_codes}
FEW = {"data": EXCERPT, "limit": 6}


@pytest.fixture(scope="module", params=NETWORKS)
def chip(request):
    return request.param


@pytest.fixture(scope="module")
def noisy(chip):
    """A run on two noisy chips, and the network that ran."""
    network = NETWORKS[chip]()
    return pimsim.run(network, chip=chip, chips=2, accuracy_target=6.7, keep_bits=True, **FEW)


def test_a_text_file_that_lacks_symbols_is_read_in_those_of_the_network(tmp_path):
    """Its inputs and labels are those of the same text under the name of its data set."""
    whole = load(EXCERPT)
    symbols = pimsim_text.WAR_AND_PEACE
    words = "".join(symbols[code] for code in pimsim_text.joined(whole))
    assert set(words) < set(symbols)
    path = tmp_path / "own.txt"
    path.write_text(words, encoding="utf-8")
    network = text_codes()
    own, named = (prepare(network, {"data": which, "limit": 6}).data for which in
                  (str(path), EXCERPT))  # fmt: skip
    assert own.classes == named.classes == network.classes
    assert (own.features == named.features).all()
    assert (own.labels == named.labels).all()


def test_ideal_chip_equals_the_exact_machine(chip):
    network, data = NETWORKS[chip](), load(EXCERPT).limit(6)
    exact = run_reference(network, data.features)
    found = pimsim.run(network, chip=chip, ideal=True, keep_bits=True, **FEW)
    run = found.simulated.chips
    for name, values in exact.signals.items():
        assert (run.bits[name][0] == values).all(), name
    assert (run.predictions[0] == exact.predictions.ravel()).all()
    values = network.metric.of_scores(network.output.trained(exact.scores), data.labels)
    assert (run.scored[0] == values).all()
    assert found.sample.ideal == found.sample.mean == values.mean()


def test_results_depend_on_neither_batch_nor_threads(chip, noisy):
    for options in ({"batch": 4, "threads": 1}, {"batch": 1, "threads": 2}):
        again = pimsim.run(NETWORKS[chip](), chip=chip, chips=2, **options, **FEW)
        assert (again.sample.per_read == noisy.sample.per_read).all()


def test_reports_say_bits_per_character(noisy, tmp_path):
    report = noisy.report
    assert "accuracy" not in report
    facts = report["bits_per_character"]
    assert facts["mean"] == np.mean(facts["per_chip"]) != facts["ideal"]
    # fewer bits are better
    assert facts["yield"]["share"] == np.mean([value <= 6.7 for value in facts["per_chip"]])
    noisy.save(tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "Bits per character, mean of the chips" in page
    assert f"{facts['mean']:.4f} bits" in page
    assert not re.search(r">\s*[Aa]ccuracy", page)
    again = pimsim.compare(str(tmp_path))
    assert again.document["cases"][0]["bits_per_character"] == facts
    with pytest.raises(ConfigError, match="measured in bits per character"):
        noisy.accuracy  # noqa: B018
    with np.load(tmp_path / "bits.npz") as bits:
        assert bits["predictions"].shape == (2, 6 * 200)
        assert bits["labels"].shape == (6, 100)


def test_output_unit_works_at_every_step(noisy):
    network = noisy.simulated.prepared.network
    counted = noisy.report["actions"]["output_unit"]["macs"]
    assert counted == 2 * 6 * 200 * network.output.weights.size
    output = noisy.simulated.plan.graph.component("output")
    assert output.demand.n_operations == 200
    # it works while later steps are read: only the last one's work comes after the last input
    assert 0 < noisy.document.latency.after_last_input_s < noisy.interval / 10
    tile = next(iter(noisy.simulated.plan.graph.tiles))
    clock = noisy.document.latency.clock_hz
    assert noisy.interval >= 200 * tile.cycles / clock


def test_energies_of_single_operations_add_up(chip):
    found = pimsim.run(NETWORKS[chip](), chip=chip, chips=1, data=EXCERPT, limit=1, keep_bits=True)
    simulated = found.simulated
    signals = {name: bits[0, 0] for name, bits in simulated.chips.bits.items()}
    seed = simulated.plan.setup.run.seed
    each = operation_energies(simulated.plan.graph, signals, seed, 0)
    assert len(each["output"]) == 200
    items = energy_items(simulated.plan.graph, simulated.chips.counts, 1)
    total = sum(float(energies.sum()) for energies in each.values())
    assert total == pytest.approx(sum(item.energy for item in items), rel=1e-9)


def test_text_in_real_time_is_scored_as_it_comes(chip, noisy):
    options = {"frame_interval": "100 us", "noise_sources": False}
    found = pimsim.run(NETWORKS[chip](), chip=chip, chips=2, **options, **FEW)
    assert (found.sample.per_read == noisy.sample.per_read).all()
    assert found.interval == pytest.approx(200 * 100e-6)
    assert 0 < found.document.latency.after_last_input_s < 100e-6


def test_ages_are_shown_in_bits_per_character(tmp_path):
    path = str(text_bits().save(tmp_path / "text.safetensors"))
    options = RunOptions.of(data=EXCERPT, limit=4, chips=2, device="pcm")
    rows = age(path, tmp_path, ages=("1 h", "1 year"), options=options)
    document = age_document("text", rows)
    assert document.metric.key == "bits_per_character"
    page = html_of(page_of(document))
    assert "Bits per character in bits" in page
    assert f"{document.points[0].bits_per_character:.4f}" in page
    assert write_age(document, tmp_path)
    assert "accuracy" not in (tmp_path / "age.csv").read_text()


def test_networks_are_compared_by_bits_per_character(chip, noisy):
    other = pimsim.run(NETWORKS[chip](1), chip=chip, chips=2, **FEW)
    found = pimsim.compare(noisy, other)
    (difference,) = found.document["differences"]
    means = [case.measured.mean for case in found.typed.cases]
    assert difference["bits_per_character"] == pytest.approx(means[1] - means[0], rel=1e-12)
    assert "accuracy_points" not in difference
    assert f"{means[0]:.4f} bits" in repr(found)


def test_best_points_of_a_sweep_have_the_fewest_bits(chip, tmp_path):
    path = NETWORKS[chip]().save(tmp_path / "text.safetensors")
    found = pimsim.sweep(
        str(path), {"noise.sigma_eval": [0, 2]} if chip == "ba_mlw_16nm" else {"seed": [1, 2]},
        chip=chip, chips=2, **FEW,
    )  # fmt: skip
    document = SweepDocument.model_validate(found.document)
    assert document.goals[0].key == "bits_per_character"
    assert not document.goals[0].is_more_better
    values = [point.bits_per_character for point in document.points]
    assert values[0] != values[1]
    assert document.points[int(np.argmin(values))].is_pareto
    found.save(tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "Lowest bits per character" in page
    assert f"{min(values):.4f} bits" in page
    assert not re.search(r">\s*[Aa]ccuracy", page)
    assert "accuracy" not in (tmp_path / "sweep.csv").read_text()


def test_no_point_is_on_the_front_with_more_bits_at_equal_costs():
    costs = {"energy_per_inference_j": 1.0, "area_m2": 1.0, "interval_s": 1.0}
    rows = [{"bits_per_character": value, **costs} for value in (2.0, 1.5, 3.0)]
    mark_pareto(rows)
    assert [row["is_pareto"] for row in rows] == [False, True, False]
    rows.append({"accuracy": 0.9, **costs})
    with pytest.raises(ConfigError, match="accuracy and bits per character, which have no common"):
        mark_pareto(rows)


def test_runs_of_other_metrics_are_not_compared(chip, noisy):
    network = NETWORKS[chip]()
    output = dataclasses.replace(network.output, metric="accuracy")
    other = pimsim.run(dataclasses.replace(network, output=output), chip=chip, chips=1, **FEW)
    # right symbols of all scored steps
    assert 0 < other.accuracy.mean < 0.2
    with pytest.raises(ConfigError, match="is measured in accuracy, and .* in bits per character"):
        pimsim.compare(noisy, other)


def test_documents_of_several_metrics_are_refused(chip, noisy, tmp_path):
    path = NETWORKS[chip]().save(tmp_path / "text.safetensors")
    sweep = pimsim.sweep(str(path), {"seed": [1, 2]}, chip=chip, chips=2, **FEW).document
    other = dict(sweep["points"][1])
    for key in [key for key in other if key.startswith("bits_per_character")]:
        other[key.replace("bits_per_character", "accuracy")] = other.pop(key) and 0.5
    with pytest.raises(ValueError, match="or points of several metrics"):
        SweepDocument.model_validate({**sweep, "points": [sweep["points"][0], other]})
    compared = pimsim.compare(noisy, noisy).document
    assert ComparisonDocument.model_validate(compared).metric.key == "bits_per_character"
    for key, message in (("cases", "of several metrics"), ("differences", "has a difference with")):
        changed = json.loads(json.dumps(compared))
        last = changed[key][-1]
        last[{"cases": "accuracy", "differences": "accuracy_points"}[key]] = last.pop(
            "bits_per_character"
        )
        with pytest.raises(ValueError, match=message):
            ComparisonDocument.model_validate(changed)


def test_traces_floorplans_and_vectors_work(chip, tmp_path):
    path = str(NETWORKS[chip]().save(tmp_path / "text.safetensors"))
    common = ["--chip", chip, "--data", EXCERPT]
    for command in (
        ["trace", path, *common, "--cycles", "0:400", "--out", str(tmp_path / "t.json")],
        ["floorplan", path, *common, "--out", str(tmp_path / "plan.svg")],
    ):
        result = CliRunner().invoke(cli, command)
        assert result.exit_code == 0, result.output
    if chip == "ba_mlw_16nm":
        prepared = prepare(path, {"chip": chip, **FEW})
        write_vectors(prepared, 0, 2, tmp_path / "vectors.npz")
        with np.load(tmp_path / "vectors.npz") as arrays:
            assert arrays["predictions"].shape == (2, 200)
            assert arrays["labels"].shape == (2, 100)
            assert json.loads(str(arrays["facts"]))["network"] == "text-bits"


def test_any_text_in_known_symbols_can_be_run(tmp_path):
    path = tmp_path / "own.txt"
    path.write_text("a short text of letters only\n" * 20)
    found = pimsim.run(text_bits(), data=str(path), chips=1, limit=2)
    assert found.document.run.data == "own"
    path.write_text("100 % of it\n" * 20)
    with pytest.raises(DataError, match="the character '%', which is none of the 78 symbols"):
        pimsim.run(text_bits(), data=str(path), chips=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data": "mnist-1000"}, "holds image data, and the network 'text-bits' takes text data"),
        ({"data": EXCERPT, "accuracy_target": -1}, "accuracy_target"),
    ],
)
def test_what_does_not_fit_a_text_network_is_refused(options, message):
    with pytest.raises((ConfigError, DataError), match=message):
        pimsim.run(text_bits(), chips=1, **options)


def test_texts_are_refused_by_networks_that_score_the_last_step_alone():
    network = text_bits()
    output = dataclasses.replace(network.output, every_step=False)
    with pytest.raises(DataError, match="labels for 100 steps, and the network 'text-bits' scores"):
        pimsim.run(dataclasses.replace(network, output=output), chips=1, **FEW)
    with pytest.raises(DataError, match="takes speech data"):
        pimsim.run(random_gru(), chips=1, **FEW)


def test_list_of_data_names_the_texts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "400")
    listed = CliRunner().invoke(cli, ["data", "list"]).output
    assert "war-and-peace-excerpt" in listed
    assert "war-and-peace-train" in listed
    assert "public domain" in listed
    assert Path(str(load(EXCERPT).source["path"])).name == "war_and_peace_excerpt.npz"
