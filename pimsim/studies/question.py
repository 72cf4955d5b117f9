"""Questions to a sweep: which points keep conditions, and which of them is best."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pimsim.errors import ConfigError, Place, nearest
from pimsim.report.documents import SweepDocument
from pimsim.report.documents.sweep import QuestionFacts, RunFigures
from pimsim.units import parse_quantity
from pimsim.workload.metrics import METRICS

# short names of figures
NAMES = {
    "energy": "energy_per_inference_j",
    "area": "area_m2",
    "time": "interval_s",
    "interval": "interval_s",
    "latency": "after_last_input_s",
    "efficiency": "tops_per_w",
}
# by the end of a figure's key
_UNITS = {"_j": "joule", "_m2": "meter ** 2", "_s": "second"}
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}
_CONDITION = re.compile(r"\s*([\w.\[\]]+)\s*(<=|>=|<|>|=)\s*(\S.*?)\s*")


@dataclass(frozen=True)
class Condition:
    """A bound of a figure, or of the value of an axis.

    Attributes
    ----------
    text : str
        As the user gave it.
    key : str
        Of the point.
    bound : float or str
        In SI units; a word for an axis of words.
    """

    text: str
    key: str
    compare: Callable[[Any, Any], bool]
    bound: float | str

    def holds(self, point: Mapping[str, Any]) -> bool:
        """Whether a point has the figure, and it keeps the bound."""
        value = point.get(self.key)
        if isinstance(self.bound, str):
            return value is not None and self.compare(str(value), self.bound)
        try:
            return value is not None and self.compare(float(value), self.bound)
        except ValueError:  # a word, of an axis
            return False

    def violation(self, point: Mapping[str, Any]) -> float:
        """Distance of a point from the bound, relative: 0 where it is kept, up to 1."""
        if self.holds(point):
            return 0.0
        value = point.get(self.key)
        if value is None or isinstance(self.bound, str):
            return 1.0
        try:
            gap = abs(float(value) - self.bound)
        except ValueError:  # a word, of an axis
            return 1.0
        # a bound that is met, and not kept, as by `<`, is violated too
        return max(gap / (gap + abs(self.bound)), 1e-9) if gap else 1e-9


def parse_condition(text: str, axes: Sequence[str]) -> Condition:
    """A condition from a text such as `area < 1 mm2` or `accuracy > 90 %`.

    Raises
    ------
    ConfigError
        If it is none, names no figure, or its bound has another unit.
    """
    place = Place("--where", None, text)
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise ConfigError(
            "is no condition",
            place=place,
            remedy="Write it as a figure, <, <=, >, >= or =, and its bound: 'area < 1 mm2'",
        )
    name, sign, bound = found.groups()
    if name in axes:
        try:
            return Condition(text, name, _OPERATORS[sign], float(bound))
        except ValueError:
            if sign != "=":
                raise ConfigError(
                    "compares words", place=place, remedy=f"Write {name} = {bound}"
                ) from None
            return Condition(text, name, _OPERATORS[sign], bound)
    key = figure_key(name, axes, place)
    try:
        return Condition(text, key, _OPERATORS[sign], parse_quantity(bound, _unit(key)))
    except ValueError as error:
        raise ConfigError(str(error), place=place) from error


def figure_key(name: str, axes: Sequence[str], place: Place) -> str:
    """Key of a figure by its short name, or by its own.

    Raises
    ------
    ConfigError
        If there is no such figure.
    """
    fields = RunFigures.model_fields.items()
    keys = [str(field.serialization_alias or key) for key, field in fields]
    key = NAMES.get(name, name)
    if key not in keys:
        raise ConfigError(
            f"names '{name}', which is no figure of a sweep",
            place=place,
            remedy=nearest(name, [*NAMES, *keys, *axes]),
        )
    return key


def _unit(key: str) -> str:
    return next((unit for end, unit in _UNITS.items() if key.endswith(end)), "")


def is_more_better(key: str) -> bool:
    """Whether the best value of a figure is the largest."""
    for metric in METRICS.values():
        if key.startswith(metric.key):
            return metric.is_more_better
    return key.startswith("yield") or key == "tops_per_w"


def answered(document: SweepDocument, where: Sequence[str], best: str | None) -> SweepDocument:
    """A sweep with the answer to a question; unchanged without one.

    Parameters
    ----------
    where
        Conditions, all of which a point must keep.
    best
        Figure whose best value among these points is asked for.

    Raises
    ------
    ConfigError
        If a condition cannot be read, or a figure has another name.
    """
    if not where and best is None:
        return document
    conditions = [parse_condition(text, document.axes) for text in where]
    key = None if best is None else figure_key(best, (), Place("--best", None, best))
    points = document.as_dict()["points"]
    kept = [[condition.holds(point) for condition in conditions] for point in points]
    fitting = [
        index
        for index, (point, holds) in enumerate(zip(points, kept, strict=True))
        if point["error"] is None and all(holds)
    ]
    answer = None
    if key is not None:
        sign = -1.0 if is_more_better(key) else 1.0
        measured = [index for index in fitting if points[index].get(key) is not None]
        measured.sort(key=lambda index: sign * points[index][key])
        answer = measured[0] if measured else None
        fitting = [*measured, *(index for index in fitting if index not in measured)]
    facts = QuestionFacts(
        where=list(where),
        kept=[sum(holds[i] for holds in kept) for i in range(len(conditions))],
        fitting=fitting,
        best=best,
        best_key=key,
        answer=answer,
    )
    return document.model_copy(update={"question": facts})
