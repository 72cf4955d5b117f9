"""A chip's floorplan from the parts of its components' bills."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from pimsim.chip.graph import ArrayComponent, ChipGraph, chip_graph
from pimsim.chip.one_array import first_lines
from pimsim.circuits.bill import Part
from pimsim.circuits.logic import logic_of
from pimsim.config.sources import block_sources
from pimsim.cost.area import area_items, total_area
from pimsim.mapping.floorplan import Floorplan, TilePlan, plan_chip
from pimsim.report.blocks import Cell, marked, quantity
from pimsim.studies.plan import n_steps
from pimsim.studies.prepare import Prepared


def floorplan(prepared: Prepared) -> tuple[Floorplan, list[Part]]:
    """Rectangles of a model's chip, and the components that they represent."""
    chip = prepared.chip(prepared.setup.noise)
    graph = chip_graph(
        chip,
        logic_of(prepared.setup.logic, prepared.setup.chip.temperature),
        n_steps(prepared),
    )
    return plan_of_graph(graph)


def plan_of_graph(graph: ChipGraph) -> tuple[Floorplan, list[Part]]:
    """Rectangles of a chip that is laid out, and the components that they represent."""
    parts = area_items(graph)
    tiles = [_tile_plan(graph, c) for c in graph.tiles if c.bill.parts]
    if graph.chip.config.array.shared:
        tiles = [_with_all_matrices(graph, tiles[0])]
    blocks: dict[str, float] = defaultdict(float)
    for part in parts:
        if part.strip == "block":
            blocks[part.component] += total_area([part])
    return plan_chip(tiles, list(blocks.items()), total_area(parts)), parts


def area_of(prepared: Prepared, account: Sequence[Part]) -> Cell:
    """Area of a chip, marked where a part rests on an assumed block."""
    setup = prepared.setup
    hardware = {"device": setup.device, "chip": setup.chip, "technology": setup.technology}
    assumed = {
        f"{name}.{entry.block}"
        for name, description in hardware.items()
        for entry in block_sources(description)
        if entry.certainty == "assumed"
    }
    return marked(
        quantity(total_area(account), "m2"),
        any(not assumed.isdisjoint(part.rests_on) for part in account),
    )


def _with_all_matrices(graph: ChipGraph, plan: TilePlan) -> TilePlan:
    """The plan of the one array with the matrices of all layers side by side."""
    tiles = [component.tile for component in graph.tiles]
    first = first_lines(tiles)
    return replace(
        plan,
        name="all layers",
        used_rows=max(tile.placement.n_rows for tile in tiles),
        matrices=[
            (
                part.name,
                first[tile.name] + tile.placement.lines_each * part.columns.start,
                tile.placement.lines_each * part.n_lines,
            )
            for tile in tiles
            for part in tile.matrices
        ],
    )


def _tile_plan(graph: ChipGraph, component: ArrayComponent) -> TilePlan:
    tile, array = component.tile, graph.chip.config.array
    placed = tile.placement

    def on_strip(name: str) -> Sequence[Part]:
        return [part for part in component.bill.parts if part.strip == name and part.count]

    return TilePlan(
        name=tile.name,
        n_stacked=placed.n_stacked,
        n_side_by_side=placed.n_side_by_side,
        rows=array.rows,
        columns=array.columns,
        cell=sum(part.area for part in on_strip("cells")),
        drivers=[(part.component, total_area([part])) for part in on_strip("drivers")],
        beside=total_area(on_strip("beside")),
        strips=[(part.component, total_area([part])) for part in on_strip("below")],
        used_rows=placed.n_rows,
        matrices=[
            (part.name, placed.lines_each * part.columns.start, placed.lines_each * part.n_lines)
            for part in tile.matrices
        ],
    )
