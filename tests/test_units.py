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
    ],
)
def test_quantities_become_si_numbers(text, unit, value):
    assert parse_quantity(text, unit) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "unit", "message"),
    [
        ("10 ns", "volt", "'10 ns', of dimension .* such as '600 mV'"),
        (0.8, "volt", "0.8 without a unit; write it as '600 mV'"),
        ("fast", "second", "'fast'; expected a quantity such as '10 ns'|of dimension"),
        (True, "", "is True"),
        (None, "volt", "is None"),
        ("1e999 V", "volt", "must be finite|expected a quantity"),
        ("nan V", "volt", "must be finite|expected a quantity"),
        ("9**9**9 V", "volt", "write the number out"),
        ("9^9^9 V", "volt", "write the number out"),
        ("1" * 99, "", "too long"),
        ("", "volt", "expected a quantity|of dimension"),
    ],
)
def test_what_is_no_such_quantity_is_refused(text, unit, message):
    with pytest.raises(ValueError, match=message):
        parse_quantity(text, unit)
