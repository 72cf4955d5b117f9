"""A chip file names one drive, weight coding, read-out and logic, each by its kind."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

import pytest
from files import bundled_chip, write_model

from pimsim.config import ChipConfig, bundled_root, find_config, load_setup, read_yaml, validate
from pimsim.config.read_out import READ_OUT_BLOCKS, CurrentReadOut
from pimsim.config.schema import Needs, Seconds
from pimsim.errors import ConfigError, Place


def source_of(name: str):
    return read_yaml(find_config(name, "chip", Place("test")))


class TimeToDigital(CurrentReadOut):
    gives = "bits"

    kind: Literal["time_to_digital"]
    ramp: Seconds


def test_a_new_kind_needs_one_entry_in_its_dictionary(monkeypatch):
    monkeypatch.setitem(READ_OUT_BLOCKS, "time_to_digital", TimeToDigital)
    source = source_of("ba_mlw_16nm")
    block = {
        "kind": "time_to_digital", "ramp": "3 ns", "input_capacitance": "1 fF",
        "source": "test", "certainty": "assumed",
    }  # fmt: skip
    source.tree["read_out"] = block
    chip = validate(source, ChipConfig)
    assert isinstance(chip.read_out, TimeToDigital)
    assert chip.read_out.ramp == pytest.approx(3e-9)
    assert '"ramp":' in chip.model_dump_json()
    source.tree["read_out"] = block | {"ramb": "3 ns"}
    with pytest.raises(ConfigError, match="read_out.ramb is no key.*Did you mean 'ramp'"):
        validate(source, ChipConfig)


def test_a_new_kind_states_what_it_goes_with(monkeypatch):
    class OnPairs(TimeToDigital):
        goes_with: ClassVar = {"weight_coding": Needs("in_slices", "a ramp starts per slice")}

    monkeypatch.setitem(READ_OUT_BLOCKS, "time_to_digital", OnPairs)
    source = source_of("ba_mlw_16nm")
    source.tree["read_out"] = {
        "kind": "time_to_digital", "ramp": "3 ns", "input_capacitance": "1 fF",
        "source": "test", "certainty": "assumed",
    }  # fmt: skip
    with pytest.raises(ConfigError, match="weight_coding is of kind .*: a ramp starts per slice"):
        validate(source, ChipConfig)


TALL = (
    "{kind: partial_sums, bits: 4, range: calibrated, columns_per_adc: 8, cost: survey, "
    "conversion_time: 10 ns, input_capacitance: 10 fF, noise: 0, offset: 0, gain_error: 0 %, "
    "nonlinearity: 0, source: test, certainty: assumed}"
)


@pytest.mark.parametrize(
    ("name", "assignments", "message"),
    [
        ("ba_mlw_16nm", ["drive={kind: bit_serial, bits: 8, source: test, certainty: assumed}"],
         "drive is of kind 'bit_serial', and read_out 'sense_amplifier' needs binary: it decides"),
        ("ba_mlw_16nm",
         ["weight_coding={kind: bit_slices, cell_bits: 2, source: test, certainty: assumed}"],
         "weight_coding is of kind 'bit_slices', and read_out 'sense_amplifier' needs "
         "differential_pair: it decides once, so the whole weight must be in one current"),
        ("adc_pim_16nm", ["drive={kind: binary}"],
         "drive is of kind 'binary', and read_out 'adc' needs bit_serial or multi_level: its"),
        ("adc_pim_16nm", ["logic={kind: gates, multiplexer_gates: 3, gates_in_path: 2, "
                          "source: test, certainty: assumed}"],
         "logic is of kind 'gates', which takes bits, and read_out 'adc' gives codes"),
        ("adc_pim_16nm", ["network=levels"], "network is 'levels', whose layers pass on bits, and"),
        ("adc_pim_16nm", ["read_out.kind=adcs"], "read_out.kind is 'adcs', which is no known kind. "
                                                 "Known kinds: adc, adder_tree, multipliers, "
                                                 "partial_sums, sense_amplifier"),
        ("adc_pim_16nm", ["read_out=3"], "read_out is 3; it needs keys of its own"),
        ("adc_pim_16nm", ["read_out={bits: 3}"], "read_out.kind is missing. Add 'kind:' there"),
        ("adc_pim_16nm", ["read_out.kind=[3]"], "read_out.kind is [3], which is no known kind"),
        ("adc_pim_16nm", [f"tall_layers={TALL}"],
         "tall_layers is there, and read_out 'adc' adds the sums of arrays itself, so that no "
         "layer is too tall for it: remove it"),
        ("ba_mlw_16nm", [f"tall_layers={TALL}".replace("partial_sums", "adc")],
         "tall_layers is of kind 'adc'; layers that are too tall for read_out 'sense_amplifier' "
         "need one that adds the sums of arrays and gives bits: partial_sums"),
        ("ba_mlw_mixed_16nm", ["tall_layers.bits=1"], "tall_layers.bits is 1; it must be"),
        ("ba_mlw_mixed_16nm", ["tall_layers.columns=3"],
         "tall_layers.columns is no key that is known here. Did you mean 'columns_per_adc'"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_with_a_sentence(tmp_path, name, assignments, message):
    changes = [f"chip.{text}" for text in assignments]
    with pytest.raises(ConfigError, match=re.escape(message)) as caught:
        load_setup(write_model(tmp_path), {"chip": name}, changes)
    assert str(caught.value).startswith(f"--set {changes[-1]}")


def test_a_chip_gets_adcs_for_tall_layers_from_the_command_line(tmp_path):
    changes = [f"chip.tall_layers={TALL}", "chip.array.max_stack=1"]
    chip = load_setup(write_model(tmp_path), {"chip": "ba_mlw_16nm"}, changes).chip
    assert (chip.tall_layers.kind, chip.tall_layers.bits) == ("partial_sums", 4)
    assert bundled_chip("ba_mlw_16nm").tall_layers is None


def test_a_misfit_in_a_file_is_told_at_its_line(tmp_path):
    text = (bundled_root() / "hwconfigs/chips/ba_mlw_16nm.yaml").read_text()
    changed = text.replace("drive:\n  kind: binary\n", "drive:\n  kind: bit_serial\n  bits: 8\n"
                           "  source: test\n  certainty: assumed\n")  # fmt: skip
    (tmp_path / "chip.yaml").write_text(changed)
    line = text.splitlines().index("drive:") + 1
    with pytest.raises(ConfigError, match=rf"chip.yaml:{line}: drive is of kind"):
        validate(read_yaml(tmp_path / "chip.yaml"), ChipConfig)


def test_blocks_are_dumped_by_their_own_class():
    chip = bundled_chip("adc_pim_16nm")
    assert '"columns_per_adc":128' in chip.model_dump_json()
    assert ChipConfig.model_fields["read_out"].metadata
