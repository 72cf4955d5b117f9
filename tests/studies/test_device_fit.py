"""From a CSV file to a device file that chips are drawn from."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from click.testing import CliRunner
from files import bundled_device, write_model

from pimsim.cli.device import device as command
from pimsim.config import NoiseConfig, load_device
from pimsim.config.schema import Current
from pimsim.devices import cell_model
from pimsim.errors import ConfigError, DataError
from pimsim.studies.device_fit import fit_file, write_device
from pimsim.studies.document import run_document
from pimsim.studies.run import run


def drawn_from(device, path, n=3000, n_levels=4, heading="current [uA]"):
    """A CSV of cells as a chip would hold them, from a device file."""
    cell = cell_model(device, n_levels, NoiseConfig())
    rng = np.random.default_rng(5)
    levels = np.repeat(np.arange(n_levels), n)
    current = cell.current(levels, rng.standard_normal(len(levels))) * cell.full_scale_current
    rows = "\n".join(f"{k},{i * 1e6:.8g}" for k, i in zip(levels, current, strict=True))
    path.write_text(f"level,{heading}\n{rows}\n")
    return cell


def test_cells_drawn_from_a_device_give_that_device_back(tmp_path):
    known = bundled_device("reram")
    cell = drawn_from(known, tmp_path / "cells.csv")
    written = write_device(fit_file(tmp_path / "cells.csv"), tmp_path / "again.yaml")
    again = load_device(written)
    found = cell_model(again, 4, NoiseConfig())
    n = 3000
    assert again.states.distribution == "normal"
    assert np.allclose(found.mean, cell.mean, atol=6 * cell.sigma.max() / np.sqrt(n))
    assert np.allclose(found.sigma, cell.sigma, rtol=5 / np.sqrt(2 * n))
    assert again.read.top_current == pytest.approx(known.read.top_current, rel=0.01)
    digest = hashlib.sha256((tmp_path / "cells.csv").read_bytes()).hexdigest()
    assert digest in again.states.source
    assert again.states.certainty == "measured"
    result = run(write_model(tmp_path), device=str(written), chips=2, limit=4, contributions=False)
    assert result.chip.device.name == "cells"


def test_a_measured_shape_survives_the_way_through_the_file(tmp_path):
    states = bundled_device("reram_hfo2").states.model_copy(
        update={"distribution": "lognormal", "spread": [Current(0.05, "fraction")] * 8}
    )
    known = bundled_device("reram_hfo2").model_copy(update={"states": states})
    drawn_from(known, tmp_path / "cells.csv")
    fitted = fit_file(tmp_path / "cells.csv")
    assert fitted.fit.distribution in ("lognormal", "quantiles")
    again = cell_model(load_device(write_device(fitted, tmp_path / "a.yaml")), 4, NoiseConfig())
    cell = cell_model(known, 4, NoiseConfig())
    z = np.linspace(-2.5, 2.5, 11)
    for level in range(4):
        levels = np.full(11, level)
        error = 0.35 * cell.sigma[level]
        assert np.allclose(again.current(levels, z), cell.current(levels, z), atol=error)


def test_the_spread_of_a_single_cell_is_not_called_measured(tmp_path):
    rows = "0,0,1\n0,0,1.1\n1,1,5\n1,1,5.1\n1,2,6\n1,2,6.1\n"
    (tmp_path / "cells.csv").write_text("level,cell,current [uA]\n" + rows)
    arguments = ["fit", str(tmp_path / "cells.csv"), "-o", str(tmp_path / "mine.yaml")]
    done = CliRunner().invoke(command, arguments, env={"COLUMNS": "80"})
    assert done.exit_code == 0, done.output
    assert "6 reads of cells.csv [uA]" in done.output
    assert "one cell alone, so that no standard deviation is known" in done.output
    assert "\N{HORIZONTAL ELLIPSIS}" not in done.output  # nothing is cut
    states = load_device(tmp_path / "mine.yaml").states
    assert states.certainty == "assumed"
    assert "fewest cells of a level: 1" in states.source


def test_the_command_writes_device_and_figure(tmp_path):
    drawn_from(bundled_device("reram"), tmp_path / "cells.csv", n=50)
    arguments = ["fit", str(tmp_path / "cells.csv"), "-o", str(tmp_path / "mine.yaml")]
    options = ["--name", "mine", "--cell-area", "0.1 um^2", "--temperature", "350 K"]
    done = CliRunner().invoke(command, [*arguments, *options], env={"COLUMNS": "150"})
    assert done.exit_code == 0, done.output
    assert "200 reads of cells.csv" in done.output
    assert "distribution: normal" in done.output
    device = load_device(tmp_path / "mine.yaml")
    assert (device.name, device.cell.area, device.temperature) == ("mine", 1e-13, 350.0)
    assert (tmp_path / "mine.svg").stat().st_size > 10_000


def test_conductances_need_a_voltage_or_an_assumption(tmp_path):
    drawn_from(bundled_device("reram"), tmp_path / "g.csv", n=50, heading="conductance [uS]")
    assumed = fit_file(tmp_path / "g.csv").device.read
    # conductances of 1 uS at the top, and 0.2 V for want of another voltage
    assert assumed.top_current == pytest.approx(0.2e-6, rel=0.02)
    assert (assumed.voltage, assumed.certainty) == (0.2, "assumed")
    known = fit_file(tmp_path / "g.csv", read_voltage=0.1).device.read
    assert known.top_current == pytest.approx(0.1e-6, rel=0.02)
    assert known.certainty == "measured"


def test_drift_and_noise_reach_the_device_file(tmp_path):
    rng = np.random.default_rng(0)
    rows = ["level,cell,time [min],temperature [degC],current [uA]"]
    for level, mean in enumerate((5.0, 10.0)):
        for cell in range(50):
            start, nu = rng.normal(mean, 0.3), rng.normal(0.06, 0.01)
            for t in (1.0, 10.0, 100.0, 1000.0):
                value = start * t**-nu * (1 + 0.01 * rng.standard_normal())
                rows.append(f"{level},{cell},{t},25,{value:.6g}")
    (tmp_path / "aged.csv").write_text("\n".join(rows))
    device = fit_file(tmp_path / "aged.csv").device
    assert device.drift.model == "power_law"
    assert device.drift.t0 == 60.0
    assert device.drift.nu_mean == pytest.approx([0.06, 0.06], abs=0.006)
    assert device.read_noise.spread == pytest.approx([0.005, 0.01], rel=0.25)
    assert device.time_since_programming == 60_000.0
    assert device.temperature == pytest.approx(298.15)
    (tmp_path / "hot.csv").write_text("\n".join([*rows, "1,1,1,85,10"]))
    with pytest.raises(DataError, match="temperatures from 298.1 to 358.1 K; a device file stands"):
        fit_file(tmp_path / "hot.csv")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--unit", "current"], "is no unit of a column"),
        (["--read-voltage", "1 A"], "--read-voltage"),
        (["--figure", "a.pdf"], "ends in .svg or .png"),
        (["--cell-area", "3 m"], "cell.area"),
        (["-o", "device.txt"], "ends in .yaml"),
        (["--levels", "0;1"], "Write numbers of levels, such as 0,1,3"),
        (["--levels", "0,9"], "has no level 9"),
        (["--unit", "time=s"], "has no column 'time', which --unit names"),
    ],
)
def test_options_that_make_no_sense_are_refused(tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    drawn_from(bundled_device("reram"), tmp_path / "cells.csv", n=20)
    refused = CliRunner().invoke(command, ["fit", "cells.csv", "-o", "d.yaml", *options])
    assert isinstance(refused.exception, (ConfigError, DataError))
    assert message in str(refused.exception)
    assert not (tmp_path / "d.yaml").exists()


def relaxing(path, n=40):
    """Three levels of cells that relax by amounts of their own within the first second."""
    rng = np.random.default_rng(6)
    rows = ["level,cell,time [s],current [uA]"]
    for level, mean in enumerate((5.0, 10.0, 20.0)):
        for cell in range(n):
            start, moved = rng.normal(mean, 0.1), rng.normal(0, 0.6)
            rows += [f"{level},D{cell},{t},{start + moved * (t > 0.5):.5f}"
                     for t in (0.01, 0.1, 1, 10, 100)]  # fmt: skip
    path.write_text("\n".join(rows))


def test_a_device_that_does_not_follow_its_cells_is_refused_unless_it_is_wanted(tmp_path):
    relaxing(tmp_path / "cells.csv")
    arguments = ["fit", str(tmp_path / "cells.csv"), "-o", str(tmp_path / "mine.yaml"),
                 "--drift", "power_law"]  # fmt: skip
    refused = CliRunner().invoke(command, arguments)
    assert isinstance(refused.exception, DataError)
    said = str(refused.exception)
    for words in ("has cells that the fitted device does not follow", "times the measured",
                  "--accept-misfit", "--drift tabulated"):  # fmt: skip
        assert words in said
    assert not (tmp_path / "mine.yaml").exists()
    taken = CliRunner().invoke(command, [*arguments, "--accept-misfit"], env={"COLUMNS": "200"})
    assert taken.exit_code == 0, taken.output
    assert "worst misfit: standard deviation" in taken.output
    assert load_device(tmp_path / "mine.yaml").drift.model == "power_law"


def test_the_page_shows_the_device_beside_its_cells_and_why_a_law_was_taken(tmp_path):
    relaxing(tmp_path / "cells.csv")
    with (tmp_path / "cells.csv").open("a") as file:
        file.write("\n7,a,0.01,30\n7,b,0.01,31\n")
    arguments = ["fit", str(tmp_path / "cells.csv"), "-o", str(tmp_path / "mine.yaml")]
    done = CliRunner().invoke(command, arguments, env={"COLUMNS": "250"})
    assert done.exit_code == 0, done.output
    for words in ("Device beside the cells", "left out for too few cells: level 7 (2 cells)",
                  "a table agrees with mean, standard deviation and noise at every time",
                  "refused: no drift p ", "power law p ", "logarithmic p "):  # fmt: skip
        assert words in done.output
    device = load_device(tmp_path / "mine.yaml")
    assert "left out for too few cells: level 7 (2 cells)" in device.states.source
    assert "power law p" in device.drift.source
    only = CliRunner().invoke(command, [*arguments, "--levels", "0, 2"], env={"COLUMNS": "250"})
    assert only.exit_code == 0, only.output
    assert len(load_device(tmp_path / "mine.yaml").states.mean) == 2


def test_the_file_is_written_before_the_table_is_printed(tmp_path, monkeypatch):
    relaxing(tmp_path / "cells.csv")

    def closed(*_):
        raise BrokenPipeError

    monkeypatch.setattr("pimsim.report.terminal.print_page", closed)
    arguments = ["fit", str(tmp_path / "cells.csv"), "-o", str(tmp_path / "mine.yaml")]
    CliRunner().invoke(command, arguments)
    assert load_device(tmp_path / "mine.yaml").name == "cells"
    assert (tmp_path / "mine.svg").stat().st_size > 10_000


def test_a_device_is_shown_and_run_as_programmed(tmp_path):
    relaxing(tmp_path / "cells.csv")
    written = write_device(fit_file(tmp_path / "cells.csv"), tmp_path / "mine.yaml")
    shown = CliRunner().invoke(command, ["show", str(written), "--levels", "3",
                                         "--time-since-programming", "0 s"])  # fmt: skip
    assert shown.exit_code == 0, shown.output
    assert "Levels 0 s after programming" in shown.output
    refused = CliRunner().invoke(command, ["show", "pcm", "--time-since-programming", "-1 s"])
    assert "it must be 0 or more" in str(refused.exception)
    found = run(write_model(tmp_path), device="pcm", time_since_programming="0 s", chips=1, limit=4,
                contributions=False)  # fmt: skip
    assert run_document(found).noise.time_since_programming_s == 0


def test_conductances_come_from_resistances_and_targets(tmp_path):
    rng = np.random.default_rng(1)
    rows = [f"{target};D{c};{1e3 / rng.normal(target, 0.2):.5f}".replace(".", ",")
            for target in (5.5, 20.0, 40.0) for c in range(30)]  # fmt: skip
    (tmp_path / "r.csv").write_text("\n".join(["target [uS];cell;resistance [kohm]", *rows]))
    arguments = ["fit", str(tmp_path / "r.csv"), "-o", str(tmp_path / "r.yaml"),
                 "--read-voltage", "0.2 V"]  # fmt: skip
    done = CliRunner().invoke(command, arguments, env={"COLUMNS": "150"})
    assert done.exit_code == 0, done.output
    assert "target" in done.output
    device = load_device(tmp_path / "r.yaml")
    assert device.read.top_current == pytest.approx(40e-6 * 0.2, rel=0.01)
    assert [m.value for m in device.states.mean] == pytest.approx([5.5 / 40, 0.5, 1], rel=0.02)


def test_one_time_tells_no_law(tmp_path):
    (tmp_path / "cells.csv").write_text(
        "level,time [s],current [uA]\n0,1,1\n0,1,1.1\n1,1,3\n1,1,3.1\n"
    )
    fitted = fit_file(tmp_path / "cells.csv")
    assert (fitted.device.drift.model, fitted.device.drift.certainty) == ("none", "assumed")
    with pytest.raises(DataError, match="has reads at one time alone, which tell no law of time"):
        fit_file(tmp_path / "cells.csv", law="power_law")
