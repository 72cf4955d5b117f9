"""Figures of a published chip by the code path of `pimsim run`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from pimsim.cost.area import total_area
from pimsim.errors import Place
from pimsim.studies.options import RunOptions
from pimsim.studies.plan import plan
from pimsim.studies.prepare import Shared
from pimsim.studies.run import RunResult, measure, price

# what stands behind a decision or a code: no part of a macro's column
BEHIND = ("shift_and_add", "activation_unit", "register", "clock", "wiring")
# actions that end the read of a column, by read-out
READS = (("sense_amplifier", "decisions"), ("adc", "conversions"))


class PublishedRuns:
    """Runs of published chips; each is simulated once."""

    def __init__(self) -> None:
        self._found: dict[tuple[Path, tuple[str, ...]], dict[str, float]] = {}
        self._shared = Shared()

    def figures(
        self, file: str, settings: Sequence[str], over: str | None, base: Path
    ) -> dict[str, float]:
        """All figures of a run by name, in SI units; with `over`, ratios to those of another.

        Parameters
        ----------
        file, over : str
            Model files, or names of those in `hwconfigs/published`.
        settings : sequence of str
            `--set` assignments.
        base : Path
            Folder that paths are relative to.
        """
        found = self._of(file, settings, base)
        if over is None:
            return found
        other = self._of(over, settings, base)
        return {name: value / other[name] for name, value in found.items() if other.get(name)}

    def _of(self, file: str, settings: Sequence[str], base: Path) -> dict[str, float]:
        key = self._shared.files.find(file, "published", Place("file"), base), tuple(settings)
        if key not in self._found:
            options = RunOptions(assignments=key[1], noise_sources=False)
            planned = plan(key[0], options, self._shared)
            self._found[key] = figures_of_run(price(planned, measure(planned)))
        return self._found[key]


def figures_of_run(result: RunResult) -> dict[str, float]:
    """Figures of a run that publications of a macro state, by name, in SI units.

    Notes
    -----
    `energy_per_column` is that of a multiplication over all decisions or conversions in it, up to
    the bit or the code, and absent where multipliers take their place; `area_up_to_codes` is that
    of the same parts, which abut.
    `latency` is the time that the circuits of a read take, from the first edge to the last bit,
    before it is rounded up to whole cycles of a clock; absent where all are pipelined to it.
    """
    n = result.measured.n_inferences
    energy, area = _energies(result), _areas(result)
    column = sum(value for name, value in energy.items() if name not in BEHIND)
    ahead = sum(value for name, value in area.items() if name not in BEHIND)
    joule, square = sum(energy.values()), total_area(result.area)
    tile = result.plan.graph.tiles[-1]
    reads = sum(
        result.chips.counts.get(component, action, tile.name) for component, action in READS
    )
    seconds = sum(phase.seconds * phase.repeats for phase in tile.phases)
    cells = sum(part.count for part in result.area if part.component == "array")
    return {
        "energy": joule,
        **({"energy_per_column": column * n / reads} if reads else {}),
        "operations_per_joule": result.operations / joule,
        **({"latency": seconds} if seconds else {}),
        "cycle_time": result.timing.interval_s,
        "area": square,
        "area_up_to_codes": ahead,
        "cells_per_area": cells / ahead,
        "accuracy": result.accuracy.mean,
        **{f"energy.{name}": value for name, value in energy.items()},
        **{f"area.{name}": value for name, value in area.items()},
        **{f"area_share.{name}": value / square for name, value in area.items()},
    }


def _energies(result: RunResult) -> dict[str, float]:
    """Energy of an inference by component [J]."""
    found: dict[str, float] = defaultdict(float)
    for item in result.energy:
        found[item.component] += item.energy / result.measured.n_inferences
    return found


def _areas(result: RunResult) -> dict[str, float]:
    """Area by component [m2]."""
    found: dict[str, float] = defaultdict(float)
    for part in result.area:
        found[part.component] += part.count * part.area
    return found
