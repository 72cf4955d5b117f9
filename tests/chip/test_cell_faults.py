"""Cells, lines and amplifiers that fail: how many, what they do, and what repairs save."""

from __future__ import annotations

import numpy as np
import pytest
from files import bundled_chip, bundled_device, write_model
from networks import random_features, random_gru, random_lenet
from pydantic import ValidationError

import pimsim
from pimsim.chip import build_chip, program_tile
from pimsim.chip.faults import OPEN, SHORT, STUCK, WORKS, draw_faults
from pimsim.chip.repair import tile_faults
from pimsim.config import NoiseConfig
from pimsim.config.faults import Faults
from pimsim.errors import PimsimError
from pimsim.simulate import encode_inputs, run_chips

NETWORK = random_gru(seed=8, hidden=48, bits=60, thresholds=2)
IDEAL = NoiseConfig.ideal()


def failing(base: NoiseConfig = IDEAL, **keys) -> NoiseConfig:
    return base.model_copy(update={"faults": Faults(**keys)})


def tile_of(noise: NoiseConfig, device: str = "reram", network=NETWORK):
    return build_chip(network, bundled_chip(), bundled_device(device), noise).tiles[0]


@pytest.mark.parametrize("cluster", [1, 4])
def test_the_expected_number_of_cells_that_fail_is_n_times_p(cluster):
    """In squares as well; only its scatter over chips grows, by the cells of a square."""
    p = {"open": 0.02, "short": 0.01, "stuck": 0.03}
    tile = tile_of(failing(**p, cluster=cluster))
    chips = [draw_faults(tile, tile.faults, 5, index) for index in range(40)]
    n = chips[0].kind.size
    for name, kind in (("open", OPEN), ("short", SHORT), ("stuck", STUCK)):
        counts = np.array([(chip.kind == kind).sum() for chip in chips])
        sigma = cluster * np.sqrt(n * p[name] * (1 - p[name]))
        assert abs(counts.mean() - n * p[name]) < 4 * sigma / np.sqrt(len(chips))
        assert 0.6 < counts.std() / sigma < 1.5


def test_cells_that_fail_carry_what_their_kind_says():
    tile = tile_of(failing(open=0.05, short=0.05, stuck=0.2, short_current=3.0))
    found, drawn = draw_faults(tile, tile.faults, 5, 0), program_tile(tile, 5, 0)
    healthy = program_tile(tile_of(IDEAL), 5, 0)
    for part in tile.matrices:
        for side, (own, without) in enumerate(
            [(drawn.plus, healthy.plus), (drawn.minus, healthy.minus)]
        ):
            currents, kind = own[:, part.columns], found.kind[side][:, part.columns]
            full_scale = part.read_out.full_scale_quanta
            assert (currents[kind == OPEN] == 0).all()
            short = 3 * part.cell.ideal[-1] * full_scale
            assert np.allclose(currents[kind == SHORT], short, atol=0.5)
            levels = np.round(part.cell.mean * full_scale)
            stuck = np.unique(currents[kind == STUCK])
            assert np.array_equal(stuck, levels)
            works = kind == WORKS
            assert np.array_equal(currents[works], without[:, part.columns][works])
    assert drawn.n_failed == (found.kind != WORKS).sum()


def test_dead_rows_and_lines_carry_nothing():
    tile = tile_of(failing(dead_row=0.1, dead_line=0.1))
    drawn = program_tile(tile, 5, 0)
    rows = ((drawn.plus == 0) & (drawn.minus == 0)).all(axis=1)
    assert 0 < rows.sum() < 0.4 * len(rows)
    lines = np.concatenate([(side == 0).all(axis=0) for side in (drawn.plus, drawn.minus)])
    assert 0 < lines.sum() < 0.4 * len(lines)
    rest = drawn.plus[~rows][:, ~lines[: drawn.plus.shape[1]]]
    assert (rest > 0).all()


def test_dead_amplifiers_give_one_bit_whatever_comes():
    noise = failing(NoiseConfig(), dead_amplifier=0.3)
    chip = build_chip(NETWORK, bundled_chip(), bundled_device("reram"), noise)
    encoded = encode_inputs(chip, random_features(NETWORK, 12))
    run = run_chips(chip, encoded, range(1), 3, keep_bits=True)
    states = tile_faults(chip.tiles[0], noise.faults, 3, 0).matrices
    for state, name in zip(states, ("gru0.gate", "gru0.candidate"), strict=True):
        bits = run.bits[name][0].reshape(-1, len(state.dead))
        assert 0 < (state.dead >= 0).sum() < len(state.dead)
        for bit in (0, 1):
            assert (bits[:, state.dead == bit] == bit).all()


@pytest.mark.parametrize("device", ["reram", "cmos_mlc"])
def test_bits_of_broken_chips_do_not_depend_on_the_kernel(device):
    noise = failing(
        NoiseConfig(), open=0.01, short=0.01, stuck=0.01, dead_row=0.01, dead_amplifier=0.05,
        repair=("sides", "partner"),
    )  # fmt: skip
    network = random_lenet(thresholds=2)
    chip = build_chip(network, bundled_chip(), bundled_device(device), noise)
    encoded = encode_inputs(chip, random_features(network, 40))
    first = run_chips(chip, encoded, range(3), 7, keep_bits=True)
    again = run_chips(chip, encoded, range(3), 7, keep_bits=True, kernel="portable", batch=9)
    for name, bits in first.bits.items():
        assert np.array_equal(bits, again.bits[name])
    assert (first.bits["conv2d1"][0] != first.bits["conv2d1"][1]).any()


def damage(repair: tuple[str, ...], seed: int = 5, **keys) -> float:
    """Mean error of I+ - I- over the cells of a chip [level steps]."""
    noise = failing(open=0.01, stuck=0.01, dead_line=0.02, repair=repair, **keys)
    tile = tile_of(noise)
    states = tile_faults(tile, noise.faults, seed, 0).matrices
    assert all(len(state.damage()) == state.matrix.n_lines for state in states)
    return float(np.concatenate([state.damage() for state in states]).mean())


def test_each_repair_saves_something_and_all_together_most():
    none = damage(())
    alone = {name: damage((name,)) for name in ("sides", "partner")}
    alone["spares"] = damage(("spares",), spares=8)
    assert all(found < 0.97 * none for found in alone.values())
    together = damage(("sides", "partner", "spares"), spares=8)
    assert together < min(alone.values())


def test_a_partner_makes_up_for_a_stuck_cell_where_it_can():
    """Stuck cells alone: - partners of + cells stuck at s hold s - k, if that is a level."""
    noise = failing(stuck=0.05, repair=("partner",))
    tile = tile_of(noise)
    drawn, healthy = program_tile(tile, 5, 0), program_tile(tile_of(IDEAL), 5, 0)
    found = draw_faults(tile, tile.faults, 5, 0).kind != WORKS
    for part in tile.matrices:
        step = part.read_out.full_scale_quanta / (len(part.cell.mean) - 1)
        error = (drawn.plus - drawn.minus - healthy.plus + healthy.minus)[:, part.columns] / step
        k = part.matrix.levels
        of_pairs = found[:, : len(k), part.columns]
        lowest = part.cell.mean[0] * part.read_out.full_scale_quanta
        held = [
            np.round((side[: len(k), part.columns] - lowest) / step)
            for side in (drawn.plus, drawn.minus)
        ]
        # the level that the partner needs, of each side that alone is stuck
        needed = np.where(of_pairs[0], held[0] - k, held[1] + k)
        makes_up = (of_pairs[0] ^ of_pairs[1]) & (needed >= 0) & (needed <= 3)
        assert makes_up.any()
        assert np.allclose(error[: len(k)][makes_up], 0, atol=1e-6)


def test_enough_spares_bring_an_ideal_chip_back():
    """Dead lines alone, of which spares have none: the bits of the exact network."""
    base = build_chip(NETWORK, bundled_chip(), bundled_device("reram"), IDEAL)
    encoded = encode_inputs(base, random_features(NETWORK, 8))
    exact = run_chips(base, encoded, range(1), 1, keep_bits=True).bits
    dead = failing(dead_line=0.004)
    mended = failing(dead_line=0.004, spares=16, repair=("spares",))
    bits = {}
    for name, noise in (("dead", dead), ("mended", mended)):
        chip = build_chip(NETWORK, bundled_chip(), bundled_device("reram"), noise)
        bits[name] = run_chips(chip, encoded, range(1), 1, keep_bits=True).bits
    assert any((bits["dead"][name] != found).any() for name, found in exact.items())
    for name, found in exact.items():
        assert np.array_equal(bits["mended"][name], found)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"open": 0.6, "stuck": 0.5}, "add up to more than all"),
        ({"spares": 2}, "repair leaves them out"),
        ({"repair": ("sides", "sides")}, "names a repair twice"),
        ({"repair": ("glue",)}, "repair"),
        ({"open": -0.1}, "greater than or equal to 0"),
    ],
)
def test_faults_that_cannot_be_are_refused(keys, message):
    with pytest.raises(ValidationError, match=message):
        Faults(**keys)


def test_repairs_and_amplifiers_are_known_for_pairs_alone():
    chip = bundled_chip("adc_pim_16nm")
    with pytest.raises(PimsimError, match="with sense amplifiers alone"):
        build_chip(random_gru(), chip, bundled_device("reram"), failing(dead_amplifier=0.1))
    found = build_chip(random_gru(), chip, bundled_device("reram"), failing(open=0.1)).tiles[0]
    assert (program_tile(found, 1, 0).plus == 0).mean() > 0.08


def test_the_share_of_cells_is_a_key_of_a_model_file(tmp_path):
    model = write_model(tmp_path)
    result = pimsim.run(model, chips=2, limit=4, set=["noise.faults.open=10 %"])
    alone = {source["source"]: source for source in result.report["noise"]["contributions"]}
    assert alone["faults"]["is_present"]
    assert result.report["noise"]["switches"]["faults"]["open"] == 0.1
