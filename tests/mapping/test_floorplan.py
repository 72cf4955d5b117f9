"""Floorplans: parts of the areas in the account, none upon another, all on the chip."""

from __future__ import annotations

from collections import defaultdict

import pytest
from click.testing import CliRunner
from files import write_model

from pimsim.cli.floorplan import floorplan as command
from pimsim.config import bundled_names
from pimsim.report.blocks import marked, quantity
from pimsim.report.floorplan import COLOURS
from pimsim.studies.floorplan import area_of, floorplan
from pimsim.studies.prepare import prepare

# a stack of two arrays, two of them side by side
SMALL = ["chip.array.rows=16", "chip.array.columns=16", "chip.array.max_stack=64"]


@pytest.mark.parametrize("kind", ["gru", "lenet"])
@pytest.mark.parametrize("changes", [[], SMALL], ids=["one", "many"])
def test_parts_have_their_areas_and_do_not_overlap(tmp_path, kind, changes):
    prepared = prepare(write_model(tmp_path, kind), {}, changes)
    plan, account = floorplan(prepared)
    expected, found = defaultdict(float), defaultdict(float)
    for item in account:
        expected[item.component] += item.count * item.area
    for part in plan.rectangles:
        found[part.kind] += part.area
        assert part.x >= -1e-12
        assert part.y >= -1e-12
        assert part.x + part.width <= plan.width * (1 + 1e-9)
        assert part.y + part.height <= plan.height * (1 + 1e-9)
    total = sum(expected.values())
    expected.pop("wiring")
    weights = found.pop("weights")
    assert found == pytest.approx(expected)
    assert plan.width * plan.height >= total * (1 - 1e-9)
    chip = prepared.chip(prepared.setup.noise)
    used = sum(tile.placement.n_rows * 2 * tile.placement.n_lines for tile in chip.tiles)
    assert weights == pytest.approx(used * chip.device.cell.area)
    solid = [part for part in plan.rectangles if part.kind != "weights"]
    for index, one in enumerate(solid):
        for other in solid[index + 1 :]:
            apart = 1e-12
            assert (
                one.x + one.width <= other.x + apart
                or other.x + other.width <= one.x + apart
                or one.y + one.height <= other.y + apart
                or other.y + other.height <= one.y + apart
            ), (one, other)


@pytest.mark.parametrize("model", ["gru", "lenet5"])
# adc_4b_16nm and analog_kws_14nm have no network yet, and that of unipolar_16nm is another model's
@pytest.mark.parametrize(
    "chip", sorted({*bundled_names("chip")} - {"adc_4b_16nm", "analog_kws_14nm", "unipolar_16nm"})
)
def test_every_component_of_every_chip_is_drawn(chip, model):
    plan, account = floorplan(prepare(model, {"chip": chip}))
    expected, found = defaultdict(float), defaultdict(float)
    for item in account:
        expected[item.component] += item.count * item.area
    for part in plan.rectangles:
        found[part.kind] += part.area
    assert set(found) <= set(COLOURS)
    # wiring is the room in between, weights are cells that are in the account of the array
    assert expected.pop("wiring") > 0
    assert found.pop("weights") > 0
    assert found == pytest.approx(expected)


def test_the_command_draws_svg_and_png(tmp_path):
    model = str(write_model(tmp_path))
    for name in ("a.svg", "b/a.png"):
        done = CliRunner().invoke(command, [model, "-o", str(tmp_path / name)])
        assert done.exit_code == 0, done.output
        assert (tmp_path / name).stat().st_size > 5000
        prepared = prepare(model)
        _, account = floorplan(prepared)
        area = sum(item.count * item.area for item in account)
        # rests on assumptions
        assert area_of(prepared, account) == marked(quantity(area, "m2"), True)
        assert f" ~{area * 1e6:.3g} mm2 of which" in done.output
    first = (tmp_path / "a.svg").read_bytes()
    CliRunner().invoke(command, [model, "-o", str(tmp_path / "a.svg")])
    assert (tmp_path / "a.svg").read_bytes() == first
    # a rectangle for every part, and one for its kind in the legend
    plan, _ = floorplan(prepare(model))
    kinds = {rectangle.kind for rectangle in plan.rectangles}
    assert first.decode().count("<path") >= len(plan.rectangles) + len(kinds)


def test_other_endings_are_refused(tmp_path):
    done = CliRunner().invoke(command, [str(write_model(tmp_path)), "-o", "plan.pdf"])
    assert done.exit_code != 0
    assert "svg" in str(done.exception)
