"""Energy against counts and unit energies taken from report.json and the YAML files anew."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
import yaml
from files import bundled_chip, bundled_device, write_model
from networks import random_features, random_gru

from pimsim.chip import build_chip
from pimsim.config import NoiseConfig, bundled_root
from pimsim.cost.energy import energy_account
from pimsim.simulate import encode_inputs, run_chips
from pimsim.studies.document import describe_run
from pimsim.studies.run import run
from pimsim.timing.schedule import chip_parts


def si(text: str) -> float:
    """A quantity of the YAML files in SI units, without the project's own reader."""
    number, unit = text.split()
    prefixes = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6}
    bare = ("V", "F", "s", "J", "ohm", "Hz", "A")
    if unit in bare:
        return float(number)
    if unit == "%":
        return float(number) / 100
    assert unit[1:] in bare, unit
    return float(number) * prefixes[unit[0]]


@pytest.mark.parametrize("kind", ["gru", "lenet"])
def test_energy_is_counts_times_unit_energies(tmp_path, kind):
    report = json.loads(json.dumps(describe_run(run(write_model(tmp_path, kind), chips=2))))
    text = (bundled_root() / "hwconfigs/chips/ba_mlw_16nm.yaml").read_text()
    chip = yaml.safe_load(text)
    line, driver, amplifier = chip["bit_line"], chip["word_line_driver"], chip["sense_amplifier"]
    cells, rows = chip["array"]["columns"], chip["array"]["rows"]
    n = report["run"]["n_chips"] * report["run"]["n_sequences"]
    settled = math.log(1 / si(line["settling_error"]))
    c_wl = cells * si(driver["capacitance_per_cell"])
    up = (
        settled
        * c_wl
        * (si(driver["resistance"]) + 0.38 * cells * si(driver["resistance_per_cell"]))
    )
    stacked = {entry["layer"]: entry["n_stacked"] for entry in report["placement"]}
    items = {(item["component"], item["action"]): item for item in report["energy"]["items"]}
    expected = {}
    for matrix in report["noise"]["matrices"]:
        n_rows = rows * stacked[matrix["matrix"].split(".")[0]]
        c_bl = n_rows * si(line["capacitance_per_row"])
        tau = si(line["load_resistance"]) * (c_bl + si(amplifier["input_capacitance"]))
        tau += 0.38 * n_rows * si(line["resistance_per_row"]) * c_bl
        time = up + settled * tau + si(amplifier["decision_time"])
        each = matrix["quantum_a"] * time * si(line["supply"])
        key = ("array", matrix["matrix"])
        expected[key] = each * items[key]["count"] / n
    actions = report["actions"]
    prices = {
        ("word_line_driver", "rows_driven"): c_wl * si(driver["voltage"]) ** 2,
        ("sense_amplifier", "decisions"): si(amplifier["energy_per_decision"]),
        ("gru_logic", "selections"): si(chip["gru_logic"]["energy_per_selection"]),
        ("gru_logic", "register_flips"): si(chip["gru_logic"]["energy_per_flip"]),
        ("input_encoder", "macs"): si(chip["input_encoder"]["energy_per_mac"]),
        ("output_unit", "macs"): si(chip["output_unit"]["energy_per_mac"]),
    }
    for (component, action), price in prices.items():
        if action in actions.get(component, {}):
            expected[component, action] = price * actions[component][action] / n
    link = items["link", "bits"]
    expected["link", "bits"] = si(chip["link"]["energy_per_bit"]) * link["count"] / n
    found = {key: item["per_inference_j"] for key, item in items.items()}
    assert found == pytest.approx(expected, rel=1e-9)
    energy = report["energy"]
    assert sum(energy["by_component_j"].values()) == pytest.approx(energy["per_inference_j"])
    assert sum(expected.values()) == pytest.approx(energy["per_inference_j"])


def account_of(network, features, device="reram"):
    chip = build_chip(network, bundled_chip(), bundled_device(device), NoiseConfig())
    encoded = encode_inputs(chip, features)
    found = run_chips(chip, encoded, [0], 1)
    items = energy_account(
        chip, found.counts, chip_parts(chip, encoded.shape[1]), found.predictions.size
    )
    return encoded, {(item.component, item.action): item.energy for item in items}


def test_more_ones_cost_more():
    network = random_gru()
    features = random_features(network, 20)
    # a lower threshold of the encoder lets more of its bits be 1
    encoder = network.encoder
    lower = dataclasses.replace(encoder, thresholds=encoder.thresholds - np.float32(1.0))
    few_bits, few = account_of(network, features)
    many_bits, many = account_of(dataclasses.replace(network, encoder=lower), features)
    assert many_bits.sum() > 1.1 * few_bits.sum()
    for key in (("word_line_driver", "rows_driven"), ("array", "gru0.gate")):
        assert many[key] > few[key]
    assert many["sense_amplifier", "decisions"] == few["sense_amplifier", "decisions"]


def test_another_device_changes_the_array_alone():
    network = random_gru()
    features = random_features(network, 20)
    noise = NoiseConfig.ideal()
    found = {}
    for device in ("reram", "cmos_mlc"):
        chip = build_chip(network, bundled_chip(), bundled_device(device), noise)
        run_ = run_chips(chip, encode_inputs(chip, features), [0], 1)
        parts = chip_parts(chip, 5)
        found[device] = {
            (item.component, item.action): item.energy
            for item in energy_account(chip, run_.counts, parts, 20)
        }
    assert found["reram"].keys() == found["cmos_mlc"].keys()
    for key, energy in found["reram"].items():
        assert (energy == found["cmos_mlc"][key]) == (key[0] != "array"), key
