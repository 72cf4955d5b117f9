"""Telegraph noise as a process: its law, its keys, and where it agrees with the lumped form."""

from __future__ import annotations

import numpy as np
import pytest
from files import bundled_chip, bundled_device, bundled_technology, write_model
from networks import random_gru

from pimsim.chip import lay_out, program_tile
from pimsim.config import NoiseConfig
from pimsim.config.cell_noise import TabulatedTwoStateNoise, TwoStateNoise
from pimsim.devices import cell_model
from pimsim.devices.telegraph import Telegraph
from pimsim.studies.run import run

TRAPS = {
    "model": "two_state", "share": "40 %", "amplitude": "10 %", "amplitude_spread": 0.4,
    "occupancy": "30 %", "switching_time": "2 s", "source": "test", "certainty": "assumed",
}  # fmt: skip
MODEL = TwoStateNoise.model_validate(TRAPS)
SHAPE = (2, 150, 200)


def factors(*times, model=MODEL, shape=SHAPE, chip=0):
    return Telegraph(model, times).factors(7, chip, 1, shape)


def test_at_any_read_cells_scatter_as_the_lumped_form_says():
    device = bundled_device("reram").model_copy(update={"rtn": MODEL})
    lumped = cell_model(device, 4, NoiseConfig().only("rtn"))
    for times in ((0.0,), (0.0, 1.0), (0.0, 0.5, 400.0)):
        found = factors(*times)
        assert found.mean() == pytest.approx(1.0, abs=5 * found.std() / np.sqrt(found.size))
        # factors on a whole current; levels are in spans of level 0 to the top
        assert found.std() == pytest.approx(lumped.sigma[3] / lumped.mean[3], rel=0.02)


def test_states_are_forgotten_at_the_rate_of_the_traps():
    base, traps = factors(0.0), factors(0.0) != 1
    assert traps.mean() == pytest.approx(0.4, abs=0.006)
    for gap in (0.01, 1.0, 2.0, 20.0):
        alike = np.corrcoef(base[traps], factors(0.0, gap)[traps])[0, 1]
        # the share of the variance that is the trap's state, not its amplitude
        whole = np.corrcoef(base[traps], factors(0.0, 1e-9)[traps])[0, 1]
        assert whole == pytest.approx(1.0)
        mean_part = alike - np.exp(-gap / 2.0)
        assert mean_part == pytest.approx(0.0, abs=0.02)
    # a read between changes nothing in law
    assert np.corrcoef(base[traps], factors(0.0, 1.0, 2.0)[traps])[0, 1] == pytest.approx(
        np.exp(-1), abs=0.02
    )


def test_each_cell_has_two_currents_of_its_own():
    seen = np.stack([factors(*np.arange(k + 1.0)) for k in range(12)])
    n_values = np.array([len(np.unique(cell)) for cell in seen.reshape(12, -1).T[:4000]])
    assert set(n_values) <= {1, 2}
    taken = np.ptp(seen, axis=0)
    moved = taken[taken > 0]
    assert np.median(moved) == pytest.approx(0.1, rel=0.03)
    assert np.log(moved).std() == pytest.approx(0.4, rel=0.05)


def test_switching_times_scatter_over_cells():
    slow_and_fast = MODEL.model_copy(update={"switching_spread": 3.0})
    base, later = (factors(*t, model=slow_and_fast) for t in ((0.0,), (0.0, 40.0)))
    traps = base != 1
    # all would have forgotten with one tau of 2 s; some taus are hours
    assert np.corrcoef(base[traps], later[traps])[0, 1] > 0.1


def test_a_cells_state_does_not_depend_on_its_neighbours():
    whole = factors(0.0, 1.0, 2.0)
    assert np.array_equal(whole[:, :40, :13], factors(0.0, 1.0, 2.0, shape=(2, 40, 13)))
    assert not np.array_equal(whole, factors(0.0, 1.0, 2.0, chip=1))


def chip(read_times=(), noise=None):
    device = bundled_device("reram").model_copy(update={"rtn": MODEL})
    noise = noise or NoiseConfig().only("rtn")
    layout = lay_out(random_gru(hidden=60, bits=60), bundled_chip(), device, bundled_technology())
    return layout.under(noise, read_times=read_times)


def test_programmed_cells_keep_all_but_the_trap():
    everything = NoiseConfig(offset=False)
    tiles = [chip(times, everything).tiles[0] for times in ((0.0,), (0.0, 1e9))]
    first, later = (program_tile(tile, 3, 0) for tile in tiles)
    moved = first.plus != later.plus
    # 40 % hold a trap, which is in the other state with 2 x 0.3 x 0.7
    current = first.plus > first.plus.max() / 2
    assert moved[current].mean() == pytest.approx(0.4 * 0.42, abs=0.02)
    assert not chip((0.0,)).is_exact


def test_traps_of_a_chip_follow_the_level_of_each_cell():
    by_level = {key: value for key, value in TRAPS.items() if key not in ("share", "amplitude")}
    by_level |= {"model": "two_state_tabulated", "at": [0.1, 1], "share": ["60 %", 0],
                 "amplitude": ["20 %", "5 %"]}  # fmt: skip
    rtn = TabulatedTwoStateNoise.model_validate(by_level)
    device = bundled_device("reram").model_copy(update={"rtn": rtn})
    tiles = []
    for times in ((0.0,), (0.0, 1e9)):
        network = random_gru(hidden=60, bits=60)
        layout = lay_out(network, bundled_chip(), device, bundled_technology())
        noise = NoiseConfig(offset=False).only("rtn")
        tiles.append(layout.under(noise, read_times=times).tiles[0])
    first, later = (program_tile(tile, 3, 0) for tile in tiles)
    part = tiles[0].matrices[0]
    moved = (first.plus != later.plus)[: len(part.cells.plus), part.columns]
    low, top = (moved[part.cells.plus == level].mean() for level in (1, 3))
    # of the level in between a share by its current holds a trap
    share = 0.6 * (1 - (part.cell.choice.mean[1] - 0.1) / 0.9)
    assert low == pytest.approx(share * 0.42, abs=0.03)
    assert top == 0


def test_process_and_lumped_form_draw_cells_of_the_same_moments():
    quanta = []
    for times in ((), (0.0, 3.0)):
        tile = chip(times).tiles[0]
        part = tile.matrices[0]
        programmed = program_tile(tile, 3, 0)
        top = programmed.plus[:, part.columns][part.cells.plus == 3]
        quanta.append(top / part.read_out.full_scale_quanta)
    lumped, process = quanta
    n = len(lumped)
    assert process.mean() == pytest.approx(lumped.mean(), abs=5 * lumped.std() / np.sqrt(n))
    assert process.std() == pytest.approx(lumped.std(), rel=0.15)


def test_reads_differ_only_where_traps_have_time_to_switch(tmp_path):
    model = write_model(tmp_path)
    traps = [f"device.rtn={{{', '.join(f'{k}: {v}' for k, v in TRAPS.items())}}}"]
    quiet = [*traps, "noise.dynamic=off", "reads=3"]

    def predictions(interval):
        found = run(model, chips=2, limit=24, contributions=False, threads=2,
                    set=[*quiet, f"read_interval={interval}"])  # fmt: skip
        return found.chips.predictions.reshape(2, 3, -1)

    frozen, moving = predictions("1 ps"), predictions("1 hour")
    assert (frozen[:, 0] == frozen[:, 2]).all()
    assert np.array_equal(frozen[:, 0], moving[:, 0])
    assert (moving[:, 0] != moving[:, 2]).any()
