"""Blocks of a report, the same for all studies; rendered as HTML and on the terminal."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from pimsim.report import words
from pimsim.workload.metrics import Metric

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.figure import Figure

_PREFIXES = {
    -18: "a",
    -15: "f",
    -12: "p",
    -9: "n",
    -6: "\N{MICRO SIGN}",
    -3: "m",
    0: "",
    3: "k",
    6: "M",
    9: "G",
    12: "T",
}


# stands before numbers that rest on assumptions, which have fewer digits
ASSUMED_MARK = "~"
DIGITS, DIGITS_ASSUMED = 4, 3
# shown where there is no number
NONE = "-"
# letters that a cell does not break
_ONE_LINE = 28


class Origin(NamedTuple):
    """Origin of a number: a block of a hardware file, its source and certainty."""

    block: str
    source: str
    certainty: str


@dataclass(frozen=True)
class Cell:
    """A number or text: the value, and its form on the page.

    Attributes
    ----------
    text : str
        As shown, unit included.
    value : float, int or None
        The exact number, by which tables are sorted; None for words.
    share : float or None
        Length of a bar, 0 to 1.
    gauge : float or None
        Place on a scale from -1 to 1.
    origins : sequence of Origin
        What the number rests on; it is marked if any of it is assumed.
    is_marked : bool
        Whether it is marked for what is not listed here.
    unit : str
        Of a quantity, which is written with fewer digits where it is marked.
    """

    text: str
    value: float | int | None = None
    share: float | None = None
    gauge: float | None = None
    origins: Sequence[Origin] = ()
    is_marked: bool = False
    unit: str | None = None

    @property
    def said(self) -> str:
        """Text with its mark, for sentences."""
        return f"{ASSUMED_MARK if self.is_assumed else ''}{self.text}"

    @property
    def is_number(self) -> bool:
        return self.value is not None or self.text == NONE

    @property
    def is_long(self) -> bool:
        """Whether the cell may be broken into lines."""
        return len(self.text) > _ONE_LINE

    @property
    def is_assumed(self) -> bool:
        return self.is_marked or any(origin.certainty == "assumed" for origin in self.origins)


@dataclass(frozen=True)
class Headline:
    """A headline number, and its notes."""

    label: str
    number: Cell
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Picture:
    """A drawing and its caption; it is drawn when the page is rendered.

    Attributes
    ----------
    draw : callable
        Draws on a figure as wide as a phone.
    height : float
        Of the figure [inches].
    """

    title: str
    draw: Callable[[Figure], object]
    height: float
    caption: str = ""
    kind = "picture"
    is_folded = False

    @property
    def svg(self) -> Markup:
        """The drawing as an SVG element."""
        from pimsim.report.svg import inline_svg

        return inline_svg(self.draw, self.height, self.title)


@dataclass(frozen=True)
class Table:
    """Rows of cells.

    Attributes
    ----------
    note, hint : str
        Said below; a hint is of use on a page only.
    is_folded : bool
        On a page, it opens on demand and on paper.
    is_wide : bool
        On a page, it takes the whole width.
    on_terminal : bool or None
        Whether the terminal shows it; None: if it is not folded.
    page_only : sequence of str
        Columns that the terminal leaves out.
    max_printed : int or None
        Rows that the terminal shows at most.
    is_turned : bool
        On the terminal, a row becomes a column.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    hint: str = ""
    is_folded: bool = False
    is_wide: bool = False
    on_terminal: bool | None = None
    page_only: Sequence[str] = ()
    max_printed: int | None = None
    is_turned: bool = False
    kind = "table"

    def is_numeric(self, column: int) -> bool:
        """Whether any cell of a column is a number, which stands at the right."""
        return any(row[column].value is not None for row in self.rows)

    @property
    def is_on_terminal(self) -> bool:
        return not self.is_folded if self.on_terminal is None else self.on_terminal


@dataclass(frozen=True)
class Facts:
    """Names and values; a value may be shown as code."""

    pairs: Sequence[tuple[str, str]]
    kind = "facts"
    is_folded = False


@dataclass(frozen=True)
class Code:
    """Text to copy, folded if it is long."""

    text: str
    title: str = ""
    is_folded: bool = False
    kind = "code"


Block = Picture | Table | Facts | Code


@dataclass(frozen=True)
class Section:
    """Blocks under a heading; the terminal shows text and tables."""

    title: str
    blocks: Sequence[Block]
    text: str = ""


@dataclass(frozen=True)
class Page:
    """A page: headline numbers, blocks, and instructions to repeat the study."""

    title: str
    subtitle: str
    headlines: Sequence[Headline]
    sections: Sequence[Section]
    version: str
    warnings: Sequence[str] = ()


def rests_on(cell: Cell, origins: Sequence[Origin]) -> Cell:
    """Add to a cell the origins of its number."""
    return _rounded(replace(cell, origins=origins))


def marked(cell: Cell, is_assumed: bool) -> Cell:
    """A cell that is marked if its number rests on an assumed one, wherever that is listed."""
    return _rounded(replace(cell, is_marked=is_assumed))


def _rounded(cell: Cell) -> Cell:
    """A cell without digits that no assumption gives."""
    if cell.unit is None or cell.value is None or not cell.is_assumed:
        return cell
    return replace(cell, text=_in_unit(cell.value, cell.unit, DIGITS_ASSUMED))


def named(name: str) -> Cell:
    """A component, action or phase in words."""
    return Cell(words.named(name))


def percentage(fraction: float | None, digits: int = 2, sign: str = "") -> Cell:
    """A fraction in per cent; `NONE` for None."""
    if fraction is None:
        return Cell(NONE)
    return Cell(f"{100 * fraction:{sign}.{digits}f} %", fraction)


def of_metric(value: float | None, metric: Metric) -> Cell:
    """A value of a metric with its unit; `NONE` for None."""
    return Cell(NONE) if value is None else Cell(metric.text(value), value)


def count(number: float) -> Cell:
    """A number of things."""
    return Cell(f"{number:,.0f}" if number == int(number) else digits(number), number)


def signed(value: float, shown: str, unit: str = "") -> Cell:
    """A difference with its sign; zero after rounding has no sign."""
    text = f"{value:{shown}}"
    return Cell(f"{text if float(text) else text.lstrip('+-')}{unit}", value)


def quantity(value: float, unit: str) -> Cell:
    """A number in SI units with four digits and a fitting prefix; three once it is marked.

    Areas in m2 are shown in square millimetres or square micrometres; a number without a unit
    has no prefix.
    """
    return Cell(_in_unit(value, unit, DIGITS), value, unit=unit)


def _in_unit(value: float, unit: str, n: int) -> str:
    if not unit:
        return digits(value, n)
    if unit == "m2":
        scale, shown = (1e6, "mm2") if abs(value) >= 1e-8 else (1e12, "\N{MICRO SIGN}m2")
        return f"{digits(value * scale, n)} {shown[:-1]}\N{SUPERSCRIPT TWO}"
    if value == 0:
        return f"0 {unit}"
    # of what the digits leave: 999.96 is 1.000 thousands
    exponent = math.floor(math.log10(abs(float(f"{value:.{n - 1}e}"))) / 3 + 1e-9) * 3
    exponent = min(max(exponent, min(_PREFIXES)), max(_PREFIXES))
    return f"{digits(value / 10.0**exponent, n)} {_PREFIXES[exponent]}{unit}"


def digits(value: float, n: int = DIGITS) -> str:
    """Four digits, grouped by thousands, never in powers of ten between 0.001 and a million.

    Digits before the point are never fewer than there are; where `n` is less than four, those
    beyond it are zeros.
    """
    if value == 0 or not 1e-3 <= abs(value) < 1e6:
        return f"{value:.{n}g}"
    rough = float(f"{value:.{n - 1}e}")
    whole = math.floor(math.log10(abs(rough))) + 1
    return f"{rough if n < DIGITS else value:,.{max(0, n - whole)}f}"
