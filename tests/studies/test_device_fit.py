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
    ],
)
def test_options_that_make_no_sense_are_refused(tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    drawn_from(bundled_device("reram"), tmp_path / "cells.csv", n=20)
    refused = CliRunner().invoke(command, ["fit", "cells.csv", "-o", "d.yaml", *options])
    assert isinstance(refused.exception, (ConfigError, DataError))
    assert message in str(refused.exception)
    assert not (tmp_path / "d.yaml").exists()
