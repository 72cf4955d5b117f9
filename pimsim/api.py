"""Python interface: run, compare and sweep, with results as Python objects.

`import pimsim` finds these without importing anything heavy before they are used.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pimsim.files import check_folder, study_written
from pimsim.report.charts import draw_run
from pimsim.report.comparison import case_rows, draw_comparison, figure_size, write_comparison
from pimsim.report.documents import ComparisonDocument, RunDocument, SweepDocument
from pimsim.report.figures import NotebookFigure, one_look
from pimsim.report.frames import Frame, frame_of, run_tables
from pimsim.report.html import PAGE, html_of, write_page
from pimsim.report.pages import page_of
from pimsim.report.sweep import draw_sweep, numbers_of, write_sweep
from pimsim.studies import run as run_study
from pimsim.studies import sweep as sweep_study
from pimsim.studies import sweep_search
from pimsim.studies.axes import Axis, grid, parse_axis
from pimsim.studies.compare import compare_runs, run_cases
from pimsim.studies.distribute import computing, threads_of
from pimsim.studies.document import run_document
from pimsim.studies.folder import bits_of, write_run
from pimsim.studies.options import RunOptions, numpydoc_lines
from pimsim.studies.prepare import Model, Part
from pimsim.studies.progress import Progress, silent
from pimsim.studies.question import answered
from pimsim.studies.run import RunResult
from pimsim.studies.statistics import Sample

Choice = Part | Sequence[Part] | None


class Run:
    """A finished run.

    Attributes
    ----------
    simulated : RunResult
        Plan and measurements, with data not stored in report.json, such as all predictions.
    document : RunDocument
        The document of `report.json`, typed (docs/report.md).
    """

    def __init__(self, simulated: RunResult) -> None:
        self.simulated = simulated
        self.document: RunDocument = run_document(simulated)

    def __repr__(self) -> str:
        run, sample, metric = self.document.run, self.sample, self.document.metric
        deviation = "" if sample.std is None else f" +- {metric.number(sample.std)}"
        return (
            f"<Run of {run.network} on {run.chip}, {run.device}: "
            f"{metric.number(sample.mean)}{deviation} {metric.unit} on {run.n_chips} chips>"
        )

    @property
    def report(self) -> dict[str, Any]:
        """Content of `report.json`."""
        return self.document.as_dict()

    @property
    def sample(self) -> Sample:
        """The network's metric: `mean`, `std`, `ci95`, `per_chip`, `ideal`, ..."""
        return self.simulated.sample

    @property
    def accuracy(self) -> Sample:
        """The same of accuracy, as fractions.

        Raises
        ------
        ConfigError
            If the network is measured by something else, which is in `sample`.
        """
        return self.simulated.accuracy

    @property
    def energy(self) -> float:
        """Energy per inference [J]."""
        return self.document.energy.per_inference_j

    @property
    def area(self) -> float:
        """Area of the chip [m2]."""
        return self.document.area.total_m2

    @property
    def interval(self) -> float:
        """Initiation interval: 1 / throughput, the pipeline being full [s]."""
        return self.document.latency.interval_s

    def frame(self, table: str = "chips") -> Frame:
        """A table of the report as a pandas DataFrame.

        Parameters
        ----------
        table : {"chips", "noise", "energy", "area", "latency", "actions", "levels"}

        Raises
        ------
        ConfigError
            If there is no such table, or pandas is not installed.
        """
        return frame_of(run_tables(self.report), table)

    def plot(self) -> NotebookFigure:
        """The metric over chips, and the effect of each noise source alone."""
        with one_look():
            figure = NotebookFigure(figsize=(9.0, 3.4), layout="constrained")
            draw_run(figure, self.document)
        return figure

    def save(self, folder: str | Path) -> list[Path]:
        """Write report.json, report.html and, where bits were kept, bits.npz."""
        folder = Path(folder)
        check_folder(folder)
        bits = bits_of(self.simulated) if self.simulated.chips.bits else None
        written = write_run(folder, self.report, html_of(page_of(self.document)), bits)
        kept = [folder / "bits.npz"] if bits is not None else []
        return [written, *kept, folder / PAGE]


class Comparison:
    """Cases side by side.

    Attributes
    ----------
    reports : list of RunDocument
        Of each case.
    typed : ComparisonDocument
        The document of `comparison.json`, typed.
    """

    def __init__(self, reports: Sequence[RunDocument]) -> None:
        self.reports = list(reports)
        self.typed: ComparisonDocument = compare_runs(self.reports)

    def __repr__(self) -> str:
        cases = (f"{case.case} {case.metric.text(case.measured.mean)}" for case in self.typed.cases)
        return f"<Comparison of {', '.join(cases)}>"

    @property
    def document(self) -> dict[str, Any]:
        """Content of `comparison.json`: `cases` and `differences`."""
        return self.typed.as_dict()

    def frame(self, table: str = "cases") -> Frame:
        """Cases, differences, or every chip of every case as a pandas DataFrame.

        Parameters
        ----------
        table : {"cases", "differences", "chips"}

        Raises
        ------
        ConfigError
            If there is no such table, or pandas is not installed.
        """
        chips = [
            {"case": case.case, "chip": index, self.typed.metric.key: value}
            for case in self.typed.cases
            for index, value in enumerate(case.measured.per_chip)
        ]
        tables = {
            "cases": case_rows(self.typed),
            "differences": self.document["differences"],
            "chips": chips,
        }
        return frame_of(tables, table)

    def plot(self) -> NotebookFigure:
        """The metric over chips, energy and area by component, initiation interval."""
        with one_look():
            figure = NotebookFigure(figsize=figure_size(self.typed), layout="constrained")
            draw_comparison(figure, self.typed)
        return figure

    def save(self, folder: str | Path) -> list[Path]:
        """Write comparison.svg, .png, .csv, .json and report.html."""
        folder = Path(folder)
        check_folder(folder)
        with study_written(folder / "comparison.json"):
            return [
                *write_comparison(self.typed, folder),
                write_page(page_of(self.typed), folder / PAGE),
            ]


class Sweep:
    """Points of a sweep.

    Attributes
    ----------
    typed : SweepDocument
        The document of `sweep.json`, typed.
    """

    def __init__(self, document: SweepDocument) -> None:
        self.typed = document

    def __repr__(self) -> str:
        axes = ", ".join(self.typed.axes)
        return f"<Sweep of {self.typed.model}: {len(self.typed.points)} points, {axes}>"

    @property
    def document(self) -> dict[str, Any]:
        """Content of `sweep.json`: `axes` and `points`."""
        return self.typed.as_dict()

    def frame(self) -> Frame:
        """A row for each point as a pandas DataFrame; axes of numbers are numbers.

        Raises
        ------
        ConfigError
            If pandas is not installed.
        """
        rows = self.document["points"]
        numbers = {key: numbers_of(self.typed.points, key) for key in self.typed.axes}
        columns = {key: values for key, values in numbers.items() if values is not None}
        changed = [
            {**row, **{key: values[index] for key, values in columns.items()}}
            for index, row in enumerate(rows)
        ]
        return frame_of({"points": changed}, "points")

    def plot(self) -> NotebookFigure:
        """The metric, energy, area and time over the axis of most numbers."""
        with one_look():
            figure = NotebookFigure(figsize=(9.0, 6.4), layout="constrained")
            draw_sweep(figure, self.typed)
        return figure

    def save(self, folder: str | Path) -> list[Path]:
        """Write sweep.svg, .png, .csv, .json and report.html."""
        folder = Path(folder)
        check_folder(folder)
        with study_written(folder / "sweep.json"):
            return [
                *write_sweep(self.typed, folder),
                write_page(page_of(self.typed), folder / PAGE),
            ]


def run(model: Model | None = None, *, progress: Progress = silent, **options: Any) -> Run:
    """Simulate a network on chips drawn from a device and a chip description.

        Parameters
        ----------
        model : str, Path or Network
            Model file, or the name of a bundled one; or a network or its file, which is run on the
            bundled chip and device of `models/gru.yaml` if no others are named. Data are needed
            then. None if the option `network` names one.
        progress : callable, optional
            Called with (stage, work of the stage, work done since the last call).
    {options}

        Returns
        -------
        Run

        Raises
        ------
        PimsimError
            If something named is missing, damaged or does not fit.
        TypeError
            If there is no such option.
    """
    return Run(run_study.run(model, progress=progress, **options))


run.__doc__ = (run.__doc__ or "").replace("{options}", numpydoc_lines())


def compare(
    *what: Model | Run,
    device: Choice = None,
    chip: Choice = None,
    network: Choice = None,
    progress: Progress = silent,
    **options: Any,
) -> Comparison:
    """Compare models, finished folders or runs; models run on every chip and device.

    Parameters
    ----------
    what
        Model files, names of bundled models, networks or their files, folders of finished runs,
        or `Run`s.
    device, chip, network
        One or several, for the models of `what`: names, paths or objects.
    progress, options
        As `run` takes them.

    Raises
    ------
    PimsimError
        If something named is missing, damaged or does not fit, or ran on other sequences.
    TypeError
        If there is no such option.
    """
    cases = run_cases(
        [one.document if isinstance(one, Run) else one for one in what],
        networks=_several(network),
        chips=_several(chip),
        devices=_several(device),
        options=RunOptions.of(**options),
        progress=progress,
    )
    return Comparison([case.report for case in cases])


def sweep(
    model: Model,
    axes: Mapping[str, str | Path | Iterable[object]] | None = None,
    *,
    points: Iterable[Mapping[str, object]] | None = None,
    out: str | Path | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    where: Sequence[str] = (),
    best: str | None = None,
    search: int | None = None,
    progress: Progress = silent,
    **options: Any,
) -> Sweep:
    """Run a model at every point of a grid, or at those that a search chooses.

    Parameters
    ----------
    model
        As `run` takes it.
    axes
        Values by key, such as `{"device": ["reram", "pcm"], "noise.sigma_eval": "0:2:0.5"}`.
    points
        Settings of each point, instead of axes.
    out
        Folder in which finished points are kept; they are lost if None.
    workers, scheduler
        Processes of this machine, or a dask scheduler, to share the points among.
    where, best
        Conditions such as "area < 1 mm2", and the figure to be best; the answer is on the page, and
        in the document's `question`.
    search
        How many points of the grid of the axes are run, chosen towards `best` under the conditions
        of `where`; the whole grid if None.
    progress, options
        As `run` takes them, for all points.

    Raises
    ------
    PimsimError
        If a point cannot be read, before the first one is run, or none can be run.  If a search
        has no figure to be best, or optuna is not installed.
    TypeError
        If there is no such option, or not one of axes and points, or a search among points.
    """
    if (axes is None) == (points is None):
        raise TypeError("axes or points are needed, one of both")
    if search is not None and axes is None:
        raise TypeError("a search needs axes")
    chosen = RunOptions.of(**options)
    chosen = replace(chosen, threads=threads_of(workers, chosen.threads))
    spans = [_axis(key, values) for key, values in (axes or {}).items()]
    listed = [{key: str(value) for key, value in point.items()} for point in points or ()]
    facts = None
    with tempfile.TemporaryDirectory() as lost, computing(scheduler, workers) as compute:
        folder = Path(lost if out is None else out)
        if search is None:
            settings = listed if points is not None else grid(spans)
            rows = sweep_study.sweep(
                model, settings, folder, options=chosen, compute=compute, progress=progress
            )
        else:
            rows, facts = sweep_search.search(
                model, spans, search, folder, where=where, best=best, options=chosen,
                compute=compute, progress=progress,
            )  # fmt: skip
    name = str(model) if isinstance(model, str | Path) else model.name
    keys = [span.key for span in spans] or list(listed[0])
    document = sweep_study.sweep_document(name, keys, rows).model_copy(update={"search": facts})
    return Sweep(answered(document, where, best))


def _axis(key: str, values: str | Path | Iterable[object]) -> Axis:
    text = str(values) if isinstance(values, str | Path) else ",".join(map(str, values))
    return parse_axis(f"{key}={text}")


def _several(choice: Choice) -> Sequence[Part | None]:
    return choice if isinstance(choice, Sequence) and not isinstance(choice, str) else [choice]
