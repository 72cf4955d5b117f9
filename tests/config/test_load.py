"""Bad input: every message names file, line, key, value and remedy."""

from __future__ import annotations

import dataclasses
import re

import pytest
from files import (
    bundled_chip,
    bundled_device,
    bundled_logic,
    bundled_technology,
    write_model,
)

from pimsim.config import bundled_names, bundled_root, load_chip, load_setup
from pimsim.config.chip import CURRENT_BLOCKS
from pimsim.config.sources import block_sources
from pimsim.errors import ConfigError


@pytest.mark.parametrize("name", bundled_names("device"))
def test_bundled_devices_are_sourced_block_by_block(name):
    device = bundled_device(name)
    blocks = {entry.block: entry for entry in block_sources(device)}
    assert {"cell", "read", "states", "drift", "rtn", "read_noise"} <= blocks.keys()
    assert all(len(entry.source) > 10 for entry in blocks.values())


@pytest.mark.parametrize("name", bundled_names("chip"))
def test_bundled_chips_are_sourced_block_by_block(name):
    chip = bundled_chip(name)
    unsourced = {
        "schema_",
        "name",
        "description",
        "technology",
        "network",
        "first_layer",
        "temperature",
        "supply",
    }
    # no numbers, no source
    if chip.drive.kind == "binary":
        unsourced |= {"drive"}
    if chip.weight_coding.kind == "differential_pair":
        unsourced |= {"weight_coding"}
    if chip.tall_layers is None:
        unsourced |= {"tall_layers"}
    if chip.read_out.kind in ("adder_tree", "multipliers"):
        unsourced |= {"weight_coding", *CURRENT_BLOCKS}
    assert {entry.block for entry in block_sources(chip)} | unsourced == set(
        type(chip).model_fields
    )


def test_a_chip_takes_the_network_of_its_kind(tmp_path):
    model = write_model(tmp_path)
    (tmp_path / "codes.safetensors").write_bytes(b"")
    with pytest.raises(ConfigError, match="networks.codes is missing, and this chip needs it"):
        load_setup(model, {"chip": "adc_pim_16nm"})
    with pytest.raises(ConfigError, match="Add 'binary: FILE.safetensors' to 'networks'"):
        load_setup(model, {"chip": "bnn_slc_16nm"})
    for key in ("networks.codes", "network_with_converters"):
        both = [f"{key}=codes.safetensors"]
        assert load_setup(model, {"chip": "adc_pim_16nm"}, both).network_path.stem == "codes"
        assert load_setup(model, {}, both).network_path.stem == "gru"


@pytest.mark.parametrize("name", bundled_names("technology"))
def test_bundled_technologies_are_sourced_and_scale_to_their_node(name):
    technology = bundled_technology(name)
    unsourced = {"schema_", "name", "node", "supply", "corner"}
    assert {entry.block for entry in block_sources(technology)} | unsourced == set(
        type(technology).model_fields
    )
    assert f"{technology.node * 1e9:g}nm" == name
    assert min(dataclasses.astuple(bundled_logic(name))) > 0


def test_a_technology_is_named_by_the_chip_and_set_like_the_others(tmp_path):
    setup = load_setup(
        write_model(tmp_path), {}, ["chip.technology=7nm", "technology.logic_area.gate=1 um^2"]
    )
    assert setup.technology.name == "7 nm"
    assert setup.technology.logic_area.gate == pytest.approx(1e-12)
    with pytest.raises(ConfigError, match="names '8nm'.*28nm"):
        load_setup(write_model(tmp_path), {}, ["chip.technology=8nm"])


def test_a_model_file_loads_with_what_it_names(tmp_path):
    setup = load_setup(write_model(tmp_path))
    assert setup.run.chips == 3
    assert setup.device.name == "ReRAM"
    assert setup.network_path == tmp_path / "gru.safetensors"


def test_options_and_assignments_replace_entries(tmp_path):
    setup = load_setup(
        write_model(tmp_path),
        {"device": "pcm", "chips": 7, "time_since_programming": "1 hour"},
        ["chip.array.rows=128", "noise.dynamic=off", "device.rtn.relative=3 %"],
    )
    assert (setup.device.name, setup.run.chips) == ("PCM", 7)
    assert setup.run.time_since_programming == 3600
    assert setup.chip.array.rows == 128
    assert not setup.noise.dynamic
    assert setup.device.rtn.relative == pytest.approx(0.03)


def broken_copy(tmp_path, kind: str, name: str, pattern: str, replacement: str):
    """A bundled file with one thing changed, and the model that uses it."""
    folder = {"device": "devices", "chip": "chips"}[kind]
    text = (bundled_root() / "hwconfigs" / folder / f"{name}.yaml").read_text()
    text = text.replace("../technology/16nm.yaml", "16nm")
    changed, n = re.subn(pattern, replacement, text, count=1, flags=re.M)
    assert n == 1
    (tmp_path / "changed.yaml").write_text(changed)
    line = 1 + next(
        i
        for i, (a, b) in enumerate(zip(text.splitlines(), changed.splitlines(), strict=False))
        if a != b
    )
    return write_model(tmp_path, **{kind: "changed.yaml"}), line


@pytest.mark.parametrize(
    ("kind", "name", "pattern", "replacement", "message"),
    [
        ("chip", "ba_mlw_16nm", r"^  input_capacitance:", "  input_capacitence:",
         "read_out.input_capacitence is no key that is known here. "
         "Did you mean 'input_capacitance'?"),
        ("chip", "ba_mlw_16nm", r"input_range: 220 mV", "input_range: 10 ns",
         "load.input_range is '10 ns', a time; a voltage is needed"),
        ("chip", "ba_mlw_16nm", r"rows: 256", "rows: 0",
         "array.rows is 0; it must be 1 or more"),
        ("chip", "ba_mlw_16nm", r"slope: 1.3", "slope: 0.5", "clamp.slope is 0.5;"),
        ("chip", "ba_mlw_16nm", r"certainty: paper", "certainty: sure",
         "certainty is 'sure'; it must be 'measured', 'paper'"),
        ("device", "cmos_mlc_measured", r"spread: \[1.47 uA, 1.45 uA", "spread: [1.47 uA, -1 uA",
         "states.spread [1] is -1 uA; a standard deviation cannot be negative"),
        ("device", "reram", r"mean:   \[5 %, 12.44 %", "mean: [5 %, 87.83 %",
         "states.mean must rise from state to state"),
        ("device", "pcm", r"nu_spread: \[4.5 %", "nu_spread: [-4.5 %",
         "nu_spread of -0.045; it cannot be negative"),
        ("device", "pcm", r"model: power_law", "model: power_lax", "power_lax"),
        ("device", "reram", r"schema: pimsim.device/2", "schema: pimsim.device/9",
         "schema is 'pimsim.device/9'; it must be 'pimsim.device/2'"),
        ("device", "pcm", r"  t0: 20 s\n", "", "drift.t0 is missing. Add 't0:' there"),
        ("device", "cmos_mlc_measured", r"retarget_from: 4.70 uA", "retarget_from: 3 %",
         "states mixes currents and fractions"),
        ("device", "cmos_mlc_measured", r"fresh_current: 144.4 uA", "fresh_current: 100 %",
         "gives drift.fresh_current as fraction and states as ampere"),
        ("device", "reram", r"retarget_to: 100 %", "retarget_to: 300 %",
         "retarget_from and retarget_to outside its states, or swapped"),
        ("device", "reram", r"spread: \[0.8217 %, 1.282 %", "spread: [0.865 %, 135",
         "has a standard deviation beyond the top current; is a unit missing?"),
        ("device", "pcm", r"nu_mean:   \[10 %", "nu_mean: [1000 %", "has an exponent beyond 1"),
        ("chip", "ba_mlw_16nm", r"input_range: 4", "input_range: 15",
         "input_range is 15; a fixed-point range is a power of two"),
        ("chip", "ba_mlw_16nm", r"kind: gates", "kind: gate", "logic.kind is 'gate', which is no "
         "known kind. Known kinds: gates, table"),
        ("chip", "ba_mlw_16nm", r"^network: levels", "network: codes",
         "network is 'codes', whose layers pass on codes, and logic 'gates' gives bits"),
        ("chip", "adc_pim_16nm", r"kind: bit_slices\n  cell_bits", "kind: bit_slices\n  cel_bits",
         "weight_coding.cel_bits is no key that is known here. Did you mean 'cell_bits'?"),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_named_with_file_line_and_key(
    tmp_path, kind, name, pattern, replacement, message
):
    model, line = broken_copy(tmp_path, kind, name, pattern, replacement)
    with pytest.raises(ConfigError) as caught:
        load_setup(model)
    text = str(caught.value)
    assert message in text
    assert text.startswith(f"{tmp_path / 'changed.yaml'}:")
    whole_block = (
        "is missing",
        "nu_spread of",
        "power_lax",
        "mixes",
        "gives drift",
        "outside its",
        "beyond",
    )
    if not any(words in text for words in whole_block):
        assert text.startswith(f"{tmp_path / 'changed.yaml'}:{line}: ")


@pytest.mark.parametrize(
    ("options", "assignments", "message"),
    [
        ({"device": "pcn"}, [], "names 'pcn', and there is no such file nor a bundled device. "
                                "Did you mean 'pcm'?"),
        ({"chips": 0}, [], "--chips 0: chips is 0; it must be 1 or more"),
        ({"seed": -1}, [], "--seed -1: seed is -1;"),
        ({"time_since_programming": "3 V"}, [], "is '3 V', a voltage; a time is needed"),
        ({}, ["chip.array.rows"], "'chip.array.rows' is no assignment"),
        ({}, ["noise.dynamik=off"], "--set noise.dynamik=off: noise.dynamik is no key that is "
                                    "known here. Did you mean 'dynamic'?"),
        ({}, ["noise.sigma_eval=-1"], "noise.sigma_eval is -1;"),
        ({}, ["nois.dynamic=off"], "--set nois.dynamic=off: nois is no key that is known here. "
                                   "Did you mean 'noise'?"),
        ({}, ["device.states.spread[1]=-1 %"], "--set device.states.spread[1]=-1 %: states.spread"),
        ({}, ["seed=0b_"], "seed is '0b_'; it must be a whole number"),
        ({}, ["chips=on"], "chips is 'on'; it must be a whole number"),
        ({}, ["network=" + "n" * 300], "and there is no such file"),
        ({}, ["chip.array=3"], "--set chip.array=3: array is 3; it needs keys of its own"),
        ({}, ["network=gone.safetensors"], "names 'gone.safetensors', and there is no such file"),
        ({}, ["chip.load.capacitance=3"], "is 3 without a unit"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_named(tmp_path, options, assignments, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        load_setup(write_model(tmp_path), options, assignments)


def test_a_missing_model_names_the_nearest():
    with pytest.raises(ConfigError, match=r"names 'gruu'.*Did you mean 'gru'\?"):
        load_setup("gruu")


def test_bundled_models_load_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in bundled_names("model"):
        assert load_setup(f"{name}.yaml").model_source.path.is_file()


def test_a_chip_that_is_loaded_alone_knows_its_technology(tmp_path):
    assert load_chip("ba_mlw_16nm").technology == "16nm"
    root = bundled_root() / "hwconfigs"
    for path in ("chips/ba_mlw_16nm.yaml", "technology/16nm.yaml"):
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_bytes((root / path).read_bytes())
    own = load_chip(tmp_path / "chips/ba_mlw_16nm.yaml")
    assert own.technology == str(tmp_path / "technology/16nm.yaml")
    model = write_model(tmp_path)
    setup = load_setup(model, {"chip": own})
    assert setup.technology_source.path == tmp_path / "technology/16nm.yaml"
    with pytest.raises(ConfigError, match="names 'none', and there is no such file nor a bundled"):
        load_chip("none")
