"""`pimsim compare`."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import click

from pimsim.cli.run import statistics_options


@click.command()
@click.argument("what", nargs=-1, required=True)
@click.option("--chip", "on_chips", multiple=True, metavar="CHIP",
              help="Chip file or bundled name; give it more than once.")  # fmt: skip
@click.option("--device", "devices", multiple=True, metavar="DEVICE",
              help="Device file or bundled name; give it more than once.")  # fmt: skip
@click.option("--network", "networks", multiple=True, metavar="FILE",
              help="Network file for chips of multi-level weights; more than once.")  # fmt: skip
@click.option("--data", help="Data set: a folder, or a name (see 'pimsim data list').")
@click.option("--seed", type=int, help="Seed of every random number.")
@statistics_options
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE",
              help="Replace one key in every case.")  # fmt: skip
@click.option("--threads", type=click.IntRange(min=1), help="Threads; all cores if not given.")
@click.option("--out", type=click.Path(path_type=Path), required=True,
              help="Folder of figure, tables and the reports of the runs.")  # fmt: skip
def compare(
    what: tuple[str, ...],
    on_chips: tuple[str, ...],
    devices: tuple[str, ...],
    networks: tuple[str, ...],
    assignments: tuple[str, ...],
    out: Path,
    **options: Any,
) -> None:
    """Run every model of WHAT with every network, chip and device given, and compare.

    WHAT are model files, bundled models, or folders of finished runs (those are read). The
    report of each run is written as soon as it is done: where a comparison was interrupted,
    name the folders of what was finished instead of running it again.
    """
    from pimsim.cli.progress import stages
    from pimsim.files import write_json
    from pimsim.report.comparison import print_comparison, write_comparison
    from pimsim.report.html import PAGE, write_page
    from pimsim.studies.compare import describe_comparison, read_report
    from pimsim.studies.document import describe_run
    from pimsim.studies.folder import check_folder
    from pimsim.studies.prepare import Shared
    from pimsim.studies.run import run

    check_folder(out)
    reports: list[dict[str, Any]] = []
    shared = Shared()
    with stages() as (console, progress):
        for name in what:
            if Path(name).is_dir() or name.endswith(".json"):
                reports.append(read_report(Path(name)))
                continue
            for network, chip, device in product(
                networks or (None,), on_chips or (None,), devices or (None,)
            ):
                parts = (name, network, chip, device)
                case = "-".join(Path(part).stem for part in parts if part)
                # a path is relative to where the user stands, a bundled network to the models
                used = network and (Path(network).resolve() if Path(network).is_file() else network)
                changed = [*assignments, f"network={used}"] if used else assignments

                def show(stage: str, total: int, done: int, case: str = case) -> None:
                    progress(f"{case}: {stage}", total, done)

                result = run(name, chip=chip, device=device, set=changed, contributions=False,
                             progress=show, shared=shared, **options)  # fmt: skip
                report = describe_run(result)
                place = out / f"{len(reports) + 1}-{case}"
                write_json(place / "report.json", report)
                write_page(report, place / PAGE)
                reports.append(report)
    document = describe_comparison(reports)
    written = [*write_comparison(document, out), write_page(document, out / PAGE)]
    print_comparison(document, console)
    console.print(f"written: {', '.join(map(str, written))}", highlight=False, soft_wrap=True)
