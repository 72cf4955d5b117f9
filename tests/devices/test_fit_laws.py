"""The device follows its cells at every time: a law where one agrees, a table where none does."""

from __future__ import annotations

import numpy as np
import pytest

from pimsim.config import NoiseConfig, load_device
from pimsim.devices import cell_model
from pimsim.devices.agreement import MANY_CELLS, RATIOS
from pimsim.devices.fit import fit_device
from pimsim.devices.measurements import read_measurements
from pimsim.devices.moments import moments_of, time_groups
from pimsim.errors import DataError
from pimsim.studies.device_fit import fit_file, write_device

TIMES = 10.0 ** np.arange(-2, 6)  # s
MEANS = np.array([2.0, 7.0, 12.0, 17.0, 22.0, 27.0])  # uS


def write(path, currents, times=TIMES, heading="conductance [uS]"):
    """Reads (levels, cells, times) as a CSV file."""
    level, cell, time = np.indices(currents.shape)
    columns = (level, cell, np.asarray(times)[time], currents)
    rows = zip(*(np.ravel(column) for column in columns), strict=True)
    text = "\n".join(f"{k},{c},{t:.9g},{g:.9g}" for k, c, t, g in rows)
    path.write_text(f"level,cell,time [s],{heading}\n{text}\n")
    return path


def saturating(n_cells=60, seed=4):
    """Cells that relax by amounts of their own, most of it in the first decades of time.

    The scatter over cells is 0.5 % of the top level at 10 ms, 2.2 % at 1 s and 2.8 % at 100 ks.
    """
    rng = np.random.default_rng(seed)
    shape = (len(MEANS), n_cells, 1)
    course = np.array([0.0, 0.62, 0.79, 0.87, 0.92, 0.95, 0.98, 1.0])
    programmed = MEANS[:, None, None] + 0.13 * rng.standard_normal(shape)
    moved = 0.74 * rng.standard_normal(shape) * course
    return programmed + moved + 0.02 * rng.standard_normal((*shape[:2], len(TIMES)))


def ratios(path, device, times):
    """Standard deviation of the device's levels over that of the cells, (levels, times)."""
    table = np.genfromtxt(path, delimiter=",", skip_header=1)
    found = []
    for time in times:
        cell = cell_model(device, len(device.states.mean), NoiseConfig(), float(time))
        unit = cell.full_scale_current / device.read.voltage * 1e6
        now = table[table[:, 2] == time]
        measured = [now[now[:, 0] == k, 3] for k in np.unique(table[:, 0])]
        # of the device as chips draw it
        sigma, mean = cell.clipped[1] * unit, cell.clipped[0] * unit
        found.append(
            [(s / m.std(ddof=1), x - m.mean(), len(m))
             for s, x, m in zip(sigma, mean, measured, strict=True)]
        )  # fmt: skip
    return np.moveaxis(np.array(found), (0, 1, 2), (2, 1, 0))


@pytest.mark.parametrize("seed", [4, 5, 6])
def test_scatter_that_saturates_is_the_measured_one_at_every_time_and_level(tmp_path, seed):
    path = write(tmp_path / "cells.csv", saturating(seed=seed))
    fitted = fit_file(path, read_voltage=0.2)
    assert fitted.fit.law == "tabulated"
    assert [law for law, _ in fitted.fit.tried] == ["none", "power_law", "logarithmic"]
    device = load_device(write_device(fitted, tmp_path / "d.yaml"))
    ratio, off, n = ratios(path, device, TIMES)
    assert n.min() >= MANY_CELLS
    assert ratio.min() > RATIOS[0]
    assert ratio.max() < RATIOS[1]
    # a table has the data themselves, to the digits of the file
    assert np.allclose(ratio, 1, atol=0.02)
    assert np.abs(off).max() < 0.01


def test_the_growth_of_scatter_is_kept(tmp_path):
    device = fit_file(write(tmp_path / "cells.csv", saturating()), read_voltage=0.2).device
    scatter = [cell_model(device, 6, NoiseConfig(), t).sigma.mean() for t in (0.01, 1.0, 1e5)]
    assert scatter == pytest.approx([0.0052, 0.0228, 0.0296], rel=0.12)  # full scale is 25 uS
    later = cell_model(device, 6, NoiseConfig(), 1e9)
    assert later.sigma.mean() == pytest.approx(scatter[2])
    assert device.drift.compensated is False


def test_errors_of_a_cell_keep_their_sign_and_grow_where_the_data_do(tmp_path):
    device = fit_file(write(tmp_path / "cells.csv", saturating()), read_voltage=0.2).device
    z, levels = np.linspace(-3, 3, 13), np.full(13, 4)
    last = np.zeros(13)
    for age in (0.0, 0.01, 0.05, 1.0, 40.0, 1e5, 1e8):
        cell = cell_model(device, 6, NoiseConfig(), age)
        error = cell.current(levels, z) - cell.mean[4]
        assert np.array_equal(np.sign(error), np.sign(z))
        assert (np.abs(error) >= np.abs(last) - 1e-12).all()
        last = error


def power_law(rng, n=200):
    nu = rng.normal(0.05, 0.01, (len(MEANS), n, 1))
    return (TIMES / TIMES[0]) ** -nu


def logarithmic(rng, n=200):
    loss = rng.normal(0.03, 0.005, (len(MEANS), n, 1)) / MEANS[:, None, None]
    return 1 - loss * np.log(TIMES / TIMES[0])


def nothing(rng, n=200):
    return np.ones((len(MEANS), n, len(TIMES)))


@pytest.mark.parametrize(
    ("course", "law"),
    [(power_law, "power_law"), (logarithmic, "logarithmic"), (nothing, "none")],
)
def test_the_simplest_law_that_agrees_is_taken(tmp_path, course, law):
    rng = np.random.default_rng(11)
    programmed = MEANS[:, None, None] * (1 + 0.02 * rng.standard_normal((6, 200, 1)))
    currents = 3 * programmed * course(rng)
    currents *= 1 + 0.005 * rng.standard_normal(currents.shape)
    path = write(tmp_path / "cells.csv", currents)
    fitted = fit_file(path, read_voltage=0.2)
    assert fitted.fit.law == law
    assert fitted.device.drift.model == law
    ratio, _, _ = ratios(path, fitted.device, TIMES)
    assert RATIOS[0] < ratio.min() <= ratio.max() < RATIOS[1]
    # an agreement within errors, not by chance of few cells
    assert fitted.fit.agreement.p > 0.01
    if law == "logarithmic":
        assert fitted.device.drift.loss_mean == pytest.approx(np.full(6, 0.03 / 27), rel=0.1)
        ten_years = cell_model(fitted.device, 6, NoiseConfig(), 3e8)
        assert (ten_years.mean < cell_model(fitted.device, 6, NoiseConfig(), 1e5).mean).all()


def test_a_law_is_taken_by_command_though_it_does_not_agree(tmp_path):
    data = read_measurements(write(tmp_path / "cells.csv", saturating()))
    forced = fit_device(data, law="power_law")
    assert forced.law == "power_law"
    assert forced.agreement.is_far
    assert not forced.agreement.is_close


def test_the_programmed_state_is_at_time_zero(tmp_path):
    times = np.array([0.0, *TIMES[1:]])
    path = write(tmp_path / "cells.csv", saturating(), times)
    device = fit_file(path, read_voltage=0.2).device
    ratio, off, _ = ratios(path, device, times)
    assert np.allclose(ratio, 1, atol=0.02)
    assert np.abs(off).max() < 0.01
    programmed = cell_model(device, 6, NoiseConfig(), 0.0)
    assert not programmed.sigmas["drift"].any()
    assert programmed.sigma.mean() == pytest.approx(0.0052, rel=0.12)


def test_scatter_that_shrinks_is_followed_too(tmp_path):
    rng = np.random.default_rng(2)
    scatter = np.array([1.0, 0.9, 0.7, 0.65, 0.6, 0.6, 0.6, 0.6])
    z = rng.standard_normal((6, 100, 1))
    path = write(tmp_path / "cells.csv", MEANS[:, None, None] + 0.4 * z * scatter)
    device = fit_file(path, read_voltage=0.2).device
    assert device.drift.model == "tabulated"
    assert np.array(device.drift.error_factor).min() == pytest.approx(0.6, abs=0.02)
    ratio, _, _ = ratios(path, device, TIMES)
    assert np.allclose(ratio, 1, atol=0.03)


def test_noise_that_grows_with_time_is_followed(tmp_path):
    rng = np.random.default_rng(8)
    growth = np.linspace(0.05, 0.4, len(TIMES))
    programmed = MEANS[:, None, None] + 0.5 * rng.standard_normal((6, 40, 1))
    reads = np.repeat(TIMES, 12)
    noise = np.repeat(growth, 12) * rng.standard_normal((6, 40, len(reads)))
    path = write(tmp_path / "cells.csv", programmed + noise, reads)
    device = fit_file(path, read_voltage=0.2).device
    assert device.read_noise.model == "tabulated_over_time"
    for time, sigma in zip(TIMES, growth, strict=True):
        cell = cell_model(device, 6, NoiseConfig(), time)
        found = cell.sigmas["read_noise"] * cell.full_scale_current / 0.2 * 1e6
        # 440 degrees of freedom at each time and level
        assert found == pytest.approx(np.full(6, sigma), rel=0.15)
        total = cell.sigma * cell.full_scale_current / 0.2 * 1e6
        measured = (programmed + noise)[:, :, reads == time]
        single = [np.sqrt(m[:, 0].var(ddof=1)) for m in measured]
        assert total == pytest.approx(single, rel=0.25)


def test_misfit_is_not_booked_as_read_noise(tmp_path):
    fitted = fit_file(write(tmp_path / "cells.csv", saturating()), read_voltage=0.2)
    assert fitted.device.read_noise.model == "relative"
    assert fitted.device.read_noise.relative == 0
    assert "contained in the standard deviations" in fitted.device.read_noise.source


def trapped(shares, amplitudes, n=80, n_reads=96, tau=6.0, seed=3):
    """Reads of cells, some of which a trap takes a share of in turns; a read a second."""
    rng = np.random.default_rng(seed)
    shape = (len(shares), n)
    active = rng.random(shape) < np.array(shares)[:, None]
    state, states = rng.random(shape) < 0.5, []
    for _ in range(n_reads):
        states.append(state)
        state = np.where(rng.random(shape) < (1 + np.exp(-1 / tau)) / 2, state, ~state)
    taken = np.array(amplitudes)[:, None, None] * active[..., None] * np.stack(states, axis=-1)
    means = MEANS[: len(shares), None, None]
    programmed = means * (1 + 0.02 * rng.standard_normal((*shape, 1)))
    return programmed * (1 - taken) * (1 + 0.004 * rng.standard_normal(taken.shape))


def test_telegraph_noise_is_found_level_by_level(tmp_path):
    shares, amplitudes = (0.6, 0.3, 0.0), (0.15, 0.06, 0.05)
    path = write(tmp_path / "cells.csv", trapped(shares, amplitudes), np.arange(1.0, 97.0))
    fitted = fit_file(path, read_voltage=0.2)
    rtn = fitted.device.rtn
    assert rtn.model == "two_state_tabulated"
    errors = 4 * np.sqrt(np.array(shares) * (1 - np.array(shares)) / 80) + 0.03
    assert (np.abs(np.array(rtn.share) - shares) < errors).all()
    assert rtn.amplitude[:2] == pytest.approx(amplitudes[:2], rel=0.1)
    assert "amplitude of levels 2: that of all together" in rtn.source
    cell = cell_model(fitted.device, 3, NoiseConfig(), 1.0)
    found = (cell.sigmas["rtn"] / cell.mean)[:2]
    wanted = [a * np.sqrt(s / 4) for s, a in zip(shares, amplitudes, strict=True)][:2]
    assert found == pytest.approx(wanted, rel=0.25)


def test_relaxation_is_not_taken_for_a_trap(tmp_path):
    rng = np.random.default_rng(9)
    times = np.arange(1.0, 41.0)
    # each cell drops once, at a time of its own
    drop = (times > rng.uniform(5, 35, (3, 60, 1))) * 0.08
    currents = MEANS[:3, None, None] * (1 - drop)
    currents *= 1 + 0.004 * rng.standard_normal(currents.shape)
    found = fit_device(read_measurements(write(tmp_path / "cells.csv", currents, times))).telegraph
    assert found.n_cells == 180
    assert found.share < 0.02


def test_levels_of_too_few_cells_are_left_out_unless_they_are_asked_for(tmp_path):
    rng = np.random.default_rng(3)
    rows = [f"{k},{c},{g:.4f}" for k, mean in enumerate((5.0, 20.0, 40.0))
            for c, g in enumerate(mean + 0.3 * rng.standard_normal(300))]  # fmt: skip
    path = tmp_path / "stray.csv"
    path.write_text("\n".join(["level,cell,conductance [uS]", *rows, "3,1,42.1", "3,2,42.4"]))
    data = read_measurements(path)
    fit = fit_device(data)
    assert [f.level for f in fit.levels] == [0, 1, 2]
    assert fit.left_out == ((3, 2),)
    assert [f.level for f in fit_device(data, [0, 1, 3]).levels] == [0, 1, 3]
    with pytest.raises(DataError, match="has no level 7. Its levels: 0, 1, 2, 3"):
        fit_device(data, [0, 7])


def test_a_few_stray_cells_change_nothing_in_the_tails_of_other_levels(tmp_path):
    rng = np.random.default_rng(3)
    rows = ["level,cell,conductance [uS]"]
    samples = []
    for level, mean in enumerate((5.0, 20.0, 40.0)):
        tail = rng.random(300) < 0.04
        g = mean + 0.3 * rng.standard_normal(300) - tail * rng.exponential(0.08 * mean, 300)
        rows += [f"{level},{cell},{x:.6f}" for cell, x in enumerate(g)]
        samples.append(g)
    strays = ["3,900,42.1", "3,901,42.4"]
    found = []
    for more, levels in (([], None), (strays, None), (strays, (0, 1, 2, 3))):
        path = tmp_path / "cells.csv"
        path.write_text("\n".join(rows + more))
        device = fit_file(path, read_voltage=0.2, levels=levels).device
        assert device.states.distribution == "quantiles"
        states = device.states
        cell = cell_model(device, len(states.mean), NoiseConfig())
        unit = cell.full_scale_current / 0.2 * 1e6
        z = np.array([-2.3263])  # 1 %
        found.append([float(cell.current(np.array([k]), z)[0]) * unit for k in range(3)])
    assert found[0] == found[1]
    for quantiles in found:
        for quantile, sample in zip(quantiles, samples, strict=True):
            wanted = np.quantile(sample, 0.01, method="hazen")
            assert quantile == pytest.approx(wanted, abs=0.25 * sample.std())


def test_times_that_are_nearly_alike_are_one_time():
    rng = np.random.default_rng(0)
    time = np.concatenate([[0.0, 0.0], *(t * rng.uniform(1, 1.05, 20) for t in (1.0, 10.0, 1e4))])
    group, centre = time_groups(time)
    assert np.bincount(group).tolist() == [2, 20, 20, 20]
    assert centre[0] == 0
    assert centre[1:] == pytest.approx([1.0, 10.0, 1e4], rel=0.05)
    group, centre = time_groups(np.arange(1.0, 1e5))
    assert len(centre) <= 31
    assert (np.diff(group) >= 0).all()


def test_moments_are_those_of_single_reads():
    rng = np.random.default_rng(1)
    cells = np.repeat(np.arange(4000), 3)
    value = 10 + rng.normal(0, 2.0, 4000)[cells] + rng.normal(0, 1.0, 12_000)
    found = moments_of(value, np.zeros(12_000, np.int64), cells, 1)
    assert found.sigma[0] == pytest.approx(np.sqrt(5), rel=0.03)
    assert found.noise[0] == pytest.approx(1.0, rel=0.03)
    assert found.sigma_error[0] == pytest.approx(np.sqrt(5 / 8000), rel=0.1)
    assert found.n_repeats[0] == 8000


def test_the_test_of_a_law_errs_as_seldom_as_it_says(tmp_path):
    refused = 0
    for seed in range(20):
        rng = np.random.default_rng(100 + seed)
        programmed = 3 * MEANS[:3, None, None] * (1 + 0.02 * rng.standard_normal((3, 60, 1)))
        currents = programmed * (1 + 0.005 * rng.standard_normal((3, 60, len(TIMES))))
        data = read_measurements(write(tmp_path / "cells.csv", currents))
        refused += fit_device(data).law != "none"
    # 1 % of the files after Bonferroni's correction, so none or one of twenty
    assert refused <= 1
