"""One array for all layers: turns, area of one, and what does not fit."""

from __future__ import annotations

import itertools

import pytest
from code_networks import coded_cnn
from files import bundled_chip, bundled_device, bundled_logic, write_model

from pimsim.chip import build_chip
from pimsim.chip.graph import chip_graph
from pimsim.config import NoiseConfig
from pimsim.cost.area import area_items
from pimsim.errors import MappingError
from pimsim.studies.floorplan import floorplan
from pimsim.studies.prepare import prepare
from pimsim.timing.schedule import run_cycles, time_chip
from pimsim.timing.turns import Turns

CHIP = bundled_chip("adc_4b_16nm")


def graph_of(**array):
    config = CHIP.model_copy(update={"array": CHIP.array.model_copy(update=array)})
    chip = build_chip(coded_cnn(), config, bundled_device("ideal"), NoiseConfig.ideal())
    return chip_graph(chip, bundled_logic(), 1)


@pytest.fixture(scope="module")
def shared():
    return graph_of(shared=True)


def test_turns_go_round_by_counts():
    turns, seen = Turns({"a": 2, "b": 1}), []
    for _ in range(6):
        name = next(n for n in "ab" if turns.holds(n))
        turns.use()
        assert turns.holds(name)  # until the clock's edge
        turns.commit()
        seen.append(name)
    assert "".join(seen) == "aabaab"


def test_layers_never_work_at_once_and_each_begins_after_the_last_one(shared):
    run = run_cycles(shared, 2)
    spans = []
    for tile in shared.tiles:
        stage, n = run.stage(tile.name), tile.demand.n_operations
        for inference in range(2):
            part = slice(inference * n, (inference + 1) * n)
            spans.append((stage.activity.started[part][0], stage.activity.finished[part][-1]))
    spans.sort()
    assert all(end <= begin for (_, end), (begin, _) in itertools.pairwise(spans))
    # layer by layer, inference by inference
    n = len(shared.tiles)
    first = [run.stage(tile.name).activity.started[0] for tile in shared.tiles]
    assert sorted(first) == first == [begin for begin, _ in spans[:n]]


def test_an_inference_takes_the_time_of_all_layers(shared):
    timing, together = time_chip(shared), time_chip(graph_of())
    busy = sum(tile.cycles * tile.demand.n_operations for tile in shared.tiles)
    assert timing.interval_cycles >= busy
    assert timing.interval_cycles > together.interval_cycles
    assert timing.bottleneck == tuple(tile.name for tile in shared.tiles)


def test_arrays_and_circuits_are_there_once_and_actions_cost_the_same(shared):
    apart = graph_of()
    parts = [part for part in area_items(shared) if part.component == "array"]
    assert len(parts) == 1
    largest = max(part.area * part.count for part in area_items(apart) if part.component == "array")
    assert parts[0].area * parts[0].count == pytest.approx(largest)
    for one, other in zip(shared.tiles, apart.tiles, strict=True):
        assert one.bill.prices == other.bill.prices


def test_its_plan_has_one_array_with_the_weights_of_all_layers_side_by_side(tmp_path):
    changes = ["chip.array.shared=true", "chip.array.rows=1024", "chip.array.columns=512"]
    prepared = prepare(write_model(tmp_path, "lenet"), {}, changes)
    plan, _ = floorplan(prepared)
    (array,) = [part for part in plan.rectangles if part.kind == "array"]
    weights = sorted((p for p in plan.rectangles if p.kind == "weights"), key=lambda p: p.x)
    assert len(weights) == len(prepared.chip(prepared.setup.noise).matrices)
    for one, other in itertools.pairwise(weights):
        assert one.x + one.width == pytest.approx(other.x)
    assert weights[0].x == pytest.approx(array.x)
    assert weights[-1].x + weights[-1].width <= array.x + array.width


@pytest.mark.parametrize(
    ("array", "said"),
    [
        ({"rows": 8}, r"rows of layer stem are more than its 8"),
        ({"columns": 16}, "bit lines of all"),
    ],
)
def test_layers_that_do_not_stand_in_one_array_are_refused(array, said):
    with pytest.raises(MappingError, match=said):
        graph_of(shared=True, **array)
