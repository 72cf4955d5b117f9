"""The electrical chain by hand: a resistor and a current source, on a load and on a capacitor."""

from __future__ import annotations

import math

import pytest
from files import bundled_chip, bundled_device, bundled_technology

from pimsim.circuits.chain import LineCurrents, chain_of
from pimsim.circuits.lines import Lines
from pimsim.circuits.sense_amplifier import own_noise
from pimsim.config.clamp import CLAMP_BLOCKS
from pimsim.config.loads import LOAD_BLOCKS

K, Q = 1.380649e-23, 1.602176634e-19
SOURCED = {"source": "test", "certainty": "assumed"}
ROWS, C_IN = 256, 1e-15
CURRENTS = LineCurrents(mean=20e-6, highest=50e-6)


def load(kind: str, **keys):
    block = {"kind": kind, "capacitance": "9 fF", "mismatch": "1 %", "area": "8 um^2"}
    return LOAD_BLOCKS[kind].model_validate(block | SOURCED | keys)


def clamp(kind: str, **keys):
    if kind == "none":
        return CLAMP_BLOCKS["none"].model_validate({"kind": "none"})
    block = {"kind": kind, "headroom": "100 mV", "slope": 1.3, "offset": "2 mV", "area": "1 um^2"}
    return CLAMP_BLOCKS[kind].model_validate(block | SOURCED | keys)


def chain(device: str, the_load, the_clamp, currents=CURRENTS, range_current=30e-6, **line):
    config = bundled_chip()
    update = {
        "load": the_load,
        "clamp": the_clamp,
        "bit_line": config.bit_line.model_copy(update=line),
    }
    config = config.model_copy(update=update)
    lines = Lines(config, bundled_device(device), bundled_technology())
    return chain_of(lines, currents, ROWS, C_IN, range_current)


def test_lines_follow_the_cell_and_the_technology():
    lines = chain("reram", load("resistor", resistance="8 kohm"), clamp("cascode")).lines
    pitch = math.sqrt(0.0763)  # um
    # two layers of metal
    assert lines.bit_line_capacitance == pytest.approx((2 * 0.2 * pitch + 0.05) * 1e-15)
    assert lines.word_line_capacitance == pytest.approx((0.2 * pitch + 0.104) * 1e-15)
    # half of the pitch is as wide as 4.3 smallest wires
    assert lines.bit_line_resistance == pytest.approx(19.7 / (2 * pitch / 2 / 0.032) * pitch)
    assert lines.word_line_resistance == pytest.approx(19.7 * pitch)
    two = chain("cmos_mlc", load("resistor", resistance="8 kohm"), clamp("none")).lines
    assert two.bit_line_capacitance == pytest.approx((2 * 0.2 * 0.0115 / 0.128 + 2 * 0.05) * 1e-15)
    assert two.word_line_voltage == 0.362


def test_a_clamped_resistor_on_a_resistor():
    found = chain("reram", load("resistor", resistance="8 kohm"), clamp("cascode"))
    c = 10e-15
    # read when all but 0.1 % has settled
    assert (found.gain, found.drawn) == (pytest.approx(0.999 * 8e3), 1)
    assert found.capacitance == pytest.approx(c)
    assert found.drop(50e-6) == pytest.approx(0.4)
    assert found.needed_voltage == pytest.approx(0.3)
    # k T / C and shot noise 2 q I R^2 / (4 R C), both sides
    variance = 2 * (K * 300 / c + Q * 20e-6 * 8e3 / (2 * c))
    assert found.noise() == pytest.approx(math.sqrt(variance))
    # the factor over k T / C is 1 + I R / (2 kT/q)
    factor = 1 + 0.16 / (2 * K * 300 / Q)
    assert found.noise() == pytest.approx(math.sqrt(2 * K * 300 / c * factor))
    c_bl = ROWS * found.lines.bit_line_capacitance
    tau = 8e3 * c + c_bl * 1.3 * (K * 300 / Q) / 20e-6
    tau += 0.38 * ROWS * found.lines.bit_line_resistance * c_bl
    assert found.settling_time == pytest.approx(tau * math.log(1000))
    # 2 ns of current from 0.8 V, and the charge I R C by which the node comes back
    assert found.energy_per_current(2e-9) == pytest.approx(0.8 * (2e-9 + 8e3 * c))
    assert found.precharge_energy() == pytest.approx(c_bl * 0.2 * 0.8)
    # two clamps of 2 mV at 200 mV, loads of 1 %, 1.5 % of the common mode
    assert found.mismatch(0.015) == pytest.approx(math.hypot(0.01, 0.015, math.sqrt(2) * 0.01))


def test_a_regulated_clamp_settles_faster_and_takes_a_bias():
    slow = chain("reram", load("resistor", resistance="8 kohm"), clamp("cascode"))
    fast = chain(
        "reram", load("resistor", resistance="8 kohm"), clamp("regulated", gain=9, current="5 uA")
    )
    of_clamp = slow.clamp.settling(slow.line_capacitance, 20e-6, 300)
    assert slow.settling_time - fast.settling_time == pytest.approx(0.9 * of_clamp * math.log(1000))
    assert fast.clamp.bias_energy(0.8, 2e-9) == pytest.approx(5e-6 * 0.8 * 2e-9)


def test_an_unclamped_resistor_is_compressed():
    """The line of cells of conductance G falls to V_s / (1 + x), and its slope by (1 + x)^2."""
    found = chain("reram", load("resistor", resistance="8 kohm"), clamp("none"))
    g = 20e-6 / 0.2
    x = 8e3 * g
    line = 0.8 / (1 + x)
    assert found.drop(20e-6) == pytest.approx(0.8 - line)
    step = 1e-6 * g
    by_difference = (0.8 / (1 + 8e3 * (g - step)) - 0.8 / (1 + 8e3 * (g + step))) / (2 * step)
    # volts per siemens, over the read voltage: volts per ampere as the device states it
    assert found.gain == pytest.approx(0.999 * by_difference / 0.2, rel=1e-6)
    assert found.energy_per_current(2e-9) * 20e-6 == pytest.approx(
        (0.8 - line) / 8e3 * 0.8 * (2e-9 + 8e3 * found.capacitance)
    )
    assert found.capacitance == pytest.approx(10e-15 + found.line_capacitance)


def test_a_current_source_on_a_resistor_needs_no_clamp():
    found = chain("cmos_mlc", load("resistor", resistance="8 kohm"), clamp("none"))
    assert (found.gain, found.drawn, found.lost_gain) == (pytest.approx(0.999 * 8e3), 1, 0)
    assert found.needed_voltage == pytest.approx(0.1)
    assert found.mismatch() == pytest.approx(0.01)


def test_a_current_source_is_integrated():
    found = chain("cmos_mlc", load("capacitor", time="0.5 ns"), clamp("none"))
    c = 10e-15 + found.line_capacitance
    assert found.capacitance == pytest.approx(c)
    assert found.gain == pytest.approx(0.5e-9 / c)
    assert found.drop(20e-6) == pytest.approx(20e-6 * 0.5e-9 / c)
    assert found.integration == pytest.approx(0.5e-9)
    # k T / C of the precharge, and q I t of the charge
    variance = 2 * (K * 300 / c + Q * 20e-6 * 0.5e-9 / c**2)
    assert found.noise() == pytest.approx(math.sqrt(variance))
    # the charge that was drawn is all that a supply gives, however long a read lasts
    assert found.energy_per_current(9e-9) == pytest.approx(0.5e-9 * 0.8)


def test_resistors_are_integrated_without_a_clamp():
    found = chain("reram", load("capacitor", time="0.5 ns"), clamp("none"))
    c, g = found.capacitance, 20e-6 / 0.2
    left = 0.8 * math.exp(-g * 0.5e-9 / c)
    assert found.drop(20e-6) == pytest.approx(0.8 - left)
    slope = 0.8 * 0.5e-9 / c * math.exp(-g * 0.5e-9 / c)
    assert found.gain == pytest.approx(slope / 0.2)


def test_a_wanted_range_gives_the_load():
    by_load = chain("reram", load("resistor", input_range="240 mV"), clamp("cascode"))
    assert by_load.gain == pytest.approx(0.24 / 30e-6)
    by_time = chain("cmos_mlc", load("capacitor", input_range="240 mV"), clamp("none"))
    assert by_time.integration == pytest.approx(0.24 / 30e-6 * by_time.capacitance)
    # the clock ends an integration with one of its edges, and the gain follows
    clocked = chain(
        "cmos_mlc", load("capacitor", input_range="240 mV"), clamp("none"), pulse="clocked"
    )
    assert clocked.integration == pytest.approx(10e-9)
    assert clocked.gain == pytest.approx(10e-9 / clocked.capacitance)


@pytest.mark.parametrize("given", [{}, {"resistance": "1 kohm", "input_range": "1 V"}])
def test_a_load_has_one_size(given):
    with pytest.raises(ValueError, match="needs either resistance or input_range"):
        load("resistor", **given)


def test_a_source_line_by_column_row_and_mesh():
    found = {}
    for kind in ("column", "row", "mesh"):
        config = bundled_chip()
        array = config.array.model_copy(update={"source_line": kind})
        config = config.model_copy(update={"array": array})
        lines = Lines(config, bundled_device("reram"), bundled_technology())
        found[kind] = lines.drop(ROWS, 20e-6, 90e-6)
    r = ROWS * lines.bit_line_resistance
    assert found["column"] == pytest.approx(20e-6 * r)
    assert found["mesh"] == pytest.approx(20e-6 * r * (1 / 2 + 1 / 8))
    along_row = 90e-6 * lines.bit_line_resistance * config.array.columns / 2
    assert found["row"] == pytest.approx(20e-6 * r / 2 + along_row)


def test_an_access_transistor_follows_its_gate():
    def resistance(voltage: float) -> float:
        config = bundled_chip()
        driver = config.word_line_driver.model_copy(update={"voltage": voltage})
        config = config.model_copy(update={"word_line_driver": driver})
        return Lines(config, bundled_device("reram"), bundled_technology()).access_resistance

    assert resistance(0.8) == pytest.approx(10e3)
    assert resistance(0.575) == pytest.approx(20e3)
    assert resistance(0.3) == math.inf


def test_a_low_word_line_takes_current_from_the_cells():
    found = chain("reram", load("resistor", resistance="8 kohm"), clamp("cascode"))
    driver = found.lines.config.word_line_driver.model_copy(update={"voltage": 0.4})
    config = found.lines.config.model_copy(update={"word_line_driver": driver})
    lines = Lines(config, found.lines.device, found.lines.technology)
    low = chain_of(lines, CURRENTS, ROWS, C_IN, 30e-6)
    # 90 instead of 10 kohm in series with 200 kohm
    assert low.drawn == pytest.approx(200 / 280)
    assert low.gain == pytest.approx(found.gain * 200 / 280)


def test_an_amplifier_has_noise_of_its_own():
    amplifier = bundled_chip().read_out
    for femtofarad, millivolt in ((1, 3.15), (2, 2.23), (4, 1.58)):
        one = amplifier.model_copy(update={"internal_capacitance": femtofarad * 1e-15})
        assert own_noise(one, 300) * 1e3 == pytest.approx(millivolt, abs=0.01)
