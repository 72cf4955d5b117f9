"""Tables of a report as pandas frames, where pandas is installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from pimsim.errors import ConfigError, Place, nearest
from pimsim.workload.metrics import METRICS

if TYPE_CHECKING:
    import pandas

    Frame: TypeAlias = pandas.DataFrame
else:
    Frame = Any

Rows = Sequence[Mapping[str, Any]]


def run_tables(report: Mapping[str, Any]) -> dict[str, Rows]:
    """Rows of a run's report by the name of their table."""
    return {
        "chips": [
            {"chip": index, key: value}
            for key in METRICS
            for index, value in enumerate(report.get(key, {}).get("per_chip", ()))
        ],
        "noise": report["noise"]["contributions"],
        "energy": report["energy"]["items"],
        "area": report["area"]["items"],
        "latency": report["latency"]["components"],
        "actions": [
            {"component": component, "action": action, "count": count}
            for component, done in report["actions"].items()
            for action, count in done.items()
        ],
        "levels": [
            {"matrix": matrix["matrix"], "level": level, "mean": mean, "spread": spread}
            for matrix in report["noise"]["matrices"]
            for level, (mean, spread) in enumerate(
                zip(matrix["level_mean_full_scale"], matrix["level_spread_full_scale"], strict=True)
            )
        ],
    }


def frame_of(tables: Mapping[str, Rows], table: str) -> Frame:
    """The table of a name as a DataFrame.

    Raises
    ------
    ConfigError
        If there is no such table, or pandas is not installed.
    """
    if table not in tables:
        raise ConfigError(
            f"'{table}' is no table of this result",
            place=Place("frame"),
            remedy=nearest(table, tables),
        )
    try:
        import pandas
    except ImportError as error:
        raise ConfigError(
            "needs pandas, which is not installed",
            place=Place("frame"),
            remedy="Install it with `pip install 'pimsim[frames]'`",
        ) from error
    return pandas.DataFrame(list(tables[table]))
