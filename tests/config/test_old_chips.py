"""Chip files of the first schema, model files of before `networks`, and their keys in options."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from files import bundled_chip, write_model

from pimsim.config import (
    ChipConfig,
    RunConfig,
    TechnologyConfig,
    bundled_root,
    load_setup,
    read_yaml,
    validate,
)
from pimsim.errors import ConfigError

OLD = Path(__file__).parent / "old_chips"
NAMES = ["adc_pim_16nm", "ba_mlw_16nm", "bnn_slc_16nm", "isaac_32nm"]
SETTINGS = [
    ("adc_pim_16nm", "adc.bits=6", "read_out.bits=6"),
    ("adc_pim_16nm", "adc.gain_error=1 %", "read_out.gain_error=1 %"),
    ("adc_pim_16nm", "bit_slicing.activation_bits=5", "drive.bits=5"),
    ("adc_pim_16nm", "bit_slicing.cell_bits=1", "weight_coding.cell_bits=1"),
    ("adc_pim_16nm", "bit_slicing.sign=offset", "weight_coding.kind=offset_slices"),
    ("isaac_32nm", "bit_slicing.sign=differential", "weight_coding.kind=bit_slices"),
    ("adc_pim_16nm", "activation_unit.units=9", "logic.units=9"),
    ("adc_pim_16nm", "weights=binary", "network=codes"),
    ("ba_mlw_16nm", "sense_amplifier.raw_offset=9 mV", "read_out.raw_offset=9 mV"),
    ("ba_mlw_16nm", "gru_logic.gates_in_path=4", "logic.gates_in_path=4"),
    ("ba_mlw_16nm", "gru_logic.reset_state=0", "name=BA-MLW 16 nm"),
    ("ba_mlw_16nm", "weights=binary", "network=binary"),
    ("bnn_slc_16nm", "weights=levels", "network=levels"),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = write_model(tmp_path_factory.mktemp("model"))
    weights = "networks:\n  levels: {0}\n  codes: {0}\n  binary: {0}".format("gru.safetensors")
    path.write_text(path.read_text().replace("network: gru.safetensors", weights))
    for old in OLD.glob("*.yaml"):
        text = old.read_text().replace("../technology/", "")
        (path.parent / f"old_{old.name}").write_text(text)
    for old in (OLD / "schema_2").glob("*.yaml"):
        text = old.read_text().replace("../technology/", "")
        (path.parent / f"second_{old.name}").write_text(text)
    return path


def both_forms(model, name: str) -> tuple[str, str]:
    """The same chip in a file of schema 1 and of schema 2."""
    return str(model.parent / f"old_{name}.yaml"), str(model.parent / f"second_{name}.yaml")


def chip_of_schema_2(name: str) -> ChipConfig:
    return validate(read_yaml(OLD / "schema_2" / f"{name}.yaml"), ChipConfig)


def dump(chip: ChipConfig) -> dict:
    return chip.model_dump(exclude={"technology", "description"})


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_schema_1_means_what_one_of_schema_2_says(name):
    old, second = validate(read_yaml(OLD / f"{name}.yaml"), ChipConfig), chip_of_schema_2(name)
    assert dump(old) == dump(second)
    left_out = {"description"}
    assert old.model_dump_json(exclude=left_out) == second.model_dump_json(exclude=left_out)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_schema_2_keeps_its_range_and_has_no_mismatch(name):
    old, new = chip_of_schema_2(name), bundled_chip(name)
    assert old.schema_ == "pimsim.chip/3"
    assert old.load.input_range == pytest.approx(0.6)
    assert old.load.mismatch == old.clamp.offset == 0
    assert old.array.rows == new.array.rows
    assert old.read_out.kind == new.read_out.kind


@pytest.mark.parametrize(("name", "old_key", "new_key"), SETTINGS)
def test_old_and_new_keys_mean_the_same_in_old_and_new_files(model, name, old_key, new_key):
    found = [
        dump(load_setup(model, {"chip": chip}, [f"chip.{key}"]).chip)
        for chip in both_forms(model, name)
        for key in (old_key, new_key)
    ]
    assert found[0] == found[1] == found[2] == found[3]
    if "reset_state" not in old_key and new_key != "network=codes":
        assert found[0] != dump(chip_of_schema_2(name))


def test_a_value_is_set_by_one_of_two_names(model):
    for chip in both_forms(model, "adc_pim_16nm"):
        settings = ["chip.adc.bits=6", "chip.read_out.bits=5"]
        for first, second in (settings, settings[::-1]):
            with pytest.raises(ConfigError) as caught:
                load_setup(model, {"chip": chip}, [first, second])
            assert f"--set {second} sets read_out.bits, which --set {first} sets" in str(
                caught.value
            )


def test_a_whole_block_may_be_set_by_its_old_name(model):
    logic = (
        "{units: 3, energy_per_activation: 1 fJ, area: 1 um^2, source: test, certainty: assumed}"
    )
    for chip in both_forms(model, "adc_pim_16nm"):
        found = load_setup(model, {"chip": chip}, [f"chip.activation_unit={logic}"]).chip
        assert found.logic.units == 3
        assert (
            load_setup(model, {"chip": chip}, ["chip.sense_amplifier=null"]).chip.read_out.kind
            == "adc"
        )
        with pytest.raises(ConfigError, match="adc|read_out"):
            load_setup(model, {"chip": chip}, ["chip.adc=null"])


@pytest.mark.parametrize(
    ("name", "setting", "message"),
    [
        ("adc_pim_16nm", "adc.bits=99", "adc.bits is 99; it must be 14 or less"),
        ("adc_pim_16nm", "read_out.bits=99", "read_out.bits is 99; it must be 14 or less"),
        ("adc_pim_16nm", "adc.bitz=6", "adc.bitz is no key that is known here"),
        ("adc_pim_16nm", "bit_slicing.sign=both", "bit_slicing.sign is 'both'; it must be"),
        ("adc_pim_16nm", "bit_slicing.activation_bit=4", "Did you mean 'activation_bits'?"),
        ("adc_pim_16nm", "sense_amplifier.raw_offset=1 mV",
         "sense_amplifier.raw_offset is a key of chips with read_out 'sense_amplifier', and this "
         "one's is of kind 'adc'"),
        ("ba_mlw_16nm", "adc.bits=6", "adc.bits is a key of chips with read_out 'adc', and"),
        ("ba_mlw_16nm", "bit_slicing.cell_bits=6", "bit_slicing.cell_bits is a key of chips with "),
        ("ba_mlw_16nm", "gru_logic.reset_state=1", "reset_state is 1; hidden bits begin at 0"),
        ("ba_mlw_16nm", "weights=codez", "weights is 'codez'; it must be"),
        ("ba_mlw_16nm", "sense_amplifier=3", "sense_amplifier is 3; it needs keys of its own"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_the_key_that_was_typed(model, name, setting, message):
    for chip in both_forms(model, name):
        with pytest.raises(ConfigError, match=re.escape(message)) as caught:
            load_setup(model, {"chip": chip}, [f"chip.{setting}"])
        assert str(caught.value).startswith(f"--set chip.{setting}")


@pytest.mark.parametrize(
    ("name", "pattern", "replacement", "message"),
    [
        ("adc_pim_16nm", "  columns_per_adc:", "  columns_per_adk:",
         "adc.columns_per_adk is no key that is known here. Did you mean 'columns_per_adc'?"),
        ("adc_pim_16nm", "  cell_bits: 2", "  cell_bits: 0", "bit_slicing.cell_bits is 0; it"),
        ("adc_pim_16nm", "  activation_bits: 8", "  activation_bits: 9",
         "bit_slicing.activation_bits is 9; it must be 8 or less"),
        ("adc_pim_16nm", "  activation_bits:", "  activation_bit:",
         "bit_slicing.activation_bit is no key that is known here. Did you mean 'activation_bits'"),
        ("adc_pim_16nm", "  units: 4", "  units: no", "activation_unit.units is 'no';"),
        ("isaac_32nm", "  sign: offset", "  sign: shifted",
         "bit_slicing.sign is 'shifted'; it must be 'differential' or 'offset'"),
        ("ba_mlw_16nm", "  raw_offset: 17 mV", "  raw_offset: 17 ns", "sense_amplifier.raw_offset"),
        ("ba_mlw_16nm", "  reset_state: 0", "  reset_state: 1",
         "gru_logic.reset_state is 1; hidden bits begin at 0"),
        ("ba_mlw_16nm", "  gates_in_path: 2", "  gates_in_path: 0", "gru_logic.gates_in_path is 0"),
        ("bnn_slc_16nm", "weights: binary", "weights: trinary", "weights is 'trinary'; it must be"),
        ("ba_mlw_16nm", "  gates_in_path: 2", "  kind: 2", "gru_logic.kind is no key"),
    ],
)  # fmt: skip
def test_an_error_in_an_old_file_names_its_line_and_its_key(
    tmp_path, name, pattern, replacement, message
):
    text = (OLD / f"{name}.yaml").read_text()
    assert pattern in text
    line = text[: text.index(pattern)].count("\n") + 1
    (tmp_path / "chip.yaml").write_text(text.replace(pattern, replacement, 1))
    with pytest.raises(ConfigError) as caught:
        validate(read_yaml(tmp_path / "chip.yaml"), ChipConfig)
    assert str(caught.value).startswith(f"{tmp_path / 'chip.yaml'}:{line}: {message}")


def without(text: str, block: str) -> str:
    return "\n".join(b for b in re.split(r"\n(?=\w+:)", text) if not b.startswith(block))


@pytest.mark.parametrize(
    ("name", "block", "message"),
    [
        ("ba_mlw_16nm", "gru_logic", "gru_logic is missing. Add 'gru_logic:' there"),
        ("adc_pim_16nm", "activation_unit", "activation_unit is missing"),
        ("adc_pim_16nm", "bit_slicing", "bit_slicing is missing"),
        ("adc_pim_16nm", "  activation_bits", "bit_slicing.activation_bits is missing. Add 'act"),
        ("adc_pim_16nm", "adc:", "read_out is missing"),
    ],
)
def test_what_an_old_file_lacks_is_missed_by_its_old_name(tmp_path, name, block, message):
    text = (OLD / f"{name}.yaml").read_text()
    kept = without(text, block)
    if block.startswith(" "):
        kept = "\n".join(line for line in text.splitlines() if not line.startswith(block))
    (tmp_path / "chip.yaml").write_text(kept)
    with pytest.raises(ConfigError, match=message):
        validate(read_yaml(tmp_path / "chip.yaml"), ChipConfig)


@pytest.mark.parametrize(
    ("name", "added", "message"),
    [
        ("ba_mlw_16nm", "adc: {bits: 3}", "adc stands beside 'sense_amplifier', and a chip"),
        ("ba_mlw_16nm", "read_out: {kind: adc}", "sense_amplifier is the older name of 'read_out'"),
        ("adc_pim_16nm", "drive: {kind: binary}", "bit_slicing is the older name of 'drive'"),
        ("bnn_slc_16nm", "network: levels", "weights is the older name of 'network'"),
        ("ba_mlw_16nm", "bit_slicing: {cell_bits: 2, activation_bits: 8, source: test, "
                        "certainty: assumed}", "bit_slicing is of kind 'bit_serial', and read_out"),
    ],
)  # fmt: skip
def test_a_mixture_is_refused(tmp_path, name, added, message):
    (tmp_path / "chip.yaml").write_text((OLD / f"{name}.yaml").read_text() + added + "\n")
    with pytest.raises(ConfigError, match=message):
        validate(read_yaml(tmp_path / "chip.yaml"), ChipConfig)


OLD_MODEL = """\
schema: pimsim.run/1
name: old
network: gru.safetensors
network_with_converters: codes.safetensors
network_with_binary_weights: binary.safetensors
chip: ba_mlw_16nm
device: reram
data: synthetic-speech
chips: 3
"""


def test_an_old_model_file_names_its_networks(tmp_path):
    (tmp_path / "old.yaml").write_text(OLD_MODEL)
    networks = validate(read_yaml(tmp_path / "old.yaml"), RunConfig).networks
    assert (networks.levels, networks.codes, networks.binary) == (
        "gru.safetensors", "codes.safetensors", "binary.safetensors",
    )  # fmt: skip
    with pytest.raises(ConfigError, match=r"old.yaml:4: network_with_converters names 'codes.saf"):
        load_setup(tmp_path / "old.yaml", {"chip": "adc_pim_16nm"})
    (tmp_path / "old.yaml").write_text(OLD_MODEL + "networks: {binary: b.safetensors}\n")
    with pytest.raises(
        ConfigError, match="old.yaml:5: network_with_binary_weights is another name"
    ):
        validate(read_yaml(tmp_path / "old.yaml"), RunConfig)


@pytest.mark.parametrize("key", ["network", "networks.levels"])
def test_a_network_is_set_by_its_old_and_new_key(model, key):
    (model.parent / "other.safetensors").write_bytes(b"")
    found = load_setup(model, {}, [f"{key}=other.safetensors"])
    assert found.network_path.stem == "other"
    with pytest.raises(ConfigError, match=f"--set {key}=gone: {key} names 'gone'"):
        load_setup(model, {}, [f"{key}=gone"])


OLD_AREAS = """\
gate:
  node: 28 nm
  supply: 0.9 V
  energy_per_switching: 0.57 fJ
  area: 0.614 um^2
  delay: 47.8 ps
  source: test
  certainty: assumed

flip_flop:
  node: 28 nm
  supply: 0.9 V
  energy_per_flip: 1.7 fJ
  area: 3.7 um^2
  delay: 163 ps
  source: test
  certainty: assumed
"""


def test_a_technology_of_schema_1_keeps_its_areas_and_its_corner(tmp_path):
    text = (bundled_root() / "hwconfigs/technology/16nm.yaml").read_text()
    kept = text
    for block in ("corner", "leakage", "logic_area", "clock_tree", "gate", "flip_flop"):
        kept = without(kept, f"{block}:")
    kept = re.sub(r"corner: lp\n", "", kept).replace("technology/2", "technology/1")
    path = tmp_path / "old.yaml"
    path.write_text(kept + "\n" + OLD_AREAS)
    found = validate(read_yaml(path), TechnologyConfig)
    assert (found.corner, found.logic_area.node) == ("hp", pytest.approx(28e-9))
    areas = (found.logic_area.gate, found.logic_area.flip_flop)
    assert areas == pytest.approx((0.614e-12, 3.7e-12))
