"""One model at many settings: a grid of axes, every finished point kept.

A point is stored under a key made from all that determines it, so a second call computes
only what is new.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from pimsim import __version__
from pimsim.errors import ConfigError, PimsimError, Place
from pimsim.report.documents import RunDocument, SweepDocument, parse
from pimsim.report.documents.sweep import COSTS, Goal, RunFigures
from pimsim.report.provenance import assumed_figures
from pimsim.studies.axes import Point
from pimsim.studies.document import run_document
from pimsim.studies.options import DEFAULTS, RunOptions
from pimsim.studies.origin import origin
from pimsim.studies.points import Points, key_of
from pimsim.studies.prepare import Model, Prepared, Shared, prepare
from pimsim.studies.progress import Progress, silent
from pimsim.studies.run import run_prepared
from pimsim.workload.metrics import ACCURACY, METRICS, Metric

# keys that choose files instead of replacing a value
FILES = ("device", "chip", "data")

Kept = TypeVar("Kept")
# key and report of a point, or in words why there is none
Found = tuple[str, RunDocument | str]
# (model, options by key, what points share) -> points as they are finished
Compute = Callable[[Model, Mapping[str, RunOptions], Shared], Iterator[Found]]


def compute_here(model: Model, points: Mapping[str, RunOptions], shared: Shared) -> Iterator[Found]:
    """Results of the points, one after the other, in this process."""
    for options in points.values():
        yield run_point(model, options, shared)


def run_point(model: Model, options: RunOptions, shared: Shared | None = None) -> Found:
    """Key and report of a point, or the reason why its chip cannot be built."""
    prepared = _prepare(model, options, shared)
    key = point_key(prepared, options)
    try:
        return key, run_document(run_prepared(prepared, options))
    except PimsimError as error:
        return key, str(error)


def _prepare(model: Model, options: RunOptions, shared: Shared | None) -> Prepared:
    return prepare(model, options.replaced_keys(), options.assignments, shared)


def sweep(
    model: Model,
    points: Sequence[Point],
    folder: Path,
    *,
    options: RunOptions = DEFAULTS,
    compute: Compute = compute_here,
    progress: Progress = silent,
    shared: Shared | None = None,
) -> list[dict[str, Any]]:
    """Run a model at every point; returns a row for each, in order.

    Parameters
    ----------
    points
        From `grid` or `read_points`.
    folder : Path
        Receives points/<key>.json as soon as a point is done.
    options
        Of all points.
    compute
        Runs the points that are not finished, here or elsewhere, and yields each as soon as
        it is done.
    shared
        What was read for these points already.

    Raises
    ------
    PimsimError
        If a point cannot be read; all are, before the first one is run.  If none can be run.

    Notes
    -----
    A point at which no chip can be built has a row of None, but for `error`, which says why.
    """
    keys, finished, failed = run_points(
        model, points, folder, row_of, options=options, compute=compute, progress=progress,
        shared=shared,
    )  # fmt: skip
    rows = rows_of(points, keys, finished, failed)
    mark_pareto(rows)
    return rows


def rows_of(
    points: Sequence[Point],
    keys: Sequence[str],
    finished: Mapping[str, Mapping[str, Any]],
    failed: Mapping[str, str],
) -> list[dict[str, Any]]:
    """A row for each point, from what `run_points` returns.

    Raises
    ------
    PimsimError
        If none of the points can be run.
    """
    if not finished:
        raise PimsimError(f"none of the points can be run; the first: {failed[keys[0]]}")
    nothing = dict.fromkeys(next(iter(finished.values())))
    # an axis of the name of a figure, as `seed`, is an axis: the words that were asked for
    return [
        {**point, **finished.get(key, nothing), "error": failed.get(key), **point}
        for point, key in zip(points, keys, strict=True)
    ]


def run_points(
    model: Model,
    points: Sequence[Point],
    folder: Path,
    of: Callable[[RunDocument], Kept],
    *,
    options: RunOptions = DEFAULTS,
    compute: Compute = compute_here,
    progress: Progress = silent,
    shared: Shared | None = None,
) -> tuple[list[str], dict[str, Kept], dict[str, str]]:
    """Run a model at every point, as `sweep` does; it is no error if none can be run.

    Parameters
    ----------
    of
        What is kept of a point's report.

    Returns
    -------
    keys : list of str
        Of the points, in order.
    finished : dict
        What is kept, by key.
    failed : dict of str -> str
        By key, why a chip cannot be built.
    """
    # what is wrong with the last point is said before the first one has taken its time
    shared, store = shared or Shared(), Points(folder)
    chosen = [_options_of(point, options) for point in points]
    keys = keys_of_points(model, points, shared, options=options, progress=progress)
    finished = {key: of(kept) for key in keys if (kept := _read(store, key)) is not None}
    missing = {key: each for key, each in zip(keys, chosen, strict=True) if key not in finished}
    progress("points", len(set(keys)), len(finished))
    failed: dict[str, str] = {}
    for key, found in compute(model, missing, shared):
        if isinstance(found, str):
            failed[key] = found
        else:
            finished[key] = of(found)
            store.keep(key, {"row": row_of(found), "report": found.as_dict()})
        progress("points", len(set(keys)), 1)
    return keys, finished, failed


def keys_of_points(
    model: Model,
    points: Sequence[Point],
    shared: Shared,
    *,
    options: RunOptions = DEFAULTS,
    progress: Progress = silent,
) -> list[str]:
    """Read and check points; returns the key of each.

    Raises
    ------
    PimsimError
        If one cannot be read; the place is the axis that names the value.
    """
    keys = []
    progress("reading", len(points), 0)
    for point in points:
        each = _options_of(point, options)
        try:
            keys.append(point_key(_prepare(model, each, shared), each))
        except PimsimError as error:
            raise _of_axis(error, point) from error
        progress("reading", len(points), 1)
    return keys


def _options_of(point: Point, options: RunOptions) -> RunOptions:
    """Options of a run at a point: its figures are compared, its noise sources are not."""
    files: dict[str, Any] = {key: value for key, value in point.items() if key in FILES}
    changed = [f"{key}={value}" for key, value in point.items() if key not in FILES]
    assignments = (*options.assignments, *changed)
    return replace(options, **files, assignments=assignments, noise_sources=False, keep_bits=False)


def _of_axis(error: PimsimError, point: Point) -> PimsimError:
    """An error of a point, which names the axis that the user gave, and no `--set`."""

    def place(one: PimsimError) -> Place | None:
        for key, value in point.items():
            if one.place is not None and one.place.file in (
                f"--set {key}={value}",
                f"--{key} {value}",
            ):
                return replace(one.place, file=f"--axis {key}={value}")
        return one.place

    others = [_of_axis(other, point) for other in error.others]
    return type(error)(error.message, place=place(error), remedy=error.remedy, others=others)


def _read(store: Points, key: str) -> RunDocument | None:
    """Report of a finished point; None if it is not finished, or its file is damaged."""
    stored = store.read(key)
    if stored is None:
        return None
    try:
        return parse(stored.get("report"), RunDocument, store.path(key))
    except ConfigError:
        return None


def point_key(prepared: Prepared, options: RunOptions = DEFAULTS) -> str:
    """Hash of everything that determines a point: files as used, network, data, version."""
    setup = prepared.setup
    content = [
        __version__,
        setup.run.model_dump(mode="json", exclude={"name", "networks", "chip", "device", "data"}),
        setup.device.model_dump(mode="json"),
        setup.chip.model_dump(mode="json"),
        setup.technology.model_dump(mode="json"),
        prepared.network_digest,
        prepared.data.sha256,
        *(["ideal"] if options.ideal else []),
    ]
    return key_of(json.dumps(content, sort_keys=True))


def row_of(report: RunDocument) -> dict[str, Any]:
    """Figures of a run in one flat row."""
    facts, reached, key = report.measured, report.measured.yield_, report.metric.key
    low, high = facts.ci95 or (None, None)
    yield_low, yield_high = reached.ci95 if reached else (None, None)
    of_chips = {
        "std": facts.std,
        "min": facts.min,
        "max": facts.max,
        "ci95_low": low,
        "ci95_high": high,
        "ideal": facts.ideal,
        "std_chips": facts.std_chips,
        "std_reads": facts.std_reads,
    }
    return RunFigures(
        **{key: facts.mean},
        **{f"{key}_{what}": value for what, value in of_chips.items()},
        yield_=reached.share if reached else None,
        yield_ci95_low=yield_low,
        yield_ci95_high=yield_high,
        chips=report.run.n_chips,
        energy_per_inference_j=report.energy.per_inference_j,
        area_m2=report.area.total_m2,
        interval_s=report.latency.interval_s,
        after_last_input_s=report.latency.after_last_input_s,
        tops_per_w=report.efficiency.tops_per_w,
        doubtful=len(report.doubtful),
        assumed=" ".join(assumed_figures(report.provenance)),
        is_synthetic_data=report.run.is_synthetic_data,
        seed=report.run.seed,
    ).model_dump(mode="json")


def sweep_document(
    model: str, keys: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> SweepDocument:
    """Document of a sweep: axes, a row for each point, and the command to repeat it."""
    return SweepDocument.model_validate(
        {
            "schema": "pimsim.sweep/1",
            "pimsim": __version__,
            "model": model,
            "axes": list(keys),
            "points": list(rows),
            "provenance": origin(),
        }
    )


def describe_sweep(
    model: str, keys: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Sweep as plain data."""
    return sweep_document(model, keys, rows).as_dict()


def mark_pareto(rows: list[dict[str, Any]]) -> None:
    """Add `is_pareto`: true if no other row is as good in every goal and better in one."""
    good = [row for row in rows if not row.get("error")]
    goals = (Goal.of(_metric_of(good)), *COSTS)
    scores = [
        tuple(row[goal.key] if goal.is_more_better else -row[goal.key] for goal in goals)
        for row in good
    ]
    for row in rows:
        row["is_pareto"] = False
    for row, own in zip(good, scores, strict=True):
        row["is_pareto"] = not any(_dominates(other, own) for other in scores)


def _metric_of(rows: Sequence[Mapping[str, Any]]) -> Metric:
    """The metric that all rows hold.

    Raises
    ------
    ConfigError
        If networks of different metrics are among them.
    """
    held = {key for row in rows for key in METRICS if row.get(key) is not None}
    if len(held) > 1:
        names = " and ".join(metric.name for key, metric in METRICS.items() if key in held)
        raise ConfigError(
            f"has points that are measured in {names}, which have no common best",
            place=Place("--axis"),
            remedy="Take networks of one metric",
        )
    return METRICS[held.pop()] if held else ACCURACY


def _dominates(other: tuple[float, ...], own: tuple[float, ...]) -> bool:
    return other != own and all(a >= b for a, b in zip(other, own, strict=True))
