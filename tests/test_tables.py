"""Delimiters and decimal marks are the same wherever a table is read."""

from __future__ import annotations

import pytest

from pimsim.tables import delimiter_of, with_point


@pytest.mark.parametrize(
    ("header", "delimiter"),
    [("a,b", ","), ("a;b", ";"), ("a\tb", "\t"), ("a;b,c;d", ";"), ("", ",")],
)
def test_the_first_line_tells_the_delimiter(header, delimiter):
    assert delimiter_of(header) == delimiter


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("5,00", "5.00"),
        ("-0,5", "-0.5"),
        (",5", ".5"),
        ("1,5e-3", "1.5e-3"),
        ("0,5 uA", "0.5 uA"),
        ("1.234,5", "1.234,5"),
        ("1,234,567", "1,234,567"),
        ("reram", "reram"),
        ("a,b", "a,b"),
        ("0.5", "0.5"),
    ],
)
def test_a_decimal_comma_is_one_where_semicolons_delimit(text, found):
    assert with_point(text, ";") == found
    assert with_point(text, "\t") == found
    assert with_point(text, ",") == text
