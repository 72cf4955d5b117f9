from __future__ import annotations

import pytest

from pimsim.units import parse_quantity


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("600 mV", "volt", 0.6),
        ("2 fF", "farad", 2e-15),
        ("1 day", "second", 86400.0),
        ("25 degC", "kelvin", 298.15),
        ("3.5 %", "", 0.035),
        (0.25, "", 0.25),
        ("4.7 uA", "ampere", 4.7e-6),
        ("0.03 um2", "meter ** 2", 3e-14),
        ("0.03 um^2", "meter ** 2", 3e-14),
        ("1.5mm2 ", "meter ** 2", 1.5e-6),
        ("2 \N{MICRO SIGN}m\N{SUPERSCRIPT TWO}", "meter ** 2", 2e-12),
    ],
)
def test_quantities_become_si_numbers(text, unit, value):
    assert parse_quantity(text, unit) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "unit", "message"),
    [
        ("10 ns", "volt", "'10 ns', a time; a voltage is needed, such as '600 mV'"),
        (0.8, "volt", "0.8 without a unit; write it as '600 mV'"),
        ("fast", "second", "'fast'; expected a quantity such as '10 ns'"),
        (True, "", "is True"),
        (None, "volt", "is None"),
        ("1e999 V", "volt", "must be finite|expected a quantity"),
        ("nan V", "volt", "must be finite|expected a quantity"),
        ("9**9**9 V", "volt", "write the number out"),
        ("9^9^9 V", "volt", "write the number out"),
        ("1" * 99, "", "too long"),
        ("2 um", "meter ** 2", "'2 um', a length; an area is needed, such as '0.1 um2'"),
        ("2 um2", "meter", "'2 um2', an area; a length is needed"),
        ("2 s2", "second", "write the number out"),
        (3, "hertz", "write it as '100 MHz'"),
        ("", "volt", "expected a quantity"),
    ],
)
def test_what_is_no_such_quantity_is_refused(text, unit, message):
    with pytest.raises(ValueError, match=message):
        parse_quantity(text, unit)
