"""A search over the axes of a sweep instead of their grid, by optuna.

Points are chosen in generations of a fixed size, each from the results of those before: how many
workers compute a generation, and in which order they end, changes no choice. A search that was
stopped is repeated from its beginning, and finds its finished points in the folder.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pimsim.errors import ConfigError, Place
from pimsim.report.documents.sweep import SearchFacts
from pimsim.studies.axes import MAX_POINTS, Axis, Point, refuse_same
from pimsim.studies.options import DEFAULTS, RunOptions
from pimsim.studies.prepare import Model, Shared
from pimsim.studies.progress import Progress, silent
from pimsim.studies.question import Condition, figure_key, is_more_better, parse_condition
from pimsim.studies.sweep import (
    Compute,
    compute_here,
    keys_of_points,
    mark_pareto,
    row_of,
    rows_of,
    run_points,
)

if TYPE_CHECKING:
    import optuna

# points that are chosen before any of them is run
GENERATION = 10
# choices of points that were run already, before one that was not is drawn at random
PATIENCE = 20
PLACE = Place("--search")


def search(
    model: Model,
    axes: Sequence[Axis],
    n_points: int,
    folder: Path,
    *,
    where: Sequence[str] = (),
    best: str | None = None,
    options: RunOptions = DEFAULTS,
    compute: Compute = compute_here,
    progress: Progress = silent,
) -> tuple[list[dict[str, Any]], SearchFacts]:
    """Run a model at points that a search chooses; returns rows as of `sweep`, in that order.

    Parameters
    ----------
    axes
        Values that a point may have.
    n_points
        How many different points are run.
    folder, options, compute, progress
        As of `sweep`. The seed of the options is that of the choices, too; 0 if there is none.
    where
        Conditions that a point should keep.
    best
        Figure that is to be best.

    Raises
    ------
    ConfigError
        If there is no figure to be best or no point has it, the grid has no more points than the
        search, or optuna is not installed.
    PimsimError
        If a value of an axis cannot be read: each is tried beside the first values of the other
        axes before any point is run.  If a point cannot be read, or none can be run.
    """
    optuna = _optuna()
    keys = [axis.key for axis in axes]
    refuse_same(keys, Place("--axis"))
    if best is None:
        raise ConfigError(
            "needs a figure that is to be best", place=PLACE, remedy="Add one: --best energy"
        )
    goal = figure_key(best, (), Place("--best", None, best))
    conditions = [parse_condition(text, keys) for text in where]
    possible = math.prod(len(axis.values) for axis in axes)
    if not 0 < n_points <= MAX_POINTS:
        raise ConfigError(f"takes 1 to {MAX_POINTS:,} points", place=PLACE)
    if n_points >= possible:
        raise ConfigError(
            f"asks for {n_points:,} points, and the axes have {possible:,}",
            place=PLACE,
            remedy="Leave it out: the whole grid is run then",
        )
    seed = (options.seed or 0) % 2**32
    chooser = _Chooser(optuna, axes, seed)
    points: list[Point] = []
    rows: list[dict[str, Any]] = []
    all_keys: list[str] = []
    finished: dict[str, dict[str, Any]] = {}
    failed: dict[str, str] = {}
    shared = Shared()
    keys_of_points(model, _every_value(axes), shared, options=options, progress=progress)
    progress("search", n_points, 0)
    while len(points) < n_points:
        chosen = chooser.ask(min(GENERATION, n_points - len(points)))
        found_keys, found, why = run_points(
            model, chosen, folder, row_of, options=options, compute=compute, shared=shared
        )
        points, all_keys = [*points, *chosen], [*all_keys, *found_keys]
        finished, failed = {**finished, **found}, {**failed, **why}
        progress("search", n_points, len(chosen))
        measured = [{**found.get(key, {}), **point}
                    for key, point in zip(found_keys, chosen, strict=True)]  # fmt: skip
        if finished and all(row.get(goal) is None for row in finished.values()):
            raise ConfigError(
                "is a figure that no point has",
                place=Place("--best", None, best),
                remedy="Ask for another one; a yield needs --target",
            )
        chooser.tell(measured, goal, conditions)
    rows = rows_of(points, all_keys, finished, failed)
    mark_pareto(rows)
    facts = SearchFacts(
        combinations=possible, generation=GENERATION, seed=seed, optuna=optuna.__version__
    )
    return rows, facts


def _every_value(axes: Sequence[Axis]) -> list[Point]:
    """Points that have every value of every axis once, beside the first ones of the others."""
    first = {axis.key: axis.values[0] for axis in axes}
    others = [{**first, axis.key: value} for axis in axes for value in axis.values[1:]]
    return [first, *others]


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise ConfigError(
            "needs optuna, which is not installed",
            place=PLACE,
            remedy="pip install 'pimsim[search]'",
        ) from error
    return optuna


class _Chooser:
    """Chooses points that were not run, from the figures of those that were."""

    def __init__(self, optuna: Any, axes: Sequence[Axis], seed: int) -> None:
        self.optuna = optuna
        # numbers in their order, so that a search sees which are near; words have none
        self.values = {axis.key: _ordered(axis.values) for axis in axes}
        self.space = {
            key: optuna.distributions.IntDistribution(0, len(values) - 1)
            if _are_numbers(values)
            else optuna.distributions.CategoricalDistribution(values)
            for key, values in self.values.items()
        }
        self.random = random.Random(seed)
        level = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            self.study = optuna.create_study(
                sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=GENERATION)
            )
        finally:
            optuna.logging.set_verbosity(level)
        self.seen: set[tuple[str, ...]] = set()
        self.trials: list[optuna.Trial] = []

    def ask(self, n: int) -> list[Point]:
        """Points of a generation, each a new one."""
        chosen = []
        for _ in range(n):
            trial, point = self._new()
            self.seen.add(tuple(point.values()))
            self.trials.append(trial)
            chosen.append(point)
        return chosen

    def _new(self) -> tuple[optuna.Trial, Point]:
        for _ in range(PATIENCE):
            trial = self.study.ask(self.space)
            point = self._point(trial.params)
            if tuple(point.values()) not in self.seen:
                return trial, point
            self.study.tell(trial, state=self.optuna.trial.TrialState.FAIL)
        while True:
            point = {key: self.random.choice(values) for key, values in self.values.items()}
            if tuple(point.values()) not in self.seen:
                break
        self.study.enqueue_trial({key: self._parameter(key, value) for key, value in point.items()})
        return self.study.ask(self.space), point

    def _point(self, parameters: Mapping[str, Any]) -> Point:
        return {
            key: values[parameters[key]] if _are_numbers(values) else parameters[key]
            for key, values in self.values.items()
        }

    def _parameter(self, key: str, value: str) -> int | str:
        values = self.values[key]
        return values.index(value) if _are_numbers(values) else value

    def tell(
        self, rows: Sequence[Mapping[str, Any]], goal: str, conditions: Sequence[Condition]
    ) -> None:
        """Figures of the last generation; a point without any keeps no condition."""
        sign = -1.0 if is_more_better(goal) else 1.0
        for trial, row in zip(self.trials, rows, strict=True):
            value = row.get(goal)
            trial.set_constraint("can be run", -1.0 if value is not None else 1.0)
            for number, condition in enumerate(conditions):
                trial.set_constraint(f"condition {number}", condition.violation(row))
            self.study.tell(trial, 0.0 if value is None else sign * float(value))
        self.trials = []


def _are_numbers(values: Sequence[str]) -> bool:
    try:
        return all(math.isfinite(float(value)) for value in values)
    except ValueError:
        return False


def _ordered(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(values, key=float)) if _are_numbers(values) else tuple(values)
