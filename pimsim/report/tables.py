"""Rows of documents as files for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pimsim.errors import ConfigError, Place, printable
from pimsim.files import write_text, write_whole


def write_csv(rows: Sequence[Mapping[str, Any]], path: Path) -> Path:
    """Write rows of equal keys as CSV with a header; lists and tables are left to the JSON."""
    flat = [{k: v for k, v in row.items() if not isinstance(v, (list, dict))} for row in rows]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(flat[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in flat)
    return write_text(path, text.getvalue())


def _cell(value: Any) -> Any:
    """A value of a cell; a text that a spreadsheet would take for a formula begins with a quote."""
    if not isinstance(value, str):
        return value
    text = printable(value)
    if text.startswith(("=", "+", "-", "@", "\t")):
        try:
            float(text)
        except ValueError:
            return f"'{text}"
    return text


def needs_parquet() -> None:
    """Raise an error if Parquet files cannot be written.

    Raises
    ------
    ConfigError
        If pyarrow is not installed.
    """
    if find_spec("pyarrow") is None:
        raise ConfigError(
            "needs pyarrow, which is not installed",
            place=Place("--parquet"),
            remedy="pip install 'pimsim[parquet]'",
        )


def write_parquet(rows: Sequence[Mapping[str, Any]], path: Path) -> Path:
    """Write a typed table: axes as text, figures as numbers, unknown values as null."""
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.Table.from_pylist([dict(row) for row in rows])
    return write_whole(path, lambda file: parquet.write_table(table, file))
