"""Reports on the terminal: a page's headlines, texts and tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from pimsim.errors import printable
from pimsim.report.blocks import Cell, Headline, Page, Section, Table

BAR_LENGTH = 30
# what a terminal without such letters could not print
_PLAIN = str.maketrans(
    {"\N{MICRO SIGN}": "u", "\N{SUPERSCRIPT TWO}": "2", "\N{PLUS-MINUS SIGN}": "+-"}
)


# narrower than a word, a terminal would show nothing
MIN_WIDTH, USUAL_WIDTH = 20, 80


class Terminal(Console):
    """A console on which names are letters: nothing in them is an order to the terminal."""

    def render_str(self, text: str, **said: Any) -> Text:
        return super().render_str(printed(text), **said)


def terminal(file: IO[str] | None = None) -> Console:
    """Console for results; brackets in names and sources are printed literally.

    Parameters
    ----------
    file
        Stream that it writes to; standard output if None.
    """
    console = Terminal(file=file, markup=False, emoji=False)
    if console.width < MIN_WIDTH:
        console.width = USUAL_WIDTH
    return console


def printed(text: str) -> str:
    """A text in letters that any terminal has."""
    return printable(text.translate(_PLAIN))


def print_page(page: Page, console: Console) -> None:
    """Print a page, without its pictures and folded blocks."""
    console.print()
    console.print(Text(printed(page.title), style="bold"))
    for line in (page.subtitle, *page.warnings):
        if line:
            _say(line, console)
    if page.headlines:
        console.print(_headlines(page.headlines))
    for section in page.sections:
        _print_section(section, console)


def _print_section(section: Section, console: Console) -> None:
    tables = [block for block in section.blocks if isinstance(block, Table)]
    for table in tables:
        if table.is_on_terminal:
            print_table(table, console, table.title or section.title)
    if section.text:
        console.print()
        _say(section.text, console)


def print_table(table: Table, console: Console, title: str) -> None:
    """Print a table of blocks with its note."""
    drawn = _rich_table(_turned(table) if table.is_turned else table, f"\n{title}")
    endless = console.options.update(max_width=100_000)
    if console.measure(drawn, options=endless).maximum > console.width:
        # blanks between the columns instead of lines
        drawn.box, drawn.padding = SIMPLE_HEAD, (0, 1, 0, 0)
    console.print(drawn)
    if table.max_printed is not None and len(table.rows) > table.max_printed:
        _say(f"and {len(table.rows) - table.max_printed} more", console)
    if table.note:
        _say(table.note, console)


def _turned(table: Table) -> Table:
    columns = [table.columns[0], *(row[0].text for row in table.rows)]
    rows = [
        [Cell(name), *(row[at] for row in table.rows)]
        for at, name in enumerate(table.columns)
        if at
    ]
    return Table(table.title, columns, rows)


def _say(text: str, console: Console) -> None:
    console.print(printed(text), highlight=False)


def _rich_table(table: Table, title: str) -> RichTable:
    drawn = _plain_table(title)
    shown = [at for at, name in enumerate(table.columns) if name not in table.page_only]
    drawn.show_header = any(table.columns[at] for at in shown)
    for at in shown:
        heading, cells = table.columns[at], [row[at] for row in table.rows]
        is_long = any(cell.is_long for cell in cells)
        drawn.add_column(
            printed(heading),
            justify="right" if _is_number(cells) else "left",
            no_wrap=not is_long,
            overflow="fold",
        )
    for row in table.rows[: table.max_printed]:
        drawn.add_row(*(_text(row[at]) for at in shown))
    return drawn


def _is_number(cells: Sequence[Cell]) -> bool:
    return bool(cells) and cells[0].is_number and cells[0].share is None


def _text(cell: Cell) -> Text:
    """Text of a cell: `~` before a value based on assumed numbers, a bar after a share."""
    mark = "~" if cell.is_assumed and cell.is_number else ""
    text = f"{mark}{cell.text}"
    if cell.share is not None:
        text = f"{text:>7} {'#' * round(BAR_LENGTH * min(1.0, max(0.0, cell.share)))}"
    return Text(printed(text))


def _headlines(headlines: Sequence[Headline]) -> RichTable:
    table = _plain_table("")
    table.show_header = False
    table.add_column("", no_wrap=True)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for headline in headlines:
        notes = "; ".join(headline.notes)
        table.add_row(headline.label, _text(headline.number), printed(notes))
    return table


def _plain_table(title: str) -> RichTable:
    # as text: a unit in brackets would be taken for markup
    return RichTable(
        title=Text(printed(title)) if title.strip() else None,
        title_justify="left",
        title_style="bold",
        show_edge=False,
        pad_edge=False,
    )
