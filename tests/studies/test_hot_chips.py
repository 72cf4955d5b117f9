"""Runs at another temperature: what moves, by its closed form, and what a report says."""

from __future__ import annotations

import math

import pytest
from files import write_model

import pimsim
from pimsim.errors import PimsimError
from pimsim.report.documents import RunDocument
from pimsim.report.pages.run import run_page

HOT = ["temperature='85 degC'"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("model"), device="reram")


@pytest.fixture(scope="module")
def reports(model):
    run = {"chips": 1, "limit": 4}
    return [
        pimsim.run(model, set=changes, noise_sources=bool(changes), **run).report
        for changes in ([], HOT)
    ]


def moved(report):
    return {entry["what"]: entry["factor"] for entry in report["noise"]["temperature"]["moves"]}


def test_thermal_noise_goes_with_the_root_and_leakage_doubles(reports):
    cold, hot = reports
    assert hot["noise"]["chip_temperature_k"] == pytest.approx(358.15)
    assert hot["area"]["leakage_temperature_k"] == pytest.approx(358.15)
    doubled = 2 ** (58.15 / 11)
    assert hot["area"]["leakage_w"] == pytest.approx(doubled * cold["area"]["leakage_w"])
    factors = moved(hot)
    assert factors["leakage"] == pytest.approx(doubled)
    # kT/C of 2 fF at 85 C, both sides: 2.224 mV
    assert factors["thermal noise (kT/C) of lines, loads and amplifiers"] == pytest.approx(
        1.09263, rel=1e-5
    )
    assert math.sqrt(2 * 1.380649e-23 * 358.15 / 2e-15) == pytest.approx(2.224e-3, rel=1e-3)


def test_currents_of_cells_and_of_lines_rise(reports):
    cold, hot = reports
    factors = moved(hot)
    lowest, highest = (
        factors[f"current of the {end} of 4 levels, with its errors"]
        for end in ("lowest", "highest")
    )
    # 0.05 eV at no current, none at the top; level 0 is a twentieth of it
    exponent = 0.0475 / 8.617333e-5 * (1 / 300 - 1 / 358.15)
    assert lowest == pytest.approx(math.exp(exponent), rel=1e-6)
    assert highest == 1
    for before, after in zip(cold["noise"]["matrices"], hot["noise"]["matrices"], strict=True):
        means = before["level_mean_full_scale"], after["level_mean_full_scale"]
        assert means[1][0] == pytest.approx(lowest * means[0][0])
    lines = [report["electrical"][0]["mean_line_current_a"] for report in reports]
    assert lines[1] > 1.05 * lines[0]
    loads = [report["electrical"][0]["transimpedance_v_per_a"] for report in reports]
    assert loads[0] == loads[1]


def test_a_report_says_what_moves_and_what_does_not(reports):
    cold, hot = reports
    still = " ".join(hot["noise"]["temperature"]["does_not_move"])
    assert "resistance of wires" in still
    assert "drift" not in still
    assert not any("levels" in what for what in moved(cold))
    tables = [
        block
        for section in run_page(RunDocument.model_validate(hot)).sections
        for block in section.blocks
        if getattr(block, "title", "") == "At 358.15 K"
    ]
    assert tables
    assert "Does not move" in tables[0].note
    assert tables[0].on_terminal


def test_currents_at_another_temperature_are_a_source_of_their_own(reports):
    named = [
        [source["source"] for source in report["noise"]["contributions"]] for report in reports
    ]
    assert "temperature" not in named[0]
    assert "temperature" in named[1]


def test_without_its_switch_no_current_moves(model):
    off = pimsim.run(
        model, chips=1, limit=2, noise_sources=False, set=[*HOT, "noise.temperature=off"]
    ).report
    assert "noise.temperature is off" in " ".join(off["noise"]["temperature"]["does_not_move"])
    assert not any("levels" in what for what in moved(off))


def test_drift_is_hastened_where_its_energy_is_known(tmp_path):
    model = write_model(tmp_path, device="cmos_mlc_4")
    known = [*HOT, "device.drift.activation_energy='1 eV'"]
    report = pimsim.run(model, chips=1, limit=2, noise_sources=False, set=known).report
    pace = math.exp(1 / 8.617333e-5 * (1 / 398.15 - 1 / 358.15))
    assert moved(report)["age of the levels, for drift"] == pytest.approx(pace, rel=1e-5)


def test_two_temperatures_of_one_chip_are_refused(model):
    with pytest.raises(PimsimError, match=r"chip\.temperature is set too"):
        pimsim.run(model, limit=2, set=[*HOT, "chip.temperature='300 K'"])
    with pytest.raises(PimsimError, match="a voltage; a temperature is needed"):
        pimsim.run(model, limit=2, set=["temperature='85 mV'"])


def test_a_sweep_goes_over_temperatures(model):
    axes = {"temperature": ["300 K", "85 degC"]}
    swept = pimsim.sweep(model, axes, chips=1, limit=2, noise_sources=False)
    cold, hot = (point["energy_per_inference_j"] for point in swept.document["points"])
    assert hot > cold  # leakage, and the currents of low levels
