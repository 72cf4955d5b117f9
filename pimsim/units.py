"""Quantities with units: parsed where input is read, plain SI numbers elsewhere."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import platformdirs

from pimsim.errors import shown
from pimsim.private import make_private, remove_private, trouble_with

BOLTZMANN_J_PER_K = 1.380649e-23  # exact, SI 2019
ELEMENTARY_CHARGE_C = 1.602176634e-19  # exact, SI 2019

# examples in error messages, by SI unit
EXAMPLES = {
    "volt": "600 mV",
    "ampere": "2 uA",
    "farad": "2 fF",
    "second": "10 ns' or '1 day",
    "kelvin": "300 K",
    "meter": "16 nm",
    "meter ** 2": "0.1 um^2",
    "farad / meter": "0.2 fF/um",
    "ohm / meter": "20 ohm/um",
    "": "2 %",
}


_NUMBER = re.compile(r"\s*[+-]?(\d[\d_]*(\.[\d_]*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


def _refuse_arithmetic(text: str, example: str) -> None:
    """Refuse anything but one number and its unit: pint would also evaluate 9^9^9."""
    number = _NUMBER.match(text)
    if number is None:
        raise ValueError(f"is {shown(text)}; expected a quantity such as '{example}'")
    # an area is written um^2
    unit = re.sub(r"(?<=m)\^2$", "", text[number.end() :].strip())
    if "^" in unit or "**" in unit or any(letter.isdigit() for letter in unit):
        raise ValueError(f"is {shown(text)}; write the number out, such as '{example}'")


@cache
def _registry() -> Any:
    import pint  # takes a third of a second: only where a file is read

    # its definitions take as long again, unless it finds them in its cache
    folder = cache_folder(pint.__version__)
    for kept in (folder, folder, None) if not trouble_with(folder) else (None,):
        try:
            if kept is not None:
                make_private(kept)
            return _new_registry(pint, kept)
        except Exception:  # the cache cannot be written, or is damaged
            if kept is None:
                raise
            remove_private(kept)
    raise AssertionError


def cache_folder(version: str) -> Path:
    """Folder in which pint keeps its definitions, as pickles."""
    return platformdirs.user_cache_path("pimsim", appauthor=False) / f"pint-{version}"


def _new_registry(pint: Any, cache: Path | None) -> Any:
    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True, cache_folder=cache)


def parse_quantity(text: Any, unit: str) -> float:
    """Parse a quantity such as `600 mV`, and return its value in `unit`.

    Parameters
    ----------
    text
        A number with a unit. For the dimensionless unit `""`, a bare number or
        a percentage.
    unit
        SI unit to convert to, such as `volt`; `""` for a ratio.

    Raises
    ------
    ValueError
        If the text is no quantity, has another dimension, or is not finite.
    """
    example = EXAMPLES.get(unit, f"1 {unit}")
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        raise ValueError(f"is {shown(text)}; expected a quantity such as '{example}'")
    if unit and not isinstance(text, str):
        raise ValueError(f"is {text} without a unit; write it as '{example}'")
    if isinstance(text, str) and len(text) > 64:
        raise ValueError(f"is too long for a quantity; expected one such as '{example}'")
    if isinstance(text, str):
        _refuse_arithmetic(text, example)
    registry = _registry()
    try:
        quantity = registry.Quantity(text)
    except Exception as error:  # pint raises many kinds, also from its tokenizer
        raise ValueError(f"is {shown(text)}; expected a quantity such as '{example}'") from error
    try:
        value = float(quantity.to(unit or registry.dimensionless).magnitude)
    except Exception as error:
        found = f"{quantity.dimensionality}" if hasattr(quantity, "dimensionality") else "?"
        wanted = f"of {unit}" if unit else "without a unit"
        raise ValueError(
            f"is {shown(text)}, of dimension {found}; a quantity {wanted} is needed, such as "
            f"'{example}'"
        ) from error
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(f"is {shown(text)}; it must be finite")
    return value
