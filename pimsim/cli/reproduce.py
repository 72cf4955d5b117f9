"""`pimsim reproduce`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pimsim.cli.options import TargetFolder, Whole, out_option

if TYPE_CHECKING:
    from rich.console import Console

    from pimsim.report.documents import Document
    from pimsim.studies.reproduce import Spec

LSTM = ("lstm_bits", "lstm_noise", "lstm_cost")
ENDINGS = ("svg", "png", "csv", "json")


@click.command()
@click.argument("figure", metavar="FIGURE")
@out_option("Folder of figure and data; finished points in it are kept.", TargetFolder("points/"),
            required=True)  # fmt: skip
@click.option("--samples", type=Whole(1),
              help="Monte-Carlo samples of the noise per point (100); chips for fig4 and of "
              "unipolar figures (100), and of LSTMs (10).")  # fmt: skip
@click.option("--limit", type=Whole(1), help="Largest number of sequences to use.")
@click.option("--data", help="Data set to use instead of the figure's (see 'pimsim data list').")
@click.option("--seed", type=Whole(0, (1 << 64) - 1), default=1, show_default=True)
@click.option("--threads", type=Whole(1),
              help="Threads; all cores if not given.")  # fmt: skip
@click.option("--networks", type=click.Path(path_type=Path),
              help="Folder of networks: needed for LSTMs; of unipolar figures and analognets, "
              "they go before bundled ones.")  # fmt: skip
@click.option("--start", type=click.Path(path_type=Path),
              help="Of LSTMs: checkpoint of the float network, from which those networks are "
              "trained that the folder lacks.")  # fmt: skip
def reproduce(figure: str, out: Path, **options: Any) -> None:
    """Compute FIGURE of a paper again: fig3a, fig3b, fig3c, fig4, fig5 or table2; lstm_bits,
    lstm_noise or lstm_cost; unipolar_har, unipolar_cifar10 or unipolar_cost; analognets.

    Networks trained in the paper's ways come with pimsim; its kernels run them. Writes
    the figure (SVG, PNG), its data (CSV, JSON with what the paper says) and every finished
    point, so that an interrupted call goes on. Rows of unipolar_cifar10 and analognets are left
    out, and named, where their networks are neither bundled nor in --networks: training takes
    hours, and docs/reproduction.md says how. Networks of lstm_bits and the like stay in a
    folder of yours: those that it lacks are trained first, epoch by epoch, and a training that
    was interrupted goes on, too.
    """
    from pimsim.errors import ConfigError, Place, nearest
    from pimsim.files import claim_folder
    from pimsim.studies.analognets import ANALOGNETS
    from pimsim.studies.paper import GROUPS, PAPER
    from pimsim.studies.reproduce import ChipsFigure
    from pimsim.studies.unipolar import UNIPOLAR

    specs: dict[str, Spec] = {**PAPER, **UNIPOLAR, **ANALOGNETS}
    names = GROUPS.get(figure, (figure,))
    if not set(names) <= {*specs, *LSTM}:
        raise ConfigError(
            f"'{figure}' is no figure that pimsim reproduces",
            place=Place("FIGURE"),
            remedy=nearest(figure, [*specs, *GROUPS, *LSTM]),
        )
    claim_folder(out, [f"{name}.{end}" for name in names for end in ENDINGS], "--out")
    if figure in LSTM:
        _reproduce_lstm(figure, out, **options)
        return
    takes_networks = all(isinstance(specs[name], ChipsFigure) for name in names)
    if not takes_networks and options["networks"] is not None:
        raise ConfigError(
            "is of LSTMs and of figures of chips",
            place=Place("--networks", None, figure),
            remedy="Leave it out",
        )
    if options.pop("start") is not None:
        raise ConfigError("is of LSTMs alone", place=Place("--start", None, figure),
                          remedy="Leave it out")  # fmt: skip
    from pimsim.cli.progress import stages
    from pimsim.studies.reproduce import reproduce as study
    from pimsim.studies.reproduce import reproduction_document

    options["samples"] = options["samples"] or 100
    for name in names:
        with stages() as (console, progress):
            found = study(name, specs[name], out, progress=progress, **options)
        _write(reproduction_document(found), out, console)


def _write(document: Document, out: Path, console: Console) -> None:
    from pimsim.files import study_written
    from pimsim.report.pages import page_of
    from pimsim.report.reproduction import write_reproduction
    from pimsim.report.terminal import print_page

    with study_written(out / f"{document.name}.json"):  # type: ignore[attr-defined]
        written = write_reproduction(document, out)  # type: ignore[arg-type]
    print_page(page_of(document), console)
    console.print(f"written: {', '.join(map(str, written))}", highlight=False, soft_wrap=True)


def _reproduce_lstm(
    figure: str,
    out: Path,
    *,
    samples: int | None,
    limit: int | None,
    data: str | None,
    seed: int,
    threads: int | None,
    networks: Path | None,
    start: Path | None,
) -> None:
    from pimsim.cli.progress import stages
    from pimsim.data import catalog
    from pimsim.errors import ConfigError, Place
    from pimsim.studies.lstm import FIGURES, default_data, lstm_study, missing, settings_document
    from pimsim.studies.lstm_cost import chips_document, cost_variants
    from pimsim.studies.options import RunOptions

    if networks is None:
        raise ConfigError(
            f"is needed for {figure}",
            place=Place("--networks"),
            remedy="Name a folder that has its networks, or one for them, and --start",
        )
    variants = FIGURES[figure].variants if figure in FIGURES else cost_variants()
    if start is not None:
        data = _train(missing(variants, networks), networks, start, data, limit, threads)
    if figure == "lstm_cost":
        chosen = data or default_data(networks, variants)
        options = RunOptions(data=chosen, chips=samples or 3, seed=seed, limit=limit,
                             threads=threads)  # fmt: skip
        with stages() as (console, progress):
            document = chips_document(networks, options, progress=progress)
        _write(document, out, console)
        return
    dataset = catalog.load(data or default_data(networks, variants))
    dataset = dataset if limit is None else dataset.limit(limit)
    with stages("points") as (console, progress):
        found = lstm_study(figure, out, networks, dataset, samples=samples or 10, seed=seed,
                           threads=threads, progress=progress)  # fmt: skip
    _write(settings_document(found), out, console)


def _train(
    lacking: list[Any],
    networks: Path,
    start: Path,
    data: str | None,
    limit: int | None,
    threads: int | None,
) -> str | None:
    """Train what is lacking, and measure the float network; returns the name of the data."""
    from pimsim.cli.progress import stages
    from pimsim.cli.train import require_torch
    from pimsim.files import folder_held
    from pimsim.studies.lstm import TRAINED_NOISE

    require_torch()
    from pimsim.train.loop import use_threads
    from pimsim.train.variants import Quantised, Variants

    use_threads(threads)
    with folder_held(networks, wait=False), stages("batches") as (console, progress):

        def report(line: str) -> None:
            console.print(line, highlight=False, soft_wrap=True)

        made = Variants(start, networks, report, lambda name, total: progress(name, total, 1))
        for variant in lacking:
            noise = TRAINED_NOISE if variant.noisy else (0.0, 0.0)
            bits = variant.weights, variant.dac, variant.adc
            begins = None if variant.start is None else variant.start.name
            how = Quantised(*bits, variant.epochs, *noise, begins)
            made.make(variant.name, how)
        tested = made.test_data(data)
        made.measure_float(tested if limit is None else tested.limit(limit))
    return data or made.recipe.test
