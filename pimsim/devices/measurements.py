"""Measurements of cells from a CSV file: read in blocks; errors name the line."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, NoReturn, TextIO

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import DataError, Place, nearest, shown
from pimsim.files import open_regular
from pimsim.tables import delimiter_of, with_point
from pimsim.units import parse_quantity

MAX_BYTES = 1 << 30
MAX_ROWS = 4_000_000
MAX_LEVELS = 256
MAX_LINE = 1 << 13  # characters
BLOCK_ROWS = 10_000
# numbers from here on are what instruments write for an overflow (IEEE 488.2: 9.9e37)
OVERFLOW = 1e30
OVERFLOW_WORDS = ("ovld", "overload", "ovl", "ovf", "overflow", "ol", "o.l", "ovrng", "overrange",
                  "over", "inf", "infinity", "compl", "compliance")  # fmt: skip
# accepted names of each column, without its unit
NAMES = {
    "level": ("level", "target", "target_level", "state"),
    "current": ("current", "i"),
    "conductance": ("conductance", "g"),
    "resistance": ("resistance", "r"),
    "time": ("time", "t"),
    "temperature": ("temperature",),
    "cycle": ("cycle",),
    "cell": ("cell", "device", "cell_id"),
}
UNITS = {
    "current": "ampere",
    "conductance": "siemens",
    "resistance": "ohm",
    "time": "second",
    "temperature": "kelvin",
}
UNIT_EXAMPLES = {
    "current": "uA", "conductance": "uS", "resistance": "kohm", "time": "s", "temperature": "K",
}  # fmt: skip
VALUES = ("current", "conductance", "resistance")
WHOLE = ("level", "cycle")
_HEADING = re.compile(r"\s*(\w+?)\s*(?:[\[(]\s*([^\])]*?)\s*[\])])?\s*")


@dataclass(frozen=True)
class Measurements:
    """Reads of cells, one per row.

    Attributes
    ----------
    columns : dict of str -> (n_rows,) float64
        Columns by their names in `NAMES`, in SI units; level, cycle and cell are whole numbers.
        Resistances are conductances here.
    value : str
        The measured quantity: current or conductance.
    ignored : tuple of str
        Columns of the file that are not used.
    targets : tuple of float
        Target of each level [SI], where the file gives targets as quantities; else empty.
    """

    path: Path
    sha256: str
    columns: dict[str, NDArray[np.float64]]
    value: str
    ignored: tuple[str, ...]
    targets: tuple[float, ...] = ()

    def __len__(self) -> int:
        return len(self.columns["level"])


class _Column(NamedTuple):
    """A column of the file: its position, and the conversion of its numbers to SI.

    `quantity` is what the numbers are; None for whole numbers and names.
    """

    position: int
    heading: str
    scale: float
    offset: float
    quantity: str | None


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
            delimiter = delimiter_of(header)
            headings = next(csv.reader([header], delimiter=delimiter), [])
            columns, ignored = _find_columns(headings, units or {}, place)
            table = _Table(path, delimiter, columns)
            reader = csv.reader(lines, delimiter=delimiter)
            rows = ((reader.line_num + 1, row) for row in reader if any(map(str.strip, row)))
            blocks: list[NDArray[np.float64]] = []
            n_rows = 0
            while block := list(itertools.islice(rows, BLOCK_ROWS)):
                blocks.append(table.numbers(block))
                n_rows += len(block)
                if n_rows > MAX_ROWS:
                    raise DataError(f"has more than {MAX_ROWS:,} rows", place=place,
                                    remedy="Fit a sample of its cells")  # fmt: skip
    except UnicodeDecodeError as error:
        raise DataError("is not UTF-8 text", place=place) from error
    except csv.Error as error:
        raise DataError(f"is no table ({error})", place=place) from error
    if not n_rows:
        raise DataError("has no rows below its header", place=place)
    found = dict(zip(columns, np.concatenate(blocks, axis=1), strict=True))
    value = next(name for name in VALUES if name in found)
    targets: tuple[float, ...] = ()
    if (quantity := columns["level"].quantity) is not None:
        found["level"], targets = _numbered(found["level"], quantity, place)
    if value == "resistance":
        found["conductance"] = 1 / found.pop("resistance")
        value = "conductance"
    return Measurements(path, digest, found, value, ignored, targets)


def _lines(file: TextIO, place: Place) -> Iterator[str]:
    """Lines of a text; a line that is too long for a row of numbers is refused."""
    for line in iter(lambda: file.readline(MAX_LINE + 1), ""):
        if len(line) > MAX_LINE:
            raise DataError(f"has a line of more than {MAX_LINE:,} characters", place=place)
        yield line


def _numbered(
    target: NDArray[np.float64], quantity: str, place: Place
) -> tuple[NDArray[np.float64], tuple[float, ...]]:
    """Number of each target, from low to high current, and the targets."""
    found, number = np.unique(target, return_inverse=True)
    if len(found) > MAX_LEVELS:
        raise DataError(f"has {len(found):,} targets; {MAX_LEVELS} at most are levels", place=place,
                        remedy="Give each read the target of its level")  # fmt: skip
    if quantity == "resistance":
        found, number = found[::-1], len(found) - 1 - number
    return number.astype(np.float64), tuple(found.tolist())


def _find_columns(
    headings: list[str], units: Mapping[str, str], place: Place
) -> tuple[dict[str, _Column], tuple[str, ...]]:
    known = {alias: name for name, aliases in NAMES.items() for alias in aliases}
    found: dict[str, _Column] = {}
    ignored = []
    first = Place(place.file, 1)
    there = f"its columns: {', '.join(shown(h.strip()) for h in headings) or 'none'}"
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
    for name in units:
        if name not in found:
            raise DataError(f"has no column '{name}', which --unit names ({there})", place=first,
                            remedy=nearest(name, found or NAMES))  # fmt: skip
    if "level" not in found:
        raise DataError(f"has no column of target levels ({there})", place=first,
                        remedy="Name it 'level', or 'target [uS]'")  # fmt: skip
    if sum(name in found for name in VALUES) != 1:
        raise DataError(
            f"needs either a column 'current' or a column 'conductance' or 'resistance' ({there})",
            place=first,
            remedy="Name the measured one so, with its unit, such as 'current [uA]'",
        )
    return found, tuple(ignored)


def _conversion(
    name: str, heading: str, unit: str | None, place: Place
) -> tuple[float, float, str | None]:
    """Scale and offset from the column's unit to SI, and its quantity."""
    quantities = [name] if name in UNITS else list(VALUES) if name == "level" and unit else []
    if not quantities:
        return 1.0, 0.0, None
    if not unit:
        raise DataError(
            f"has a column '{heading.strip()}' without a unit",
            place=place,
            remedy=f"Write it as '{name} [...]' in the header, or give --unit {name}=...",
        )
    for quantity in quantities:
        try:
            zero = parse_quantity(f"0 {unit}", UNITS[quantity])
            return parse_quantity(f"1 {unit}", UNITS[quantity]) - zero, zero, quantity
        except ValueError:
            continue
    raise DataError(
        f"has a column '{heading.strip()}' in '{unit}', which is no unit of "
        f"{' or '.join(quantities)}",
        place=place,
        remedy=f"Write it as '{name} [{UNIT_EXAMPLES[quantities[-1]]}]'",
    )


class _Table:
    """Rows of the file below its header, turned to numbers block by block."""

    def __init__(self, path: Path, delimiter: str, columns: Mapping[str, _Column]) -> None:
        self.path, self.delimiter, self.columns = path, delimiter, columns
        # number of each cell by its name, and by the name as it was written
        self.names: dict[str, float] = {}
        self.cells: dict[str, float] = {}
        self.mark = ""  # of decimals: the first comma or point that was met

    def numbers(self, rows: list[tuple[int, list[str]]]) -> NDArray[np.float64]:
        """Numbers of a block in SI units, checked, (n_columns, n_rows)."""
        found = np.empty((len(self.columns), len(rows)))
        for k, (name, column) in enumerate(self.columns.items()):
            try:
                texts = [row[column.position] for _, row in rows]
                found[k] = self._named(texts) if name == "cell" else self._parsed(texts)
            except (IndexError, ValueError):
                self._report_first_error(rows)
            if name != "cell":
                found[k] = found[k] * column.scale + column.offset
                if not _are_valid(name, column, found[k]).all():
                    self._report_first_error(rows)
        return found

    def _named(self, texts: list[str]) -> list[float]:
        """Number of each cell by its name, 0 for the first; 7 and 7.0 are one name."""
        for text in dict.fromkeys(texts):
            if text not in self.cells:
                name = text.strip()
                if not name:
                    raise ValueError
                with suppress(ValueError):
                    name = repr(float(with_point(name, self.delimiter)))
                self.cells[text] = self.names.setdefault(name, float(len(self.names)))
        return [self.cells[text] for text in texts]

    def _parsed(self, texts: list[str]) -> NDArray[np.float64]:
        if self.delimiter != ",":
            joined = "".join(texts)
            marks = {mark for mark in ",." if mark in joined}
            self.mark = self.mark or min(marks, default="")
            if marks - {self.mark}:
                raise ValueError
            texts = [with_point(text, self.delimiter) for text in texts]
        if any("_" in text for text in texts):
            raise ValueError  # Python reads 1_000
        return np.array(texts, np.float64)

    def _report_first_error(self, rows: list[tuple[int, list[str]]]) -> NoReturn:
        """Raise an error that names the first invalid line and its fault."""
        for line, row in rows:
            place = Place(self.path, line)
            for name, column in self.columns.items():
                if column.position >= len(row) or not row[column.position].strip():
                    raise DataError(f"has {len(row)} values; '{column.heading}' is missing",
                                    place=place)  # fmt: skip
                if name != "cell":
                    self._check(name, column, row[column.position].strip(), place)
        raise DataError("is no table of numbers", place=Place(self.path))

    def _check(self, name: str, column: _Column, text: str, place: Place) -> None:
        """Refuse a text that is no valid number of its column."""
        other = {",": ".", ".": ","}.get(self.mark, "")
        if self.delimiter != "," and other and other in text:
            raise DataError(f"has {name} {shown(text)}, and an earlier decimal mark is "
                            f"'{self.mark}'", place=place,
                            remedy="Write all numbers with one decimal mark, without marks of "
                            "thousands")  # fmt: skip
        try:
            value = float(self._parsed([text])[0])
        except ValueError as error:
            if text.strip("+-#* ").lower() in OVERFLOW_WORDS:
                self._refuse_overflow(name, text, place)
            raise DataError(f"has {name} {shown(text)}, which is no number",
                            place=place) from error  # fmt: skip
        if abs(value) >= OVERFLOW:
            self._refuse_overflow(name, text, place)
        if not _are_valid(name, column, np.array([value * column.scale + column.offset]))[0]:
            wanted = {
                "time": "a time after programming, 0 or more,",
                "temperature": "a temperature",
                "resistance": "a resistance above 0",
                "level": f"a whole number below {MAX_LEVELS}, or a target with its unit in the "
                "header,",
            }
            usual = "a whole number" if name in WHOLE else "a finite number"
            raise DataError(f"has {name} {text}; {wanted.get(name, usual)} is needed", place=place)

    def _refuse_overflow(self, name: str, text: str, place: Place) -> NoReturn:
        raise DataError(f"has {name} {shown(text)}, an overflow of the instrument", place=place,
                        remedy="Leave such rows out, or measure them in a wider range")  # fmt: skip


def _are_valid(name: str, column: _Column, values: NDArray[np.float64]) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        # in the file's own unit, like the instrument's number
        valid = np.isfinite(values) & (np.abs(values - column.offset) < OVERFLOW * column.scale)
        if name in WHOLE and column.quantity is None:
            valid &= (values == np.floor(values)) & (values >= 0) & (values < 2**53)
            if name == "level":
                valid &= values < MAX_LEVELS
        if name == "time":
            valid &= values >= 0
        if name in ("temperature", "resistance") or column.quantity == "resistance":
            valid &= values > 0
    return valid
