"""`pimsim run`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

import click

from pimsim.cli.names import completed
from pimsim.cli.options import TargetFolder, options_of, out_option, run_options
from pimsim.cli.output import json_option, say


@click.command()
@click.argument("model", shell_complete=completed("model"))
@run_options("model", "statistics", "speed", "study")
@out_option("Folder of the report.", TargetFolder("report.json", "report.html", "bits.npz"))
@json_option
def run(model: str, out: Path | None, as_json: bool, **options: Any) -> None:
    """Simulate MODEL (a model file, the name of a bundled one, or a network file) and report.

    A network file needs --data; chip and device are those of gru.yaml if none are named.

    Prints accuracy over chips, what each noise source does alone and the actions
    counted, and writes report.json and report.html.
    """
    from pimsim.cli.progress import stages
    from pimsim.files import check_folder
    from pimsim.studies.document import run_document
    from pimsim.studies.folder import bits_of, default_folder, write_run
    from pimsim.studies.plan import plan
    from pimsim.studies.run import measure, price

    folder, chosen = out or default_folder(model), options_of(options)
    check_folder(folder)
    with stages() as (console, progress):
        planned = plan(model, chosen)
        # drawing needs matplotlib, which takes as long to import as a small run to simulate
        drawing = Thread(target=import_module, args=["pimsim.report.html"], daemon=True)
        drawing.start()
        result = price(planned, measure(planned, progress, folder))
    drawing.join()
    from pimsim.report.html import PAGE, html_of
    from pimsim.report.pages import page_of

    report = run_document(result)
    page = page_of(report)
    bits = bits_of(result) if chosen.keep_bits else None
    written = write_run(folder, report.as_dict(), html_of(page), bits)
    files = [written, folder / PAGE]
    say(report, page, files, as_json=as_json, console=console, label="report")
