"""The unit that normalises speech: its parts and prices by hand, and what waits for it."""

from __future__ import annotations

import dataclasses

import pytest
from files import bundled_chip, bundled_device, bundled_logic, write_model
from networks import random_gru, random_lenet, thermometer_gru

from pimsim.chip import build_chip
from pimsim.chip.front_end import FRONT_ENDS
from pimsim.chip.graph import chip_graph
from pimsim.circuits.front_end import Frames, clip_bill, running_bill
from pimsim.config import NoiseConfig
from pimsim.cost.area import area_items
from pimsim.cost.energy import energy_items
from pimsim.cost.operation import operation_energies
from pimsim.report.pages.run import run_page
from pimsim.simulate import encode_inputs, run_chips
from pimsim.studies.document import run_document
from pimsim.studies.plan import n_steps
from pimsim.studies.prepare import prepare
from pimsim.studies.run import run
from pimsim.timing.schedule import time_chip
from pimsim.workload import Network, Running

COSTS = bundled_logic()
POWER = bundled_chip().power
RUNNING = Running(130.0, 0.0625, 6)


def bits_of(bill) -> dict[str, int]:
    return {part.where: part.count for part in bill.parts}


def area_of(bill, where: str) -> float:
    return sum(part.count * part.area for part in bill.parts if part.where == where)


def energy_of(bill, action: str) -> float:
    return sum(p.each * p.per_inference for p in bill.prices if p.action == action)


def test_a_running_unit_holds_a_frame_its_means_and_a_level():
    # 4 bands of 8 bits, 10 steps, 2 bands in a cycle; registers of 16 bits, sums of 10
    bill = running_bill(Frames(10, 4, 8), 2, COSTS, POWER)
    assert bits_of(bill) == {
        "adders": 1, "means": 64, "frame": 32, "level and its mean": 32, "sum": 10,
    }  # fmt: skip
    # a band: its sum, and three of 17 bits; a frame: two of 16, three of 17, a product by 1/4
    band, frame, product = 10 + 51, 32 + 51, 10 * 14
    sums = (2 * band + frame) * COSTS.sum_area + product * COSTS.product_area
    assert area_of(bill, "adders") == pytest.approx(sums)
    assert energy_of(bill, "bands") == pytest.approx(40 * band * COSTS.sum_energy)
    each = frame * COSTS.sum_energy + product * COSTS.product_energy
    assert energy_of(bill, "frames") == pytest.approx(10 * each)
    # the sum is written once for two bands, all else once in a frame
    written = 10 * (64 + 32 + 32 + 2 * 10)
    assert energy_of(bill, "bits_written") == pytest.approx(written * COSTS.flip_flop_energy / 2)
    assert energy_of(bill, "flip_flop_cycles") == pytest.approx(written * COSTS.clock_energy)


def test_frames_that_wait_are_in_a_memory():
    frames = Frames(10, 4, 8)
    bill = running_bill(frames, 2, COSTS, POWER, delay=3)
    assert bits_of(bill) == bits_of(running_bill(frames, 2, COSTS, POWER)) | {"waiting": 96}
    # words of two bands: each band of the clip is written once, and read once
    assert energy_of(bill, "waiting_bits") == pytest.approx(640 * COSTS.memory_energy(6))


def test_a_unit_of_whole_clips_holds_a_clip():
    bill = clip_bill(Frames(10, 4, 8), 2, COSTS, POWER)
    assert bits_of(bill) == {
        "adders": 1, "means": 64, "level": 10, "sum": 10, "multiplier": 1, "clip": 320,
    }  # fmt: skip
    assert area_of(bill, "clip") == pytest.approx(320 * COSTS.memory_area)
    # words of two bands: written once, and read once
    assert energy_of(bill, "clip_bits") == pytest.approx(640 * COSTS.memory_energy(20))
    assert energy_of(bill, "means") == pytest.approx(4 * 12 * 13 * COSTS.product_energy)


def test_what_is_held_is_kept_in_sleep():
    for bill in (running_bill(Frames(98, 40, 8), 10, COSTS, POWER),
                 clip_bill(Frames(98, 40, 8), 10, COSTS, POWER)):  # fmt: skip
        for part in bill.parts:
            held = part.where not in ("adders", "multiplier")
            assert part.asleep == (POWER.retention if held else 0.0)


def test_a_clip_takes_more_room_and_leaks_more_than_its_running_means():
    # 98 x 40 x 8 bits beside 40 x (16 + 8) of registers
    running, clip = (f(Frames(98, 40, 8), 10, COSTS, POWER) for f in (running_bill, clip_bill))
    assert bits_of(clip)["clip"] == 31_360
    areas = [sum(p.count * p.area for p in bill.parts) * 1e12 for bill in (running, clip)]
    assert areas[0] == pytest.approx(2921, rel=1e-3)
    assert areas[1] == pytest.approx(7602, rel=1e-3)


def heard(network: Network, **changes) -> Network:
    return dataclasses.replace(network, input=dataclasses.replace(network.input, **changes))


def chip_of(network: Network, **front_end):
    config = bundled_chip()
    block = config.front_end.model_copy(update=front_end)
    config = config.model_copy(update={"front_end": block})
    return build_chip(network, config, bundled_device("reram"), NoiseConfig.ideal())


@pytest.mark.parametrize("make", [random_gru, thermometer_gru])
def test_a_clip_is_waited_for_and_running_means_are_not(make):
    """The last frame begins the work of all frames, or of its own."""
    found = {}
    for name, how in {
        "none": {}, "clip": {"level": 150.0}, "running": {"level": 150.0, "running": RUNNING},
        "waiting": {"level": 150.0, "running": dataclasses.replace(RUNNING, delay=12)},
    }.items():  # fmt: skip
        chip = chip_of(heard(make(), **how))
        assert chip.network.input.normalisation == ("running" if name == "waiting" else name)
        graph = chip_graph(chip, COSTS, 16, in_real_time=True)
        found[name] = time_chip(graph, frame_interval=1e-3).after_last_cycles
        at_hand = time_chip(chip_graph(chip, COSTS, 16)).first_cycles
        assert found.setdefault("at hand", at_hand) == at_hand
    assert found["running"] == found["none"]
    assert found["running"] < found["waiting"] <= found["clip"]
    # it wakes, the frame arrives, and all frames are there as if they had always been at hand
    assert found["clip"] == 100 + 1 + found["at hand"] > found["none"]


def test_the_unit_stands_on_the_bill_of_the_first_component():
    chip = chip_of(heard(random_gru(), level=150.0, running=RUNNING), bands_per_cycle=1)
    graph = chip_graph(chip, COSTS, 10)
    parts = [part for part in area_items(graph) if part.component == "front_end"]
    # 40 bands of pairs of frames: 9 bits
    assert {part.where: part.count for part in parts} == bits_of(
        running_bill(Frames(10, 40, 9), 1, COSTS, POWER)
    )
    for network in (random_gru(), random_lenet()):
        graph = chip_graph(chip_of(network), COSTS, 10)
        assert not [part for part in area_items(graph) if part.component == "front_end"]


def test_every_normalisation_has_a_unit():
    network = random_gru()
    for changes in ({}, {"level": 1.0}, {"level": 1.0, "running": RUNNING}):
        assert heard(network, **changes).input.normalisation in FRONT_ENDS


@pytest.mark.parametrize("how", [{}, {"running": RUNNING}], ids=["clip", "running"])
def test_a_run_counts_it_and_names_what_stands_before_it(tmp_path, how):
    network = heard(random_gru(), level=150.0, **how)
    path = write_model(tmp_path, "gru", network)
    result = run(path, chips=1, noise_sources=False)
    report = run_document(result)
    energy, area = report.energy.by_component_j, report.area.by_component_m2
    assert energy["front_end"] > 0
    assert area["front_end"] > 0
    assert sum(energy.values()) == pytest.approx(report.energy.per_inference_j)
    assert report.energy.outside == ["filter bank", "logarithm", "cosine transform"]
    assert [found.power_w for found in report.energy.feature_extractors] == pytest.approx(
        [80e-9, 800e-9, 2.81e-6]
    )
    sections = {section.title: section for section in run_page(report).sections}
    note = sections["Energy and area"].text
    assert "Not included: filter bank, logarithm, cosine transform; published" in note
    assert note.endswith("W (Yu, ICCCS 2023).")
    assert "chip.front_end" in report.provenance.rests_on["area"]["front_end"]
    # single operations add up with it
    prepared = prepare(path)
    chip = prepared.chip(prepared.setup.noise)
    graph, one = chip_graph(chip, COSTS, n_steps(prepared)), slice(2, 3)
    simulated = run_chips(
        chip, encode_inputs(chip, prepared.data.features[one]), [1], 11,
        sample_indices=prepared.data.sample_indices[one], keep_bits=True,
    )  # fmt: skip
    bits = {name: of_chip[0, 0] for name, of_chip in simulated.bits.items()}
    found = operation_energies(graph, bits, 11, 1)
    total = sum(item.energy for item in energy_items(graph, simulated.counts, 1))
    assert sum(float(each.sum()) for each in found.values()) == pytest.approx(total, rel=1e-9)


def test_images_have_no_feature_extractor(tmp_path):
    report = run_document(run(write_model(tmp_path, "lenet"), chips=1, noise_sources=False))
    assert report.energy.outside == report.energy.feature_extractors == []
