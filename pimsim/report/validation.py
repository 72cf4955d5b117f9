"""Published and modelled figures as a table on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from pimsim.report.terminal import close_table


def print_validation(findings: Sequence[dict[str, Any]], console: Console) -> None:
    """Print findings (`case`, `quantity`, `published`, `modelled`, `unit`, `error`, ...)."""
    for case in dict.fromkeys(found["case"] for found in findings):
        table = close_table(f"\n{case}")
        table.add_column("figure", no_wrap=True)
        table.add_column("published", justify="right", no_wrap=True)
        table.add_column("modelled", justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
        table.add_column("error", justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
        for found in findings:
            if found["case"] == case:
                table.add_row(
                    found["quantity"],
                    f"{found['published']:,.6g}",
                    f"{found['modelled']:,.6g}",
                    found["unit"],
                    _error(found),
                    found["basis"] if found["passes"] else "MISSED",
                )
        console.print(table)


def _error(found: dict[str, Any]) -> str:
    """The error beside what is allowed: a share, or a factor either way."""
    if found["factor"] is not None:
        return f"{100 * found['error']:+.1f} %, x {found['factor']:g}"
    return f"{100 * found['error']:+.2f} of {100 * found['tolerance']:g} %"
