"""Quantities with units: parsed where input is read, plain SI numbers elsewhere."""

from __future__ import annotations

import math
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
    "meter ** 2": "0.1 um2",
    "ohm": "10 kohm",
    "hertz": "100 MHz",
    "joule": "1 pJ",
    "watt": "1 mW",
    "farad / meter": "0.2 fF/um",
    "ohm / meter": "20 ohm/um",
    "": "2 %",
}
# what a quantity is, by SI unit
WORDS = {
    "volt": "a voltage",
    "ampere": "a current",
    "farad": "a capacitance",
    "second": "a time",
    "kelvin": "a temperature",
    "meter": "a length",
    "meter ** 2": "an area",
    "ohm": "a resistance",
    "hertz": "a frequency",
    "joule": "an energy",
    "watt": "a power",
    "farad / meter": "a capacitance of a length",
    "ohm / meter": "a resistance of a length",
    "siemens": "a conductance",
    "": "a number without a unit",
}


# least and most of a number that is not 0, by SI unit: beyond them no circuit is, and sums and
# products of numbers within them stay finite
LIMITS = {
    "volt": (1e-9, 1e3),
    "ampere": (1e-20, 10.0),
    "farad": (1e-21, 1e-3),
    "second": (1e-15, 1e12),
    "kelvin": (1e-3, 1e4),
    "meter": (1e-10, 1.0),
    "ohm": (1e-3, 1e15),
    "hertz": (1e-3, 1e15),
    "joule": (1e-24, 1.0),
    "watt": (1e-18, 1e4),
    "meter ** 2": (1e-20, 1.0),
    "farad / meter": (1e-15, 1e-3),
    "ohm / meter": (1.0, 1e12),
    "": (1e-12, 1e9),
}
_ALL = (1e-30, 1e30)
# one number and its unit: pint would also evaluate 9^9^9, and `2 uA - uA`
_WORD = r"(?:[^\W\d]+|%|\N{DEGREE SIGN}[^\W\d]+)"
_QUANTITY = re.compile(
    r"\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]+)?"
    # an area is written um2 or um^2
    rf"\s*({_WORD}( ?[/*] ?{_WORD})*((?<=m)(\^?2|\N{{SUPERSCRIPT TWO}}))?)?\s*",
    re.IGNORECASE,
)
_SQUARE = re.compile("(?<=m)(?:\\^?2|\N{SUPERSCRIPT TWO})(?=\\s*$)")
# units of a ratio
_OF_RATIOS = ("%", "percent", "permille", "ppm")


def within_limits(value: float, unit: str, text: object) -> float:
    """A number in `unit`, unless it is beyond `LIMITS`.

    Raises
    ------
    ValueError
        If it is not finite, or beyond them; the message shows `text`.
    """
    least, most = LIMITS.get(unit, _ALL)
    if not math.isfinite(value):
        raise ValueError(f"is {shown(text)}; it must be finite")
    if value and not least <= abs(value) <= most:
        limits = " ".join(filter(None, (f"{least:g} to {most:g}", unit.replace(" ** ", "^"))))
        raise ValueError(f"is {shown(text)}; numbers from {limits} are taken, or 0")
    return value


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
        If the text is no quantity, has another dimension, or is beyond `LIMITS`.
    """
    example = EXAMPLES.get(unit, f"1 {unit}")
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        raise ValueError(f"is {shown(text)}; expected a quantity such as '{example}'")
    if not isinstance(text, str):
        if unit:
            raise ValueError(f"is {shown(text)} without a unit; write it as '{example}'")
        return within_limits(_as_float(text), unit, text)
    if len(text) > 64:
        raise ValueError(f"is too long for a quantity; expected one such as '{example}'")
    found = _QUANTITY.fullmatch(text)
    if found is None:
        begins = re.match(r"\s*[+-]?\.?\d", text)
        wanted = "write the number out, such as" if begins else "expected a quantity such as"
        raise ValueError(f"is {shown(text)}; {wanted} '{example}'")
    if not unit and not found[4]:
        return within_limits(float(text), unit, text)
    registry = _registry()
    try:
        quantity = registry.Quantity(_SQUARE.sub("^2", text))
    except Exception as error:  # pint raises many kinds, also from its tokenizer
        raise ValueError(f"is {shown(text)}; expected a quantity such as '{example}'") from error
    try:
        value = float(quantity.to(unit or registry.dimensionless).magnitude)
        if not unit and found[4] not in _OF_RATIOS:
            raise ValueError(found[4])
    except Exception as error:
        wanted = WORDS.get(unit, f"a quantity in {unit}")
        raise ValueError(
            f"is {shown(text)}{_kind_of(quantity)}; {wanted} is needed, such as '{example}'"
        ) from error
    return within_limits(value, unit, text)


def _kind_of(quantity: Any) -> str:
    """What a quantity is, after a comma; empty where there is no word for it."""
    registry = _registry()
    for unit, word in WORDS.items():
        if unit and quantity.is_compatible_with(registry.Unit(unit)):
            return f", {word}"
    return ""


def _as_float(number: int | float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf
