"""Changed device, chip and model files end in a chip or in a clear error, never in a traceback."""

from __future__ import annotations

import pytest
from files import write_model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import random_gru

from pimsim.chip import build_chip, program_tile
from pimsim.chip.graph import chip_graph
from pimsim.chip.plausibility import check_chip
from pimsim.circuits.logic import logic_of
from pimsim.config import bundled_root, load_setup
from pimsim.config.bundled import FOLDERS
from pimsim.cost.area import area_items
from pimsim.errors import PimsimError

VALUES = [
    "", "-1", "0", "1", "3", "1e30", "1e-30", "0.5", "nan", "on", "off", "null", "x", "inf",
    "[]", "[1, 2]", "[0 %, 1 %]", "{}", "{a: 1}", "600 mV", "1 fF", "-1 uA", "10 ns", "50 %", "1 s",
    "1e400 s", "300 K", "-3 K", "1 year", "one_over_f", "power_law", "none", "2026-11-22", "&a",
]  # fmt: skip


WORKLOAD = random_gru(hidden=5, bits=4)
FILES = [
    ("device", "reram"),
    ("device", "pcm"),
    ("device", "cmos_mlc_measured"),
    ("device", "sonos"),
    ("chip", "ba_mlw_16nm"),
    ("chip", "adc_pim_16nm"),
    ("chip", "isaac_32nm"),
    ("technology", "16nm"),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("fuzz"), network=WORKLOAD)


def mutated(data, text: str) -> str:
    """The file with one to three values or keys changed, or lines dropped."""
    lines = text.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        key, colon, _ = lines[at].partition(":")
        match data.draw(st.sampled_from(["value", "key", "drop", "indent"])):
            case "value" if colon:
                lines[at] = f"{key}: {data.draw(st.sampled_from(VALUES))}"
            case "key":
                lines[at] = lines[at].replace(key.strip(), key.strip()[:-1] or "k", 1)
            case "drop":
                lines[at] = ""
            case _:
                lines[at] = "  " + lines[at]
    return "\n".join(lines) + "\n"


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_changed_file_gives_a_chip_or_a_clear_error(model, data):
    kind, name = data.draw(st.sampled_from(FILES))
    text = (bundled_root() / FOLDERS[kind] / f"{name}.yaml").read_text()
    text = text.replace("../technology/16nm.yaml", "16nm")
    (model.parent / "changed.yaml").write_text(mutated(data, text))
    changed = model.parent / "changed_model.yaml"
    entry = {"device": "device: reram", "chip": "chip: ba_mlw_16nm"}.get(kind, "nothing")
    text = model.read_text().replace(entry, f"{kind}: changed.yaml")
    changed.write_text(mutated(data, text) if data.draw(st.booleans()) else text)
    chosen = [f"chip.technology={model.parent}/changed.yaml"] if kind == "technology" else []
    try:
        setup = load_setup(changed, {}, chosen)
        logic = logic_of(setup.technology)
        chip = build_chip(WORKLOAD, setup.chip, setup.device, setup.noise)
        graph = chip_graph(chip, logic, 3)
        assert all(part.area >= 0 for part in area_items(graph))
        check_chip(graph)
        for tile in chip.tiles:
            programmed = program_tile(tile, 1, 0)
            assert (programmed.plus >= 0).all()
            assert (programmed.minus >= 0).all()
    except PimsimError:
        pass
