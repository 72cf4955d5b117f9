"""A chip's floorplan from its account of area."""

from __future__ import annotations

from collections import defaultdict

from pimsim.circuits.logic import logic_of
from pimsim.cost.area import WIRING, AreaItem, area_account
from pimsim.mapping.floorplan import Floorplan, TilePlan, plan_chip
from pimsim.studies.prepare import Prepared
from pimsim.studies.run import n_steps
from pimsim.timing.parts import chip_parts

# drawn as the arrays themselves, and at their side; all else of a tile lies below its arrays
ARRAYS = ("array", "word_line_driver")


def floorplan(prepared: Prepared) -> tuple[Floorplan, list[AreaItem]]:
    """Rectangles of a model's chip, and the account that they are drawn from."""
    chip = prepared.chip(prepared.setup.noise)
    logic = logic_of(prepared.setup.technology)
    account = area_account(chip, logic, chip_parts(chip, logic, n_steps(prepared)))
    of_tile: dict[str, dict[str, float]] = defaultdict(dict)
    blocks: dict[str, float] = defaultdict(float)
    names = {tile.name for tile in chip.tiles if tile is not None}
    for item in account:
        if item.part in names:
            of_tile[item.part][item.component] = item.area
        elif item.component != WIRING:
            blocks[item.component] += item.area
    array = chip.config.array
    tiles = [
        TilePlan(
            name=tile.name,
            n_stacked=tile.placement.n_stacked,
            n_side_by_side=tile.placement.n_side_by_side,
            rows=array.rows,
            columns=array.columns,
            cell=chip.device.cell.area,
            drivers=of_tile[tile.name]["word_line_driver"],
            strips=[entry for entry in of_tile[tile.name].items() if entry[0] not in ARRAYS],
            used_rows=tile.placement.n_rows,
            matrices=[
                (
                    part.name,
                    each * part.columns.start,
                    each * (part.columns.stop - part.columns.start),
                )
                for part in tile.matrices
                for each in (tile.placement.lines_each,)
            ],
        )
        for tile in chip.tiles
        if tile is not None
    ]
    total = sum(item.area for item in account)
    return plan_chip(tiles, list(blocks.items()), total), account
