"""Documents that are read again: damaged at any place, they give a page or one clear error."""

from __future__ import annotations

import io
import warnings

import pytest
from damage import damaged
from markupsafe import Markup

from pimsim.errors import PimsimError
from pimsim.report.blocks import Picture
from pimsim.report.html import html_of
from pimsim.report.pages import document_of, page_of
from pimsim.report.terminal import print_page, terminal
from pimsim.studies.compare import describe_comparison
from pimsim.studies.device import describe_device
from pimsim.studies.origin import origin

POINT = {"mean": 0.9, "std": 0.01, "min": 0.8, "max": 0.95, "per_sample": [0.8, 0.95]}
MADE = {
    "schema": "pimsim.reproduction/1", "pimsim": "0.1.0", "name": "fig3a", "title": "a figure",
    "source": "Fig. 3", "paper_says": ["much"], "data": "mnist-1000", "n_sequences": 6, "seed": 1,
    "wall_s": 2.0, "networks": {"a.safetensors": "00"},
}  # fmt: skip
SETTINGS = {
    "kind": "settings", "metric": "bits_per_character", "samples": 2, "reference": 2.0,
    "our_choice": ["little"],
    "points": [{"curve": "a", "network": "a", "setting": "bits", "x": 4.0} | POINT],
}  # fmt: skip
CHIPS = {
    "kind": "chips", "metric": "accuracy", "our_choice": ["little"],
    "points": [
        {"chip": "a", "network": "a", "operands": "4 b x 3.9 b"} | dict.fromkeys(
            ("value", "energy_per_step_j", "energy_per_inference_j", "step_s", "latency_s",
             "area_m2", "operations_per_joule", "macro_operations_per_joule",
             "operations_per_second_per_m2"), 0.5)
    ],
    "published": [{"name": "b", "operations_per_joule": [1e12, 2e12], "area_m2": None,
                   "source": "c"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def every(documents):
    """One document of each kind."""
    curve = {"curve": "a", "network": "a", "neurons": "bits", "sigma_eval": 0.5, "samples": 2}
    device = {"device": "reram", "noise": "drift", "chips": 2, "paper": "90 %"}
    row = {"label": "a", "network": "a", "temperature": 1.0} | dict.fromkeys(
        ("paper", "with_tau", "without_tau", "as_sigmoids", "with_tau_relative",
         "without_tau_relative", "as_sigmoids_relative"), 1.5)  # fmt: skip
    figures = {
        key: value
        for key, value in documents["sweep"]["points"][0].items()
        if key not in ("device", "noise.sigma_eval", "error", "is_pareto")
    }
    ages = [
        figures | {"device": "reram", "compensation": "on", "age": f"{age} s", "age_s": age}
        for age in (1.0, 100.0)
    ]
    made = MADE | {"provenance": origin()}
    return documents | {
        "device": describe_device("pcm"),
        "age": {"schema": "pimsim.age/1", "model": "gru.yaml", "points": ages},
        "curves": made | {"kind": "sweep", "samples": 2, "points": [curve | POINT]},
        "devices": made | {"kind": "devices", "samples": 2, "points": [device | POINT]},
        "penalty": made | {"kind": "table", "points": [row]},
        "settings": made | SETTINGS,
        "chips": made | CHIPS,
    }


def fault_of(kind: str, tree: object, whole: object) -> str:
    """What a damaged document raises that is no error of its user; empty if all is well."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            document = document_of(tree)
            page = page_of(document)
            print_page(page, terminal(io.StringIO()))
            text = html_of(page) + str(document.as_dict())
            assert "cannot be drawn" not in text
            assert "\x1b" not in text
            if kind == "run":
                describe_comparison([whole, tree])
                describe_comparison([tree, whole])
    except PimsimError:
        return ""
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def faults(every, step, first=0):
    found, n = [], 0
    for kind, whole in every.items():
        assert fault_of(kind, whole, whole) == ""
        for what, tree in list(damaged(whole))[first::step]:
            n += 1
            if fault := fault_of(kind, tree, whole):
                found.append(f"{kind}: {what}: {fault}"[:200])
    return found, n


@pytest.fixture
def without_pictures(monkeypatch):
    """Pages without their pictures, which take most of the time."""
    monkeypatch.setattr(Picture, "svg", property(lambda self: Markup("")))


def test_some_damaged_documents_of_every_kind(every, without_pictures):
    found, n = faults(every, 61)
    assert found == []
    assert n > 200


@pytest.mark.slow
def test_damaged_documents_of_every_kind(every, without_pictures):
    found, n = faults(every, 4)
    assert found == []
    assert n > 3000


@pytest.mark.slow
def test_pictures_of_damaged_documents(every):
    """A picture that cannot be drawn would cost itself alone; none of these does."""
    found, n = faults(every, 151, first=3)
    assert found == []
    assert n > 90
