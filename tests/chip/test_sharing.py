"""Amplifiers and ADCs that lines share: as many in time, errors and energy as on the bill."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from code_networks import coded_depthwise
from files import bundled_chip, bundled_device, bundled_logic
from networks import random_gru

from pimsim.chip import build_chip, program_tile
from pimsim.chip.graph import chip_graph, tile_bill, tile_phases
from pimsim.chip.tile import lines_of_group
from pimsim.config import NoiseConfig
from pimsim.timing.schedule import time_chip

LOGIC = bundled_logic()
# 16 pairs of an array are fewer than share an ADC; 24 are no multiple of what share one
CASES = [(32, 128), (32, 16), (32, 5), (48, 16), (32, 1), (512, 128)]


def chip_of(name: str, columns: int, network=None, rows: int = 16, **read_out):
    config = bundled_chip(name)
    array = config.array.model_copy(update={"columns": columns, "rows": rows, "max_stack": 8})
    update = {"array": array, "read_out": config.read_out.model_copy(update=read_out)}
    config = config.model_copy(update=update)
    network = random_gru(n_levels=255) if network is None else network
    return build_chip(network, config, bundled_device("reram"), NoiseConfig())


def part_of(chip, tile, name: str):
    return next(p for p in tile_bill(chip, tile, LOGIC).parts if p.component == name)


def phase_of(chip, tile, name: str):
    return next(p for p in tile_phases(chip, tile, LOGIC) if p.name == name)


@pytest.mark.parametrize(("columns", "shared"), CASES)
def test_every_adc_of_the_bill_has_one_static_error(columns: int, shared: int):
    chip = chip_of("adc_pim_16nm", columns, columns_per_adc=shared, nonlinearity=0.3)
    for tile in chip.tiles:
        each, placed = columns // 2, tile.placement
        n_adcs = part_of(chip, tile, "adc").count
        assert n_adcs == placed.n_arrays * math.ceil(each / shared)
        errors = program_tile(tile, 3, 0).errors.arrays
        for name in ("offset", "gain", "bow"):
            of_lines = errors[name]
            assert len(of_lines) == placed.n_stacked
            for part in tile.matrices:
                of_lines[:, part.columns] /= getattr(part.read_out, name)
            # one value for the lines of an ADC, and another for every ADC that serves lines
            ends = sorted({*range(0, placed.n_lines, each), placed.n_lines})
            served = sum(math.ceil((end - begin) / shared) for begin, end in pairwise(ends))
            assert len(np.unique(np.round(of_lines, 9))) == placed.n_stacked * served
            if placed.n_lines % each == 0:
                assert placed.n_stacked * served == n_adcs
            for line in range(1, placed.n_lines):
                alone = line % each == 0 or line % each % shared == 0
                same = np.isclose(of_lines[:, line], of_lines[:, line - 1], rtol=1e-9)
                assert same.all() != alone, line


@pytest.mark.parametrize(("columns", "shared"), CASES)
def test_an_adc_converts_the_lines_of_its_array_and_no_others(columns: int, shared: int):
    chip = chip_of("adc_pim_16nm", columns, columns_per_adc=shared)
    for tile in chip.tiles:
        assert phase_of(chip, tile, "convert").repeats == 8 * min(shared, columns // 2)


def test_arrays_too_narrow_for_an_adc_take_the_time_of_the_lines_that_they_have():
    """The same ADCs, said in two ways: one for 64 pairs. Word lines of 128 columns rise sooner."""
    narrow = chip_of("adc_pim_16nm", 128, rows=256)
    wide = chip_of("adc_pim_16nm", 512, rows=256, columns_per_adc=64)

    def cycles(chip) -> tuple[int, int]:
        interval = time_chip(chip_graph(chip, LOGIC, 5)).interval_cycles
        integrate = phase_of(chip, chip.tiles[0], "integrate")
        return interval - 5 * 8 * integrate.cycles, integrate.cycles

    (rest, early), (other_rest, late) = cycles(narrow), cycles(wide)
    assert rest == other_rest
    assert 5 * 8 * 64 < rest < 5 * 8 * 128
    assert early < late


@pytest.mark.parametrize(("columns", "shared"), CASES)
def test_every_amplifier_of_the_bill_has_one_offset(columns: int, shared: int):
    chip = chip_of("ba_mlw_16nm", columns, random_gru(), columns_per_amplifier=shared)
    for tile in chip.tiles:
        each, placed = columns // 2, tile.placement
        n_amplifiers = placed.n_side_by_side * math.ceil(each / shared)
        assert part_of(chip, tile, "sense_amplifier").count == n_amplifiers
        offsets = program_tile(tile, 3, 0).errors.subtracted.astype(float)
        for part in tile.matrices:
            offsets[part.columns] /= part.read_out.offset_quanta
        for line in range(1, placed.n_lines):
            alone = line % each == 0 or line % each % shared == 0
            assert (abs(offsets[line] - offsets[line - 1]) > 0.01) == alone, line


@pytest.mark.parametrize("pulse", ["clocked", "self_timed"])
def test_an_amplifier_decides_for_the_pairs_of_its_array(pulse: str):
    def seconds(columns: int, shared: int) -> list[float]:
        chip = chip_of("ba_mlw_16nm", columns, random_gru(), columns_per_amplifier=shared)
        line = chip.config.bit_line.model_copy(update={"pulse": pulse})
        config = chip.config.model_copy(update={"bit_line": line})
        chip = build_chip(chip.network, config, chip.device, NoiseConfig())
        tile = chip.tiles[0]
        return [tile.read_out.pulse(tile) - tile.read_out.conducting(tile)]

    assert seconds(32, 64) == seconds(32, 16)
    assert seconds(32, 16)[0] == pytest.approx(4 * seconds(32, 4)[0])


def test_an_amplifier_cancels_its_offset_once_for_all_its_decisions():
    def each(shared: int):
        chip = chip_of("ba_mlw_16nm", 32, random_gru(), columns_per_amplifier=shared)
        tile = chip.tiles[0]
        prices = {p.action: p for p in tile_bill(chip, tile, LOGIC).prices}
        return prices["cancellings"].each, tile

    alone, tile = each(1)
    # the last array of the tile may have fewer lines
    n_lines = tile.placement.n_lines
    used = sum(math.ceil(min(16, n_lines - first) / 4) for first in range(0, n_lines, 16))
    assert each(4)[0] == pytest.approx(alone * used / n_lines)


def test_thresholds_of_tall_layers_are_those_of_the_columns_that_are_there():
    def area(shared: int) -> float:
        config = bundled_chip("ba_mlw_mixed_16nm")
        tall = config.tall_layers.model_copy(update={"columns_per_adc": shared})
        array = config.array.model_copy(update={"rows": 8, "columns": 32, "max_stack": 1})
        config = config.model_copy(update={"array": array, "tall_layers": tall})
        chip = build_chip(random_gru(), config, bundled_device("reram"), NoiseConfig())
        tile = chip.tiles[0]
        assert tile.read_out.kind == "partial_sums"
        prices = {(p.component, p.action): p.each for p in tile_bill(chip, tile, LOGIC).prices}
        return part_of(chip, tile, "comparator").area, prices["comparator", "decisions"]

    assert area(128) == area(16) > area(4)


@pytest.mark.parametrize("shared", [1, 2, 16])
def test_a_group_takes_the_turns_of_its_own_lines_that_share_an_adc(shared: int):
    network = coded_depthwise(bits=4, n_levels=255)
    chip = chip_of("adc_pim_16nm", 64, network, rows=64, columns_per_adc=shared)
    tile = next(tile for tile in chip.tiles if tile.groups > 1)
    found = []
    for group in range(tile.groups):
        lines = lines_of_group(tile.matrices[0], tile.groups, group)
        circuits = [(line // 32, line % 32 // shared) for line in lines]
        found += [circuits.count(circuit) for circuit in circuits]
    pulses = chip.layout.drive.pulses_for(tile)
    assert phase_of(chip, tile, "convert").repeats == pulses * max(found)
    assert max(found) <= shared
