"""Sweeps: points are runs, finished ones are kept, and what is best is marked."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import replace

import pytest
from click.testing import CliRunner
from files import write_model
from pyarrow import parquet

from pimsim.cli.sweep import sweep as command
from pimsim.cost.area import total_area
from pimsim.errors import ConfigError, PimsimError
from pimsim.studies import prepare as shared_module
from pimsim.studies import sweep as module
from pimsim.studies.axes import grid, parse_axis, read_points
from pimsim.studies.options import RunOptions
from pimsim.studies.run import run
from pimsim.studies.sweep import mark_pareto, sweep

FEW = {"chips": 2, "limit": 12}
OPTIONS = RunOptions(**FEW)


@pytest.fixture
def model(tmp_path):
    return str(write_model(tmp_path))


def test_axes_are_lists_or_ranges():
    assert parse_axis("device=reram, pcm").values == ("reram", "pcm")
    assert parse_axis("a.b=0:0.3:0.1").values == ("0", "0.1", "0.2", "0.3")
    assert parse_axis("a=128:512:128").values == ("128", "256", "384", "512")
    assert parse_axis("t=1 day,1 year").values == ("1 day", "1 year")
    points = grid([parse_axis("a=1,2"), parse_axis("b=x,y,z")])
    assert points[:4] == [{"a": "1", "b": "x"}, {"a": "1", "b": "y"}, {"a": "1", "b": "z"},
                          {"a": "2", "b": "x"}]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [("a", "is no axis"), ("=1", "is no axis"), ("a=", "is no axis"), ("a=1,,2", "empty value"),
     ("a=1,1", "one twice"), ("a=0:x:1", "no range"), ("a=0:1:0", "no range"),
     ("a=2:1:1", "no values"), ("a=0:1e9:1", "too many"), ("a=0:inf:1", "no range"),
     ("a=0:1:inf", "no range"), ("a=0:1e1000000:1", "no range"), ("a=nan:1:1", "no range"),
     ("a=1e99999999:1e99999999:1", "no range"), ("a=0:1:1e-1000000", "no range")],
)  # fmt: skip
def test_what_is_no_axis_is_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        parse_axis(text)


def test_grids_have_bounds_and_keys_of_their_own():
    with pytest.raises(ConfigError, match="key twice"):
        grid([parse_axis("a=1"), parse_axis("a=2")])
    with pytest.raises(ConfigError, match="at most"):
        grid([parse_axis("a=0:999:1"), parse_axis("b=0:999:1")])


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_points_may_be_delimited_and_written_as_measurements_are(tmp_path, delimiter):
    path = tmp_path / "points.csv"
    path.write_text("device;noise.sigma_eval\nreram;0\npcm;0,5\n".replace(";", delimiter))
    assert read_points(path) == [{"device": "reram", "noise.sigma_eval": "0"},
                                 {"device": "pcm", "noise.sigma_eval": "0.5"}]  # fmt: skip


def test_points_come_from_a_table_too(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("device, chip.array.rows\nreram,128\npcm, 256\n")
    assert read_points(path) == [{"device": "reram", "chip.array.rows": "128"},
                                 {"device": "pcm", "chip.array.rows": "256"}]  # fmt: skip
    for text, message in (("", "has 0 points"), ("a,b\n1\n", ":2 has another number"),
                          ("a\n1,2\n", "another number"), ("a,b\n1,\n", "empty")):  # fmt: skip
        path.write_text(text)
        with pytest.raises(ConfigError, match=message):
            read_points(path)


def test_a_point_is_a_run_of_its_settings(model, tmp_path):
    points = grid([parse_axis("device=reram,cmos_mlc"), parse_axis("noise.dynamic=on,off")])
    rows = sweep(model, points, tmp_path, options=OPTIONS)
    assert [(r["device"], r["noise.dynamic"]) for r in rows] == [
        ("reram", "on"), ("reram", "off"), ("cmos_mlc", "on"), ("cmos_mlc", "off"),
    ]  # fmt: skip
    for row in rows:
        alone = run(model, device=row["device"], set=[f"noise.dynamic={row['noise.dynamic']}"],
                    contributions=False, **FEW)  # fmt: skip
        assert row["accuracy"] == alone.accuracy.mean
        assert row["area_m2"] == pytest.approx(total_area(alone.area))


def test_finished_points_are_kept_and_only_new_ones_computed(model, tmp_path, monkeypatch):
    first = sweep(model, grid([parse_axis("device=reram,pcm")]), tmp_path, options=OPTIONS)
    done = []
    original = module.run_prepared

    def counted(prepared, *options):
        done.append(prepared.setup.device.name)
        return original(prepared, *options)

    monkeypatch.setattr(module, "run_prepared", counted)
    again = sweep(model, grid([parse_axis("device=pcm,cmos_mlc,reram")]), tmp_path, options=OPTIONS)
    assert done == ["CMOS-MLC"]
    figures = {row["device"]: row["accuracy"] for row in again}
    assert {row["device"]: row["accuracy"] for row in first}.items() <= figures.items()
    # another number of chips, and an edited file, are other points
    sweep(model, grid([parse_axis("device=reram")]), tmp_path, options=replace(OPTIONS, chips=3))
    sweep(model, grid([parse_axis("device=reram")]), tmp_path,
          options=replace(OPTIONS, assignments=("device.rtn.relative=2 %",)))  # fmt: skip
    assert done == ["CMOS-MLC", "ReRAM", "ReRAM"]


def test_a_killed_sweep_loses_the_point_in_work_alone(model, tmp_path, monkeypatch):
    original = module.run_prepared

    def killed(prepared, *options):
        if prepared.setup.device.name == "CMOS-MLC":
            raise KeyboardInterrupt
        return original(prepared, *options)

    monkeypatch.setattr(module, "run_prepared", killed)
    points = grid([parse_axis("device=reram,pcm,cmos_mlc")])
    with pytest.raises(KeyboardInterrupt):
        sweep(model, points, tmp_path, options=OPTIONS)
    assert len(list((tmp_path / "points").glob("*.json"))) == 2


def test_what_is_wrong_with_the_last_point_is_said_first(model, tmp_path):
    points = grid([parse_axis("chip.array.rows=256,none")])
    with pytest.raises(ConfigError, match=r"--axis chip.array.rows=none"):
        sweep(model, points, tmp_path, options=OPTIONS)
    assert not (tmp_path / "points").exists()


# a layer has 22 rows, and 4 stacked arrays of 4 hold 16
GRID = ["--axis", "chip.array.rows=256,4", "--axis", "device=reram,pcm"]


def test_a_point_that_cannot_be_built_is_a_row_and_the_others_are_run(model, tmp_path):
    arguments = [model, *GRID, "--chips", "1", "--limit", "6", "--out", str(tmp_path), "--parquet"]
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 0, done.output
    assert "2 of 4 points cannot be run; the first: " in done.output
    rows = json.loads((tmp_path / "sweep.json").read_text())["points"]
    good, bad = rows[:2], rows[2:]
    assert all(row["error"] is None and row["accuracy"] is not None for row in good)
    assert all(row["accuracy"] is None and not row["is_pareto"] for row in bad)
    # the words of the error that a run of the point alone ends with
    for row in bad:
        with pytest.raises(PimsimError) as error:
            run(model, set=["chip.array.rows=4"], device=row["device"], chips=1, limit=6)
        assert row["error"] == str(error.value)
    with (tmp_path / "sweep.csv").open() as file:
        # a text that begins with a minus is none of a formula
        said = ["", "", *(f"'{row['error']}" for row in bad)]
        assert [row["error"] for row in csv.DictReader(file)] == said
    assert [r["error"] for r in parquet.read_table(tmp_path / "sweep.parquet").to_pylist()] == [
        row["error"] for row in rows
    ]
    page = (tmp_path / "report.html").read_text()
    assert "Points that cannot be run" in page
    assert ", 2 that cannot be run" in page
    assert len(list((tmp_path / "points").glob("*.json"))) == 2


def test_a_sweep_without_any_point_that_can_be_built_is_an_error(model, tmp_path):
    points = grid([parse_axis("chip.array.rows=4")])
    with pytest.raises(PimsimError, match="none of the points can be run; the first: "):
        sweep(model, points, tmp_path, options=OPTIONS)


def test_networks_data_and_encoder_bits_are_read_and_computed_once(model, tmp_path, monkeypatch):
    counted = Counter()

    def count(name):
        original = getattr(shared_module, name)

        def called(*args):
            counted[name] += 1
            return original(*args)

        monkeypatch.setattr(shared_module, name, called)

    for name in ("read_network_file", "load_data", "encode_inputs"):
        count(name)
    told = []
    points = grid([parse_axis("device=reram,pcm,cmos_mlc")])
    sweep(model, points, tmp_path, options=OPTIONS, progress=lambda *said: told.append(said))
    # rounded by the fixed-point unit, and exact for the ideal chip
    assert counted == {"read_network_file": 1, "load_data": 1, "encode_inputs": 2}
    assert told == [("reading", 3, 0), *[("reading", 3, 1)] * 3, ("points", 3, 0),
                    *[("points", 3, 1)] * 3]  # fmt: skip


def row(accuracy, energy, area, time):
    return {"accuracy": accuracy, "energy_per_inference_j": energy, "area_m2": area,
            "interval_s": time}  # fmt: skip


def test_the_pareto_front_holds_what_nothing_beats():
    rows = [row(0.9, 1, 1, 1), row(0.9, 2, 1, 1), row(0.95, 3, 2, 1), row(0.8, 0.5, 1, 1),
            row(0.9, 1, 1, 1)]  # fmt: skip
    mark_pareto(rows)
    assert [r["is_pareto"] for r in rows] == [True, False, True, True, True]


def test_the_command_writes_figure_and_tables(model, tmp_path):
    arguments = [model, "--axis", "device=reram,pcm", "--axis", "noise.sigma_eval=0:2:1",
                 "--chips", "2", "--limit", "12", "--out", str(tmp_path / "o")]  # fmt: skip
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 0, done.output
    assert "6 points" in done.output
    with (tmp_path / "o/sweep.csv").open() as file:
        rows = list(csv.DictReader(file))
    content = json.loads((tmp_path / "o/sweep.json").read_text())
    assert [r["accuracy"] for r in content["points"]] == [float(r["accuracy"]) for r in rows]
    assert content["axes"] == ["device", "noise.sigma_eval"]
    for kind in ("svg", "png"):
        assert (tmp_path / f"o/sweep.{kind}").stat().st_size > 10_000
    refused = CliRunner().invoke(command, [model, "--out", str(tmp_path / "p")])
    assert "one of both" in str(refused.exception)


def test_the_table_comes_as_parquet_too(model, tmp_path):
    # an axis that is a column of figures too
    asked = [str(model), "--axis", "seed=1,2", "--chips", "1", "--limit", "6", "--parquet"]
    found = CliRunner().invoke(command, [*asked, "--out", str(tmp_path)])
    assert found.exit_code == 0, found.output
    table = parquet.read_table(tmp_path / "sweep.parquet").to_pylist()
    assert table == json.loads((tmp_path / "sweep.json").read_text())["points"]
    assert table[0]["accuracy_std"] is None  # a single chip
    assert [row["seed"] for row in table] == ["1", "2"]


DAMAGE = [
    "", "\0" * 1000, "{}", "[]", "{", '{"row": {}}', '{"report": []}', "[" * 5000,
    *(
        lambda stored, key=key, value=value: stored["report"]["accuracy"].update({key: value})
        for key, value in (
            ("mean", float("nan")), ("mean", None), ("mean", "text"), ("mean", [1]),
            ("per_chip", []), ("mean", 10**400), ("mean", "\ud800"),
        )
    ),
    lambda stored: stored["report"]["energy"].update(per_inference_j=None),
    lambda stored: stored["report"]["energy"].update(per_inference_j=float("inf")),
    lambda stored: stored.pop("report"),
    lambda stored: stored["report"]["run"].update(n_chips=0),
]  # fmt: skip


def test_a_damaged_point_is_computed_anew(model, tmp_path):
    """Zeroed, cut, of another kind, or with numbers that are none: that point alone."""
    points = [{"noise.sigma_eval": f"{number}e-1"} for number in range(len(DAMAGE))]
    options = replace(OPTIONS, chips=1, limit=2)
    found = sweep(model, points, tmp_path, options=options)
    files = sorted((tmp_path / "points").iterdir())
    assert len(files) == len(DAMAGE)
    for path, damage in zip(files, DAMAGE, strict=True):
        stored = json.loads(path.read_text())
        text = damage
        if not isinstance(damage, str):
            damage(stored)
            text = json.dumps(stored)
        path.write_text(text)
    computed = Counter()
    again = sweep(
        model, points, tmp_path, options=options, progress=lambda *_: computed.update("x")
    )
    assert again == found
    untouched = Counter()
    assert sweep(model, points, tmp_path, options=options,
                 progress=lambda *_: untouched.update("x")) == found  # fmt: skip
    assert computed["x"] == untouched["x"] + len(DAMAGE)


def test_an_axis_may_have_the_name_of_a_figure(model, tmp_path):
    asked = [
        model,
        "--axis",
        "chips=1,2",
        "--axis",
        "seed=1,2",
        "--limit",
        "6",
        "--out",
        str(tmp_path),
    ]
    done = CliRunner().invoke(command, asked)
    assert done.exception is None
    with (tmp_path / "sweep.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["chips"], row["seed"]) for row in rows] == [
        ("1", "1"), ("1", "2"), ("2", "1"), ("2", "2")
    ]  # fmt: skip
    assert "<th" in (tmp_path / "report.html").read_text()
    headings = next(line.split() for line in done.output.splitlines() if " std " in line)
    assert headings.count("chips") == 1


@pytest.mark.parametrize(
    ("keys", "assignments"),
    [
        (["chip.array.rows", "chip.array[rows]"], ()),
        (["network", "networks.levels"], ()),
        (["chip.array.rows"], ("chip.array[rows]=512",)),
        (["chip.array.rows", "chip.array. rows"], ()),
    ],
)
def test_a_value_is_set_once_whatever_its_spelling(model, tmp_path, keys, assignments):
    with pytest.raises(ConfigError, match="twice|sets too"):
        points = grid([parse_axis(f"{key}=128,256") for key in keys])
        sweep(model, points, tmp_path, options=replace(OPTIONS, assignments=assignments))
