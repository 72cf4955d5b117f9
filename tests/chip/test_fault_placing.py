"""Rows and pairs exchanged around cells that fail: the best order, and the same network."""

from __future__ import annotations

import dataclasses
from itertools import permutations
from typing import get_args

import numpy as np
import pytest
from files import bundled_chip, bundled_device
from networks import random_gru, random_mlp

from pimsim.chip import build_chip, program_tile
from pimsim.chip.placing import assigned, column_damage, row_damage
from pimsim.chip.repair import REPAIRS, tile_faults
from pimsim.config import NoiseConfig
from pimsim.config.faults import Faults, Repair
from pimsim.errors import PimsimError
from pimsim.workload import Network

NETWORK = random_gru(seed=8, hidden=48, bits=60, thresholds=2)


def tile_of(network: Network = NETWORK, **keys):
    noise = NoiseConfig.ideal().model_copy(update={"faults": Faults(**keys)})
    return build_chip(network, bundled_chip(), bundled_device("reram"), noise).tiles[0]


def states_of(tile, seed: int = 5):
    return tile_faults(tile, tile.faults, seed, 0).matrices


def damage(repair: tuple[str, ...], seed: int = 5, **keys) -> float:
    """Mean damage of the columns of a chip [full scales]."""
    states = states_of(tile_of(open=0.01, stuck=0.01, repair=repair, **keys), seed)
    return float(np.concatenate([state.damage() for state in states]).mean())


def test_an_assignment_is_the_best_of_all_orders_and_moves_nothing_in_vain():
    rng = np.random.default_rng(3)
    cost = rng.integers(0, 4, (5, 5)).astype(float)
    best = min(cost[range(5), order].sum() for order in permutations(range(5)))
    assert cost[range(5), assigned(cost)].sum() == best
    assert np.array_equal(assigned(np.ones((6, 6))), np.arange(6))
    wide = rng.random((3, 7))
    best = min(wide[range(3), order].sum() for order in permutations(range(7), 3))
    assert np.isclose(wide[range(3), assigned(wide)].sum(), best)
    assert np.array_equal(assigned(np.zeros((3, 7))), np.arange(3))


@pytest.mark.parametrize("repair", [("rows",), ("columns",), ("rows", "columns")])
def test_an_order_leaves_each_weight_in_one_cell_pair_of_its_own(repair):
    """The chip as it is wired: weights in their places, faults there, inputs and bits in order."""
    tile = tile_of(open=0.02, short=0.01, stuck=0.03, dead_row=0.02, repair=repair)
    drawn = program_tile(tile, 5, 0)
    healthy = program_tile(tile_of(), 5, 0)
    n_inputs = NETWORK.nodes[0].matrices()[0][1].n_rows
    moved = 0
    for state in states_of(tile):
        columns = state.matrix.columns
        assert np.array_equal(np.sort(state.row[:n_inputs]), np.arange(n_inputs))
        assert np.array_equal(state.row[n_inputs:], np.arange(n_inputs, len(state.row)))
        assert np.array_equal(np.sort(state.place), np.arange(columns.start, columns.stop))
        moved += (state.row != np.arange(len(state.row))).sum()
        moved += (state.place != np.arange(columns.start, columns.stop)).sum()
        in_place = [np.empty(state.of_places.shape[1:]) for _ in range(2)]
        for side, (found, own) in enumerate(
            [(drawn.plus, healthy.plus), (drawn.minus, healthy.minus)]
        ):
            in_place[side][state.row[:, None], state.place] = own[:, columns]
            forced = np.round(state.of_places[side] * state.matrix.read_out.full_scale_quanta)
            broken = np.where(np.isnan(forced), in_place[side], forced)
            assert np.array_equal(found[:, columns], broken[state.row[:, None], state.place])
    assert moved


def test_the_orders_are_of_the_damage_that_they_lead_to():
    """Costs of all rows and pairs where they are, and the damage of the columns, are one sum."""
    tile = tile_of(open=0.02, stuck=0.03)
    for state in states_of(tile):
        n_rows, n_lines = state.fails.shape
        of_rows = row_damage(state, n_rows)
        of_pairs = column_damage(state, np.arange(n_lines), state.place)
        assert np.isclose(np.trace(of_rows), state.damage().sum())
        assert np.allclose(np.diag(of_pairs), state.damage())
        # two rows exchanged, and two pairs
        swap = np.arange(n_rows)
        swap[[3, 7]] = [7, 3]
        found = dataclasses.replace(state, row=swap).damage().sum()
        assert np.isclose(of_rows[np.arange(n_rows), swap].sum(), found)
        place = state.place.copy()
        place[[2, 5]] = place[[5, 2]]
        found = dataclasses.replace(state, place=place).damage()[[2, 5]]
        assert np.allclose(of_pairs[[2, 5], [5, 2]], found)


def test_stuck_cells_alone_find_weights_that_they_do_not_harm():
    """Few of them, and no thresholds: what is stuck where it should be does no damage."""
    plain = random_gru(seed=8, hidden=48, bits=60)
    few, moved = {"stuck": 0.001}, {"stuck": 0.001, "repair": ("rows",)}
    assert sum(state.damage().sum() for state in states_of(tile_of(plain, **few))) > 1
    tile = tile_of(plain, **moved)
    assert sum(state.damage().sum() for state in states_of(tile)) < 1e-9
    drawn, healthy = program_tile(tile, 5, 0), program_tile(tile_of(plain), 5, 0)
    # the differences of all pairs are those of the exact network
    assert np.array_equal(drawn.cells, healthy.cells)
    assert drawn.n_failed > 0


def test_each_order_saves_damage_and_both_with_all_other_repairs_most():
    none = damage(())
    rows, columns = damage(("rows",)), damage(("columns",))
    assert rows < 0.8 * none
    assert columns < 0.9 * none
    assert damage(("rows", "columns")) < min(rows, columns)
    others = damage(("sides", "partner"))
    assert others < none
    assert damage(("rows", "columns", "sides", "partner")) < 0.8 * others


def test_pairs_are_exchanged_with_spare_ones_as_well():
    """Dead lines of an array are left to nobody."""
    keys = {"dead_line": 0.03, "spares": 12}
    states = states_of(tile_of(**keys, repair=("columns", "spares")))
    taken = np.concatenate([state.place for state in states])
    assert len(np.unique(taken)) == len(taken)
    assert not states[-1].free[taken].any()
    assert sum(state.damage().sum() for state in states) == 0


def test_matrices_of_a_tile_share_the_order_of_its_rows():
    first, second = states_of(tile_of(stuck=0.05, repair=("rows",)))
    assert np.array_equal(first.row, second.row)


def test_orders_of_rows_and_losses_along_wires_are_refused_together():
    noise = NoiseConfig(ir_drop="first_order", faults=Faults(stuck=0.01, repair=("rows",)))
    with pytest.raises(PimsimError, match="rows that stand in order"):
        build_chip(random_mlp(), bundled_chip(), bundled_device("reram"), noise)


def test_repairs_of_a_model_file_are_those_that_there_are():
    assert tuple(REPAIRS) == get_args(Repair)
