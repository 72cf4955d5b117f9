"""Measurements of cells from a CSV file: read in blocks; errors name the line."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TextIO

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import DataError, Place
from pimsim.files import open_regular
from pimsim.units import parse_quantity

MAX_BYTES = 1 << 30
MAX_ROWS = 4_000_000
MAX_LEVELS = 256
MAX_LINE = 1 << 13  # characters
BLOCK_LINES = 10_000
# accepted names of each column, without its unit
NAMES = {
    "level": ("level", "target", "target_level", "state"),
    "current": ("current", "i"),
    "conductance": ("conductance", "g"),
    "time": ("time", "t"),
    "temperature": ("temperature",),
    "cycle": ("cycle",),
    "cell": ("cell", "device", "cell_id"),
}
UNITS = {
    "current": "ampere",
    "conductance": "siemens",
    "time": "second",
    "temperature": "kelvin",
}
UNIT_EXAMPLES = {"current": "uA", "conductance": "uS", "time": "s", "temperature": "K"}
WHOLE = ("level", "cycle", "cell")
_HEADING = re.compile(r"\s*(\w+?)\s*(?:[\[(]\s*([^\])]*?)\s*[\])])?\s*")


@dataclass(frozen=True)
class Measurements:
    """Reads of cells, one per row.

    Attributes
    ----------
    columns : dict of str -> (n_rows,) float64
        Columns by their names in `NAMES`, in SI units; level, cycle and cell are whole numbers.
    value : str
        The measured quantity: current or conductance.
    ignored : tuple of str
        Columns of the file that are not used.
    """

    path: Path
    sha256: str
    columns: dict[str, NDArray[np.float64]]
    value: str
    ignored: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.columns["level"])


@dataclass(frozen=True)
class _Column:
    """A column of the file: its position, and the conversion of its numbers to SI."""

    index: int
    heading: str
    scale: float
    offset: float


def read_measurements(path: Path, units: Mapping[str, str] | None = None) -> Measurements:
    """Read a CSV file with a header line.

    Parameters
    ----------
    units
        Units of columns without one in their heading, such as `{"current": "uA"}`.

    Raises
    ------
    DataError
        If the file cannot be read, lacks a column or a unit, or has an invalid row, whose
        line the error names.
    """
    place = Place(path)
    try:
        with open_regular(path, "a CSV file", MAX_BYTES, DataError) as raw:
            digest = hashlib.file_digest(raw, "sha256").hexdigest()
            raw.seek(0)
            lines = _lines(io.TextIOWrapper(raw, encoding="utf-8-sig", newline=""), place)
            header = next(lines, "")
            delimiter = max(",;\t", key=header.count)
            headings = next(csv.reader([header], delimiter=delimiter), [])
            columns, ignored = _find_columns(headings, units or {}, place)
            blocks = []
            n_rows = 0
            while block := list(itertools.islice(lines, BLOCK_LINES)):
                blocks.append(_numbers(path, block, columns, delimiter))
                n_rows += len(blocks[-1])
                if n_rows > MAX_ROWS:
                    raise DataError(f"has more than {MAX_ROWS:,} rows", place=place,
                                    remedy="Fit a sample of its cells")  # fmt: skip
    except UnicodeDecodeError as error:
        raise DataError("is not UTF-8 text", place=place) from error
    except csv.Error as error:
        raise DataError(f"is no table ({error})", place=place) from error
    if not n_rows:
        raise DataError("has no rows below its header", place=place)
    table = np.concatenate(blocks)
    found = {name: table[:, k] for k, name in enumerate(columns)}
    value = "current" if "current" in found else "conductance"
    return Measurements(path, digest, found, value, ignored)


def _lines(file: TextIO, place: Place) -> Iterator[str]:
    """Lines of a text; a line that is too long for a row of numbers is refused."""
    for line in iter(lambda: file.readline(MAX_LINE + 1), ""):
        if len(line) > MAX_LINE:
            raise DataError(f"has a line of more than {MAX_LINE:,} characters", place=place)
        yield line


def _find_columns(
    headings: list[str], units: Mapping[str, str], place: Place
) -> tuple[dict[str, _Column], tuple[str, ...]]:
    known = {alias: name for name, aliases in NAMES.items() for alias in aliases}
    found: dict[str, _Column] = {}
    ignored = []
    first = Place(place.file, 1)
    for index, heading in enumerate(headings):
        match = _HEADING.fullmatch(heading)
        word, unit = (match[1].lower(), match[2]) if match else ("", None)
        if word not in known and unit is None and "_" in word and match:
            # current_uA
            stem, _, unit = match[1].rpartition("_")
            word = stem.lower()
        if word not in known:
            ignored.append(heading.strip())
            continue
        name = known[word]
        if name in found:
            raise DataError(f"has two columns of {name}", place=first)
        unit = unit or units.get(name)
        found[name] = _Column(index, heading.strip(), *_conversion(name, heading, unit, first))
    if "level" not in found:
        raise DataError(
            f"has no column of target levels (its columns: {', '.join(headings) or 'none'})",
            place=first,
            remedy="Name it 'level'",
        )
    if ("current" in found) == ("conductance" in found):
        raise DataError("needs either a column 'current' or a column 'conductance'", place=first)
    return found, tuple(ignored)


def _conversion(name: str, heading: str, unit: str | None, place: Place) -> tuple[float, float]:
    """Scale and offset from the column's unit to SI."""
    if name not in UNITS:
        return 1.0, 0.0
    if not unit:
        raise DataError(
            f"has a column '{heading.strip()}' without a unit",
            place=place,
            remedy=f"Write it as '{name} [...]' in the header, or give --unit {name}=...",
        )
    try:
        zero = parse_quantity(f"0 {unit}", UNITS[name])
        return parse_quantity(f"1 {unit}", UNITS[name]) - zero, zero
    except ValueError as error:
        raise DataError(
            f"has a column '{heading.strip()}' in '{unit}', which is no unit of {name}",
            place=place,
            remedy=f"Write it as '{name} [{UNIT_EXAMPLES[name]}]'",
        ) from error


def _numbers(
    path: Path, lines: list[str], columns: Mapping[str, _Column], delimiter: str
) -> NDArray[np.float64]:
    """Numbers of a block of lines in SI units, checked."""
    wanted = [column.index for column in columns.values()]
    if not any(map(str.strip, lines)):
        return np.empty((0, len(wanted)))
    try:
        table = np.loadtxt(
            lines, delimiter=delimiter, usecols=wanted, ndmin=2, comments=None, quotechar='"'
        )
    except ValueError:
        _report_first_error(path, columns, delimiter)
    table = table * [c.scale for c in columns.values()] + [c.offset for c in columns.values()]
    for k, name in enumerate(columns):
        if not _are_valid(name, table[:, k]).all():
            _report_first_error(path, columns, delimiter)
    return table


def _are_valid(name: str, values: NDArray[np.float64]) -> NDArray[np.bool_]:
    valid = np.isfinite(values)
    if name in WHOLE:
        valid &= (values == np.floor(values)) & (values >= 0) & (values < 2**53)
    if name == "level":
        valid &= values < MAX_LEVELS
    if name in ("time", "temperature"):
        valid &= values > 0
    return valid


def _report_first_error(path: Path, columns: Mapping[str, _Column], delimiter: str) -> NoReturn:
    """Find the first invalid line, and raise an error that names it and its fault."""
    with open_regular(path, "a CSV file", MAX_BYTES, DataError) as raw:
        reader = csv.reader(io.TextIOWrapper(raw, "utf-8-sig", newline=""), delimiter=delimiter)
        next(reader)
        for row in reader:
            if not row:
                continue
            place = Place(path, reader.line_num)
            for name, column in columns.items():
                if column.index >= len(row):
                    raise DataError(
                        f"has {len(row)} values; '{column.heading}' is missing", place=place
                    )
                text = row[column.index].strip()
                try:
                    value = float(text) * column.scale + column.offset
                except ValueError as error:
                    raise DataError(f"has {name} '{text}', which is no number",
                                    place=place) from error  # fmt: skip
                if not _are_valid(name, np.array([value]))[0]:
                    wanted = {"time": "a time after programming", "temperature": "a temperature",
                              "level": f"a whole number below {MAX_LEVELS}"}  # fmt: skip
                    usual = "a whole number" if name in WHOLE else "a finite number"
                    raise DataError(f"has {name} {text}; {wanted.get(name, usual)} is needed",
                                    place=place)  # fmt: skip
    raise DataError("is no table of numbers", place=Place(path))
