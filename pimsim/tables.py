"""Delimiters and decimal marks of text tables, the same for every reader."""

from __future__ import annotations

import re

DELIMITERS = ",;\t"
# a number with a decimal comma, and perhaps a unit: 0,5 uA
_DECIMAL_COMMA = re.compile(r"([+-]?\d*),(\d+(?:[eE][+-]?\d+)?(?:\s*[^\s\d,.;][^,.;]*)?)")


def delimiter_of(header: str) -> str:
    """Delimiter of a table: the comma, semicolon or tab that its first line has most of."""
    return max(DELIMITERS, key=header.count)


def with_point(text: str, delimiter: str) -> str:
    """A number with a decimal point for one with a decimal comma; other text as it is.

    A comma is a decimal mark only where another character delimits: `0,5` in a table with
    semicolons. `1.234,5` has two marks and stays as it is, so that no reader takes it for a
    number.
    """
    if delimiter == "," or "," not in text:
        return text
    match = _DECIMAL_COMMA.fullmatch(text.strip())
    return f"{match[1]}.{match[2]}" if match else text
