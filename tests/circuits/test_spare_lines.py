"""Area of spare pairs of bit lines."""

from __future__ import annotations

import pytest
from files import bundled_chip, bundled_device, bundled_logic
from networks import random_gru

from pimsim.chip import build_chip
from pimsim.chip.graph import tile_bill
from pimsim.config import NoiseConfig
from pimsim.config.faults import Faults

NETWORK = random_gru(seed=8, hidden=48, bits=60)


def parts_of(shared: int = 1, **keys):
    """Parts of the first tile, and its placement."""
    config = bundled_chip()
    amplifier = config.read_out.model_copy(update={"columns_per_amplifier": shared})
    config = config.model_copy(update={"read_out": amplifier})
    noise = NoiseConfig(faults=Faults(**keys))
    chip = build_chip(NETWORK, config, bundled_device("reram"), noise)
    tile = chip.tiles[0]
    return tile_bill(chip, tile, bundled_logic()).parts, tile.placement, config


@pytest.mark.parametrize(("shared", "amplifiers"), [(1, 5), (4, 2)])
def test_spare_pairs_have_the_area_of_the_arrays_own(shared, amplifiers):
    """Five pairs: ten bit lines of cells, drivers, loads and clamps; whole amplifiers."""
    parts, placed, config = parts_of(shared, open=0.01, spares=5, repair=("spares",))
    without, _, _ = parts_of(shared, open=0.01)
    spare = [part for part in parts if part.component == "spare_pairs"]
    assert [part for part in parts if part.component != "spare_pairs"] == list(without)
    own = {}
    for part in without:
        own.setdefault(part.component, []).append(part)
    of_cells, of_drivers, of_lines, of_amplifiers = spare
    share = 10 / config.array.columns
    (cells,) = own["array"]
    assert of_cells.count * of_cells.area == pytest.approx(share * cells.count * cells.area)
    columns = own["programming_periphery"][1]
    assert of_drivers.count * of_drivers.area == pytest.approx(share * columns.count * columns.area)
    lines = sum(p.count * p.area for name in ("bit_line", "clamp") for p in own.get(name, []))
    assert of_lines.count * of_lines.area == pytest.approx(share * lines)
    (each,) = own["sense_amplifier"]
    assert (of_amplifiers.area, of_amplifiers.leakage) == (each.area, each.leakage)
    assert of_amplifiers.count == amplifiers * placed.n_read_outs


def test_a_chip_without_spare_pairs_has_no_area_of_them():
    for keys in ({}, {"open": 0.01}):
        assert all(part.component != "spare_pairs" for part in parts_of(**keys)[0])
