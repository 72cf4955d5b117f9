"""Start, strobes and restoring of a read, and conversions: sums made by hand."""

from __future__ import annotations

import math

import pytest
from files import bundled_chip, bundled_device, bundled_logic, bundled_technology

from pimsim.circuits.adc import adc_cost, conversion_time
from pimsim.circuits.chain import LineCurrents, chain_of
from pimsim.circuits.lines import Lines
from pimsim.circuits.logic import logic_of
from pimsim.circuits.sense_amplifier import scaled
from pimsim.circuits.strobe import (
    driver_capacitance,
    stages,
    start_delay,
    strobe_delay,
    strobe_energy,
)
from pimsim.circuits.word_line import raising_energy
from pimsim.config.read_out import Adc
from pimsim.errors import MappingError

LOGIC = bundled_logic()


def lines_of(device="reram", technology="16nm", **changes) -> Lines:
    config = bundled_chip().model_copy(update=changes)
    return Lines(config, bundled_device(device), bundled_technology(technology))


def adc(**keys) -> Adc:
    block = bundled_chip("adc_pim_16nm").read_out
    return block.model_copy(update={"conversion_time": None} | keys)


def test_every_stage_drives_four_of_its_size():
    assert [stages(n) for n in (0.5, 1, 2, 4, 5, 16, 17, 64, 256, 1024)] == [
        0, 0, 1, 1, 2, 2, 3, 3, 4, 5,
    ]  # fmt: skip
    assert strobe_delay(1, LOGIC) == 0
    assert strobe_delay(256, LOGIC) == pytest.approx(4 * LOGIC.gate_delay)
    # a smallest gate for each of 256 circuits, and 64 + 16 + 4 ... ahead of them
    energy = 256 * 3 * (0.104 + 0.05) * 1e-15 * 4 / 3 * 0.8**2
    assert strobe_energy(lines_of(), 256, LOGIC) == pytest.approx(energy)


def test_a_read_starts_after_register_strobe_gate_and_driver():
    lines = lines_of()
    # 10 kohm over 1.8 kohm are 5.6 smallest transistors, two stages
    assert start_delay(lines, 256, LOGIC) == pytest.approx(
        LOGIC.flip_flop_delay + (4 + 1 + 2) * LOGIC.gate_delay
    )
    wide = lines.config.word_line_driver.model_copy(update={"resistance": 0.5e3})
    assert start_delay(lines_of(word_line_driver=wide), 16, LOGIC) == pytest.approx(
        LOGIC.flip_flop_delay + (2 + 1 + 3) * LOGIC.gate_delay
    )


def test_word_lines_above_the_supply_of_the_logic_are_shifted():
    driver = bundled_chip().word_line_driver
    high = lines_of(word_line_driver=driver.model_copy(update={"voltage": 1.2}))
    extra = start_delay(high, 256, LOGIC) - start_delay(lines_of(), 256, LOGIC)
    assert extra == pytest.approx(2 * LOGIC.gate_delay)
    # a chip's own supply counts, and not that of the technology
    low = lines_of(supply=0.7)
    slow = logic_of(low.logic)
    assert slow.gate_delay > LOGIC.gate_delay
    assert start_delay(low, 256, slow) == pytest.approx(
        slow.flip_flop_delay + (4 + 1 + 2 + 2) * slow.gate_delay
    )


def test_the_supply_of_a_chip_is_that_of_its_logic_and_decisions_alone():
    plain, low = lines_of(), lines_of(supply=0.7)
    assert low.logic.supply == 0.7
    assert low.technology.supply == plain.technology.supply == 0.8
    assert low.access_share == plain.access_share
    assert raising_energy(low, 512) == raising_energy(plain, 512)
    amplifier = low.config.read_out
    assert scaled(amplifier, low.logic).energy < 1 < scaled(amplifier, low.logic).delay
    assert plain.logic is plain.technology


def test_an_amplifier_is_scaled_among_the_transistors_of_the_technology():
    amplifier = bundled_chip().read_out.model_copy(update={"node": 45e-9})
    # Stillmaker and Baas: 45 nm at 1.0 V to 16 nm at 0.8 V, low power and high performance
    delays = {
        "lp": ((898.8, -1795.0, 1239.0, -285.7), (153.6, -397.4, 366.7, -114.6)),
        "hp": ((566.1, -1619.0, 1567.0, -501.6), (28.87, -47.52, 24.8)),
    }
    for corner, (old, new) in delays.items():
        technology = bundled_technology().model_copy(update={"corner": corner})
        expected = sum(c * 0.8**n for n, c in enumerate(new)) / sum(old)
        assert scaled(amplifier, technology).delay == pytest.approx(expected)


def test_the_driver_is_charged_with_its_line():
    lines = lines_of()
    # n-type and twice as wide p-type, gate and drain, and 1/4 + 1/16 + ... of it ahead
    driver = 10 / 1.8 * 3 * (0.104 + 0.05) * 1e-15 * 4 / 3
    assert driver_capacitance(lines) == pytest.approx(driver)
    line = 512 * lines.word_line_capacitance
    assert raising_energy(lines, 512) == pytest.approx((line + driver) * 0.8**2)


@pytest.mark.parametrize("rows", [64, 4096])
def test_lines_are_restored_by_six_smallest_transistors(rows):
    lines = lines_of()
    chain = chain_of(lines, LineCurrents(20e-6, 50e-6), rows, 1e-15, 30e-6)
    line = rows * lines.bit_line_capacitance
    restored = (10e3 / 6 + 0.38 * rows * lines.bit_line_resistance) * line
    node = 10e3 / 6 * chain.capacitance
    # short lines are back before the node of 11 fF behind their clamp
    assert (restored < node) == (rows == 64)
    assert chain.restoring_time == pytest.approx(max(restored, node) * math.log(1000))


def test_a_conversion_takes_longer_the_more_rows_are_on():
    # zigzag-imc: bits x (0.640 + 0.00653 rows) ns, with 1,024, 16 and 8 rows on in its macros
    found = [conversion_time(adc(cost="cim_28nm", bits=bits), rows, bundled_technology(), LOGIC)
             for bits, rows in ((6, 1024), (5, 16), (3, 8))]  # fmt: skip
    assert found == pytest.approx([43.96e-9, 3.722e-9, 2.077e-9], rel=1e-3)


def test_a_flash_adc_decides_once():
    technology = bundled_technology("28nm")
    assert technology.supply == 0.9
    logic = logic_of(technology)
    found = conversion_time(adc(cost="flash", bits=3), 7, technology, logic)
    # the comparator is of 28 nm at 0.9 V; a gate for each bit, and a register
    assert found == pytest.approx(1e-9 + 3 * 47.8e-12 + 163e-12)
    slow = technology.model_copy(update={"supply": 0.75})
    assert conversion_time(adc(cost="flash", bits=3), 7, slow, logic_of(slow)) > found


def test_a_model_without_a_time_asks_for_one():
    with pytest.raises(MappingError, match="'survey'.*no time.*chip.read_out.conversion_time"):
        conversion_time(adc(cost="survey"), 256, bundled_technology(), LOGIC)


def test_the_fit_of_macros_has_the_energy_of_its_supply():
    at = {supply: adc_cost("cim_28nm", 6, supply=supply).energy for supply in (0.8, 1.2)}
    assert at[0.8] == pytest.approx((600 + 0.001 * 4**6) * 1e-15 * 0.64)
    assert at[1.2] / at[0.8] == pytest.approx(1.5**2)
    for model in ("isaac", "survey", "neurosim", "flash"):
        assert adc_cost(model, 6, supply=0.8) == adc_cost(model, 6, supply=1.2)
