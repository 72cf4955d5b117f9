"""Points of a sweep: the grid of its axes, or a table."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from pimsim.config.load import key_path
from pimsim.errors import ConfigError, Place
from pimsim.files import read_text
from pimsim.tables import delimiter_of, with_point

MAX_POINTS = 100_000
MAX_KEYS = 32
# of a number in a range
MAX_DIGITS = 30

Point = dict[str, str]


@dataclass(frozen=True)
class Axis:
    """A key and the values that it takes."""

    key: str
    values: tuple[str, ...]


def parse_axis(text: str) -> Axis:
    """An axis from `key=a,b,c` or `key=first:last:step`, the last included.

    Raises
    ------
    ConfigError
        If it is neither.
    """
    place = Place("--axis", None, text)
    key, sign, values = text.partition("=")
    if not sign or not key.strip() or not values.strip():
        raise ConfigError(
            "is no axis",
            place=place,
            remedy="Write it as key=a,b,c or key=first:last:step, such as noise.sigma_eval=0:2:0.5",
        )
    if values.count(":") == 2:
        return Axis(key.strip(), _range(values, place))
    found = tuple(value.strip() for value in values.split(","))
    if not all(found) or len(set(found)) < len(found):
        raise ConfigError("has an empty value, or one twice", place=place)
    return Axis(key.strip(), found)


def _range(text: str, place: Place) -> tuple[str, ...]:
    try:
        # decimals: 0:0.3:0.1 ends with 0.3
        first, last, step = (_decimal(part.strip()) for part in text.split(":"))
        count = int((last - first) / step)
    except (ArithmeticError, ValueError) as error:
        raise ConfigError(
            "is no range of numbers",
            place=place,
            remedy="Write it as first:last:step, such as 0:2:0.5",
        ) from error
    if not 0 <= count < MAX_POINTS:
        raise ConfigError("has no values, or too many", place=place)
    return tuple(f"{(first + n * step).normalize():f}" for n in range(count + 1))


def _decimal(text: str) -> Decimal:
    """A number of a range, of as many digits as a number of a model file has at most."""
    number = Decimal(text)
    if not number.is_finite() or abs(number.adjusted()) > MAX_DIGITS or len(text) > MAX_DIGITS:
        raise ValueError(text)
    return number


def grid(axes: Sequence[Axis]) -> list[Point]:
    """All combinations of values; the last axis varies fastest."""
    keys = [axis.key for axis in axes]
    refuse_same(keys, Place("--axis"))
    n_points = 1
    for axis in axes:
        n_points *= len(axis.values)
    if n_points > MAX_POINTS:
        raise ConfigError(
            f"makes {n_points:,} points; {MAX_POINTS:,} at most", place=Place("--axis")
        )
    return [
        dict(zip(keys, values, strict=True))
        for values in itertools.product(*(axis.values for axis in axes))
    ]


def refuse_same(keys: Sequence[str], place: Place) -> None:
    """Refuse two keys that mean the same value: the later one would win."""
    seen: dict[tuple[str, ...], str] = {}
    for key in keys:
        other = seen.get(key_path(key))
        seen[key_path(key)] = key
        if other is not None:
            also = f", as '{other}' and as '{key}'" if other != key else f": '{key}'"
            raise ConfigError(f"has a key twice{also}", place=place, remedy="Keep one of both")


def read_points(path: Path) -> list[Point]:
    """Points from a CSV file: a column for each key, a row for each point.

    Delimiters and decimal marks are those of `pimsim.tables`.

    Raises
    ------
    ConfigError
        If it cannot be read, or is no such table.
    """
    try:
        text = read_text(path)
        delimiter = delimiter_of(text.partition("\n")[0])
        table = csv.DictReader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
        n_keys = len(table.fieldnames or ())
        if n_keys > MAX_KEYS:
            raise ConfigError(f"has {n_keys} keys; 1 to {MAX_KEYS} are taken", place=Place(path, 1))
        rows = list(itertools.islice(table, MAX_POINTS + 1))
    except csv.Error as error:
        raise ConfigError(f"is no table ({error})", place=Place(path)) from error
    if not rows or len(rows) > MAX_POINTS:
        raise ConfigError(
            f"has {len(rows)} points; 1 to {MAX_POINTS:,} are taken", place=Place(path)
        )
    keys = [key.strip() for key in table.fieldnames or ()]
    if not all(keys):
        raise ConfigError("has an empty key", place=Place(path, 1))
    refuse_same(keys, Place(path, 1))
    for number, row in enumerate(rows, start=2):
        if None in row or not all(isinstance(value, str) and value for value in row.values()):
            raise ConfigError(
                "has another number of values than the first line, or an empty one",
                place=Place(path, number),
            )
    return [
        {key.strip(): with_point(value.strip(), delimiter) for key, value in row.items()}
        for row in rows
    ]
