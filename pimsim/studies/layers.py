"""Costs, floorplan and timeline of a run's layers, as its document has them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pimsim.report.documents.layers import (
    FloorplanFacts,
    LayerFacts,
    RectangleFacts,
    StageFacts,
    TimelineFacts,
)
from pimsim.studies.floorplan import plan_of_graph
from pimsim.studies.run import RunResult
from pimsim.timing.schedule import StageTiming

# a page of more parts is slow to open
MAX_RECTANGLES = 2000
# equal parts of an inference, of each of which the share at work is kept
N_PARTS = 100


def layer_facts(result: RunResult) -> list[LayerFacts]:
    """Energy, area and used cells of each component and link that has any."""
    n = result.measured.n_inferences
    used = _cells_used(result)
    # as signals pass them: components, then links, then the rest
    order = [stage.name for stage in sorted(result.timing.stages, key=lambda s: s.is_link)]
    places = {name: place for place, name in enumerate(order)}
    return [
        LayerFacts(
            layer=layer.name,
            energy_by_component_j={name: value / n for name, value in layer.energy.items()},
            area_by_component_m2=layer.area,
            cells_used=used.get(layer.name),
        )
        for layer in sorted(result.layers, key=lambda one: places.get(one.name, len(places)))
        if layer.energy or layer.area
    ]


def _cells_used(result: RunResult) -> dict[str, float]:
    """Share of the cells of each layer's arrays that hold something; none of a shared array."""
    array = result.chip.config.array
    if array.shared:
        return {}
    return {
        tile.name: tile.placement.n_rows * tile.placement.n_lines * tile.placement.lines_each
        / (tile.placement.n_arrays * array.rows * array.columns)
        for tile in result.chip.tiles
    }  # fmt: skip


def floorplan_facts(result: RunResult) -> FloorplanFacts | None:
    """Floorplan of the chip; None where it has too many parts for a page."""
    plan, _ = plan_of_graph(result.plan.graph)
    if len(plan.rectangles) > MAX_RECTANGLES:
        return None
    return FloorplanFacts(
        width_m=plan.width,
        height_m=plan.height,
        rectangles=[
            RectangleFacts(
                kind=part.kind,
                label=part.label,
                x_m=part.x,
                y_m=part.y,
                width_m=part.width,
                height_m=part.height,
            )
            for part in plan.rectangles
        ],
    )


def timeline_facts(result: RunResult) -> TimelineFacts:
    """The first inference by component: its first and last cycle, and its work in between."""
    timing = result.timing
    shown = [stage for stage in timing.stages if not stage.is_link and stage.started]
    first, last = min(stage.started[0] for stage in shown), timing.first_cycles
    return TimelineFacts(
        first_cycle=first,
        last_cycle=last,
        stages=[
            StageFacts(
                component=stage.name,
                first_cycle=stage.started[0],
                last_cycle=stage.started[-1] + stage.cycles_per_operation,
                at_work=at_work(stage, first, last).tolist(),
            )
            for stage in shown
        ],
    )


def at_work(stage: StageTiming, first: int, last: int) -> NDArray[np.float64]:
    """Share of each of `N_PARTS` equal parts of some cycles in which a stage is at work."""
    edges = np.linspace(first, last, N_PARTS + 1)
    each, n = stage.cycles_per_operation, len(stage.started)
    started = np.asarray(stage.started, np.float64)
    # cycles at work before each beginning and end of an operation; operations do not overlap
    ends = np.stack([started, started + each], axis=1).ravel()
    work = each * np.stack([np.arange(n), np.arange(1, n + 1)], axis=1).ravel()
    share = np.diff(np.interp(edges, ends, work)) / np.diff(edges)
    return np.asarray(np.round(np.clip(share, 0.0, 1.0), 4))
