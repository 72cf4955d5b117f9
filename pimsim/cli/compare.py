"""`pimsim compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pimsim.cli.names import completed
from pimsim.cli.options import TargetFolder, options_of, out_option, run_options
from pimsim.cli.output import json_option, say


@click.command()
@click.argument("what", nargs=-1, required=True, shell_complete=completed("model"))
@click.option("--chip", "on_chips", multiple=True, metavar="CHIP",
              shell_complete=completed("chip"),
              help="Chip file or bundled name; give it more than once.")  # fmt: skip
@click.option("--device", "devices", multiple=True, metavar="DEVICE",
              shell_complete=completed("device"),
              help="Device file or bundled name; give it more than once.")  # fmt: skip
@click.option("--network", "networks", multiple=True, metavar="FILE",
              shell_complete=completed("network"),
              help="Network file for chips of multi-level weights; more than once.")  # fmt: skip
@run_options("model", "statistics", "speed", without=("chip", "device", "network"))
@out_option("Folder of figure, tables and the reports of the runs.",
            TargetFolder("comparison.svg", "comparison.png", "comparison.csv", "comparison.json",
                         "report.html"), required=True)  # fmt: skip
@json_option
def compare(
    what: tuple[str, ...],
    on_chips: tuple[str, ...],
    devices: tuple[str, ...],
    networks: tuple[str, ...],
    out: Path,
    as_json: bool,
    **options: Any,
) -> None:
    """Run each model in WHAT with every given network, chip and device, and compare.

    WHAT are model files, bundled models, network files (with --data), or folders of finished
    runs (those are read). The report of each run is written as soon as it is done: where a
    comparison was interrupted, name the folders of what was finished instead of running it again.
    """
    from pimsim.cli.progress import stages
    from pimsim.files import short_name, study_written
    from pimsim.report.comparison import write_comparison
    from pimsim.report.html import PAGE, html_of, write_page
    from pimsim.report.pages import page_of
    from pimsim.studies.compare import compare_runs, run_cases
    from pimsim.studies.folder import write_run

    reports = []
    with stages() as (console, progress):
        for case in run_cases(
            what,
            networks=networks or (None,),
            chips=on_chips or (None,),
            devices=devices or (None,),
            options=options_of(options),
            progress=progress,
        ):
            reports.append(case.report)
            if case.is_new:
                folder = out / f"{len(reports)}-{short_name(case.name)}"
                write_run(folder, case.report.as_dict(), html_of(page_of(case.report)))
    document = compare_runs(reports)
    page = page_of(document)
    with study_written(out / "comparison.json"):
        written = [*write_comparison(document, out), write_page(page, out / PAGE)]
    say(document, page, written, as_json=as_json, console=console)
