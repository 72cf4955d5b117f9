"""Published and modelled figures as a table on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from pimsim.report.terminal import plain_table


def print_validation(findings: Sequence[dict[str, Any]], console: Console) -> None:
    """Print findings (`case`, `quantity`, `published`, `modelled`, `unit`, `error`, ...)."""
    for case in dict.fromkeys(found["case"] for found in findings):
        table = plain_table(f"\n{case}")
        table.add_column("figure", no_wrap=True)
        table.add_column("published", justify="right", no_wrap=True)
        table.add_column("modelled", justify="right", no_wrap=True)
        table.add_column("")
        table.add_column("error", justify="right", no_wrap=True)
        table.add_column("", no_wrap=True, min_width=10)
        for found in findings:
            if found["case"] == case:
                table.add_row(
                    found["quantity"],
                    f"{found['published']:,.6g}",
                    f"{found['modelled']:,.6g}",
                    found["unit"],
                    f"{100 * found['error']:+.2f} {_bound(found)}",
                    found["basis"] if found["passes"] else "MISSED",
                )
        console.print(table)


def _bound(found: dict[str, Any]) -> str:
    if found["factor"] is not None:
        return f"%, factor {found['factor']:g}"
    return f"of {100 * found['tolerance']:g} %"
