"""Checks whether a chip can work: voltages and times of its lines, cells and transistors."""

from __future__ import annotations

from collections.abc import Mapping

from pimsim.chip.check import Check
from pimsim.chip.graph import ChipGraph
from pimsim.errors import MappingError, Place


def line_currents(graph: ChipGraph, drawn: Mapping[str, int], inferences: int) -> dict[str, float]:
    """Mean current of a bit line in a read, by tile [A], from the counted currents.

    Parameters
    ----------
    drawn : mapping of matrix -> quanta
        Summed over both lines of all pairs and over all reads, as `ActionCounts.drawn`.
    """
    layout, found = graph.chip.layout, {}
    for component in graph.tiles:
        reads = component.demand.n_operations * inferences
        pulses = reads * layout.drive.pulses_for(component.tile)
        found[component.name] = component.tile.read_out.line_current(component.tile, drawn, pulses)
    return found


def check_chip(
    graph: ChipGraph,
    currents: Mapping[str, float] | None = None,
    highest: Mapping[str, float] | None = None,
    place: Place | None = None,
) -> list[Check]:
    """Check the bounds of every tile.

    Parameters
    ----------
    currents : mapping of tile -> A, or None
        Mean current of a bit line in a read (`line_currents`); None, before anything is run: the
        one expected with the share of rows that `limits.active_rows` takes for active.
    highest : mapping of matrix -> A, or None
        Largest current of a bit line in any read; None: the one expected.
    place : Place or None
        Place of the chip file, for errors.

    Raises
    ------
    MappingError
        If the chip cannot work: cells without a voltage, transistors that are off, lines without
        the time that they need.
    """
    layout, clock = graph.chip.layout, graph.chip.config.clock.frequency
    checks: list[Check] = []
    for component in graph.tiles:
        current = None if currents is None else currents[component.name]
        busy = component.cycles / clock
        checks += component.tile.read_out.checks(
            component.tile, layout.drive.pulses_for(component.tile), busy, current, highest or {}
        )
    for check in checks:
        if (remedy := check.refusal) and not check.is_possible:
            raise MappingError(
                f"{check.message}; such a chip cannot work", place=place, remedy=remedy
            )
    return checks
