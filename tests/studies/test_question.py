"""Questions to sweeps: conditions with units, the best point, and words where there is none."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from pimsim.cli.sweep import sweep as command
from pimsim.errors import ConfigError
from pimsim.files import write_json
from pimsim.report.documents import SweepDocument
from pimsim.report.pages import page_of
from pimsim.studies.question import answered, parse_condition
from pimsim.studies.sweep import mark_pareto, sweep_document

AXES = ["device", "chip.array.rows"]


def point(device, rows, accuracy, energy_nj, area_mm2, error=None):
    figures = dict.fromkeys(
        ("yield", "yield_ci95_low", "yield_ci95_high", "tops_per_w", "doubtful", "seed")
    )
    if error is not None:
        measured = dict.fromkeys(
            ("chips", "energy_per_inference_j", "area_m2", "interval_s", "after_last_input_s")
        )
        measured["accuracy"] = None
    else:
        measured = {"accuracy": accuracy, "chips": 2, "energy_per_inference_j": energy_nj * 1e-9,
                    "area_m2": area_mm2 * 1e-6, "interval_s": 1e-5,
                    "after_last_input_s": 1e-6}  # fmt: skip
    return {**figures, "device": device, "chip.array.rows": rows, **measured, "error": error}


@pytest.fixture(scope="module")
def document() -> SweepDocument:
    rows = [
        point("reram", "128", 0.92, 6.0, 0.9),
        point("reram", "256", 0.93, 5.0, 1.2),
        point("pcm", "128", 0.91, 5.5, 0.8),
        point("pcm", "256", 0.85, 4.0, 0.7),
        point("pcm", "4", 0, 0, 0, error="too few rows"),
    ]
    mark_pareto(rows)
    return sweep_document("gru", AXES, rows)


@pytest.mark.parametrize(
    ("where", "best", "fitting", "answer"),
    [
        (["area < 1 mm2", "accuracy > 90 %"], "energy", [2, 0], 2),
        (["area<1000000um2"], "accuracy", [0, 2, 3], 0),
        (["energy_per_inference_j <= 5 nJ"], "area", [3, 1], 3),
        (["device = reram"], None, [0, 1], None),
        (["chip.array.rows >= 200"], "energy", [3, 1], 3),
        ([], "energy", [3, 1, 2, 0], 3),
        (["accuracy > 99 %", "area < 1 mm2"], "energy", [], None),
        (["time < 1 ms"], "yield", [0, 1, 2, 3], None),  # no yield was asked for
    ],
)
def test_points_that_keep_all_conditions_are_found_the_best_first(
    document, where, best, fitting, answer
):
    found = answered(document, where, best).question
    assert (found.fitting, found.answer) == (fitting, answer)


def test_without_a_question_a_sweep_is_as_it_was(document):
    assert answered(document, [], None) is document


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("area", "--where: area is no condition. Write it as"),
        ("area < 1 mJ", "--where: area < 1 mJ is '1 mJ', an energy; an area is needed"),
        ("areas < 1 mm2", r"names 'areas', which is no figure of a sweep. Did you mean 'area'\?"),
        ("accuracy > 90 V", "a number without a unit is needed"),
        ("device > reram", "compares words. Write device = reram"),
    ],
)
def test_what_is_no_condition_is_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        parse_condition(text, AXES)


def test_a_figure_that_is_none_cannot_be_best(document):
    with pytest.raises(ConfigError, match="--best: power names 'power', which is no figure"):
        answered(document, [], "power")


def test_the_page_answers_first(document):
    found = page_of(answered(document, ["area < 1 mm2", "accuracy > 90 %"], "energy"))
    assert found.sections[0].title == "Answer"
    assert found.sections[0].text == (
        "2 of 5 points keep area < 1 mm2 and accuracy > 90 %. Best in energy: device pcm, rows 128."
    )
    none = page_of(answered(document, ["accuracy > 99 %"], "energy")).sections[0]
    assert none.text == "No point keeps accuracy > 99 %: of 5, 0 keep accuracy > 99 %."


def test_a_finished_sweep_is_asked_without_running_anything(document, tmp_path):
    write_json(tmp_path / "swept" / "sweep.json", document.as_dict())
    swept = str(tmp_path / "swept")
    done = CliRunner().invoke(command, [swept, "--where", "area < 1 mm2", "--best", "energy"])
    assert done.exit_code == 0, done.output
    assert "3 of 5 points keep area < 1 mm2. Best in energy: device pcm, rows 256." in done.output
    assert [path.name for path in (tmp_path / "swept").iterdir()] == ["sweep.json"]
    done = CliRunner().invoke(command, [swept, "--best", "area", "--json", "--out",
                                        str(tmp_path / "asked")])  # fmt: skip
    written = json.loads((tmp_path / "asked" / "sweep.json").read_text())
    assert json.loads(done.output) == written
    assert written["question"]["answer"] == 3
    assert (tmp_path / "asked" / "report.html").is_file()
