"""Classes, sums, layers, floorplan and timeline of a run: in its document, and on its page."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from files import write_model

from pimsim.report.blocks import Table, count, digits, marked, quantity
from pimsim.report.documents import RunDocument, parse
from pimsim.report.html import render
from pimsim.report.pages import page_of
from pimsim.report.programming import draw_programming
from pimsim.studies.decisions import confusion
from pimsim.studies.document import describe_run
from pimsim.studies.floorplan import floorplan
from pimsim.studies.layers import N_PARTS, at_work
from pimsim.studies.prepare import prepare
from pimsim.studies.probe import N_BINS, probe
from pimsim.studies.run import run
from pimsim.timing.schedule import StageTiming
from pimsim.workload import run_reference
from pimsim.workload.exact import word_lines


@pytest.fixture(scope="module")
def converted():
    """A run on a chip with ADCs, whose layers between arrays have bills of their own."""
    return describe_run(run("lenet5", chip="adc_pim_16nm", chips=1, limit=2, noise_sources=False))


def table(document, title):
    page = page_of(parse(document, RunDocument, "report"))
    found = [
        b for s in page.sections for b in s.blocks if isinstance(b, Table) and b.title == title
    ]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("which", ["report", "converted"])
def test_layers_together_are_the_chip(which, request):
    document = request.getfixturevalue(which)
    for key, whole in (
        ("energy_by_component_j", document["energy"]["by_component_j"]),
        ("area_by_component_m2", document["area"]["by_component_m2"]),
    ):
        found: dict[str, float] = {}
        for layer in document["layers"]:
            for name, value in layer[key].items():
                found[name] = found.get(name, 0.0) + value
        assert found == pytest.approx({name: value for name, value in whole.items() if value})
    names = [layer["layer"] for layer in document["layers"]]
    assert len(names) == len(set(names))
    assert names[-1] == "whole chip"
    stages = [c["component"] for c in document["latency"]["components"]]
    assert set(stages) <= set(names)


def test_cells_used_are_those_of_the_placement(report, converted):
    rows, columns = 256, 512
    placed = {entry["layer"]: entry for entry in report["placement"]}
    for layer in report["layers"]:
        if layer["layer"] in placed:
            one = placed[layer["layer"]]
            cells = 2 * one["n_rows"] * one["n_pairs"]
            assert layer["cells_used"] == cells / (one["n_arrays"] * rows * columns)
        else:
            assert layer["cells_used"] is None
    assert any(layer["layer"].startswith("maxpool") for layer in converted["layers"])


def test_confusion_counts_every_read_and_the_last_steps():
    right = np.array([0, 2, 1])
    # two chips, two reads of three sequences
    found = np.array([[0, 2, 2, 0, 0, 1], [1, 2, 1, 0, 2, 1]])
    naive = np.zeros((3, 3), int)
    for chip in found:
        for place, decided in enumerate(chip):
            naive[right[place % 3], decided] += 1
    assert (confusion(found, right, 1, 3) == naive).all()
    # of three steps each, the last two are scored
    steps = np.array([[2, 0, 1, 2, 1, 1]])
    labels = np.array([[0, 1], [1, 0]])
    assert confusion(steps, labels, 3, 3).tolist() == [[1, 1, 0], [0, 2, 0], [0, 0, 0]]


def test_classes_of_a_run_give_its_accuracies(report):
    classes, facts = report["classes"], report["accuracy"]
    n = report["run"]["n_sequences"]
    decisions = n * report["run"]["n_chips"] * facts["n_reads"]
    matrix = np.array(classes["confusion"])
    assert matrix.sum() == decisions
    assert matrix.trace() / decisions == pytest.approx(facts["mean"])
    assert sum(classes["ideal"]) / n == pytest.approx(facts["ideal"])
    shown = table(report, "Accuracy of every class")
    samples = [row[1].value for row in shown.rows]
    assert sum(samples) == n
    for row, name, counts in zip(shown.rows, classes["names"], classes["confusion"], strict=True):
        assert row[0].text == name
        if sum(counts):
            assert row[3].value == counts[classes["names"].index(name)] / sum(counts)


def test_sums_are_those_of_the_exact_network(tmp_path):
    prepared = prepare(write_model(tmp_path, "lenet"), {"limit": 3})
    chip = prepared.chip(prepared.setup.noise)
    found = probe(prepared, chip).sums(chip)
    exact = run_reference(prepared.network, prepared.data.features)
    tile = chip.tiles[-1]
    part = tile.matrices[0]
    (name,) = tile.node.inputs
    rows = word_lines(
        tile.node.layer, [exact.signals[name]], prepared.network.input_shapes(tile.node)
    )
    sums = rows.reshape(len(rows), -1).astype(int) @ part.matrix.levels - part.matrix.thresholds
    facts = found[part.name]
    edges = facts.first + facts.width * np.arange(N_BINS + 1)
    inner, _ = np.histogram(np.clip(sums, edges[0], edges[-1] - 1e-9), edges)
    assert facts.counts == inner.tolist()
    assert facts.n_at_threshold == (sums == 0).sum()
    assert facts.width % 2 == 1
    assert facts.noise > 0
    assert 0 < facts.flipped < 0.5


def test_no_noise_flips_nothing_but_ties(tmp_path):
    prepared = prepare(write_model(tmp_path), {"limit": 3})
    ideal = prepared.chip(prepared.setup.noise.ideal())
    for facts in probe(prepared, ideal).sums(ideal).values():
        assert facts.noise == pytest.approx(0, abs=1e-2)
        assert facts.flipped <= facts.n_at_threshold / sum(facts.counts)


def test_parts_of_an_inference_hold_the_cycles_at_work():
    stage = StageTiming("a", 6, 7, 0, 0, 0, (3, 40, 47, 120, 500, 993), False)
    first, last = 3, 1010
    busy = np.zeros(last)
    for start in stage.started:
        busy[start : start + 7] = 1
    shares = at_work(stage, first, last)
    assert len(shares) == N_PARTS
    # cut at the edges of parts, which are no whole cycles
    assert shares.sum() * (last - first) / N_PARTS == pytest.approx(busy.sum(), rel=1e-3)
    assert shares.max() <= 1
    assert shares[0] == pytest.approx(7 / (1007 / N_PARTS), rel=1e-3)


def test_the_timeline_is_that_of_the_latency(report):
    line, time = report["timeline"], report["latency"]
    assert (line["first_cycle"], line["last_cycle"]) == (0, time["first_cycles"])
    by_name = {entry["component"]: entry for entry in time["components"]}
    for stage in line["stages"]:
        assert " to " not in stage["component"]
        assert stage["first_cycle"] < stage["last_cycle"] <= line["last_cycle"]
        done = np.mean(stage["at_work"]) * line["last_cycle"]
        each = by_name[stage["component"]]
        # four inferences are simulated
        assert done == pytest.approx(each["busy_cycles"] / 4, rel=1e-2)


def test_the_floorplan_is_the_one_that_the_command_draws(tmp_path):
    prepared = prepare(write_model(tmp_path))
    plan, _ = floorplan(prepared)
    document = run(write_model(tmp_path), chips=1, limit=2, noise_sources=False)
    facts = describe_run(document)["floorplan"]
    assert (facts["width_m"], facts["height_m"]) == (plan.width, plan.height)
    assert len(facts["rectangles"]) == len(plan.rectangles)
    assert parse(describe_run(document), RunDocument, "a").floorplan.plan == plan


def test_documents_of_before_still_open(report):
    titles = {
        "classes": "Accuracy of every class", "sums": "Which layer decides wrongly",
        "layers": "Layer by layer", "floorplan": "Floorplan", "timeline": "One inference",
    }  # fmt: skip
    for gone in [*((key,) for key in titles), tuple(titles)]:
        before = {key: value for key, value in report.items() if key not in gone}
        page = page_of(parse(before, RunDocument, "report"))
        shown = {getattr(block, "title", "") for part in page.sections for block in part.blocks}
        for key, title in titles.items():
            assert (title in shown) == (key not in gone)
    assert "cannot be drawn" not in render(before)


def test_numbers_that_rest_on_assumptions_have_three_digits(report):
    assert marked(quantity(58764.785e-12, "m2"), True).text == "0.0588 mm\N{SUPERSCRIPT TWO}"
    assert marked(quantity(231.091e-9, "J"), True).said == "~231 nJ"
    assert marked(quantity(231.091e-9, "J"), False).said == "231.1 nJ"
    assert (
        marked(quantity(8572.4e-12, "m2"), True).said == "~8,570 \N{MICRO SIGN}m\N{SUPERSCRIPT TWO}"
    )
    assert marked(count(12345), True).text == "12,345"
    assert digits(58764.785, 3) == "58,800"
    page = page_of(parse(report, RunDocument, "report"))
    shown = [cell for s in page.sections for b in s.blocks if isinstance(b, Table)
             for row in b.rows for cell in row]  # fmt: skip
    rough = [cell for cell in shown if cell.is_assumed and cell.unit]
    assert len(rough) > 50
    for cell in rough:
        number = cell.text.split()[0].replace(",", "")
        mantissa = number.partition("e")[0].replace(".", "").strip("0")
        assert len(mantissa) <= 3, cell


@pytest.mark.parametrize("title", ["Efficiency", "Times", "Layer by layer", "Bounds of each tile"])
def test_tables_mark_what_rests_on_assumptions(report, title):
    assert any(cell.is_assumed for row in table(report, title).rows for cell in row)
    sure = copy.deepcopy(report)
    for entries in sure["provenance"]["sources"].values():
        for entry in entries:
            entry["certainty"] = "paper"
    assert not any(cell.is_assumed for row in table(sure, title).rows for cell in row)


def test_powers_of_ten_beside_an_axis_are_plain_numbers(tmp_path):
    document = {"device": "a", "levels": [], "cells": [{"left": [1.0, 0.1, 0.01, 1e-3]}]}
    drawn = draw_programming(document, tmp_path / "a.svg").read_text()
    assert "mathdefault" not in drawn
    assert "0.01" in drawn
