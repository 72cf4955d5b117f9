"""`pimsim reproduce`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pimsim.cli.options import TargetFolder, Whole, out_option


@click.command()
@click.argument("figure", metavar="FIGURE")
@out_option("Folder of figure and data; finished points in it are kept.", TargetFolder("points/"),
            required=True)  # fmt: skip
@click.option(
    "--samples",
    type=Whole(1),
    default=100,
    show_default=True,
    help="Monte-Carlo samples of the noise per point; chips for fig4 and unipolar.",
)
@click.option("--limit", type=Whole(1), help="Largest number of sequences to use.")
@click.option("--data", help="Data set to use instead of the figure's (see 'pimsim data list').")
@click.option("--seed", type=Whole(0, (1 << 64) - 1), default=1, show_default=True)
@click.option("--threads", type=Whole(1),
              help="Threads; all cores if not given.")  # fmt: skip
def reproduce(figure: str, out: Path, **options: Any) -> None:
    """Compute FIGURE of a paper again.

    fig3a, fig3b, fig3c, fig4, fig5 and table2 are those of Ma, Brooks and Wei; unipolar_har and
    unipolar_cost are of weights of one sign (Garcia-Redondo et al.).

    Networks trained in the paper's ways come with pimsim; its kernels run them. Writes
    the figure (SVG, PNG), its data (CSV, JSON with what the paper says) and every finished
    point, so that an interrupted call goes on.
    """
    from pimsim.cli.progress import stages
    from pimsim.errors import ConfigError, Place, nearest
    from pimsim.files import claim_folder, study_written
    from pimsim.report.pages import page_of
    from pimsim.report.reproduction import write_reproduction
    from pimsim.report.terminal import print_page
    from pimsim.studies.paper import GROUPS, PAPER
    from pimsim.studies.reproduce import reproduce as study
    from pimsim.studies.reproduce import reproduction_document
    from pimsim.studies.unipolar import UNIPOLAR

    specs = PAPER | UNIPOLAR
    names = GROUPS.get(figure, (figure,))
    if not set(names) <= set(specs):
        raise ConfigError(
            f"'{figure}' is no figure that pimsim reproduces",
            place=Place("FIGURE"),
            remedy=nearest(figure, [*specs, *GROUPS]),
        )
    claim_folder(out, [f"{name}.{end}" for name in names for end in ("svg", "png", "csv", "json")],
                 "--out")  # fmt: skip
    for name in names:
        with stages() as (console, progress):
            found = study(name, specs[name], out, progress=progress, **options)
        document = reproduction_document(found)
        with study_written(out / f"{name}.json"):
            written = write_reproduction(document, out)
        print_page(page_of(document), console)
        console.print(f"written: {', '.join(map(str, written))}", highlight=False, soft_wrap=True)
