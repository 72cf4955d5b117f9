"""pimsim from Python: what the commands run, compare and sweep do, with results to work on.

`import pimsim` finds these without importing anything heavy before they are used.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, ParamSpec

from pimsim.report.charts import draw_run
from pimsim.report.comparison import case_rows, draw_comparison, write_comparison
from pimsim.report.figures import NotebookFigure, one_look
from pimsim.report.frames import Frame, frame_of, run_tables
from pimsim.report.html import PAGE, render, write_page
from pimsim.report.sweep import draw_sweep, numbers_of, write_sweep
from pimsim.studies import run as run_study
from pimsim.studies import sweep as sweep_study
from pimsim.studies.compare import describe_comparison, read_report
from pimsim.studies.distribute import computing, threads_of
from pimsim.studies.document import describe_run
from pimsim.studies.folder import bits_of, check_folder, write_run
from pimsim.studies.prepare import Shared
from pimsim.studies.run import RunResult
from pimsim.studies.statistics import Accuracy

Options = ParamSpec("Options")
Choice = str | Path | Sequence[str | Path] | None


class Run:
    """A finished run.

    Attributes
    ----------
    simulated : RunResult
        Everything that the run found: predictions, counts, timing, ...
    report : dict
        The document of `report.json` (docs/report.md).
    """

    def __init__(self, simulated: RunResult) -> None:
        self.simulated = simulated
        self.report = describe_run(simulated)

    def __repr__(self) -> str:
        run, accuracy = self.report["run"], self.accuracy
        spread = "" if accuracy.std is None else f" +- {100 * accuracy.std:.2f}"
        return (
            f"<Run of {run['network']} on {run['chip']}, {run['device']}: "
            f"{100 * accuracy.mean:.2f}{spread} % on {run['n_chips']} chips>"
        )

    @property
    def accuracy(self) -> Accuracy:
        """`mean`, `std`, `ci95`, `per_chip`, `ideal`, ... as fractions."""
        return self.simulated.accuracy

    @property
    def energy(self) -> float:
        """Energy per inference [J]."""
        return float(self.report["energy"]["per_inference_j"])

    @property
    def area(self) -> float:
        """Area of the chip [m2]."""
        return float(self.report["area"]["total_m2"])

    @property
    def interval(self) -> float:
        """Time for each further inference, the pipeline being full [s]."""
        return float(self.report["latency"]["interval_s"])

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
        """Accuracy over chips, and what each noise source does alone."""
        with one_look():
            figure = NotebookFigure(figsize=(9.0, 3.4), layout="constrained")
            draw_run(figure, self.report)
        return figure

    def save(self, folder: str | Path) -> list[Path]:
        """Write report.json, report.html and, where bits were kept, bits.npz."""
        folder = Path(folder)
        check_folder(folder)
        bits = bits_of(self.simulated) if self.simulated.chips.bits else None
        written = write_run(folder, self.report, render(self.report), bits)
        kept = [folder / "bits.npz"] if bits is not None else []
        return [written, *kept, folder / PAGE]


class Comparison:
    """Cases side by side.

    Attributes
    ----------
    document : dict
        As in `comparison.json`: `cases` and `differences`.
    reports : list of dict
        Of each case.
    """

    def __init__(self, reports: Sequence[Mapping[str, Any]]) -> None:
        self.reports = list(reports)
        self.document = describe_comparison(self.reports)

    def __repr__(self) -> str:
        cases = (f"{c['case']} {100 * c['accuracy']['mean']:.2f} %" for c in self.document["cases"])
        return f"<Comparison of {', '.join(cases)}>"

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
            {"case": case["case"], "chip": index, "accuracy": value}
            for case in self.document["cases"]
            for index, value in enumerate(case["accuracy"]["per_chip"])
        ]
        tables = {
            "cases": case_rows(self.document),
            "differences": self.document["differences"],
            "chips": chips,
        }
        return frame_of(tables, table)

    def plot(self) -> NotebookFigure:
        """Violins of accuracy, stacked bars of energy and area, bars of time."""
        with one_look():
            figure = NotebookFigure(figsize=(9.0, 6.4), layout="constrained")
            draw_comparison(figure, self.document)
        return figure

    def save(self, folder: str | Path) -> list[Path]:
        """Write comparison.svg, .png, .csv, .json and report.html."""
        folder = Path(folder)
        check_folder(folder)
        return [
            *write_comparison(self.document, folder),
            write_page(self.document, folder / PAGE),
        ]


class Sweep:
    """Points of a sweep.

    Attributes
    ----------
    document : dict
        As in `sweep.json`: `axes` and `points`.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = dict(document)

    def __repr__(self) -> str:
        axes = ", ".join(self.document["axes"])
        return f"<Sweep of {self.document['model']}: {len(self.document['points'])} points, {axes}>"

    def frame(self) -> Frame:
        """A row for each point as a pandas DataFrame; axes of numbers are numbers.

        Raises
        ------
        ConfigError
            If pandas is not installed.
        """
        rows = self.document["points"]
        numbers = {key: numbers_of(rows, key) for key in self.document["axes"]}
        columns = {key: values for key, values in numbers.items() if values is not None}
        changed = [
            {**row, **{key: values[index] for key, values in columns.items()}}
            for index, row in enumerate(rows)
        ]
        return frame_of({"points": changed}, "points")

    def plot(self) -> NotebookFigure:
        """Accuracy, energy, area and time over the axis of most numbers."""
        with one_look():
            figure = NotebookFigure(figsize=(9.0, 6.4), layout="constrained")
            draw_sweep(figure, self.document["points"], self.document["axes"])
        return figure

    def save(self, folder: str | Path) -> list[Path]:
        """Write sweep.svg, .png, .csv, .json and report.html."""
        folder = Path(folder)
        check_folder(folder)
        return [*write_sweep(self.document, folder), write_page(self.document, folder / PAGE)]


def _as_run(study: Callable[Options, RunResult]) -> Callable[Options, Run]:
    @functools.wraps(study)
    def run(*args: Options.args, **kwargs: Options.kwargs) -> Run:
        return Run(study(*args, **kwargs))

    run.__annotations__ = {**study.__annotations__, "return": "Run"}
    return run


run = _as_run(run_study.run)


def compare(
    *what: str | Path | Run, device: Choice = None, chip: Choice = None, **options: Any
) -> Comparison:
    """Put models, finished folders or runs side by side; models on every chip and device.

    Parameters
    ----------
    what
        Model files, names of bundled models, folders of finished runs, or `Run`s.
    device, chip
        One or several, for the models of `what`.
    options
        As `run` takes them.

    Raises
    ------
    PimsimError
        If something named is missing, damaged or does not fit, or ran on other sequences.
    """
    reports: list[Mapping[str, Any]] = []
    shared = Shared()
    for one in what:
        if isinstance(one, Run):
            reports.append(one.report)
        elif Path(one).is_dir() or Path(one).suffix == ".json":
            reports.append(read_report(Path(one)))
        else:
            for on, of in product(_several(chip), _several(device)):
                settings = {"contributions": False, "shared": shared, **options}
                reports.append(run(one, chip=on, device=of, **settings).report)
    return Comparison(reports)


def sweep(
    model: str | Path,
    axes: Mapping[str, str | Iterable[object]] | None = None,
    *,
    points: Iterable[Mapping[str, object]] | None = None,
    out: str | Path | None = None,
    set: Iterable[str] = (),
    threads: int | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Callable[[str, int, int], None] = lambda stage, total, done: None,
    **options: Any,
) -> Sweep:
    """Run a model at every point of a grid.

    Parameters
    ----------
    axes
        Values by key, such as `{"device": ["reram", "pcm"], "noise.sigma_eval": "0:2:0.5"}`.
    points
        Settings of each point, instead of axes.
    out
        Folder in which finished points are kept; they are lost if None.
    workers, scheduler
        Processes of this machine, or a dask scheduler, to share the points among.
    set, threads, options
        As `run` takes them, for all points.

    Raises
    ------
    PimsimError
        If a point cannot be read, before the first one is run, or none can be run.
    """
    if (axes is None) == (points is None):
        raise TypeError("axes or points are needed, one of both")
    chosen = (
        [{key: str(value) for key, value in point.items()} for point in points]
        if points is not None
        else sweep_study.grid([_axis(key, values) for key, values in (axes or {}).items()])
    )
    with tempfile.TemporaryDirectory() as lost, computing(scheduler, workers) as compute:
        rows = sweep_study.sweep(
            str(model),
            chosen,
            Path(lost if out is None else out),
            options={key: str(v) if isinstance(v, Path) else v for key, v in options.items()},
            assignments=list(set),
            threads=threads_of(workers, threads),
            compute=compute,
            progress=progress,
        )
    return Sweep(sweep_study.describe_sweep(str(model), list(chosen[0]), rows))


def _axis(key: str, values: str | Iterable[object]) -> sweep_study.Axis:
    text = values if isinstance(values, str) else ",".join(map(str, values))
    return sweep_study.parse_axis(f"{key}={text}")


def _several(choice: Choice) -> Sequence[str | Path | None]:
    if choice is None or isinstance(choice, (str, Path)):
        return [choice]
    return choice
