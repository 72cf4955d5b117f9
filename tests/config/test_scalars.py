"""Numbers of YAML 1.2: what they mean, alike in files, in `--set` and in options."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from files import write_model

from pimsim.cli.run import run as command
from pimsim.config import load_setup
from pimsim.config.scalars import whole_number
from pimsim.config.source import read_yaml
from pimsim.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("010", 10), ("0200", 200), ("-07", -7), ("+3", 3), ("0o17", 15), ("0x1F", 31), ("0", 0),
        ("1:20", "1:20"), ("1_000", "1_000"), ("0b11", "0b11"), ("1e2", 100.0), (".5", 0.5),
        ("5.", 5.0), ("-.inf", float("-inf")), ("yes", "yes"), ("off", "off"), ("n", "n"),
        ("true", True), ("False", False), ("~", None), ("", None), ("Null", None),
        ("2026-11-30", "2026-11-30"), ("12 s", "12 s"), ("'010'", "010"), ("!!str 010", "010"),
        ("!!int '12'", 12), ("<<", "<<"), ("=", "="),
    ],
)  # fmt: skip
def test_scalars_are_read_as_yaml_1_2_says(tmp_path, text, value):
    path = tmp_path / "a.yaml"
    path.write_text(f"a: {text}\n")
    found = read_yaml(path).tree["a"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("text", ["!!int '1:20'", "!!float x", "!!timestamp 2026-11-30", "!x 1"])
def test_tags_that_do_not_fit_are_refused(tmp_path, text):
    path = tmp_path / "a.yaml"
    path.write_text(f"a: {text}\n")
    with pytest.raises(ConfigError, match="which is no|unknown here"):
        read_yaml(path)


def test_files_settings_and_options_read_a_number_alike(tmp_path):
    model = write_model(tmp_path)
    model.write_text(model.read_text().replace("limit: 12", "limit: 012").replace("11", "010"))
    of_file = load_setup(model, {}, ["chip.array.rows=0200"])
    assert (of_file.run.limit, of_file.run.seed, of_file.chip.array.rows) == (12, 10, 200)
    assert load_setup(model, {}, ["chips=010"]).run.chips == whole_number("010") == 10
    for wrong in ("1:20", "1_0", "1e1", "0b11", "1.0", "yes"):
        with pytest.raises(ConfigError, match="chips is "):
            load_setup(model, {}, [f"chips={wrong}"])
        done = CliRunner().invoke(command, [str(model), "--chips", wrong])
        assert done.exit_code == 2
        assert "is no whole number" in done.output


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("chip.link.latency", "1000001"), ("chip.link.width", "9999999999"),
        ("chip.clock.frequency", "5e-324 MHz"), ("chip.link.wire_length", "1e300 um"),
        ("chip.read_out.residual_offset", "1e300 mV"), ("chip.word_line_driver.voltage", "1e300 V"),
        ("noise.sigma_eval", "1e300"), ("noise.sigma_eval", "true"),
        ("chip.word_line_driver.area_in_gates", "5e-324"), ("limit", "99999999999"),
        ("time_since_programming", "1e300 s"), ("chip.bit_line.supply", "0.8 V V"),
        ("chip.bit_line.supply", "1_0 V"), ("chip.bit_line.supply", "1 V - V"),
    ],
)  # fmt: skip
def test_numbers_beyond_what_their_use_can_bear_are_refused(tmp_path, key, value):
    with pytest.raises(ConfigError) as caught:
        load_setup(write_model(tmp_path), {}, [f"{key}={value}"])
    message = str(caught.value)
    assert message.startswith(f"--set {key}={value}: ")
    assert len(message) < 300


def test_options_are_named_as_they_are_written(tmp_path):
    model = write_model(tmp_path)
    for words, named in (
        (["--target", "900"], "--target 900"),
        (["--until", "ci=0%"], "--until ci=0%"),
    ):
        done = CliRunner().invoke(command, [str(model), *words])
        assert str(done.exception).startswith(f"{named}: ")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("published: 2.0", "published: 0"), "is 0; an error relative to it"),
        (("published: 2.0", "published: 1e300"), "are taken"),
        (("columns: 64", "columns: 1"), "has 1 columns, and a weight takes 8"),
        (("weight_bits: 8", "weight_bits: 1000000000"), "it must be 64 or less"),
        (("power: 1 mW", "power: 0 mW"), "without power"),
    ],
)
def test_validation_files_whose_figures_have_no_value_are_refused(tmp_path, change, message):
    from pimsim.studies.validate import validate_cases

    text = """\
schema: pimsim.validation/2
name: a chip
citation: a paper of some length
entered:
  model: hierarchy
  levels:
    tile:
      items:
        array: {count: 1, power: 1 mW, area: 1 um^2, source: a paper, certainty: paper}
  arrays: {per_first_level: 1, rows: 64, columns: 64, cell_bits: 1, weight_bits: 8, input_bits: 8,
           dac_bits: 1, cycle: 1 ns, source: a paper, certainty: paper}
figures:
  - {quantity: tile.power, published: 2.0, unit: mW, tolerance: 10 %, basis: arithmetic,
     source: a paper, certainty: paper}
"""
    path = tmp_path / "case.yaml"
    path.write_text(text)
    assert validate_cases([str(path)])[0].modelled == 1.0
    path.write_text(text.replace(*change))
    with pytest.raises(ConfigError, match=message):
        validate_cases([str(path)])
