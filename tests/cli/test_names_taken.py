"""Names of what comes with pimsim: completed by shells, and taken by every command."""

from __future__ import annotations

import json

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner
from command_walk import commands

from pimsim.cli.chip import chip
from pimsim.cli.device import device
from pimsim.cli.main import cli
from pimsim.config import bundled_names
from pimsim.config.load import bundled_networks, find_network, load_setup
from pimsim.errors import ConfigError
from pimsim.studies.chip import chip_document

# by the parameter's name
KINDS = {"device", "devices", "chip", "on_chips", "network", "networks", "model", "recipe"}
# devices of torch, and a folder of networks
OTHERS = {("train", "device"), ("search", "device"), ("reproduce", "networks")}


def offered(words: list[str], begun: str) -> list[str]:
    found = ShellComplete(cli, {}, "pimsim", "_PIMSIM_COMPLETE").get_completions(words, begun)
    return [item.value for item in found if item.type == "plain"]


@pytest.mark.parametrize(
    ("words", "begun", "names"),
    [
        (["run", "gru", "--device"], "re", {"reram", "reram_hfo2"}),
        (["device", "show"], "pc", {"pcm", "pcm_14nm"}),
        (["chip", "show"], "adc_p", {"adc_pim_16nm"}),
        (["sweep"], "lstm", {"lstm_text"}),
        (["compare", "gru", "--chip"], "isa", {"isaac_32nm"}),
        (["inspect"], "gru_w", {"gru_w3", "gru_w7"}),
        (["run", "gru", "--data"], "mnist", {"mnist-1000", "mnist-test"}),
    ],
)
def test_names_are_completed(words, begun, names):
    found = offered(words, begun)
    assert names <= set(found)
    assert all(name.startswith(begun) for name in found)


def test_every_parameter_that_takes_a_name_is_completed():
    for words, command in commands():
        for parameter in command.params:
            if parameter.name in KINDS and (*words, parameter.name) not in OTHERS:
                assert parameter._custom_shell_complete is not None, (words, parameter.name)


def test_networks_are_found_by_name_with_and_without_ending():
    path = find_network("gru_w7")
    assert path == find_network("gru_w7.safetensors")
    assert find_network("paper/gru_float") == find_network("gru_float")
    assert load_setup("gru", {"network": "gru_w3"}).network_path.stem == "gru_w3"
    # without a model file, data are needed
    assert load_setup("gru_w3", {"data": "synthetic-speech"}).network_path.stem == "gru_w3"
    assert "gru_w7" in bundled_networks()
    with pytest.raises(ConfigError, match=r"'gru_w' is no file.*Did you mean 'gru_w7'"):
        find_network("gru_w")


def test_chips_are_listed_and_shown_as_text_and_json():
    listed = CliRunner().invoke(chip, ["list"])
    assert listed.exit_code == 0, listed.output
    assert all(name in listed.output for name in bundled_names("chip"))
    shown = CliRunner().invoke(chip, ["show", "ba_mlw_16nm"])
    assert "word_line_driver.voltage" in shown.output
    document = json.loads(CliRunner().invoke(chip, ["show", "ba_mlw_16nm", "--json"]).output)
    assert document == chip_document("ba_mlw_16nm").as_dict()
    values = {entry["key"]: entry for entry in document["values"]}
    assert values["array.rows"]["value"] == "256"
    assert document["kinds"]["read_out"] == "sense_amplifier"
    found = CliRunner().invoke(chip, ["show", "ba_mlw"])
    assert "Did you mean 'ba_mlw_16nm'?" in str(found.exception)


def test_a_device_is_shown_as_json():
    document = json.loads(CliRunner().invoke(device, ["show", "reram", "--json"]).output)
    assert document["schema"] == "pimsim.device_summary/1"
