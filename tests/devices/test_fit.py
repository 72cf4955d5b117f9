"""What was drawn from a known cell is found again, within what chance allows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pimsim.devices.fit import anderson_darling, fit_device
from pimsim.devices.measurements import read_measurements
from pimsim.errors import DataError

MEANS = np.array([2.0, 10.0, 20.0, 40.0])  # uA
TIMES = np.array([1.0, 10.0, 100.0, 1e3, 1e4])
NU, NU_SPREAD, READ = 0.05, 0.01, 0.01


def write(path, columns, header):
    table = np.column_stack([np.ravel(column) for column in columns])
    text = "\n".join(",".join(f"{value:.9g}" for value in row) for row in table)
    path.write_text(f"{header}\n{text}\n")
    return path


def spread_of(mean):
    return 0.05 * mean + 0.1


def measured(path, n_cells=400, times=TIMES, kind="normal", reads=1, seed=0, trap=None):
    """Cells of four levels, drifting, read at some times with noise."""
    rng = np.random.default_rng(seed)
    shape = (len(MEANS), n_cells, len(times) * reads)
    level, cell, _ = np.indices(shape)
    mean = MEANS[:, None]
    z = rng.standard_normal(shape[:2])
    if kind == "lognormal":
        sigma = np.sqrt(np.log1p((spread_of(mean) / mean) ** 2))
        programmed = mean * np.exp(sigma * z - sigma**2 / 2)
    elif kind == "two kinds of cells":
        side = np.where(rng.random(shape[:2]) < 0.3, 1.5, -0.64)
        programmed = mean + spread_of(mean) * (side + 0.2 * z)
    else:
        programmed = mean + spread_of(mean) * z
    t = np.broadcast_to(np.repeat(times, reads), shape)
    nu = rng.normal(NU, NU_SPREAD, shape[:2])[..., None] if len(times) > 1 else 0.0
    current = programmed[..., None] * (t / times[0]) ** -nu
    current = current * (1 + READ * rng.standard_normal(shape))
    if trap is not None:
        current = current * trap(rng, shape)
    header = "level,cell,time [s],current [uA]"
    return write(path, (level, cell, t, current), header)


def fitted(path):
    return fit_device(read_measurements(path))


@pytest.mark.parametrize("kind", ["normal", "lognormal"])
def test_a_known_cell_is_found_again(tmp_path, kind):
    n = 400
    fit = fitted(measured(tmp_path / "a.csv", n, kind=kind))
    assert fit.distribution == kind or (kind == "lognormal" and fit.distribution == "normal")
    assert fit.has_drift
    for level, mean in zip(fit.levels, MEANS, strict=True):
        spread = spread_of(mean)
        assert level.mean * 1e6 == pytest.approx(mean, abs=4 * spread / np.sqrt(n))
        assert level.sigma * 1e6 == pytest.approx(spread, rel=4 / np.sqrt(2 * n))
        assert level.nu == pytest.approx(NU, abs=4 * level.nu_error)
        assert level.nu_error == pytest.approx(NU_SPREAD / np.sqrt(n), rel=0.2)
        assert level.nu_sigma == pytest.approx(NU_SPREAD, rel=4 / np.sqrt(2 * n))
        # three degrees of freedom of five reads are left in each cell
        assert level.read_sigma * 1e6 == pytest.approx(READ * mean, rel=4 / np.sqrt(2 * 3 * n))


def test_the_distribution_is_chosen_by_the_test(tmp_path):
    lognormal = fitted(measured(tmp_path / "a.csv", 4000, times=[1.0], kind="lognormal", seed=1))
    assert lognormal.distribution == "lognormal"
    assert lognormal.levels[0].normal < 1e-9
    other = fitted(measured(tmp_path / "b.csv", 300, times=[1.0], kind="two kinds of cells"))
    assert other.distribution == "quantiles"
    assert not other.has_drift
    few = fitted(measured(tmp_path / "c.csv", 6, times=[1.0], kind="two kinds of cells"))
    assert few.distribution == "normal"
    assert few.levels[0].normal == 1.0


def test_the_normality_test_errs_as_often_as_it_says():
    rng = np.random.default_rng(3)
    chance = [anderson_darling(np.sort(rng.standard_normal(60))) for _ in range(2000)]
    for level in (0.01, 0.05, 0.25):
        expected = 4 * np.sqrt(level * (1 - level) / 2000)
        assert np.mean(np.array(chance) < level) == pytest.approx(level, abs=expected)
    sample = np.sort(rng.gamma(4.0, size=80))
    found = stats.anderson(sample, "norm", method="interpolate")
    z = (sample - sample.mean()) / sample.std(ddof=1)
    odd = 2 * np.arange(1, 81) - 1
    square = -80 - np.mean(odd * (stats.norm.logcdf(z) + stats.norm.logsf(z[::-1])))
    assert found.statistic == pytest.approx(square)


def test_cells_without_names_drift_together(tmp_path):
    path = measured(tmp_path / "a.csv", 500)
    lines = [line.split(",") for line in path.read_text().splitlines()]
    path.write_text("\n".join(",".join((a, t, i)) for a, _, t, i in lines))
    fit = fitted(path)
    for level, mean in zip(fit.levels, MEANS, strict=True):
        assert level.n_cells == level.n_reads == 2500
        assert level.nu == pytest.approx(NU, abs=0.003)
        assert level.nu_sigma == pytest.approx(NU_SPREAD, rel=0.35)
        assert level.read_sigma is None
        assert level.mean * 1e6 == pytest.approx(mean, rel=0.02)


def traps(share=0.3, amplitude=0.08, tau=5.0):
    """Factors of cells, some of which a trap takes a share of in turns; a read a second."""

    def factor(rng, shape):
        active = rng.random(shape[:2]) < share
        stay = np.exp(-1 / tau)
        state = rng.random(shape[:2]) < 0.5
        states = []
        for _ in range(shape[2]):
            states.append(state)
            state = np.where(rng.random(shape[:2]) < (1 + stay) / 2, state, ~state)
        return 1 - amplitude * active[..., None] * np.stack(states, axis=-1)

    return factor


def test_cells_in_two_states_are_told_from_noisy_ones(tmp_path):
    second_by_second = np.arange(1.0, 65.0)
    fit = fitted(measured(tmp_path / "a.csv", 60, second_by_second, trap=traps()))
    found = fit.telegraph
    assert found.n_cells == 240
    assert found.share == pytest.approx(0.3, abs=0.1)
    assert np.median(found.amplitude) == pytest.approx(0.08, rel=0.1)
    assert found.occupancy.mean() == pytest.approx(0.5, abs=0.08)
    assert found.switching_time == pytest.approx(5.0, rel=0.35)
    quiet = fitted(measured(tmp_path / "b.csv", 60, second_by_second)).telegraph
    assert not quiet.is_present
    assert quiet.lumped == 0.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1 has no column of target levels"),
        ("a,b\n1,2\n", "1 has no column of target levels"),
        ("level,time [s]\n", "needs either a column 'current' or a column 'conductance'"),
        ("level,current\n1,2\n", "column 'current' without a unit"),
        ("level,current [V]\n1,2\n", "in 'V', which is no unit of current"),
        ("level,level,current [A]\n", "two columns of level"),
        ("level,current [A]\n", "has no rows"),
        ("level,current [A]\n\n\n", "has no rows"),
        ("level,current [A]\n0,1\n1,x\n", ":3 has current 'x', which is no number"),
        ("level,current [A]\n0,1\n\n1\n", ":4 has 1 values; 'current [A]' is missing"),
        ("level,current [A]\n0,1\n1,nan\n", ":3 has current nan; a finite number is needed"),
        ("level,current [A]\n0,1\n1.5,1\n", ":3 has level 1.5; a whole number below 256"),
        ("level,current [A]\n0,1\n-1,1\n", ":3 has level -1; a whole number below 256"),
        ("level,current [A]\n0,1\n300,1\n", ":3 has level 300; a whole number below 256"),
        ("level,current [A],t [s]\n0,1,-1\n", ":2 has time -1; a time after programming, 0 or"),
        ("level,current [A],cell\n0,1, \n", ":2 has 3 values; 'cell' is missing"),
        ("level,current [A]\n0,1\n0,2\n", "has a single level"),
        ("level,current [A]\n0,1\n1,2\n1,3\n", "has one row of level 0; two are needed"),
        ("level,current [A]\n0,1\n0,3\n1,1\n1,3\n", "has levels 0 and 1 with the same mean, 2"),
        ("level,current [A]\n0,-1.9\n0,-2.1\n1,1\n1,3\n", "level 0 with a mean of -2, below zero"),
    ],
)
def test_what_is_no_table_of_cells_is_refused_with_its_line(tmp_path, text, message):
    path = tmp_path / "cells.csv"
    path.write_text(text)
    with pytest.raises(DataError) as error:
        fitted(path)
    assert message in str(error.value)


def test_files_that_cannot_be_read_are_refused(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        read_measurements(tmp_path / "none.csv")
    (tmp_path / "raw.csv").write_bytes(b"level,current [A]\n\xff\xfe\x00\n")
    with pytest.raises(DataError, match="is not UTF-8 text"):
        read_measurements(tmp_path / "raw.csv")


def test_headings_carry_units_in_several_ways(tmp_path):
    for header in ("level,current [uA],note", "target_level,I (uA),x y", "state,current_uA,z"):
        (tmp_path / "a.csv").write_text(f"{header}\n0,1,9\n1,2,9\n")
        data = read_measurements(tmp_path / "a.csv")
        assert data.columns["current"].tolist() == pytest.approx([1e-6, 2e-6])
        assert len(data.ignored) == 1
    (tmp_path / "b.csv").write_text("level;g;temperature [degC]\n0;5;25\n1;6;25\n")
    data = read_measurements(tmp_path / "b.csv", {"conductance": "uS"})
    assert data.columns["conductance"].tolist() == pytest.approx([5e-6, 6e-6])
    assert data.columns["temperature"][0] == pytest.approx(298.15)
