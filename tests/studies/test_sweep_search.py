"""A search over axes: repeatable, resumable, the same for any order of results, and refusals."""

from __future__ import annotations

import json
import sys

import pytest
from click.testing import CliRunner
from files import write_model

import pimsim
from pimsim.cli.sweep import sweep as command
from pimsim.errors import ConfigError
from pimsim.studies import sweep as module
from pimsim.studies.axes import parse_axis
from pimsim.studies.options import RunOptions
from pimsim.studies.question import parse_condition
from pimsim.studies.sweep import compute_here
from pimsim.studies.sweep_search import GENERATION, _Chooser, _optuna, search

FEW = RunOptions(chips=1, limit=2, threads=1)
AXES = [parse_axis("device=reram,pcm"), parse_axis("chip.array.rows=64:512:32")]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(write_model(tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module")
def found(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("found")
    rows, facts = search(model, AXES, 12, folder, best="area", options=FEW)
    return folder, rows, facts


def test_a_search_runs_as_many_different_points_as_asked(found):
    _, rows, facts = found
    assert len({(row["device"], row["chip.array.rows"]) for row in rows}) == 12
    assert (facts.combinations, facts.generation) == (30, GENERATION)


def test_the_order_in_which_points_end_changes_nothing(model, found, tmp_path):
    def backwards(model, points, shared):
        yield from compute_here(model, dict(reversed(points.items())), shared)

    assert (
        search(model, AXES, 12, tmp_path, best="area", options=FEW, compute=backwards)[0]
        == (found[1])
    )


def test_a_search_goes_on_where_it_was(model, found, monkeypatch):
    folder, rows, _ = found
    ran = []
    original = module.run_prepared
    monkeypatch.setattr(module, "run_prepared", lambda *a: ran.append(1) or original(*a))
    more, _ = search(model, AXES, 14, folder, best="area", options=FEW)
    settings = [[(row["device"], row["chip.array.rows"]) for row in some] for some in (rows, more)]
    assert settings[1][:12] == settings[0]
    n_failed = sum(row["error"] is not None for row in more[:12])
    assert len(ran) <= 2 + n_failed  # points that cannot be run are tried again


def test_a_wrong_value_of_an_axis_is_said_before_any_point_is_run(model, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "run_prepared", lambda *a: pytest.fail("a point was run"))
    wrong = [AXES[0], parse_axis("chip.array.rows=64,128,256,512,0")]
    with pytest.raises(ConfigError, match=r"--axis chip.array.rows=0") as raised:
        search(model, wrong, 3, tmp_path, best="area", options=FEW)
    assert raised.value.place.file == "--axis chip.array.rows=0"


def test_python_searches_as_the_command_does(model, found):
    folder, rows, facts = found
    axes = {axis.key: axis.values for axis in AXES}
    few = {"chips": 1, "limit": 2, "threads": 1}
    swept = pimsim.sweep(model, axes, search=12, best="area", out=folder, **few)
    assert [row["area_m2"] for row in swept.document["points"]] == [row["area_m2"] for row in rows]
    assert swept.typed.search == facts
    assert swept.document["question"]["best"] == "area"
    with pytest.raises(TypeError, match="a search needs axes"):
        pimsim.sweep(model, points=[{"device": "pcm"}], search=1, best="area")


@pytest.mark.slow  # two processes, each with a whole pimsim, take some seconds to start
def test_workers_change_no_byte_of_a_searchs_table(model, tmp_path):
    asked = [model, "--axis", "device=reram,pcm", "--axis", "chip.array.rows=64:512:32",
             "--search", "12", "--best", "area", "--chips", "1", "--limit", "2"]  # fmt: skip
    tables = []
    for name, more in (("alone", []), ("shared", ["--workers", "2"])):
        done = CliRunner().invoke(command, [*asked, *more, "--out", str(tmp_path / name)])
        assert done.exit_code == 0, done.exception
        tables.append((tmp_path / name / "sweep.csv").read_bytes())
    assert tables[0] == tables[1]


def test_conditions_and_goal_lead_the_search():
    chooser = _Chooser(_optuna(), [parse_axis("x=0:99:1"), parse_axis("y=0:99:1")], 0)
    kept = [parse_condition("x >= 30", ["x", "y"])]
    rows = []
    for _ in range(10):
        points = chooser.ask(GENERATION)
        rows = [{**p, "area_m2": float(p["x"]) + float(p["y"])} for p in points]
        chooser.tell(rows, "area_m2", kept)
    last = [row["area_m2"] for row in rows if kept[0].holds(row)]
    # a random point that keeps the condition has 114 in the mean
    assert len(last) >= GENERATION // 2
    assert sum(last) / len(last) < 80


def test_a_bound_is_violated_the_more_the_farther_a_point_is():
    condition = parse_condition("area < 1 mm2", [])
    away = [condition.violation({"area_m2": area}) for area in (0.5e-6, 1e-6, 2e-6, 4e-6, None)]
    assert away[0] == 0 < away[1] < away[2] < away[3] < away[4] == 1


@pytest.mark.parametrize(
    ("asked", "message"),
    [({}, "needs a figure that is to be best"), ({"best": "power"}, "no figure"),
     ({"best": "area", "n_points": 30}, "the axes have 30"),
     ({"best": "yield"}, "no point has")],
)  # fmt: skip
def test_what_cannot_be_searched_is_refused(model, tmp_path, asked, message):
    with pytest.raises(ConfigError, match=message):
        search(model, AXES, folder=tmp_path, options=FEW, **{"n_points": 3, **asked})


def test_a_missing_optuna_is_said(model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigError, match=r"pip install 'pimsim\[search\]'"):
        search(model, AXES, 3, tmp_path, best="area", options=FEW)


def test_the_command_writes_the_table_and_page_of_a_sweep(model, tmp_path):
    asked = [model, "--axis", "device=reram,pcm", "--axis", "chip.array.rows=128:512:128",
             "--search", "3", "--best", "area", "--chips", "1", "--limit", "2"]  # fmt: skip
    done = CliRunner().invoke(command, [*asked, "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.exception
    written = json.loads((tmp_path / "out" / "sweep.json").read_text())
    assert len(written["points"]) == 3
    assert written["search"]["combinations"] == 8
    assert "chosen by a search from 8" in (tmp_path / "out" / "report.html").read_text()
    done = CliRunner().invoke(command, [model, "--search", "3", "--out", str(tmp_path / "no")])
    assert "--search needs --axis" in str(done.exception)
    assert not (tmp_path / "no").exists()
