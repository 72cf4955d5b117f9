"""Program and check: the solved chain is the table, and what cells do one by one."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner
from files import bundled_device

from pimsim.cli.device import device as command
from pimsim.config.programming import ProgramAndCheck
from pimsim.devices.programming import program_levels
from pimsim.errors import ConfigError
from pimsim.studies.programming import describe_programming

# hardware numbers 1a': threshold, mean and spread after relaxation [uA]
TABLE = [
    (95, 95.24, 1.20), (80, 80.14, 1.25), (65, 65.05, 1.30), (50, 49.96, 1.35),
    (35, 34.87, 1.40), (20, 19.78, 1.45), (5, 4.70, 1.47),
]  # fmt: skip


@pytest.fixture(scope="module")
def levels():
    return program_levels(bundled_device("cmos_mlc_measured").programming)


def test_levels_are_those_of_the_table(levels):
    assert len(levels) == len(TABLE)
    for level, (threshold, mean, spread) in zip(levels, TABLE, strict=True):
        assert level.threshold * 1e6 == pytest.approx(threshold)
        assert level.mean * 1e6 == pytest.approx(mean, abs=0.006)
        assert level.sigma * 1e6 == pytest.approx(spread, abs=0.006)
        assert level.share.sum() == pytest.approx(1)
        assert (level.current[level.share > 1e-12] < level.threshold).all()


def test_four_levels_are_those_of_the_device_file():
    device = bundled_device("cmos_mlc_4")
    found = sorted(program_levels(device.programming), key=lambda level: level.mean)
    stated = zip(device.states.mean, device.states.spread, strict=True)
    for level, (mean, spread) in zip(found, stated, strict=True):
        assert level.mean == pytest.approx(mean.value, abs=6e-9)
        assert level.sigma == pytest.approx(spread.value, abs=6e-9)


def test_time_adds_up_and_no_cell_needs_fewer_pulses_than_the_mean(levels):
    total = 0.0
    for level in levels:
        total += level.pulses * level.pulse
        assert level.time == pytest.approx(total)
        assert level.max_pulses > level.pulses > 1


def one_by_one(model, threshold, pulse, n_cells, rng):
    """Twin: every jump of every cell drawn, every pulse followed by a check."""
    current = rng.normal(model.fresh_current, model.fresh_spread, n_cells)
    x = np.round((model.origin - np.minimum(current, model.origin)) / model.step)
    pulses = np.zeros(n_cells, int)
    waiting = np.ones(n_cells, bool)
    while waiting.any():
        cells = np.flatnonzero(waiting)
        pulses[cells] += 1
        left = np.full(n_cells, 0.0)
        left[cells] = pulse
        while len(cells):
            shift = x[cells] * model.step
            back = model.death_rate * shift / model.death_scale
            back *= np.exp(-shift / model.death_scale)
            down = model.birth_rate * np.exp(-shift / model.birth_scale) + back
            left[cells] -= rng.exponential(1 / (back + down))
            cells, moves = cells[left[cells] > 0], (left[cells] > 0)
            is_down = rng.random(len(cells)) < (down / (back + down))[moves]
            x[cells] += np.where(is_down, 1, -1)
        waiting &= model.origin - x * model.step >= threshold - 1e-12
    return model.origin - x * model.step, pulses


def test_cells_programmed_one_by_one_end_as_solved():
    model = bundled_device("cmos_mlc_measured").programming
    # a coarse check, so that few jumps lie between two of them
    model = model.model_copy(update={"thresholds": [120e-6], "pulses": [2e-4]})
    level = program_levels(model)[0]
    n = 400
    current, pulses = one_by_one(model, 120e-6, 2e-4, n, np.random.default_rng(6))
    spread = np.sqrt(level.sigma**2 - model.relaxation_spread**2)
    mean = level.mean - model.relaxation
    assert current.mean() == pytest.approx(mean, abs=4 * spread / np.sqrt(n))
    assert current.std() == pytest.approx(spread, rel=0.2)
    assert pulses.mean() == pytest.approx(level.pulses, abs=4 * pulses.std() / np.sqrt(n))
    assert np.quantile(pulses, 0.99) == pytest.approx(level.max_pulses, rel=0.25)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pulses": ["1 ms"]}, "has 7 thresholds and 1 pulses"),
        ({"thresholds": ["5 uA", "80 uA"], "pulses": ["1 ms"] * 2}, "thresholds that fall"),
        ({"thresholds": ["0.1 uA"], "pulses": ["1 ms"]}, "threshold below `step`"),
        ({"thresholds": ["90 uA"], "pulses": ["0 s"]}, "a pulse of no length"),
        ({"fresh_current": "80 uA"}, "fresh_current between"),
        ({"step": "1 nA"}, "more than 2000 steps"),
    ],
)
def test_a_scheme_that_makes_no_sense_is_refused(changes, message):
    texts = {
        "origin": "160 uA", "step": "0.5 uA", "fresh_current": "144.685 uA",
        "fresh_spread": "5.779 uA", "birth_rate": "21207.8 Hz", "birth_scale": "15.489 uA",
        "death_rate": "84 kHz", "death_scale": "14 uA", "relaxation": "1.35 uA",
        "relaxation_spread": "0.97 uA", "thresholds": [f"{t} uA" for t, _, _ in TABLE],
        "pulses": ["1 ms"] * 7, "source": "test", "certainty": "assumed",
    }  # fmt: skip
    ProgramAndCheck.model_validate(texts)
    with pytest.raises(ValueError, match=message):
        ProgramAndCheck.model_validate(texts | changes)


def test_the_command_reports_levels_pulses_and_times(tmp_path):
    out = tmp_path / "levels.svg"
    done = CliRunner().invoke(command, ["program", "cmos_mlc_4", "-o", str(out)])
    assert done.exit_code == 0, done.output
    for words in ("65.05", "1.30", "pulses from the level before", "written"):
        assert words in done.output
    assert out.stat().st_size > 10_000
    row = next(line for line in done.output.splitlines() if line.lstrip().startswith("65"))
    mean, spread, stated_mean, stated_spread = (cell.strip() for cell in row.split("│")[2:6])
    assert (mean, spread) == (stated_mean, stated_spread) == ("65.05", "1.30")
    with pytest.raises(ConfigError, match="has no programming model.*cmos_mlc"):
        describe_programming("ideal")
