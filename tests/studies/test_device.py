"""What is said of a device is what chips are drawn from."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from click.testing import CliRunner
from files import bundled_device
from rich.console import Console

from pimsim.cli.device import device as command
from pimsim.config import NoiseConfig, bundled_names, bundled_root
from pimsim.devices import cell_model
from pimsim.errors import ConfigError, MappingError
from pimsim.report import words as in_words
from pimsim.report.pages import page_of
from pimsim.report.pages.device import rate
from pimsim.report.terminal import print_page
from pimsim.studies.device import AGES, describe_device, device_document, device_rows


def test_levels_and_ages_are_those_of_the_cell_model():
    document = describe_device("pcm", 4, AGES["1 hour"])
    cell = cell_model(bundled_device("pcm"), 4, NoiseConfig(), AGES["1 hour"])
    assert document["levels"]["spread"] == cell.sigma.tolist()
    assert document["levels"]["parts"]["drift"] == cell.sigmas["drift"].tolist()
    old = cell_model(bundled_device("pcm"), 4, NoiseConfig(), AGES["10 years"])
    assert document["ages"][-1]["mean"] == old.mean.tolist()
    assert document["curve"][-1]["spread"] == pytest.approx(old.sigma)
    assert {entry["block"] for entry in document["sources"]} >= {"states", "drift", "rtn"}


def test_every_bundled_device_is_listed():
    rows = {row["name"]: row for row in device_rows()}
    assert rows.keys() == set(bundled_names("device"))
    assert rows["pcm"]["assumed"] == ["rtn", "temperature_dependence", "programming", "pulse"]
    done = CliRunner().invoke(command, ["list"], env={"COLUMNS": "80"})
    assert done.exit_code == 0, done.output
    assert all(name in done.output for name in rows)
    assert "\N{HORIZONTAL ELLIPSIS}" not in done.output  # nothing is cut
    assert max(map(len, done.output.splitlines())) <= 80


def test_every_device_is_shown_on_80_columns_as_its_file_says():
    for name in ("pcm", "sonos", "reram_neurram", "reram_cmo_hfox"):
        done = CliRunner().invoke(command, ["show", name], env={"COLUMNS": "80"})
        assert done.exit_code == 0, done.output
        assert "\N{HORIZONTAL ELLIPSIS}" not in done.output  # nothing is cut
        assert max(map(len, done.output.splitlines())) <= 80


def test_brackets_in_a_file_are_not_taken_for_markup(tmp_path):
    text = (bundled_root() / "hwconfigs/devices/reram.yaml").read_text()
    odd = "odd [/b] [uA] :x:"
    text, n = re.subn(r"(?s)\ndescription: .*?\n(?=\S)", f'\ndescription: "{odd}"\n', text)
    assert n == 1
    (tmp_path / "odd.yaml").write_text(text)
    done = CliRunner().invoke(command, ["show", str(tmp_path / "odd.yaml")])
    assert done.exit_code == 0, done.output
    assert odd in done.output


def test_a_cell_of_few_states_is_shown_with_those_it_has(tmp_path):
    assert describe_device("reram")["n_levels"] == 4
    with pytest.raises(MappingError, match="holds 8 levels per cell"):
        describe_device("reram", 9)
    with pytest.raises(ConfigError, match="--levels is 1"):
        describe_device("reram", 1)
    with pytest.raises(ConfigError, match="names 'rerum'.*Did you mean 'reram'"):
        describe_device("rerum")


def test_show_prints_levels_parts_and_sources():
    console = Console(file=io.StringIO(), width=160)
    print_page(page_of(device_document("pcm")), console)
    said = console.file.getvalue()
    for words in ("PCM", "taken for the next", "read noise", "10 years", "aihwkit", "1 day after"):
        assert words in said
    assert "telegraph noise" not in said


def test_plot_writes_the_figure_that_its_name_asks_for(tmp_path):
    for kind in ("svg", "png"):
        out = tmp_path / f"pcm.{kind}"
        done = CliRunner().invoke(command, ["plot", "pcm", "-o", str(out)])
        assert done.exit_code == 0, done.output
        assert out.stat().st_size > 10_000
    refused = CliRunner().invoke(command, ["plot", "pcm", "-o", str(tmp_path / "pcm.pdf")])
    assert "ends in .svg or .png" in str(refused.exception)


@pytest.mark.parametrize("text", ["1", "5 V", "-1 s", "x"])
def test_an_age_is_a_time(text):
    refused = CliRunner().invoke(command, ["show", "pcm", "--time-since-programming", text])
    assert isinstance(refused.exception, ConfigError)
    assert "--time-since-programming" in str(refused.exception)


def test_words_for_rates_and_ages():
    assert [rate(x) for x in (0.0, 1e-7, 0.0208)] == ["0.00 %", "1.0e-07", "2.08 %"]
    assert [in_words.age(x) for x in (1, 90, 86_400.0, 2 * 86_400.0)] == [
        "1 s", "1.5 min", "1 day", "2 days",
    ]  # fmt: skip


def test_a_monte_carlo_of_two_levels_errs_as_often_as_stated():
    document = describe_device("pcm", 4, AGES["1 year"])
    mean, spread = (np.array(document["levels"][key]) for key in ("mean", "spread"))
    rng = np.random.default_rng(2)
    low, high = (mean[k] + spread[k] * rng.standard_normal(200_000) for k in (2, 3))
    threshold = (mean[2] * spread[3] + mean[3] * spread[2]) / (spread[2] + spread[3])
    stated = document["levels"]["error_to_next"][2]
    assert (low > threshold).mean() == pytest.approx(stated, rel=0.03)
    assert (high < threshold).mean() == pytest.approx(stated, rel=0.03)
