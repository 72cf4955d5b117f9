"""One model at many settings: a grid of axes, every finished point kept.

A point is stored under a key made from all that determines it, so a second call computes
only what is new.
"""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from pimsim import __version__
from pimsim.errors import ConfigError, PimsimError, Place
from pimsim.files import read_json, read_text, write_json
from pimsim.studies.document import describe_run
from pimsim.studies.origin import origin
from pimsim.studies.points import Progress
from pimsim.studies.prepare import Prepared, Shared, prepare
from pimsim.studies.run import run_prepared

SCHEMA = "pimsim.sweep/1"
# keys that choose files instead of replacing a value
OPTIONS = ("device", "chip", "data")
MOST_POINTS = 100_000
MOST_KEYS = 32
# figures of a point, and whether a larger one is better
GOALS = {
    "accuracy": True,
    "energy_per_inference_j": False,
    "area_m2": False,
    "interval_s": False,
}

Point = dict[str, str]
# options and assignments, as `prepare` takes them
Settings = tuple[dict[str, Any], list[str]]
# key and report of a point, or in words why there is none
Found = tuple[str, dict[str, Any] | str]
# (model, settings by key, threads of a point, what points share) -> points as they are finished
Compute = Callable[[str, Mapping[str, Settings], int | None, Shared], Iterator[Found]]


@dataclass(frozen=True)
class Axis:
    """A key and the values that it takes."""

    key: str
    values: tuple[str, ...]


def parse_axis(text: str) -> Axis:
    """An axis from `key=a,b,c` or `key=first:last:step`, the last included.

    Raises
    ------
    ConfigError
        If it is neither.
    """
    place = Place("--axis", None, text)
    key, sign, values = text.partition("=")
    if not sign or not key.strip() or not values.strip():
        raise ConfigError(
            "is no axis",
            place=place,
            remedy="Write it as key=a,b,c or key=first:last:step, such as noise.sigma_eval=0:2:0.5",
        )
    if values.count(":") == 2:
        return Axis(key.strip(), _range(values, place))
    found = tuple(value.strip() for value in values.split(","))
    if not all(found) or len(set(found)) < len(found):
        raise ConfigError("has an empty value, or one twice", place=place)
    return Axis(key.strip(), found)


def _range(text: str, place: Place) -> tuple[str, ...]:
    try:
        # decimals: 0:0.3:0.1 ends with 0.3
        first, last, step = (Decimal(part.strip()) for part in text.split(":"))
        count = int((last - first) / step)
    except (InvalidOperation, ZeroDivisionError, ValueError) as error:
        raise ConfigError("is no range of numbers", place=place) from error
    if not 0 <= count < MOST_POINTS:
        raise ConfigError("has no values, or too many", place=place)
    return tuple(f"{(first + n * step).normalize():f}" for n in range(count + 1))


def grid(axes: Sequence[Axis]) -> list[Point]:
    """Every combination, the last axis quickest."""
    keys = [axis.key for axis in axes]
    if len(set(keys)) < len(keys):
        raise ConfigError("has a key twice", place=Place("--axis"))
    n_points = 1
    for axis in axes:
        n_points *= len(axis.values)
    if n_points > MOST_POINTS:
        raise ConfigError(
            f"makes {n_points:,} points; {MOST_POINTS:,} at most", place=Place("--axis")
        )
    return [
        dict(zip(keys, values, strict=True))
        for values in itertools.product(*(axis.values for axis in axes))
    ]


def read_points(path: Path) -> list[Point]:
    """Points from a CSV file: a column for each key, a row for each point.

    Raises
    ------
    ConfigError
        If it cannot be read, or is no such table.
    """
    try:
        table = csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True)
        n_keys = len(table.fieldnames or ())
        if n_keys > MOST_KEYS:
            raise ConfigError(
                f"has {n_keys} keys; 1 to {MOST_KEYS} are taken", place=Place(path, 1)
            )
        rows = list(itertools.islice(table, MOST_POINTS + 1))
    except csv.Error as error:
        raise ConfigError(f"is no table ({error})", place=Place(path)) from error
    if not rows or len(rows) > MOST_POINTS:
        raise ConfigError(
            f"has {len(rows)} points; 1 to {MOST_POINTS:,} are taken", place=Place(path)
        )
    keys = [key.strip() for key in table.fieldnames or ()]
    if not all(keys) or len(set(keys)) < len(keys):
        raise ConfigError("has a key twice, or an empty one", place=Place(path, 1))
    for number, row in enumerate(rows, start=2):
        if None in row or not all(isinstance(value, str) and value for value in row.values()):
            raise ConfigError(
                "has another number of values than the first line, or an empty one",
                place=Place(path, number),
            )
    return [{key.strip(): value.strip() for key, value in row.items()} for row in rows]


def compute_here(
    model: str, settings: Mapping[str, Settings], threads: int | None, shared: Shared
) -> Iterator[Found]:
    """What was found at each point, one after the other, in this process."""
    for options, assignments in settings.values():
        yield run_point(model, options, assignments, threads, shared)


def run_point(
    model: str,
    options: Mapping[str, Any],
    assignments: Sequence[str],
    threads: int | None,
    shared: Shared | None = None,
) -> Found:
    """Key and report of a point, or why no such chip can be built."""
    prepared = prepare(model, options, assignments, shared)
    key = point_key(prepared)
    try:
        return key, describe_run(run_prepared(prepared, contributions=False, threads=threads))
    except PimsimError as error:
        return key, str(error)


def sweep(
    model: str,
    points: Sequence[Point],
    folder: Path,
    *,
    options: Mapping[str, Any] | None = None,
    assignments: Sequence[str] = (),
    threads: int | None = None,
    compute: Compute = compute_here,
    progress: Progress = lambda stage, total, done: None,
) -> list[dict[str, Any]]:
    """Run a model at every point; returns a row for each, in order.

    Parameters
    ----------
    points
        From `grid` or `read_points`.
    folder : Path
        Receives points/<key>.json as soon as a point is done.
    options, assignments
        As `prepare` takes them, for all points.
    compute
        Runs the points that are not finished, here or elsewhere, and yields each as soon as
        it is done.

    Raises
    ------
    PimsimError
        If a point cannot be read; all are, before the first one is run.  If none can be run.

    Notes
    -----
    A point at which no chip can be built has a row of None, but for `error`, which says why.
    """
    # what is wrong with the last point is said before the first one has taken its time
    settings = [_settings(point, options, assignments) for point in points]
    shared, keys = Shared(), []
    progress("reading", len(points), 0)
    for chosen in settings:
        keys.append(point_key(prepare(model, *chosen, shared)))
        progress("reading", len(points), 1)
    finished = {key: row for key in keys if (row := _read_row(folder, key)) is not None}
    missing = {
        key: chosen for key, chosen in zip(keys, settings, strict=True) if key not in finished
    }
    progress("points", len(set(keys)), len(finished))
    failed: dict[str, str] = {}
    for key, found in compute(model, missing, threads, shared):
        if isinstance(found, str):
            failed[key] = found
        else:
            finished[key] = _keep(folder, key, found)
        progress("points", len(set(keys)), 1)
    if not finished:
        raise PimsimError(f"none of the points can be run; the first: {failed[keys[0]]}")
    nothing = dict.fromkeys(next(iter(finished.values())))
    # an axis of the name of a figure, as `seed`, is an axis: the words that were asked for
    rows = [
        {**point, **finished.get(key, nothing), "error": failed.get(key), **point}
        for point, key in zip(points, keys, strict=True)
    ]
    mark_pareto(rows)
    return rows


def _settings(
    point: Point, options: Mapping[str, Any] | None, assignments: Sequence[str]
) -> Settings:
    chosen = {**(options or {}), **{k: v for k, v in point.items() if k in OPTIONS}}
    changed = [f"{key}={value}" for key, value in point.items() if key not in OPTIONS]
    return chosen, [*assignments, *changed]


def _read_row(folder: Path, key: str) -> dict[str, Any] | None:
    """The row of a finished point; None where there is none."""
    path = _path(folder, key)
    if not path.exists():
        return None
    stored = read_json(path)
    row = stored.get("row") if isinstance(stored, dict) else None
    if not isinstance(row, dict) or not row.keys() >= GOALS.keys():
        raise ConfigError("holds no finished point", place=Place(path), remedy="Remove it")
    return row


def _keep(folder: Path, key: str, report: Mapping[str, Any]) -> dict[str, Any]:
    """Store a point as soon as it is finished; returns its row."""
    row = row_of(report)
    write_json(_path(folder, key), {"pimsim": __version__, "row": row, "report": report})
    return row


def _path(folder: Path, key: str) -> Path:
    return folder / "points" / f"{key}.json"


def point_key(prepared: Prepared) -> str:
    """Of all that determines a point: files as they are used, network, data, version."""
    setup = prepared.setup
    content = [
        __version__,
        setup.run.model_dump(mode="json", exclude={"name", "networks", "chip", "device", "data"}),
        setup.device.model_dump(mode="json"),
        setup.chip.model_dump(mode="json"),
        setup.technology.model_dump(mode="json"),
        hashlib.sha256(setup.network_path.read_bytes()).hexdigest(),
        prepared.data.sha256,
    ]
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def row_of(report: Mapping[str, Any]) -> dict[str, Any]:
    """Figures of a run in one flat row."""
    accuracy, interval = report["accuracy"], report["accuracy"]["ci95"] or (None, None)
    good = accuracy["yield"] or {"share": None, "ci95": (None, None)}
    return {
        "accuracy": accuracy["mean"],
        "accuracy_std": accuracy["std"],
        "accuracy_min": accuracy["min"],
        "accuracy_max": accuracy["max"],
        "accuracy_ci95_low": interval[0],
        "accuracy_ci95_high": interval[1],
        "accuracy_ideal": accuracy["ideal"],
        "accuracy_std_chips": accuracy["std_chips"],
        "accuracy_std_reads": accuracy["std_reads"],
        "yield": good["share"],
        "yield_ci95_low": good["ci95"][0],
        "yield_ci95_high": good["ci95"][1],
        "chips": report["run"]["n_chips"],
        "energy_per_inference_j": report["energy"]["per_inference_j"],
        "area_m2": report["area"]["total_m2"],
        "interval_s": report["latency"]["interval_s"],
        "after_last_input_s": report["latency"]["after_last_input_s"],
        "tops_per_w": report["efficiency"]["tops_per_w"],
        "doubtful": sum(not check["passes"] for check in report["plausibility"]),
        "seed": report["run"]["seed"],
    }


def describe_sweep(
    model: str, keys: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """A sweep as a document: axes, a row for each point, how to get them again."""
    return {
        "schema": SCHEMA,
        "pimsim": __version__,
        "model": model,
        "axes": list(keys),
        "points": list(rows),
        "provenance": origin(),
    }


def mark_pareto(rows: list[dict[str, Any]]) -> None:
    """Add `is_pareto`: no other row is as good in every goal and better in one."""
    good = [row for row in rows if not row.get("error")]
    scores = [
        tuple(row[goal] if more else -row[goal] for goal, more in GOALS.items()) for row in good
    ]
    for row in rows:
        row["is_pareto"] = False
    for row, own in zip(good, scores, strict=True):
        row["is_pareto"] = not any(_dominates(other, own) for other in scores)


def _dominates(other: tuple[float, ...], own: tuple[float, ...]) -> bool:
    return other != own and all(a >= b for a, b in zip(other, own, strict=True))
