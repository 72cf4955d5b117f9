"""Reports of chips whose cells have something in common."""

from __future__ import annotations

import pytest
from files import write_model
from networks import random_gru

import pimsim
from pimsim.errors import PimsimError
from pimsim.report.documents import RunDocument
from pimsim.report.pages.run import run_page

RUN = {"chips": 2, "limit": 2}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    network = random_gru(seed=3, hidden=48, bits=32)
    return write_model(tmp_path_factory.mktemp("model"), network=network, device="reram")


@pytest.fixture(scope="module")
def report(model):
    changed = ["device.variation.neighbours=60 %", "device.variation.gradient=5 %",
               "device.variation.wafer_tilt=10 %"]  # fmt: skip
    return pimsim.run(model, **RUN, set=changed).report


def test_the_variogram_of_what_was_drawn_follows_its_law(report):
    facts = report["noise"]["variation"]
    points = {point["lag"]: point for point in facts["variogram"]}
    assert points[1]["expected"] == pytest.approx(1 - 0.6 * 0.818731, abs=1e-5)
    for lag in (1, 2, 3):
        for way in ("along_bit_line", "along_word_line"):
            assert points[lag][way] == pytest.approx(points[lag]["expected"], rel=0.15)
    assert points[55]["along_bit_line"] > points[1]["along_bit_line"]
    assert facts["lowest_gain"] < 1 < facts["highest_gain"] or len(set(facts["chip_gains"])) == 2


def test_gradients_are_a_source_of_their_own_and_the_page_draws_the_variogram(report):
    alone = {entry["source"]: entry for entry in report["noise"]["contributions"]}
    assert alone["variation"]["is_present"]
    assert all(size > 0 for size in alone["variation"]["size_units"].values())
    page = run_page(RunDocument.model_validate(report))
    titles = [getattr(b, "title", "") for section in page.sections for b in section.blocks]
    assert sum(title.startswith("Variogram of") for title in titles) == 2


def test_reports_of_other_devices_have_none(model):
    report = pimsim.run(model, chips=1, limit=2, noise_sources=False).report
    assert report["noise"]["variation"] is None
    assert "variation" not in [s["block"] for s in report["provenance"]["sources"]["device"]]


def test_an_option_is_marked_as_assumed_and_a_wrong_one_is_refused(model, report):
    blocks = {s["block"]: s for s in report["provenance"]["sources"]["device"]}
    assert blocks["variation"]["certainty"] == "assumed"
    with pytest.raises(PimsimError, match=r"device\.variation\.neighbours"):
        pimsim.run(model, limit=2, set=["device.variation.neighbours=120 %"])
