"""Documents of every study, small: what pages are made from."""

from __future__ import annotations

from typing import Any

import pytest
from files import write_model
from hostile import with_name

from pimsim.report.documents import RunDocument, parse
from pimsim.studies.compare import describe_comparison
from pimsim.studies.document import describe_run
from pimsim.studies.origin import origin
from pimsim.studies.run import run
from pimsim.studies.sweep import describe_sweep, mark_pareto, row_of

Document = dict[str, Any]


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Document:
    model = write_model(tmp_path_factory.mktemp("report"))
    return describe_run(
        run(model, limit=6, reads=2, accuracy_target=0.1, set=["chip.link.spare_tokens=3"])
    )


@pytest.fixture(scope="session")
def documents(report: Document) -> dict[str, Document]:
    """One of each kind, by the command that writes it."""
    other = with_name(report, "other cells")
    rows = []
    for sigma, share in (("0", 1.0), ("0.5", 0.5)):
        for device in ("reram", "pcm"):
            row = row_of(parse(report, RunDocument, "report")) | {
                "device": device,
                "noise.sigma_eval": sigma,
            }
            row["accuracy"] *= share
            row["energy_per_inference_j"] *= 2 - share
            rows.append(row)
    mark_pareto(rows)
    log = [
        {"stage": stage, "epoch": epoch, "loss": 2.0 / epoch, "bits": 0.2 * epoch, "wall_s": 3.0}
        for stage in ("float", "bits")
        for epoch in (1, 2, 3)
    ]
    recipe = {"name": "toy", "seed": 3, "stages": [{"epochs": 3}, {"epochs": 4}]}
    figure = {
        "case": "a chip", "source": "Table 1", "certainty": "paper", "quantity": "chip.power",
        "published": 2.0, "unit": "W", "tolerance": 0.1, "factor": None, "basis": "predicted",
        "modelled": 2.1, "error": 0.05, "passes": True, "same_as": None, "expected": "pass",
        "settings": [], "chip": "a_chip", "from_the_chip": ["geometry"], "fitted": [],
        "is_independent": True, "factor_off": 1.05,
    }  # fmt: skip
    missed = figure | {"quantity": "chip.area", "modelled": 3.0, "error": 0.5, "passes": False,
                       "factor_off": 1.5}  # fmt: skip
    rough = figure | {"tolerance": None, "factor": 2.0, "modelled": 1.2, "error": -0.4}
    predictions = {
        "n": 3, "n_within": 2, "cases": 1, "median_factor": 1.5, "worst_factor": 1.67,
        "worst": "chip.power of a chip",
        "kinds": [{"kind": "energy", "n": 3, "median_factor": 1.5}],
    }  # fmt: skip
    made = {"pimsim": "0.1.0", "provenance": origin()}
    return {
        "run": report,
        "compare": describe_comparison([report, other]),
        "sweep": describe_sweep("gru.yaml", ["device", "noise.sigma_eval"], rows),
        "train": {"schema": "pimsim.training/1", "recipe": recipe, "log": log, **made},
        "validate": {
            "schema": "pimsim.validated/2",
            "predictions": predictions,
            "figures": [figure, missed, rough],
            **made,
        },
    }
