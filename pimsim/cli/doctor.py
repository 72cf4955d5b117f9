"""`pimsim doctor`."""

from __future__ import annotations

import sys

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(as_json: bool) -> None:
    """Check the installation: packages, kernels, threads, caches, data; with remedies.

    The exit code is 1 where something stops `pimsim run`.
    """
    import json

    from rich.table import Table

    from pimsim.report.terminal import terminal
    from pimsim.studies.doctor import State, describe, examine, is_well

    findings = examine()
    if as_json:
        click.echo(json.dumps(describe(findings), indent=2))
    else:
        marks = {State.GOOD: "", State.NOTE: "note", State.PROBLEM: "PROBLEM"}
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(no_wrap=True)
        for _ in range(2):
            table.add_column(overflow="fold")
        for found in findings:
            said = f"{found.found}\n{found.remedy}" if found.remedy else found.found
            table.add_row(found.what, marks[found.state], said)
        console = terminal()
        console.print(table, markup=False, highlight=False)
        console.print("everything that `pimsim run` needs is installed" if is_well(findings) else
                      "`pimsim run` does not work here: see PROBLEM", highlight=False)  # fmt: skip
    if not is_well(findings):
        sys.exit(1)
