"""Pages of sweeps and sensitivities: honest axes, lines that coincide, warnings, no change."""

from __future__ import annotations

import copy

import pytest
from matplotlib.figure import Figure

from pimsim.report import words
from pimsim.report.documents import SensitivityDocument
from pimsim.report.figures import one_look
from pimsim.report.pages import document_of, page_of
from pimsim.report.pages.sensitivity import sensitivity_page
from pimsim.report.sensitivity import effects, ranked
from pimsim.report.sweep import coinciding, draw_panel, lines_of
from pimsim.studies.origin import origin

AXES = ["device", "noise.sigma_eval"]


@pytest.fixture
def changed(documents):
    """The document of a sweep, every point changed by its place."""

    def make(change=lambda place: {}):
        sweep = copy.deepcopy(documents["sweep"])
        for place, point in enumerate(sweep["points"]):
            point.update(change(place))
        return document_of(sweep)

    return make


@pytest.fixture
def sweep(changed):
    return changed()


def section(page, title):
    return next(section for section in page.sections if section.title == title)


def test_costs_begin_at_zero_and_no_axis_has_an_offset(changed):
    sweep = changed(lambda place: {"energy_per_inference_j": (236.80 + 0.01 * place) * 1e-9})
    lines = lines_of(sweep.finished, AXES, AXES[1])
    with one_look():
        axes = Figure().subplots()
        draw_panel(axes, lines, AXES[1], sweep.goals[1])
        axes.figure.draw_without_rendering()
        low, high = axes.get_ylim()
        assert low == 0
        assert high > 236.83
        axes.set_ylim(236.8, 236.83)
        axes.figure.draw_without_rendering()
        assert axes.yaxis.get_offset_text().get_text() == ""


def test_an_accuracy_axis_ends_with_what_there_can_be(changed):
    sweep = changed(lambda place: {"accuracy": 1.0, "accuracy_std": 0.0})
    axes = Figure().subplots()
    draw_panel(axes, lines_of(sweep.finished, AXES, AXES[1]), AXES[1], sweep.goals[0])
    assert 100 <= axes.get_ylim()[1] < 100.5


def test_lines_upon_each_other_are_named_and_all_of_them_seen(changed, sweep):
    lines = lines_of(sweep.finished, AXES, AXES[1])
    assert coinciding(lines, AXES[1], sweep.goals[1]) == [["reram", "pcm"]]
    axes = Figure().subplots()
    draw_panel(axes, lines, AXES[1], sweep.goals[1])
    first, second = axes.lines
    assert first.get_markersize() > second.get_markersize()
    captions = [block.caption for block in section(page_of(sweep), "Along the axes").blocks]
    assert any("Not told apart: reram = pcm." in caption for caption in captions)
    apart = changed(lambda place: {"energy_per_inference_j": 1e-9 * (1 + 0.01 * place)})
    assert coinciding(lines_of(apart.finished, AXES, AXES[1]), AXES[1], apart.goals[1]) == []


def test_what_no_axis_changes_is_said_in_words(changed):
    sweep = changed(lambda place: {"accuracy": 0.9 + 0.01 * place})
    text = section(page_of(sweep), "Along the axes").text
    assert text == (
        "No change at any point: area, initiation interval. A line for each setting of device."
    )


def test_a_sweep_of_synthetic_speech_warns_and_marks_assumed_numbers(changed):
    page = page_of(changed(lambda place: {"is_synthetic_data": True, "assumed": "energy"}))
    assert list(page.warnings) == [words.SYNTHETIC]
    marks = {headline.label: headline.number.is_assumed for headline in page.headlines}
    assert marks["Lowest energy per inference"]
    assert not marks["Smallest area"]
    assert not page_of(changed(lambda place: {"is_synthetic_data": False})).warnings


def test_a_front_is_drawn_over_each_cost_that_changes(changed):
    sweep = changed(lambda place: {"area_m2": 1e-6 * (1 + place)})
    pictures = section(page_of(sweep), "Pareto front").blocks
    titles = [picture.title for picture in pictures]
    assert titles == ["Accuracy and energy per inference", "Accuracy and area"]
    figure = Figure()
    pictures[0].draw(figure)
    axes = figure.axes[0]
    assert axes.get_xlim()[0] == 0
    assert len(axes.texts) == sum(point.is_pareto for point in sweep.points) > 0


def test_a_step_that_does_nothing_says_so_and_has_no_bar():
    def step(value, energy):
        return {"value": value, "metric_change": 0.0, "metric_ci95_half_width": 0.01,
                "energy_percent": energy, "area_percent": 0.0, "interval_percent": 0.0}  # fmt: skip

    def parameter(key, energy):
        return {"key": key, "value": "1", "certainty": None, "low": step("0.9", -energy),
                "high": step("1.1", energy), "influence": energy}  # fmt: skip

    document = SensitivityDocument.model_validate({
        "schema": "pimsim.sensitivity/1", "pimsim": "0", "model": "gru", "metric": "accuracy",
        "step": 0.1, "n_chips": 2, "is_synthetic_data": True, "provenance": origin(),
        "base": {"metric": 0.9, "energy_per_inference_j": 1e-9, "area_m2": 1e-6,
                 "interval_s": 1e-6, "assumed": ["area"]},
        "parameters": [parameter("chip.a", 2.0), parameter("chip.b", 0.001)],
    })  # fmt: skip
    assert ranked(document, effects(document)[1]) == [0]
    page = sensitivity_page(document)
    rows = section(page, "Every parameter").blocks[0].rows
    assert [cell.text for cell in rows[0][3:]] == [
        "no change", "-2.00 / +2.00", "no change", "no change"
    ]  # fmt: skip
    assert rows[1][4].text == "no change"
    assert list(page.warnings) == [words.SYNTHETIC]
    assert [headline.number.is_assumed for headline in page.headlines] == [
        False,
        False,
        True,
        False,
    ]


def test_a_time_that_is_its_own_limit_is_no_row(report):
    document = document_of(report)
    same = [check for check in document.plausibility if check.value == check.limit]
    assert same
    shown = section(page_of(document), "Can it be built?").blocks[0].rows
    assert len(shown) == len(document.plausibility) - len(same)


def test_numbers_of_writing_are_marked_where_pulses_are_assumed(report):
    writing = section(page_of(document_of(report)), "Writing the network").blocks[0]
    marks = {row[0].text.strip(): row[1].is_assumed for row in writing.rows}
    assert marks["a write of the network"]
    assert marks["its time"]
    assert marks["area of what writes"]
    assert not marks["reads of an array"]
